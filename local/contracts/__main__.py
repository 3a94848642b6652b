"""`python -m local.contracts [--check]`: write the contracts, or fail when a file is not what the code says."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from local.contracts import events, messaging_file, openapi, send_queue
from local.contracts.places import EVENTS, MESSAGING_FILE, OPENAPI, ROOT, SEND_QUEUE


def contracts() -> dict[Path, str]:
    """Return what each file should hold."""
    return {
        path: json.dumps(contract, indent=2, ensure_ascii=False) + "\n"
        for path, contract in (
            (OPENAPI, openapi.document()),
            (SEND_QUEUE, send_queue.schema()),
            (EVENTS, events.schema()),
            (MESSAGING_FILE, messaging_file.schema()),
        )
    }


def stale() -> list[Path]:
    """Return the files that do not hold what the code says."""
    return [
        path
        for path, text in contracts().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.contracts", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when stale")
    if parser.parse_args().check:
        names = [str(path.relative_to(ROOT)) for path in stale()]
        if names:
            sys.exit(f"{', '.join(names)}: not what the code says; run python -m local.contracts")
        return
    for path, text in contracts().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
