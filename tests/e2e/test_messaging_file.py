"""The service as code on the local stack: messaging.yaml by its commands, a registration by API in virtual time."""

from __future__ import annotations

import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from local.stack.stack import Stack
from tests.e2e.conftest import Caller, Twilio, send
from tests.functional.registration import FORM, STANDARD

ROOT = Path(__file__).parents[2]
DAY = 86_400


class Account:
    """What somebody does in the Twilio console."""

    def __init__(self, stack: Stack) -> None:
        self._url = stack.twilio_api_url
        self._headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": _basic(stack.account_sid, stack.auth_token),
        }

    def post(self, path: str, form: str) -> Any:
        answer = send("POST", self._url + path, form.encode(), self._headers)
        assert answer.status < 300, answer.text
        return answer.json


def _basic(name: str, secret: str) -> str:
    return f"Basic {b64encode(f'{name}:{secret}'.encode()).decode()}"


@pytest.fixture
def account(stack: Stack, call: Caller, twilio: Twilio) -> Iterator[Account]:
    """The account, before and afterwards with a service as it was deployed, of which no file declares anything."""

    def as_deployed() -> None:
        twilio.control("POST", "reset", {"settings": True, "services": True})
        assert call("PUT", "/service/declared", {}).status == 200
        assert call("POST", "/service/drift/apply").json["in_sync"]

    as_deployed()
    yield Account(stack)
    as_deployed()


def operate(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "local.operate", *arguments]
    done = subprocess.run(  # noqa: S603  our own command
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    return done.returncode, done.stdout + done.stderr


def good(call: Caller, method: str, path: str, body: object = None) -> Any:
    answer = call(method, path, body)
    assert answer.status in {200, 202}, answer.text
    return answer.json


def step(shown: Any, name: str) -> Any:
    (found,) = [each for each in shown["steps"] if each["name"] == name]
    return found


def test_a_service_as_a_file_has_it_and_a_brand_and_a_campaign_through_a_rejection(
    call: Caller, twilio: Twilio, account: Account, stack: Stack, tmp_path: Path
) -> None:
    # GIVEN a file with settings, a sender and a brand
    name = f"owl-{uuid4().hex[:8]}"
    wanted = {
        "service": {"sticky_sender": False, "validity_period": 14_400},
        "senders": [{"alphanumeric": "OWLSHOP", "country": "FR"}],
        "brand": {"name": name, **STANDARD},
    }
    file = tmp_path / "messaging.yaml"
    file.write_text(yaml.safe_dump(wanted))
    code, said = operate("plan", str(file), "--detailed-exitcode")
    assert (code, "2 to add, 2 to change, 0 to remove" in said) == (2, True), said
    # WHEN it is applied THEN it is so, and a second time changes nothing
    code, said = operate("apply", str(file), "--yes", "--accept-fees")
    assert (code, "customer_profile: in_review" in said) == (0, True), said
    settings = good(call, "GET", "/service")["settings"]
    assert (settings["sticky_sender"], settings["validity_period"]) == (False, 14_400)
    code, said = operate("apply", str(file), "--yes", "--accept-fees")
    assert (code, "Nothing is to be changed." in said) == (0, True), said
    # AND what is changed behind our back is found and put back
    account.post(f"/v1/Services/{stack.messaging_service_sid}", "StickySender=true")
    assert [
        (each["setting"], each["declared_by"])
        for each in good(call, "GET", "/service/drift")["differences"]
    ] == [("sticky_sender", "messaging.yaml")]
    assert operate("plan", str(file), "--detailed-exitcode")[0] == 2
    assert good(call, "POST", "/service/drift/apply")["in_sync"]
    assert operate("plan", str(file), "--detailed-exitcode")[0] == 0
    # WHEN the reviews of the brand are over, one after another
    brand = f"/compliance/brands/{name}"
    shown = until_ready(call, twilio, brand, each=DAY + 3_600)
    assert shown["identity"] == "VETTED_VERIFIED"
    # AND a campaign of it is rejected
    made = account.post("/v1/Services", "FriendlyName=Owl")
    campaign = f"/compliance/campaigns/{made['sid']}"
    draft = FORM | {"brand": name, "accept_fees": True}
    bad = draft | {"description": f"{FORM['description']} reject:30909"}
    assert good(call, "PUT", campaign, bad)["status"] == "PENDING"
    twilio.control("POST", "clock", {"advance_seconds": 12 * DAY})
    rejected = step(good(call, "POST", f"{campaign}/advance"), "campaign")
    assert (rejected["state"], rejected["problems"][0]["code"]) == ("rejected", 30909)
    # THEN the mended one is approved
    assert good(call, "PUT", campaign, draft)["status"] == "PENDING"
    shown = until_ready(call, twilio, campaign, each=12 * DAY)
    assert shown["status"] == "VERIFIED"
    assert good(call, "DELETE", f"{campaign}?stops_traffic=true")
    assert good(call, "DELETE", brand)["left"]


def until_ready(call: Caller, twilio: Twilio, path: str, *, each: int) -> Any:
    """Let Twilio's time pass, and go on by hand, as the sweeper does in ours."""
    for _ in range(8):
        twilio.control("POST", "clock", {"advance_seconds": each})
        shown = good(call, "POST", f"{path}/advance")
        if shown["ready"]:
            return shown
    raise AssertionError(shown)
