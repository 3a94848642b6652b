"""The control page: it is served, and everything that it asks the control API is there."""

import re

import pytest
import requests

from local.twilio.tests.doors import TIMEOUT, Caller

pytestmark = pytest.mark.enable_socket

ASKED = re.compile(r'call\("(GET|POST|DELETE)", "([^"]+)"')
BUTTONS = re.compile(r'data-post="([a-z/]+)"')


def page(twilio: Caller) -> str:
    response = requests.get(f"{twilio.base_url}/_control", timeout=TIMEOUT)
    assert response.headers["Content-Type"].startswith("text/html")
    return response.text


def test_the_page_is_served(twilio: Caller) -> None:
    assert "<title>local.twilio</title>" in page(twilio)


def test_all_that_the_page_shows_can_be_asked(twilio: Caller) -> None:
    shown = re.search(r"await Promise\.all\(\s*\[([^\]]+)\]", page(twilio))
    assert shown is not None
    paths = re.findall(r'"([^"]+)"', shown[1])
    assert "truth?last=50" in paths
    for path in paths:
        assert twilio.control("GET", path) is not None


def test_all_that_the_page_orders_is_understood(twilio: Caller) -> None:
    text = page(twilio)
    orders = ASKED.findall(text) + [("POST", path) for path in BUTTONS.findall(text)]
    assert len(orders) >= 8
    for method, path in orders:
        asked = path + "BN" if path.endswith("/") else path
        answer = requests.request(method, f"{twilio.base_url}/_control/{asked}", timeout=TIMEOUT)
        # no body is sent: a route that is there says what is wrong, one that is not says 404 or 405
        assert answer.status_code not in {404, 405}, f"{method} {path}"


def test_the_last_messages_are_told_alone(twilio: Caller) -> None:
    sids = [twilio.make()["sid"] for _ in range(3)]
    told = twilio.control("GET", "truth?last=2")
    assert [message["sid"] for message in told["messages"]] == sids[1:]
    assert told["total"] == 3
