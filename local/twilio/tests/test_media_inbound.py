"""Media of inbound messages: how they are given, where they lie, and who may fetch them."""

from base64 import b64encode
from typing import Any

import pytest
import requests

from local.twilio.tests.doors import ORDINARY, SENDER, TIMEOUT, Caller, Webhook

pytestmark = pytest.mark.enable_socket

OWL = b"\x89PNG owl"


def write(twilio: Caller, webhook: Webhook, *media: object) -> dict[str, str]:
    """A message with media; what the webhook hears."""
    twilio.control("PATCH", "settings", {"inbound_request_url": webhook.url})
    twilio.control("POST", "inbound", {"from": ORDINARY, "to": SENDER, "media": media})
    return webhook.received[-1].params


def given(content: bytes = OWL, content_type: str = "image/png") -> dict[str, Any]:
    return {"content_type": content_type, "content": b64encode(content).decode()}


def test_media_given_as_bytes_lie_at_the_simulator(twilio: Caller, webhook: Webhook) -> None:
    params = write(twilio, webhook, given(), "https://example.com/cat.gif")
    path = f"{twilio.messages_path}/{params['MessageSid']}/Media/ME"
    assert params["MessageSid"].startswith("MM")
    assert (params["NumMedia"], params["NumSegments"], params["Body"]) == ("2", "1", "")
    assert params["MediaUrl0"].startswith(twilio.base_url + path)
    assert params["MediaContentType0"] == "image/png"
    assert params["MediaUrl1"] == "https://example.com/cat.gif"
    assert params["MediaContentType1"] == "image/gif"
    response = twilio.api("GET", params["MediaUrl0"].removeprefix(twilio.base_url))
    assert (response.status_code, response.content) == (200, OWL)
    assert response.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize("size", [0, 1, 300, 600_000])
def test_media_given_by_size_have_that_many_bytes(
    twilio: Caller, webhook: Webhook, size: int
) -> None:
    params = write(twilio, webhook, {"content_type": "video/mp4", "size": size})
    response = twilio.api("GET", params["MediaUrl0"].removeprefix(twilio.base_url))
    assert (len(response.content), response.headers["Content-Type"]) == (size, "video/mp4")


@pytest.mark.parametrize(("protects", "status"), [(True, 401), (False, 200)])
def test_without_credentials_only_unprotected_media_are_given_out(
    twilio: Caller, webhook: Webhook, *, protects: bool, status: int
) -> None:
    twilio.control("PATCH", "settings", {"protect_media": protects})
    url = write(twilio, webhook, given())["MediaUrl0"]
    response = requests.get(url, timeout=TIMEOUT)
    assert response.status_code == status
    assert (response.content == OWL) is not protects


@pytest.mark.parametrize("protects", [True, False])
def test_unknown_media_are_not_found(twilio: Caller, webhook: Webhook, *, protects: bool) -> None:
    twilio.control("PATCH", "settings", {"protect_media": protects})
    url = write(twilio, webhook, given())["MediaUrl0"].removeprefix(twilio.base_url)
    other_media = url[:-32] + "0" * 32
    other_message = url.replace("/Messages/MM", "/Messages/SM")
    other_account = url.replace(twilio.account.account_sid, "AC" + "0" * 32)
    for path in (other_media, other_message, other_account):
        response = twilio.api("GET", path)
        assert (response.status_code, response.json()["code"]) == (404, 20404)


def test_media_that_lie_elsewhere_are_pointed_to(twilio: Caller, webhook: Webhook) -> None:
    sid = write(twilio, webhook, "https://example.com/cat.gif")["MessageSid"]
    listed = twilio.api("GET", f"{twilio.messages_path}/{sid}/Media.json").json()["media_list"]
    auth = (twilio.account.account_sid, twilio.account.auth_token)
    url = f"{twilio.base_url}{twilio.messages_path}/{sid}/Media/{listed[0]['sid']}"
    response = requests.get(url, auth=auth, timeout=TIMEOUT, allow_redirects=False)
    assert (response.status_code, response.headers["Location"]) == (
        307,
        "https://example.com/cat.gif",
    )


def test_a_dropped_message_leaves_no_media(twilio: Caller, webhook: Webhook) -> None:
    twilio.control("PATCH", "settings", {"inbound_request_url": ""})
    outcome = twilio.control(
        "POST", "inbound", {"from": ORDINARY, "to": SENDER, "media": [given()]}
    )
    assert (outcome["dropped"], outcome["sid"], webhook.received) == (True, None, [])


@pytest.mark.parametrize(
    ("media", "reason"),
    [
        ([given()] * 11, "at most 10"),
        ([{"content_type": "image/png"}], "size"),
        ([{"content_type": "image/png", "size": -1}], "0 to"),
        ([{"content_type": "image/png", "content": "%%%"}], "Error"),
        ([7], "a URL or an object is wanted"),
    ],
)
def test_media_that_cannot_be_read_are_refused(twilio: Caller, media: Any, reason: str) -> None:
    body = {"from": ORDINARY, "to": SENDER, "media": media}
    response = requests.post(f"{twilio.base_url}/_control/inbound", json=body, timeout=TIMEOUT)
    assert (response.status_code, reason in response.json()["error"]) == (400, True)
