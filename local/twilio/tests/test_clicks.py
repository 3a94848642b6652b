"""Shortened links: how they are made, where they lead, and what is told of a click."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
from twilio.request_validator import RequestValidator

from local.twilio.tests.doors import ORDINARY, Caller, Webhook, eventually
from local.twilio.tests.sites import Page, Site, Visit, open_site

pytestmark = pytest.mark.enable_socket

HOST = "go.example.com"
DOMAIN = "DN" + "d0" * 16
CONFIG = f"/v1/LinkShortening/Domains/{DOMAIN}/Config"
LONG = "https://shop.example.com/sale?item=1&q=a%20b#top"
SHORT = re.compile(rf"https://{HOST}/[A-Za-z0-9]{{10}}")
UNKNOWN = "0123456789"
DAY = 86_400
QUICKER_THAN_CALLBACKS = 10  # one that gets no answer is given up after 15 seconds
PERSON = "Mozilla/5.0 (iPhone)"


@pytest.fixture
def site() -> Iterator[Site]:
    with open_site() as opened:
        yield opened


@pytest.fixture
def twilio(twilio: Caller) -> Caller:
    """A simulator whose default service shortens links."""
    twilio.control("POST", "domains", {"sid": DOMAIN, "domain": HOST, "certified": True})
    path = f"/v1/LinkShortening/Domains/{DOMAIN}/MessagingServices/{twilio.service_sid}"
    assert twilio.api("POST", path).status_code == 201
    return twilio


def send(twilio: Caller, body: str, **fields: object) -> dict[str, Any]:
    """A message with shortened links, once it is over."""
    message = twilio.make(Body=body, ShortenUrls="true", **fields)
    return twilio.wait_for(message["sid"], "delivered", "failed")


def text_on_the_air(twilio: Caller) -> str:
    """What the only message went out as."""
    (message,) = twilio.control("GET", "truth")["messages"]
    return str(message["text"])


def make_link(twilio: Caller, **config: object) -> dict[str, Any]:
    """The link of a new message."""
    if config:
        twilio.api("POST", CONFIG, **config)
    send(twilio, f"See {LONG}")
    return dict(twilio.control("GET", "links")[-1])


def follow(url: str, user_agent: str = PERSON, method: str = "GET") -> requests.Response:
    headers = {"User-Agent": user_agent}
    return requests.request(
        method, url, headers=headers, allow_redirects=False, timeout=QUICKER_THAN_CALLBACKS
    )


def counts(twilio: Caller) -> tuple[int, int]:
    link = twilio.control("GET", "links")[0]
    return link["clicks"], link["previews"]


def alerts(twilio: Caller) -> list[int]:
    return [alert["code"] for alert in twilio.control("GET", "debugger")]


def advance(twilio: Caller, seconds: float) -> None:
    twilio.control("POST", "clock", {"advance_seconds": seconds})


def only_visit(site: Site) -> Visit:
    eventually(lambda: site.visits)
    assert len(site.visits) == 1
    return site.visits[0]


def test_every_link_of_a_message_becomes_a_short_one_of_its_own(twilio: Caller) -> None:
    body = f"Two: {LONG} and (http://example.org/a_(b)). Not www.example.com. {LONG}!"
    send(twilio, body)
    text = text_on_the_air(twilio)
    links = twilio.control("GET", "links")
    assert [link["original"] for link in links] == [LONG, "http://example.org/a_(b)", LONG]
    shorts = [link["short"] for link in links]
    assert len(set(shorts)) == 3
    assert all(SHORT.fullmatch(short) for short in shorts)
    assert text == f"Two: {shorts[0]} and ({shorts[1]}). Not www.example.com. {shorts[2]}!"


def test_a_link_knows_its_message(twilio: Caller) -> None:
    message = send(twilio, LONG)
    (link,) = twilio.control("GET", "links")
    assert link["message_sid"] == message["sid"]
    assert link["messaging_service_sid"] == twilio.service_sid
    assert (link["to"], link["from"]) == (ORDINARY, message["from"])
    assert link["local"] == f"{twilio.base_url}/{link['code']}"


def test_other_messages_keep_their_links(twilio: Caller) -> None:
    message = twilio.make(Body=LONG)
    twilio.wait_for(message["sid"], "delivered")
    assert text_on_the_air(twilio) == LONG
    assert send(twilio, "nothing to shorten")["status"] == "delivered"
    assert twilio.control("GET", "links") == []


def test_https_can_be_left_away(twilio: Caller) -> None:
    twilio.api("POST", CONFIG, DisableHttps="true")
    send(twilio, LONG)
    assert re.fullmatch(rf"{HOST}/[A-Za-z0-9]{{10}}", text_on_the_air(twilio))


def spoil_certificate(twilio: Caller) -> None:
    twilio.api("DELETE", f"/v1/LinkShortening/Domains/{DOMAIN}/Certificate")


def spoil_dns_and_wait(twilio: Caller) -> None:
    twilio.control("POST", "domains", {"domain": HOST, "dns_valid": False})
    advance(twilio, 91 * DAY)


def spoil_verification(twilio: Caller) -> None:
    twilio.control("POST", "domains", {"domain": HOST, "verified": False})


def spoil_service(twilio: Caller) -> None:
    twilio.control("POST", "domains", {"domain": HOST, "failing": True})


def spoil_nothing(twilio: Caller) -> None:
    """Leave the domain as it is."""


FAULTS = [
    (spoil_service, LONG, 30103),
    (spoil_certificate, LONG, 30120),
    (spoil_dns_and_wait, LONG, 30102),
    (spoil_verification, LONG, 30101),
    (spoil_nothing, "https://example.com/\u00e9", 30139),
]


@pytest.mark.parametrize(("spoil", "body", "code"), FAULTS)
@pytest.mark.parametrize("goes_on", [True, False])
def test_a_message_goes_with_long_links_or_fails_as_configured(
    twilio: Caller, spoil: Any, body: str, code: int, goes_on: bool
) -> None:
    twilio.api("POST", CONFIG, ContinueOnFailure=str(goes_on).lower())
    spoil(twilio)
    message = send(twilio, body)
    expected = ("delivered", None, body) if goes_on else ("failed", code, "None")
    assert (message["status"], message["error_code"], text_on_the_air(twilio)) == expected


def test_a_service_without_a_domain_sends_long_links(twilio: Caller) -> None:
    path = f"/v1/LinkShortening/Domains/{DOMAIN}/MessagingServices/{twilio.service_sid}"
    twilio.api("DELETE", path)
    send(twilio, LONG)
    assert text_on_the_air(twilio) == LONG


def test_a_click_leads_on_and_is_told_as_signed_json(twilio: Caller, site: Site) -> None:
    link = make_link(twilio, CallbackUrl=f"{site.url}/clicks?x=1")
    twilio.control("POST", "clock", {"frozen": True})
    response = follow(link["local"])
    assert (response.status_code, response.headers["Location"]) == (307, LONG)
    visit = only_visit(site)
    moment = twilio.control("GET", "clock")["now"]
    assert json.loads(visit.body) == {
        "event_type": "click",
        "sms_sid": link["message_sid"],
        "to": ORDINARY,
        "from": link["from"],
        "link": LONG,
        "click_time": f"{moment[:19]}Z",
        "messaging_service_sid": twilio.service_sid,
        "account_sid": twilio.account.account_sid,
        "user_agent": PERSON,
    }
    assert visit.headers["Content-Type"] == "application/json"
    sent_hash = parse_qs(urlsplit(visit.target).query)["bodySHA256"]
    assert sent_hash == [hashlib.sha256(visit.body.encode()).hexdigest()]
    validator = RequestValidator(twilio.account.auth_token)
    signature = visit.headers["X-Twilio-Signature"]
    assert validator.validate(site.url + visit.target, visit.body, signature)


def test_a_click_can_be_told_as_a_form(twilio: Caller, site: Site) -> None:
    twilio.control("POST", "settings", {"click_format": "form"})
    link = make_link(twilio, CallbackUrl=f"{site.url}/clicks")
    follow(link["local"])
    visit = only_visit(site)
    params = dict(parse_qsl(visit.body))
    assert (params["event_type"], params["link"]) == ("click", LONG)
    assert visit.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    validator = RequestValidator(twilio.account.auth_token)
    assert validator.validate(site.url + visit.target, params, visit.headers["X-Twilio-Signature"])


def test_a_slow_callback_does_not_keep_the_visitor_waiting(
    twilio: Caller, webhook: Webhook
) -> None:
    webhook.stalled.clear()
    link = make_link(twilio, CallbackUrl=f"{webhook.url}/clicks")
    for _ in range(3):
        assert follow(link["local"]).headers["Location"] == LONG
    assert eventually(lambda: len(webhook.received) == 3)
    assert counts(twilio) == (3, 0)


def test_a_failed_callback_is_not_tried_again_but_noted(twilio: Caller, site: Site) -> None:
    site.at("/clicks", Page(status=500))
    link = make_link(twilio, CallbackUrl=f"{site.url}/clicks")
    assert follow(link["local"]).status_code == 307
    assert eventually(lambda: alerts(twilio)) == [11200]
    assert len(site.visits) == 1


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (PERSON, (1, 0)),
        ("", (1, 0)),
        ("facebookexternalhit/1.1 Facebot Twitterbot/1.0", (0, 1)),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", (0, 1)),
        ("WhatsApp/2.23.20.0", (0, 1)),
    ],
)
def test_a_known_link_previewer_is_no_click(
    twilio: Caller, user_agent: str, expected: tuple[int, int]
) -> None:
    link = make_link(twilio)
    assert follow(link["local"], user_agent).status_code == 307
    assert counts(twilio) == expected


def test_a_look_without_following_is_no_event(twilio: Caller) -> None:
    link = make_link(twilio)
    assert follow(link["local"], method="HEAD").headers["Location"] == LONG
    assert counts(twilio) == (0, 0)


def test_the_control_api_plays_a_handset_and_a_previewer(twilio: Caller, site: Site) -> None:
    link = make_link(twilio, CallbackUrl=f"{site.url}/clicks")
    clicked = twilio.control("POST", "clicks", {"url": link["short"], "user_agent": "Handset/1"})
    twilio.control("POST", "clicks", {"code": link["code"], "event_type": "preview"})
    assert clicked == {"code": link["code"], "location": LONG}
    assert counts(twilio) == (1, 1)
    eventually(lambda: len(site.visits) == 2)
    told = {json.loads(visit.body)["event_type"]: json.loads(visit.body) for visit in site.visits}
    assert (told["click"]["user_agent"], set(told)) == ("Handset/1", {"click", "preview"})


@pytest.mark.parametrize("given", [{}, {"code": UNKNOWN, "event_type": "glance"}, []])
def test_a_click_that_makes_no_sense_is_refused(twilio: Caller, given: Any) -> None:
    response = requests.post(f"{twilio.base_url}/_control/clicks", json=given, timeout=30)
    assert response.status_code == 400


def test_after_90_days_a_link_leads_to_the_fallback_url_without_an_event(
    twilio: Caller, site: Site
) -> None:
    link = make_link(
        twilio, FallbackUrl="https://example.com/gone", CallbackUrl=f"{site.url}/clicks"
    )
    advance(twilio, 90 * DAY - 60)
    assert follow(link["local"]).headers["Location"] == LONG
    eventually(lambda: site.visits)
    advance(twilio, 60)
    response = follow(link["local"])
    assert (response.status_code, response.headers["Location"]) == (307, "https://example.com/gone")
    assert alerts(twilio) == [30104]
    assert counts(twilio) == (1, 0)
    assert len(site.visits) == 1


def test_after_90_days_a_link_without_a_fallback_url_is_not_found(twilio: Caller) -> None:
    link = make_link(twilio)
    advance(twilio, 90 * DAY)
    assert follow(link["local"]).status_code == 404
    assert alerts(twilio) == [30105]
    assert counts(twilio) == (0, 0)


def test_an_unknown_link_of_a_domain_leads_to_its_fallback_url(twilio: Caller) -> None:
    twilio.api("POST", CONFIG, FallbackUrl="https://example.com/gone")
    elsewhere = twilio.control("POST", "clicks", {"url": f"https://other.example.com/{UNKNOWN}"})
    assert elsewhere["location"] is None
    here = twilio.control("POST", "clicks", {"url": f"https://{HOST}/{UNKNOWN}"})
    assert here["location"] == "https://example.com/gone"
    assert follow(f"{twilio.base_url}/{UNKNOWN}").status_code == 404


def test_a_reset_forgets_links(twilio: Caller) -> None:
    link = make_link(twilio)
    twilio.control("POST", "reset")
    assert twilio.control("GET", "links") == []
    assert follow(link["local"]).status_code == 404
