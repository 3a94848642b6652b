"""`python -m local.demo`: bring the stack up, run a broadcast to 2,000 recipients, report, and check everything.

Exit code 0 only if every recipient has an outcome, the counters equal a recount of the ledger, and the
simulated Twilio made exactly the messages that the ledger tells of.
"""

import os
import sys
import time

from rich.console import Console

from local.client import ApiError
from local.demo import recount, report
from local.demo.api import simulated_messages, upload
from local.demo.progress import Report, watch
from local.demo.recipients import Recipient, as_csv, recipients
from local.stack import lifecycle, twilio
from local.stack.failure import StackError
from local.stack.stack import Stack

BODY = "Hi {{ name }}, your table is ready at seven. Reply STOP to opt out."


def main() -> int:
    """Run the demo; 1 if anything is not as it has to be."""
    console = Console(highlight=False)
    began = time.monotonic()
    try:
        is_right = _demonstrate(console)
    except (StackError, ApiError) as error:
        print(f"local.demo: {error}", file=sys.stderr)
        return 1
    console.print(
        f"\n{time.monotonic() - began:.0f} s in all. The stack goes on running until `make down`."
    )
    return 0 if is_right else 1


def _demonstrate(console: Console) -> bool:
    stack = lifecycle.up()
    console.print(f"stack       {stack.api_url}")
    rows = recipients()
    simulated = twilio.elsewhere(os.environ) is None
    told = _broadcast(stack, rows, console)
    counted = recount.scan(stack, told["id"])
    checks = {
        "every row of the file has the outcome it must have": [
            *recount.against_file(counted, rows)
        ],
        "the counters equal a recount of the ledger": [*recount.against_counters(counted, told)],
    }
    if simulated:
        made = simulated_messages(stack)
        checks["Twilio made each message once, and says the same of it"] = [
            *recount.against_twilio(counted, rows, made)
        ]
    report.show_delivery(told, counted, console)
    report.show_checks(checks, console)
    if not simulated:
        console.print("- what Twilio made is not compared: TWILIO_API_URL names another than ours")
    report.show_what_next(stack, told["id"], simulated=simulated)
    return not any(checks.values())


def _broadcast(stack: Stack, rows: list[Recipient], console: Console) -> Report:
    """Create, upload, start, and watch to the end."""
    sendpool = stack.api
    # no quiet hours: a demo runs at any hour
    asked = {"name": "demo", "body": BODY, "upload": True, "category": "transactional"}
    made = sendpool.post("/broadcasts", asked)
    console.print(f"broadcast   {made['id']}")
    content = as_csv(rows)
    upload(made["upload"], content)
    console.print(f"uploaded    {len(rows):,} recipients, {len(content):,} bytes")
    sendpool.post(f"/broadcasts/{made['id']}/start")
    console.print("started")
    return watch(sendpool, made["id"], of=len(rows), console=console)


if __name__ == "__main__":
    sys.exit(main())
