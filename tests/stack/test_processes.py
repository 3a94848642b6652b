"""Programs in the background, the ports they listen on, and the file that says where everything is."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import ports
from local.stack.failure import StackError
from local.stack.processes import Program
from local.stack.stack import Stack
from tests.stack.emulators import wait_for

CHILD = "import time; print(1, flush=True); time.sleep(60)"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"


@pytest.fixture
def program() -> Iterator[Program]:
    program = Program("tried-out")
    yield program
    program.stop()
    program.log.unlink(missing_ok=True)


def start(program: Program, code: str) -> None:
    program.start([sys.executable, "-u", "-c", code], env={"PATH": os.environ["PATH"]})


def test_a_program_that_ends_while_it_starts_is_told_with_its_last_words(program: Program) -> None:
    start(program, "raise SystemExit('the disk is full')")
    with pytest.raises(StackError, match="the disk is full"):
        program.wait_until(lambda: False)


def test_what_a_program_started_ends_with_it(program: Program) -> None:
    # GIVEN a program and its child, which holds the log open
    start(program, PARENT)
    wait_for(lambda: program.log.read_text() != "")
    group = program.pid()
    # WHEN it is stopped
    assert program.stop()
    # THEN neither is left, and to stop it again is harmless
    assert group is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)
    assert not program.stop()


def test_a_program_that_goes_on_under_another_command_line_is_still_ours(program: Program) -> None:
    # GIVEN a program that becomes another one
    start(program, f"import os, sys; os.execv(sys.executable, [sys.executable, '-c', {CHILD!r}])")
    began = program.pid()
    wait_for(lambda: program.log.read_text() != "")
    # THEN it is known, and can be stopped
    assert began is not None
    assert program.pid() == began
    assert program.stop()


def test_a_stranger_with_the_remembered_id_is_left_alone(program: Program) -> None:
    # GIVEN a pid file of an earlier boot, whose number now belongs to somebody else
    program.pid_file.parent.mkdir(parents=True, exist_ok=True)
    program.pid_file.write_text(json.dumps([os.getpid(), "some other time, some other program"]))
    # WHEN it is looked up and stopped, THEN nothing runs and nobody is killed
    assert program.pid() is None
    assert not program.stop()


def test_a_port_that_was_asked_for_must_be_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((ports.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("SENDPOOL_AWS_PORT", str(port))
        with pytest.raises(StackError, match=f"port {port} .SENDPOOL_AWS_PORT. is taken"):
            ports.choose("SENDPOOL_AWS_PORT", usual=4566)


@pytest.mark.parametrize("nonsense", ["", "http", "-1", "65536"])
def test_a_port_is_a_number(monkeypatch: pytest.MonkeyPatch, nonsense: str) -> None:
    monkeypatch.setenv("SENDPOOL_AWS_PORT", nonsense)
    with pytest.raises(StackError, match="must be a port number"):
        ports.choose("SENDPOOL_AWS_PORT", usual=4566)


def test_another_port_is_taken_when_the_usual_one_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SENDPOOL_AWS_PORT", raising=False)
    with socket.create_server((ports.HOST, 0)) as taken:
        usual = taken.getsockname()[1]
        assert ports.choose("SENDPOOL_AWS_PORT", usual=usual) != usual


def test_without_a_running_stack_one_is_told_how_to_start_it(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="make up"):
        Stack.load(tmp_path / "stack.json")
