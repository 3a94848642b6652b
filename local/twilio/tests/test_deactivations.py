"""Deactivated numbers: the redirect, and the file behind it."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import requests
from twilio.rest import Client

from local.twilio.tests.doors import Caller

pytestmark = pytest.mark.enable_socket

NUMBERS = ["+12025550111", "+12025550112"]


@pytest.fixture
def yesterday(twilio: Caller) -> date:
    """The last day whose list is out; time stands still."""
    twilio.control("POST", "clock", {"frozen": True})
    now = datetime.fromisoformat(twilio.control("GET", "clock")["now"])
    return now.date() - timedelta(days=1)


def fetch(twilio: Caller, day: object) -> requests.Response:
    auth = (twilio.account.account_sid, twilio.account.auth_token)
    return requests.get(
        f"{twilio.base_url}/v1/Deactivations",
        params={"Date": str(day)},
        auth=auth,
        allow_redirects=False,
        timeout=30,
    )


def test_a_day_leads_to_its_file(twilio: Caller, yesterday: date) -> None:
    twilio.control("POST", "deactivations", {"date": str(yesterday), "numbers": NUMBERS[:1]})
    listed = twilio.control("POST", "deactivations", {"date": str(yesterday), "numbers": NUMBERS})
    assert listed == {"date": str(yesterday), "numbers": NUMBERS}
    response = fetch(twilio, yesterday)
    assert response.status_code == 307
    url = response.json()["redirect_to"]
    assert response.headers["Location"] == url
    file = requests.get(url, timeout=30)
    assert (file.status_code, file.text) == (200, "+12025550111\n+12025550112\n")
    assert file.headers["Content-Type"].startswith("text/plain")


def test_a_day_without_deactivations_has_an_empty_file(twilio: Caller, yesterday: date) -> None:
    url = fetch(twilio, yesterday).json()["redirect_to"]
    assert requests.get(url, timeout=30).text == ""


def test_the_library_reads_the_list(twilio: Caller, client: Client, yesterday: date) -> None:
    twilio.control("POST", "deactivations", {"date": str(yesterday), "numbers": NUMBERS})
    deactivation = client.messaging.v1.deactivations().fetch(date=yesterday)
    assert requests.get(str(deactivation.redirect_to), timeout=30).text.split() == NUMBERS


def test_the_file_is_open_for_two_minutes(twilio: Caller, yesterday: date) -> None:
    url = fetch(twilio, yesterday).json()["redirect_to"]
    twilio.control("POST", "clock", {"advance_seconds": 119})
    assert requests.get(url, timeout=30).status_code == 200
    twilio.control("POST", "clock", {"advance_seconds": 2})
    assert requests.get(url, timeout=30).status_code == 403


@pytest.mark.parametrize("token", ["", "9999999999.00", "soon.00", "9999999999.\u00e9"])
def test_a_wrong_token_opens_nothing(twilio: Caller, yesterday: date, token: str) -> None:
    path = fetch(twilio, yesterday).json()["redirect_to"].partition("?")[0]
    assert requests.get(path, params={"token": token}, timeout=30).status_code == 403


def test_a_token_opens_its_own_day_only(twilio: Caller, yesterday: date) -> None:
    url = fetch(twilio, yesterday).json()["redirect_to"]
    other = url.replace(str(yesterday), str(yesterday - timedelta(days=1)))
    assert requests.get(other, timeout=30).status_code == 403
    nonsense = url.replace(str(yesterday), "2026-99-99")
    assert requests.get(nonsense, timeout=30).status_code == 403


@pytest.mark.parametrize(("days", "code"), [(0, 30114), (1, 30114), (-1, None)])
def test_the_lists_until_yesterday_are_out(
    twilio: Caller, yesterday: date, days: int, code: int | None
) -> None:
    response = fetch(twilio, yesterday + timedelta(days=days + 1))
    assert (response.status_code, response.json().get("code")) == (400 if code else 307, code)


@pytest.mark.undocumented_requests
@pytest.mark.parametrize(
    ("day", "code"),
    [
        ("2020-08-26", 30113),
        ("2020-08-27", None),
        ("26-08-27", 30115),
        ("2026-02-30", 30115),
        ("2026-02-03T00:00:00Z", 30115),
        ("", 30115),
    ],
)
def test_a_date_is_checked(twilio: Caller, day: str, code: int | None) -> None:
    response = fetch(twilio, day)
    assert (response.status_code, response.json().get("code")) == (400 if code else 307, code)


@pytest.mark.parametrize(
    "given",
    [{"date": "soon", "numbers": []}, {"date": "2026-01-01", "numbers": ["2025550111"]}, {}],
)
def test_a_wrong_list_is_refused(twilio: Caller, given: Any) -> None:
    url = f"{twilio.base_url}/_control/deactivations"
    assert requests.post(url, json=given, timeout=30).status_code == 400


def test_a_reset_forgets_the_lists(twilio: Caller, yesterday: date) -> None:
    twilio.control("POST", "deactivations", {"date": str(yesterday), "numbers": NUMBERS})
    twilio.control("POST", "reset")
    url = fetch(twilio, yesterday).json()["redirect_to"]
    assert requests.get(url, timeout=30).text == ""
