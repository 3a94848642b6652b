"""`python -m local.stack.emulator`: ministack with the gaps filled. Its settings are environment variables."""

import sys
from pathlib import Path

import ministack.app

from local.stack.emulator import http_api_body, lambda_runtime, numbers, streams, table_ttl
from local.stack.places import LOGS, RUNTIME_PYTHON


def fill_gaps(*, runtime_python: Path = RUNTIME_PYTHON, logs: Path = LOGS) -> None:
    """Fill all of them; once per process, before the emulator serves."""
    http_api_body.fill()
    numbers.fill()
    table_ttl.fill()
    streams.fill()
    lambda_runtime.fill(python=runtime_python, logs=logs)


if __name__ == "__main__":
    fill_gaps()
    sys.exit(ministack.app.main())
