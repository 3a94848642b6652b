"""The emulated AWS as a program: how it is started and how one sees that it serves."""

import hashlib
import os
import urllib.error
import urllib.request

from local.stack.failure import StackError
from local.stack.places import LOGS, PYTHON, RUNTIME_PYTHON, SCRATCH
from local.stack.ports import HOST, choose
from local.stack.processes import Program
from local.stack.stack import ACCESS_KEY, REGION

EMULATOR = Program("aws")


def start() -> str:
    """Start the emulator, wait until it serves, and return its URL."""
    if not RUNTIME_PYTHON.exists():
        raise StackError("the interpreter for functions is not installed here: run `make setup`")
    port = choose("SENDPOOL_AWS_PORT", usual=4566)
    SCRATCH.mkdir(parents=True, exist_ok=True)
    EMULATOR.start([str(PYTHON), "-m", "local.stack.emulator"], env=environment(port))
    url = f"http://{HOST}:{port}"
    EMULATOR.wait_until(lambda: is_serving(url))
    return url


def environment(port: int) -> dict[str, str]:
    """All that the emulator and the functions inherit: nothing of the caller's but the path."""
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(SCRATCH),
        "TMPDIR": str(SCRATCH),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "FUNCTION_LOGS": str(LOGS),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        # execution roles and signatures are enforced
        "AUTH": "true",
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_DEFAULT_REGION": REGION,
    }


def is_serving(url: str) -> bool:
    """Tell whether an emulator answers there."""
    try:
        with urllib.request.urlopen(f"{url}/_ministack/health", timeout=5):  # noqa: S310
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def api_id(stack_name: str, logical_id: str) -> str:
    """The id that an HTTP API of a stack gets here; on AWS it is random, and known once it is made."""
    return hashlib.sha256(f"{stack_name} {logical_id}".encode()).hexdigest()[:10]


def api_url(endpoint_url: str, stack_name: str, logical_id: str) -> str:
    """Where an HTTP API of a stack is or will be."""
    return f"{endpoint_url}/_aws/execute-api/{api_id(stack_name, logical_id)}"
