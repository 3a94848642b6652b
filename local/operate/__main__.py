"""`python -m local.operate`: dead letters, putting them back, counting again, opt-outs, Twilio's books, messaging.yaml.

  python -m local.operate dead-letters
  python -m local.operate redrive send --class too_many_rounds
  python -m local.operate recount bc_…
  python -m local.operate reconciliation --date 2026-11-23
  python -m local.operate opt-outs import list.csv
  python -m local.operate opt-outs export all.csv
  python -m local.operate plan messaging.yaml
  python -m local.operate apply messaging.yaml
  python -m local.operate --stack sendpool-prod dead-letters       # a stack in AWS

Without --stack it works on the stack that `make up` started. Needs the rights to read and write what it works on.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from typing import Any, NoReturn

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local.operate import books, counters, letters, messaging, opt_outs
from local.operate.target import COMMAND, QUEUES, TargetError, in_aws, local
from local.stack.failure import StackError
from sendpool.domain.declaration import FILE


def main(arguments: list[str] | None = None) -> int:
    """Do what was asked for, and return 0 when it was done."""
    asked = _parser().parse_args(arguments)
    console = Console(highlight=False)
    try:
        target = in_aws(asked.stack) if asked.stack else local()
        done: int = asked.do(target, asked, console)
    except (StackError, TargetError) as error:
        return _failed(str(error))
    except (ClientError, BotoCoreError) as error:
        return _failed(f"{error}\nNothing is lost by that: repeat it.")
    return done


def _failed(why: str) -> int:
    print(f"local.operate: {why}", file=sys.stderr)
    return 1


class _Parser(argparse.ArgumentParser):
    """Exits with 1 for what it does not understand; 2 says that a plan would change something."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stack", metavar="NAME", help="a CloudFormation stack in AWS")
    commands = parser.add_subparsers(required=True, metavar="command")
    show = commands.add_parser("dead-letters", help="show dead letters by class of error")
    show.set_defaults(do=letters.show)
    redrive = commands.add_parser("redrive", help="put dead letters back onto their queue")
    redrive.add_argument("queue", choices=QUEUES)
    which = redrive.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--class", dest="classes", action="append", metavar="CLASS", help="this class; repeatable"
    )
    which.add_argument("--all", action="store_true", help="every class")
    redrive.set_defaults(do=letters.redrive)
    recount = commands.add_parser("recount", help="count a broadcast again from its messages")
    recount.add_argument("broadcast", metavar="bc_…")
    recount.set_defaults(do=counters.recount)
    comparing = commands.add_parser("reconciliation", help="compare Twilio's books with ours")
    comparing.add_argument(
        "--date", type=date.fromisoformat, metavar="YYYY-MM-DD", help="this UTC day, with causes"
    )
    comparing.set_defaults(do=books.show)
    opting = commands.add_parser("opt-outs", help="take in a list of opt-outs, or write all out")
    lists = opting.add_subparsers(required=True, metavar="import|export")
    taking = lists.add_parser("import", help="opt out everybody in a CSV with a column `to`")
    taking.add_argument("file", metavar="FILE.csv")
    taking.add_argument("--scope", default="all", help="all, or the SID of a Messaging Service")
    taking.add_argument("--source", default="import", help="where the list comes from")
    taking.add_argument("--region", default="US", help="country of numbers without a country code")
    taking.set_defaults(do=opt_outs.take_in)
    writing = lists.add_parser("export", help="write every opt-out that stands, as CSV")
    writing.add_argument("file", metavar="FILE.csv", nargs="?", help="standard output if left out")
    writing.set_defaults(do=opt_outs.write_out)
    _add_declarative(commands)
    return parser


def _add_declarative(commands: Any) -> None:
    planning = commands.add_parser("plan", help="show what of messaging.yaml is not so yet")
    planning.add_argument(
        "--detailed-exitcode", action="store_true", help="2 if something would change, 0 if not"
    )
    planning.set_defaults(do=messaging.show)
    applying = commands.add_parser("apply", help="make it so; again changes nothing")
    applying.add_argument("--yes", action="store_true", help="ask nobody")
    applying.set_defaults(do=messaging.make_so)
    for each in (planning, applying):
        each.add_argument(
            "file", metavar="FILE", nargs="?", default=FILE, help=f"{FILE} if left out"
        )
        each.add_argument(
            "--accept-fees", action="store_true", help="consent to the fees that the plan names"
        )
        each.add_argument(
            "--force", action="store_true", help="hand in a campaign that the preflight rejects"
        )


if __name__ == "__main__":
    sys.exit(main())
