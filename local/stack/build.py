"""`sam build`, when something that goes into the build has changed since the last one."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from local.stack.failure import StackError
from local.stack.locks import alone
from local.stack.places import BUILD, LOCAL, LOGS, PROJECT, PYTHON, SAM

SOURCES = ("template.yaml", "samconfig.toml", "functions", "layers")
BUILT_FROM = LOCAL / "built-from"


def ensure() -> None:
    """Build unless the build is one of these sources; StackError with the end of SAM's output."""
    with alone("build"):
        digest = digest_of(*(PROJECT / source for source in SOURCES))
        if (BUILD / "template.yaml").exists() and _built_from() == digest:
            return
        print("building (sam build) …", flush=True)
        BUILT_FROM.unlink(missing_ok=True)
        run_sam("build", env=build_environment())
        BUILT_FROM.write_text(digest)


def build_environment() -> dict[str, str]:
    """The caller's environment, our Python 3.13 first on the path: `sam build` looks for the runtime's."""
    return {
        **os.environ,
        "PATH": f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}",
        "SAM_CLI_TELEMETRY": "0",
    }


def run_sam(*arguments: str, env: dict[str, str]) -> None:
    """Run the SAM CLI; its output goes to a log, whose end the StackError carries."""
    if not SAM.exists():
        raise StackError("the SAM CLI is not installed here: run `make setup`")
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"sam-{arguments[0]}.log"
    with log.open("wb") as output:
        done = subprocess.run(
            [SAM, *arguments],
            cwd=PROJECT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode:
        tail = "\n".join("    " + line for line in log.read_text().splitlines()[-30:])
        raise StackError(
            f"`sam {arguments[0]}` failed; the end of {log.relative_to(PROJECT)}:\n{tail}"
        )


def digest_of(*places: Path) -> str:
    """A digest of the names and contents of all files at these places, bytecode of Python left out."""
    digest = hashlib.sha256()
    for path in sorted(_files(places)):
        digest.update(str(path).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(places: tuple[Path, ...]) -> Iterator[Path]:
    for place in places:
        if place.is_file():
            yield place
        for path in place.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _built_from() -> str:
    return BUILT_FROM.read_text() if BUILT_FROM.exists() else ""
