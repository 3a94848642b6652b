"""Up and down: what is started, in which order, and what happens when it cannot."""

import os
from contextlib import ExitStack
from pathlib import Path

from local.stack import aws, build, deploy, twilio
from local.stack.aws import EMULATOR
from local.stack.failure import StackError
from local.stack.locks import alone
from local.stack.places import BUILD, LOCAL, LOGS, PROJECT, STACK_FILE
from local.stack.stack import Stack
from local.stack.twilio import SIMULATOR, Twilio

DEPLOYED = LOCAL / "deployed"
STARTED_FROM = LOCAL / "started-from"
PROGRAMS = (PROJECT / "local" / "stack" / "emulator", PROJECT / "local" / "twilio")


def up() -> Stack:
    """Have the build deployed and running: start what is not there, deploy what has changed."""
    build.ensure()
    with alone("stack"):
        running = running_stack()
        if running is None or not _is_current() or not _talks_to_whom_it_should(running):
            return _start()
        if _read(DEPLOYED) != _wanted():
            return _deploy(running.aws_endpoint_url, _twilio_of(running))
        return running


def down() -> bool:
    """Stop everything that was started here; tells whether anything ran."""
    with alone("stack"):
        return _stop()


def _stop() -> bool:
    stopped = [program.stop() for program in (EMULATOR, SIMULATOR)]
    for path in (STACK_FILE, DEPLOYED, STARTED_FROM):
        path.unlink(missing_ok=True)
    return any(stopped)


def running_stack() -> Stack | None:
    """The stack, if all that was started for it still runs and answers."""
    try:
        stack = Stack.load()
    except StackError:
        return None
    simulator_died = SIMULATOR.pid_file.exists() and SIMULATOR.pid() is None
    if simulator_died or EMULATOR.pid() is None or not aws.is_serving(stack.aws_endpoint_url):
        return None
    return stack


def _is_current() -> bool:
    """Tell whether what runs is the emulator and the simulator as they are written now."""
    return _read(STARTED_FROM) == build.digest_of(*PROGRAMS)


def _talks_to_whom_it_should(stack: Stack) -> bool:
    wanted = twilio.elsewhere(os.environ)
    if wanted is None:
        return SIMULATOR.pid() is not None
    return wanted.url == stack.twilio_api_url


def _start() -> Stack:
    """Start from nothing; when a step fails nothing is left running."""
    _stop()
    for log in LOGS.glob("*Function*.log"):
        log.unlink()
    with ExitStack() as undo:
        undo.callback(_stop)
        print("starting …", flush=True)
        endpoint_url = aws.start()
        chosen = twilio.elsewhere(os.environ) or twilio.start_simulator()
        STARTED_FROM.write_text(build.digest_of(*PROGRAMS))
        stack = _deploy(endpoint_url, chosen)
        undo.pop_all()
        return stack


def _deploy(endpoint_url: str, chosen: Twilio) -> Stack:
    print("deploying (sam deploy) …", flush=True)
    wanted = _wanted()
    stack = deploy.deploy(endpoint_url=endpoint_url, twilio=chosen)
    stack.save()
    DEPLOYED.write_text(wanted)
    return stack


def _wanted() -> str:
    """What a deployment is made of: the build, and the settings that `make up` takes."""
    return f"{build.digest_of(BUILD)} {os.environ.get('LOG_LEVEL', 'INFO')}"


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _twilio_of(stack: Stack) -> Twilio:
    return Twilio(
        url=stack.twilio_api_url,
        account_sid=stack.account_sid,
        auth_token=stack.auth_token,
        messaging_service_sid=stack.messaging_service_sid,
        is_simulator=SIMULATOR.pid() is not None,
    )
