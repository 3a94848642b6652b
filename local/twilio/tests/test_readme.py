"""The README names every setting, magic recipient, fault and control route that there is."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from local.twilio.app import build_app
from local.twilio.core.settings import Account, Behaviour, Settings
from local.twilio.fates.fates import BY_ENDING
from local.twilio.faults.script import FaultKind

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
PATH = "/_control/"
RANGE = re.compile(r"`(\d{7})`\N{EN DASH}`(\d{7})`")


def named_endings() -> set[str]:
    """The magic endings of the README, ranges written out."""
    ranges = {
        str(number)
        for first, last in RANGE.findall(README)
        for number in range(int(first), int(last) + 1)
    }
    return ranges | set(re.findall(r"`(\d{7})`", README))


@pytest.mark.parametrize("name", [each.name for each in fields(Behaviour)])
def test_every_setting_is_explained(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize(
    "name",
    [
        each.name
        for part in (Account, Settings)
        for each in fields(part)
        if each.name not in {"account", "behaviour", "host", "port", "auth_token"}
    ],
)
def test_every_flag_of_the_account_is_named(name: str) -> None:
    assert f"`--{name.replace('_', '-')}" in README


def test_the_magic_recipients_are_those_of_the_code() -> None:
    assert named_endings() == set(BY_ENDING)


@pytest.mark.parametrize("kind", list(FaultKind))
def test_every_fault_is_explained(kind: FaultKind) -> None:
    assert f"`{kind}`" in README


def test_every_control_route_is_named() -> None:
    paths = {
        route.resource.canonical
        for route in build_app(Settings()).router.routes()
        if route.resource is not None and route.resource.canonical.startswith(PATH)
    }
    named = {path for path in paths if re.sub(r"/\{.*", "", path) in README or path in README}
    assert paths - named == {"/_control/callbacks/resume"}  # stands as `…/resume`
