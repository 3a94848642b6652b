"""MMS: their media, conversion for handsets that take none, fetching."""

import pytest

from local.twilio.tests.doors import ORDINARY, SENDER, Caller, Webhook

pytestmark = pytest.mark.enable_socket

PICTURE = "https://example.com/menu.jpg"
NO_MMS = "+12025550177"


def finish(twilio: Caller, **fields: object) -> dict[str, object]:
    """A message as it ended, with what went over the air."""
    sid = twilio.make(**{"MediaUrl": PICTURE} | fields)["sid"]
    twilio.wait_for(sid, "delivered", "undelivered", "failed")
    truth = twilio.control("GET", "truth")["messages"]
    told = next(each for each in truth if each["sid"] == sid)
    return {**twilio.fetch(sid), "text": told["text"]}


def test_an_mms_counts_as_one_segment(twilio: Caller) -> None:
    message = finish(twilio, Body="x" * 500)
    assert (message["status"], message["num_segments"]) == ("delivered", "1")
    assert message["num_media"] == "1"


def test_long_text_may_go_as_one_mms(twilio: Caller) -> None:
    message = finish(twilio, MediaUrl=None, Body="x" * 500, SendAsMms="true")
    assert (message["num_segments"], message["num_media"]) == ("1", "0")


@pytest.mark.parametrize("to", [NO_MMS, "+447700900123"], ids=["handset", "country"])
def test_the_converter_sends_a_link_instead(twilio: Caller, to: str) -> None:
    message = finish(twilio, To=to, Body="x" * 150)
    assert message["status"] == "delivered"
    assert str(message["text"]).startswith("x" * 150 + "\nhttps://p.twil.io/")
    assert message["num_segments"] == "2"  # the link makes the text too long for one


@pytest.mark.parametrize("to", [NO_MMS, "+447700900123"], ids=["handset", "country"])
def test_without_the_converter_the_carrier_takes_no_mms(twilio: Caller, to: str) -> None:
    twilio.api("POST", f"/v1/Services/{twilio.service_sid}", MmsConverter="false")
    message = finish(twilio, To=to)
    assert (message["status"], message["error_code"]) == ("undelivered", 30011)


def test_media_are_listed_fetched_and_deleted(twilio: Caller) -> None:
    sid = twilio.make(MediaUrl=[PICTURE, "https://example.com/b.png"])["sid"]
    path = f"{twilio.messages_path}/{sid}/Media"
    listed = twilio.api("GET", f"{path}.json").json()["media_list"]
    assert [each["content_type"] for each in listed] == ["image/jpeg", "image/png"]
    one = f"{path}/{listed[0]['sid']}.json"
    assert twilio.api("GET", one).json() == listed[0]
    assert twilio.api("DELETE", one).status_code == 204
    assert twilio.api("GET", one).json()["code"] == 20404
    assert len(twilio.api("GET", f"{path}.json").json()["media_list"]) == 1


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [(200, "x", 12300), (404, "", 11200)],
    ids=["type", "unreachable"],
)
def test_media_that_cannot_be_used_fail_the_message_if_they_are_fetched(
    twilio: Caller, webhook: Webhook, status: int, body: str, code: int
) -> None:
    twilio.control("PATCH", "settings", {"fetch_media": True})
    webhook.answers = [(status, body)]  # as text/xml, which no MMS carries
    message = finish(twilio, MediaUrl=f"{webhook.url}/a.jpg")
    assert (message["status"], message["error_code"]) == ("failed", code)


def test_feedback_is_taken(twilio: Caller) -> None:
    sid = twilio.make(ProvideFeedback="true")["sid"]
    answer = twilio.api("POST", f"{twilio.messages_path}/{sid}/Feedback.json", Outcome="confirmed")
    assert (answer.json()["message_sid"], answer.json()["outcome"]) == (sid, "confirmed")


def test_smart_encoding_saves_segments_by_service_or_message(twilio: Caller) -> None:
    curly = "“" + "x" * 100 + "”"
    assert finish(twilio, MediaUrl=None, Body=curly)["num_segments"] == "1"
    assert finish(twilio, MediaUrl=None, Body=curly, SmartEncoded="false")["num_segments"] == "2"
    assert finish(twilio, MediaUrl=None, Body=curly, From=SENDER)["num_segments"] == "2"
    smart = finish(twilio, MediaUrl=None, Body=curly, From=SENDER, SmartEncoded="true")
    assert (smart["num_segments"], smart["body"]) == ("1", curly)
    assert smart["text"] == '"' + "x" * 100 + '"'


def test_a_registered_template_is_rendered(twilio: Caller) -> None:
    sid = "HX" + "c0de" * 8
    given = {"sid": sid, "body": "Hi {{1}}, {{2}}", "variables": {"2": "bye"}}
    twilio.control("POST", "content", given)
    made = twilio.make(Body=None, ContentSid=sid, ContentVariables='{"1": "Ann"}', To=ORDINARY)
    assert made["body"] == "Hi Ann, bye"
    unknown = twilio.create(Body=None, ContentSid="HX" + "0" * 32)
    assert unknown.json()["code"] == 21655
