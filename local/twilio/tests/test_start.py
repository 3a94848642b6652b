"""Starting it as a program, and what it is told by flags and environment."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.twilio.core.settings import from_command_line
from local.twilio.tests.doors import Caller

pytestmark = pytest.mark.enable_socket

PROJECT = Path(__file__).parents[3]


def test_it_prints_one_line_when_ready_and_ends_on_sigterm() -> None:
    command = [sys.executable, "-m", "local.twilio", "--port", "0", "--latency-ms", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as process:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        ready = dict(word.split("=", 1) for word in words if "=" in word)
        twilio = Caller(ready["url"])
        assert words[:2] == ["local.twilio", "ready"]
        assert ready["account_sid"] == twilio.account.account_sid
        assert twilio.create().status_code == 201
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert (process.wait(30), rest) == (0, "")


def test_flags_win_over_the_environment_and_both_over_defaults() -> None:
    settings = from_command_line(
        ["--latency-ms", "5", "--numbers", "+13105550100,+13105550101"],
        {
            "LOCAL_TWILIO_LATENCY_MS": "9",
            "LOCAL_TWILIO_FAILURE_SHARE": "0.25",
            "LOCAL_TWILIO_TRIAL": "true",
            "LOCAL_TWILIO_AUTH_TOKEN": "t",
            "LOCAL_TWILIO_FAULTS": json.dumps([{"kind": "cut_before"}]),
        },
    )
    assert settings.behaviour.latency_ms == 5
    assert settings.behaviour.failure_share == 0.25
    assert settings.behaviour.jitter_ms == 10
    assert settings.behaviour.trial is True
    assert settings.account.auth_token == "t"
    assert settings.numbers == ("+13105550100", "+13105550101")
    assert settings.faults == ({"kind": "cut_before"},)


def test_a_setting_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match="latency_ms"):
        from_command_line(["--latency-ms", "fast"], {})
