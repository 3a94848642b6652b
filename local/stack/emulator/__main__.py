"""`python -m local.stack.emulator`: ministack with the gaps filled. Its settings are environment variables."""

import os
import sys
from pathlib import Path

import ministack.app

from local.stack.emulator import (
    batching,
    http_api_body,
    iam,
    lambda_runtime,
    numbers,
    streams,
    table_ttl,
)
from local.stack.places import RUNTIME_PYTHON


def fill_gaps(*, logs: Path) -> None:
    """Fill all of them; once per process, before the emulator serves. Functions write to files in `logs`."""
    http_api_body.fill()
    numbers.fill()
    table_ttl.fill()
    iam.fill()
    streams.fill()
    batching.fill()
    lambda_runtime.fill(python=RUNTIME_PYTHON, logs=logs)


if __name__ == "__main__":
    fill_gaps(logs=Path(os.environ["FUNCTION_LOGS"]))
    sys.exit(ministack.app.main())
