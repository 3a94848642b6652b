"""Finishes the built layer: drops what is never imported, and compiles the rest so that no cold start has to.

Bytecode is `unchecked-hash` (the layer is read-only) with the paths that the modules will have in Lambda, so two
builds are byte for byte the same.
"""  # noqa: INP001

from __future__ import annotations

import compileall
import py_compile
import re
import shutil
import sys
from pathlib import Path

IN_LAMBDA = "/opt/python"
NEVER_IMPORTED = (
    "bin",
    "**/tests",
    "**/__pycache__",
    "*.dist-info/RECORD",
    "*.dist-info/direct_url.json",
    # Liquid imports Babel for filters that are off; its 30 MB of other languages are never read
    "babel/locale-data/[!er]*",
    "babel/locale-data/[er][!no]*",
)
# some forty products of Twilio that nobody here calls: they stay importable, but their bytecode is 20 MB
NEVER_CALLED = re.compile(r"/twilio/rest/(?!__init__|api/|content/|lookups/|messaging/|trusthub/)")


def finish(target: Path) -> int:
    """Finish the layer below `target`; returns its size in bytes."""
    for pattern in NEVER_IMPORTED:
        for path in sorted(target.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    compiled = compileall.compile_dir(
        target,
        quiet=1,
        rx=NEVER_CALLED,
        stripdir=str(target),
        prependdir=IN_LAMBDA,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not compiled:
        sys.exit("some modules of the layer do not compile")
    return sum(path.stat().st_size for path in target.rglob("*") if path.is_file())


if __name__ == "__main__":
    size = finish(Path(sys.argv[1]).resolve())
    print(f"layer: {size / 1e6:.1f} MB unzipped")  # noqa: T201
