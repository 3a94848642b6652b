"""`python -m local.stack.smoke`: import every built function against the built layer, as a cold Lambda would.

Each import happens in an interpreter of its own that has what Lambda's runtime has and the layer, and nothing
else. Fails when one cannot be imported, or loads what it must not.
"""

import json
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from local.stack.places import BUILD, RUNTIME_PYTHON

LAYER = BUILD / "SendpoolLayer" / "python"

# Twilio waits for webhooks: what answers it must start quickly
SLOW_TO_LOAD = ("twilio.rest", "pydantic")
FORBIDDEN = {"InboundFunction": SLOW_TO_LOAD} | dict.fromkeys(
    ("StatusFunction", "ClicksFunction", "FallbackFunction"), (*SLOW_TO_LOAD, "twilio")
)

IMPORT = """
import json, os, sys, time
sys.path[0:0] = [os.environ["LAMBDA_TASK_ROOT"], sys.argv[1]]
started = time.perf_counter()
import app
seconds = time.perf_counter() - started
assert callable(app.lambda_handler)
print(json.dumps({"seconds": seconds, "modules": sorted(sys.modules)}))
"""


def smoke_test(function: Path) -> tuple[str, str]:
    """Import one built function; returns its import time in ms, and what is wrong if something is."""
    done = subprocess.run(
        [RUNTIME_PYTHON, "-I", "-B", "-c", IMPORT, LAYER],
        env={"LAMBDA_TASK_ROOT": str(function), "AWS_DEFAULT_REGION": "us-east-1"},
        cwd=function,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return "", done.stderr.strip()
    seen = json.loads(done.stdout.splitlines()[-1])
    loaded = [name for name in FORBIDDEN.get(function.name, ()) if name in seen["modules"]]
    return f"{seen['seconds'] * 1000:.0f}", f"loads {', '.join(loaded)}" if loaded else ""


def main() -> int:
    """Test all of them and print a table."""
    table = Table("function", "import ms", "wrong", title="built functions on the built layer")
    results = {path.parent: smoke_test(path.parent) for path in sorted(BUILD.glob("*/app.py"))}
    for function, (milliseconds, wrong) in results.items():
        table.add_row(function.name, milliseconds, wrong)
    Console().print(table)
    print(f"layer: {layer_bytes() / 1e6:.1f} MB unzipped")
    return int(not results or any(wrong for _, wrong in results.values()))


def layer_bytes() -> int:
    """The unzipped size of the built layer."""
    return sum(path.stat().st_size for path in LAYER.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
