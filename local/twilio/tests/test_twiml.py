"""TwiML that a webhook answers with: messages, redirects, what is refused, and the fallback."""

from collections.abc import Iterator
from typing import Any

import pytest
from twilio.twiml.messaging_response import MessagingResponse

from local.twilio.tests.doors import ORDINARY, SENDER, Caller, eventually
from local.twilio.tests.sites import Page, Site, open_site
from local.twilio.webhooks.signing import sign

pytestmark = pytest.mark.enable_socket

OTHER = "+12025550124"
LOOSE = "+13125550100"
HELLO = "<Response><Message>Hello</Message></Response>"


@pytest.fixture
def site(twilio: Caller) -> Iterator[Site]:
    """A site whose /in is the webhook of the default service."""
    with open_site() as opened:
        twilio.control("PATCH", "settings", {"inbound_request_url": f"{opened.url}/in"})
        yield opened


def write(twilio: Caller, body: str = "hi", *, to: str = SENDER) -> dict[str, Any]:
    """What a person writes; the outcome."""
    return dict(twilio.control("POST", "inbound", {"from": ORDINARY, "to": to, "body": body}))


def replies(twilio: Caller, outcome: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages that the answer made."""
    return [twilio.fetch(sid) for sid in outcome["replies"]]


def codes(twilio: Caller) -> list[int]:
    """The codes of the debugger."""
    return [each["code"] for each in twilio.control("GET", "debugger")]


def test_a_reply_is_a_message_that_is_delivered_with_callbacks(twilio: Caller, site: Site) -> None:
    # GIVEN an answer made by the library, as its docs show
    response = MessagingResponse()
    message = response.message(status_callback=f"{site.url}/status", action=f"{site.url}/action")
    message.body("Hé & <co>")
    message.media("https://example.com/owl.png")
    site.at("/in", Page(str(response)))
    # WHEN somebody writes
    outcome = write(twilio)
    # THEN the answer goes out from the number to the person
    sid = outcome["replies"][0]
    reply = twilio.wait_for(sid, "delivered")
    assert sid.startswith("MM")
    assert (reply["from"], reply["to"], reply["body"]) == (SENDER, ORDINARY, "Hé & <co>")
    assert (reply["direction"], reply["num_media"]) == ("outbound-reply", "1")
    assert reply["messaging_service_sid"] == twilio.service_sid
    # AND its callbacks come, and the action hears of it, signed
    eventually(lambda: site.paths().count("/status") == 2)
    action = next(visit for visit in site.visits if visit.path == "/action")
    assert (action.method, action.params["MessageSid"]) == ("POST", sid)
    assert action.params["MessageStatus"] == "queued"
    assert action.headers["X-Twilio-Signature"] == sign(
        auth_token=twilio.account.auth_token, url=f"{site.url}/action", params=action.params
    )


@pytest.mark.parametrize(
    ("page", "bodies"),
    [
        (Page(HELLO), ["Hello"]),
        (Page(HELLO, content_type="application/xml; charset=utf-8"), ["Hello"]),
        (Page(f'<?xml version="1.0" encoding="UTF-8"?>\n{HELLO}'), ["Hello"]),
        (Page("Just text", content_type="text/plain"), ["Just text"]),
        (Page("<Response/>"), []),
        (Page("<Response></Response>", content_type="text/xml"), []),
        (Page(""), []),
        (Page("", content_type="application/json"), []),
        (Page(status=204, content_type=""), []),
        (
            Page("<Response><Message>a</Message><Message><Body>b</Body></Message></Response>"),
            ["a", "b"],
        ),
        (Page("<Response><Sms>old</Sms></Response>"), ["old"]),
    ],
)
def test_answers_that_are_understood(
    twilio: Caller, site: Site, page: Page, bodies: list[str]
) -> None:
    site.at("/in", page)
    assert [each["body"] for each in replies(twilio, write(twilio))] == bodies
    assert codes(twilio) == []


def test_a_message_may_go_elsewhere_and_come_from_another_number(
    twilio: Caller, site: Site
) -> None:
    site.at(
        "/in",
        Page(f'<Response><Message to="{OTHER}" from="{LOOSE}">x</Message></Response>'),
    )
    reply = replies(twilio, write(twilio))[0]
    assert (reply["to"], reply["from"], reply["messaging_service_sid"]) == (OTHER, LOOSE, None)


def test_a_reply_of_a_number_outside_services_has_no_service(twilio: Caller, site: Site) -> None:
    twilio.control("PATCH", "settings", {"number_sms_url": site.at("/number", Page(HELLO))})
    reply = replies(twilio, write(twilio, to=LOOSE))[0]
    assert (reply["from"], reply["messaging_service_sid"]) == (LOOSE, None)


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (Page("<Response><Message>", content_type="text/xml"), 12100),
        (Page("<Answer/>"), 12100),
        (Page("hello"), 12100),
        (Page('<!DOCTYPE r [<!ENTITY a "b">]><Response><Message>&a;</Message></Response>'), 12100),
        (Page("{}", content_type="application/json"), 12300),
        (Page("<html/>", content_type="text/html"), 12300),
        (Page(HELLO, content_type=""), 12300),
        (Page(f"<Response><!--{'x' * 65536}--></Response>"), 11750),
        (Page(HELLO, status=500), 11200),
        (Page(HELLO, status=404), 11200),
        (Page("<Response><Redirect>/in</Redirect></Response>"), 14106),
        (Page("<Response><Redirect>/gone</Redirect></Response>"), 11200),
    ],
)
def test_a_document_of_no_use_is_noted_and_the_fallback_answers(
    twilio: Caller, site: Site, page: Page, code: int
) -> None:
    # GIVEN an answer that cannot be had or read
    site.at("/in", page)
    site.at("/gone", Page(status=410))
    fallback = site.at("/fallback", Page(HELLO))
    twilio.api("POST", f"/v1/Services/{twilio.service_sid}", FallbackUrl=fallback)
    # WHEN somebody writes
    outcome = write(twilio)
    # THEN the fallback is told why, and its answer is carried out
    told = site.visits[-1]
    assert (told.path, told.params["ErrorCode"]) == ("/fallback", str(code))
    assert told.params["ErrorUrl"].startswith(site.url)
    assert codes(twilio) == [code]
    assert [each["body"] for each in replies(twilio, outcome)] == ["Hello"]


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        ('<Message to="nobody">x</Message>', 14101),
        ('<Message from="no!body">x</Message>', 14102),
        ('<Message from="+12125550199">x</Message>', 14102),
        ("<Message></Message>", 14103),
        (f"<Message>{'x' * 1601}</Message>", 14103),
        ('<Message action="/a" method="PUT">x</Message>', 14104),
        ('<Redirect method="PUT">/b</Redirect>', 14104),
        ('<Message statusCallback="ftp://example.com">x</Message>', 14105),
        ('<Message statusCallback="http://[">x</Message>', 14105),
        ('<Message action="mailto:ann">x</Message>', 11100),
        ('<Message colour="red">x</Message>', 12200),
        ("<Message>x<Image>y</Image></Message>", 12200),
        (f"<Message>{'<Media>https://example.com/a</Media>' * 11}</Message>", 21623),
        ("<Say>x</Say>", 14110),
        ("<Dial>+12025550100</Dial>", 14110),
    ],
)
def test_a_verb_that_cannot_be_carried_out_is_noted_and_the_rest_goes_on(
    twilio: Caller, site: Site, verb: str, code: int
) -> None:
    site.at("/in", Page(f"<Response>{verb}<Message>after</Message></Response>"))
    outcome = write(twilio)
    assert [each["body"] for each in replies(twilio, outcome)] == ["after"]
    alerts = twilio.control("GET", "debugger")
    assert [(each["code"], each["url"], each["sid"]) for each in alerts] == [
        (code, f"{site.url}/in", outcome["sid"])
    ]


def test_a_text_that_is_too_long_is_not_sent_back(twilio: Caller, site: Site) -> None:
    site.at("/in", Page("x" * 1601, content_type="text/plain"))
    assert write(twilio)["replies"] == []
    assert codes(twilio) == [14103]


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_redirect_goes_on_elsewhere_and_what_follows_it_is_not_reached(
    twilio: Caller, site: Site, method: str
) -> None:
    redirect = f'<Redirect method="{method}">more?step=2</Redirect>'
    site.at("/in", Page(f"<Response><Message>1</Message>{redirect}<Message>3</Message></Response>"))
    site.at("/more", Page("<Response><Message>2</Message></Response>"))
    outcome = write(twilio, "redirect me")
    assert [each["body"] for each in replies(twilio, outcome)] == ["1", "2"]
    second = site.visits[1]
    assert (second.method, second.target.partition("&")[0]) == (
        method,
        "/more?step=2",
    )
    assert second.params["Body"] == "redirect me"


def test_at_most_ten_messages_answer_one(twilio: Caller, site: Site) -> None:
    site.at("/in", Page(f"<Response>{'<Message>x</Message>' * 12}</Response>"))
    assert len(write(twilio)["replies"]) == 10
    assert codes(twilio) == [14109, 14109]


def test_more_than_15_replies_in_30_seconds_fail(twilio: Caller, site: Site) -> None:
    # GIVEN answers of eight messages, and a clock that stands still
    twilio.control("POST", "clock", {"frozen": True})
    site.at("/in", Page(f"<Response>{'<Message>x</Message>' * 8}</Response>"))
    # WHEN two come at once, and one half a minute later
    made = [*write(twilio)["replies"], *write(twilio)["replies"]]
    twilio.control("POST", "clock", {"advance_seconds": 31})
    made += write(twilio)["replies"]
    twilio.control("POST", "clock", {"until_idle": True})
    # THEN only the sixteenth fails
    fates = [(twilio.fetch(sid)["status"], twilio.fetch(sid)["error_code"]) for sid in made]
    assert fates == [("delivered", None)] * 15 + [("failed", 14107)] + [("delivered", None)] * 8
    assert codes(twilio) == [14107]


def test_a_reply_to_a_stop_is_not_sent(twilio: Caller, site: Site) -> None:
    site.at("/in", Page(HELLO))
    outcome = write(twilio, "STOP")
    assert outcome["replies"] == []
    assert codes(twilio) == [21610]


def test_a_reply_to_a_toll_free_stop_meets_the_network(twilio: Caller, site: Site) -> None:
    twilio.control("PATCH", "settings", {"number_sms_url": site.at("/number", Page(HELLO))})
    assert write(twilio, "STOP", to="+18885550100")["replies"] == []
    assert codes(twilio) == [30004]


def test_replies_do_not_count_as_messages_of_the_api(twilio: Caller, site: Site) -> None:
    site.at("/in", Page(HELLO))
    write(twilio)
    assert twilio.control("GET", "truth")["total"] == 0


def test_a_reset_clears_the_debugger(twilio: Caller, site: Site) -> None:
    site.at("/in", Page(status=500))
    write(twilio)
    assert codes(twilio) == [11200]
    twilio.control("POST", "reset")
    assert codes(twilio) == []
