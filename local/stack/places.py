"""Where things lie: all that the local stack writes is below `.local`, so that checkouts do not meet."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LOCAL = PROJECT / ".local"
STACK_FILE = LOCAL / "stack.json"
LOGS = LOCAL / "logs"
RUN = LOCAL / "run"
SCRATCH = LOCAL / "tmp"
BUILD = PROJECT / ".aws-sam" / "build"

PYTHON = PROJECT / ".venv" / "bin" / "python"
SAM = LOCAL / "tools" / "sam" / "bin" / "sam"
RUNTIME_PYTHON = LOCAL / "tools" / "runtime" / "bin" / "python"
"""An interpreter with what Lambda's Python runtime brings, and nothing else: boto3 and the runtime client."""
