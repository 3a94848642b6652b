"""Programs that run in the background: started in a group of their own, remembered by a file, stopped as a group.

A remembered process counts as ours only while its start time is still the one written down: process ids are used
again. (Its command line says nothing: there is none yet for a moment after it began.)
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.stack.failure import StackError
from local.stack.places import LOGS, PROJECT, RUN

START_SECONDS = 60.0
STOP_SECONDS = 10.0

_children: dict[str, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the stack by its name, which is also that of its log and its pid file."""

    name: str

    @property
    def log(self) -> Path:
        return LOGS / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        return RUN / f"{self.name}.json"

    def pid(self) -> int | None:
        """The process that runs it now, if it is still the one that we started."""
        try:
            pid, identity = json.loads(self.pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if identity and _identity(pid) == identity else None

    def start(self, command: Sequence[str], *, env: Mapping[str, str]) -> None:
        """Start it with exactly this environment; its output goes to its log."""
        for folder in (LOGS, RUN):
            folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            process = _children[self.name] = subprocess.Popen(
                command,
                env=env,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.pid_file.write_text(json.dumps([process.pid, _identity(process.pid)]))

    def wait_until(self, is_ready: Callable[[], bool]) -> None:
        """Wait for it to be ready; StackError with the end of its log when it ends or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            self._collect()
            if self.pid() is None:
                raise StackError(f"{self.name} ended while it started\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise StackError(f"{self.name} was not ready in time\n{self.log_tail()}")
            time.sleep(0.05)

    def stop(self) -> bool:
        """Stop it and all that it started; tells whether it ran."""
        pid = self.pid()
        if pid is not None:
            _signal_group(pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while _group_lives(pid) and time.monotonic() < deadline:
                self._collect()
                time.sleep(0.05)
            _signal_group(pid, signal.SIGKILL)
        if self.name in _children:
            child = _children.pop(self.name)
            child.kill()
            child.wait()
        self.pid_file.unlink(missing_ok=True)
        return pid is not None

    def _collect(self) -> None:
        """Take note of its end, if it is a child of this process: until then it counts as there."""
        if self.name in _children:
            _children[self.name].poll()

    def log_tail(self, lines: int = 20) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        tail = "\n".join("    " + line for line in text.splitlines()[-lines:])
        return f"the end of {self.log.relative_to(PROJECT)}:\n{tail}"


def _identity(pid: int) -> str | None:
    """When a process was started, as the system counts it; nothing when it is gone or only waits to be collected."""
    if Path("/proc/self/stat").exists():
        state, started = _stat(pid)
    else:
        shown = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
        state, _, started = shown.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def _stat(pid: int) -> tuple[str, str]:
    """The state of a process, and the ticks since the machine's start at which it was started."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "", ""
    # the name in front may hold anything, blanks and brackets too
    fields = text.rpartition(")")[2].split()
    return fields[0], fields[19]


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def _group_lives(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True
