"""`python -m local.stack build|up|down|status|logs`."""

import argparse
import os
import sys

from local.stack import build, lifecycle
from local.stack.aws import EMULATOR
from local.stack.failure import StackError
from local.stack.places import LOGS, STACK_FILE
from local.stack.stack import Stack
from local.stack.twilio import SIMULATOR


def show_up() -> None:
    """Build, start and deploy what is needed."""
    stack = lifecycle.up()
    print(f"up: {stack.api_url}\n    Twilio at {stack.twilio_api_url}, all of it in {STACK_FILE}")


def show_down() -> None:
    """Stop everything."""
    print("stopped" if lifecycle.down() else "nothing was running")


def show_status() -> None:
    """Say what runs; fails when the stack is not up."""
    for program in (EMULATOR, SIMULATOR):
        print(f"{program.name}: {f'process {program.pid()}' if program.pid() else 'not running'}")
    if lifecycle.running_stack() is None:
        raise StackError("the local stack is not up: run `make up`")
    print(f"api: {Stack.load().api_url}")


def follow_logs() -> None:
    """Show the logs of all functions and of the simulator as they grow."""
    logs = sorted(str(path) for path in LOGS.glob("*.log") if not path.name.startswith("sam-"))
    if not logs:
        raise StackError("there are no logs yet: run `make up`")
    os.execvp("tail", ["tail", "-n", "50", "-F", *logs])  # noqa: S606


COMMANDS = {
    "build": build.ensure,
    "up": show_up,
    "down": show_down,
    "status": show_status,
    "logs": follow_logs,
}


def main() -> int:
    """Run one command; a failure is told in words."""
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    try:
        COMMANDS[parser.parse_args().command]()
    except StackError as error:
        print(f"local.stack: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
