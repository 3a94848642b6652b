"""Texts that people send us: kept first, answered by the book, once, also when the ledger takes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from itertools import count, islice
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest

from functions.compliance.app import lambda_handler as compliance
from functions.fallback.app import lambda_handler as fallback
from functions.inbound.app import lambda_handler as inbound
from functions.messages.app import lambda_handler as messages
from functions.recorder.app import lambda_handler as recorder
from sendpool.adapters import aws as clients
from sendpool.adapters.twilio.media import MediaFile
from sendpool.domain.errors import TwilioBusyError, TwilioUnavailableError
from sendpool.domain.media import MediaGoneError
from sendpool.edge import warm
from tests.functional.aws import SERVICE_SID, Aws, Context, sqs_record
from tests.functional.conftest import Clock
from tests.functional.flow import Flow
from tests.functional.requests import http
from tests.functional.rest import KilledError, killed_at, ledger_down
from tests.functional.test_webhooks import text, webhook
from tests.functional.twilio import FakeTwilio

PERSON, OURS, SPANISH = "+12025550123", "+12025550100", "+13055550100"
SIDS = (f"SM{number:032}" for number in count(1))

BOOK = {
    "rules": [
        {
            "keywords": {"en": ["HOURS", "opening hours"], "es": ["HORARIO"]},
            "texts": {"en": "Open 9 to 5.", "es": "Abrimos de 9 a 17 h."},
        },
        {"keywords": {"en": ["order"]}, "texts": {"en": "Which order?"}, "match": "start"},
        {"keywords": {"en": ["refund"]}, "texts": {"en": "Refunds: …"}, "match": "anywhere"},
        {"keywords": {"es": ["HOLA"]}, "texts": {"es": "¡Hola!"}, "numbers": [SPANISH]},
    ],
    "help": {"en": "Call 202-555-0199.", "es": "Llame al 202-555-0199."},
    "otherwise": {"en": "We answer soon.", "es": "Contestamos pronto."},
    "languages": {SPANISH: "es"},
}


@pytest.fixture
def flow(aws: Aws, twilio: FakeTwilio) -> Flow:
    return Flow(aws)


def call(method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    answer = compliance(http(method, path, body), Context())
    return answer["statusCode"], json.loads(answer["body"])


def write(book: dict[str, Any], clock: Clock) -> None:
    """Write the answers, and let the minute pass in which older ones may hold."""
    assert call("PUT", "/answers", book)[0] == 200
    clock.pass_by(minutes=1)


def says(body: str, **more: str) -> list[str]:
    """Let somebody write; returns what they are answered."""
    fields = text(body, **({"MessageSid": next(SIDS)} | more))
    return answered(inbound(webhook("/webhooks/inbound", fields), Context()))


def answered(answer: dict[str, Any]) -> list[str]:
    assert answer["statusCode"] == 200
    return [unescape(each) for each in re.findall("<Message>(.*?)</Message>", answer["body"])]


def conversation(person: str = PERSON, query: str = "") -> dict[str, Any]:
    event = http("GET", f"/conversations/{person}", query=query)
    if query:
        event["queryStringParameters"] = dict(pair.split("=", 1) for pair in query.split("&"))
    answer = compliance(event, Context())
    body: dict[str, Any] = json.loads(answer["body"])
    assert answer["statusCode"] == 200, body
    return body


def taken_in(aws: Aws) -> list[str]:
    """Let the recorder have what waits; returns what it could not do."""
    answer = recorder({"Records": aws.records("CALLBACKS_QUEUE")}, Context())
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


# ------------------------------------------------------------------------------------------------ answers


@pytest.mark.parametrize(
    ("body", "to", "expected"),
    [
        ("hours", OURS, "Open 9 to 5."),
        ("  Hours!! ", OURS, "Open 9 to 5."),
        ("Opening hours?", OURS, "Open 9 to 5."),
        ("horario", OURS, "Abrimos de 9 a 17 h."),
        ("Horário", OURS, "Abrimos de 9 a 17 h."),
        ("your hours", OURS, "We answer soon."),
        ("Order 17 is late", OURS, "Which order?"),
        ("my order 17", OURS, "We answer soon."),
        ("I want a REFUND now", OURS, "Refunds: …"),
        ("refunds", OURS, "We answer soon."),
        ("hola", OURS, "We answer soon."),
        ("hola", SPANISH, "¡Hola!"),
        ("buenas", SPANISH, "Contestamos pronto."),
        ("hours", SPANISH, "Open 9 to 5."),
        ("🙂", OURS, "We answer soon."),
        ("", OURS, "We answer soon."),
        ("x" * 1600, OURS, "We answer soon."),
        ("HELP", OURS, "Call 202-555-0199."),
        ("ayuda", SPANISH, "Llame al 202-555-0199."),
    ],
)
def test_a_text_is_answered_by_the_first_rule_that_fits(
    aws: Aws, clock: Clock, body: str, to: str, expected: str
) -> None:
    write(BOOK, clock)
    assert says(body, To=to) == [expected]


@pytest.mark.parametrize("body", ["STOP", "Unsubscribe", "please remove me", "START", "unstop"])
def test_nothing_is_answered_to_whoever_stops_or_starts(aws: Aws, clock: Clock, body: str) -> None:
    write(BOOK | {"first_contact": {"en": "Welcome."}}, clock)
    assert says(body) == []


def test_help_is_left_to_twilio_where_it_says_that_it_answers(aws: Aws, clock: Clock) -> None:
    write(BOOK, clock)
    assert says("HELP", OptOutType="HELP") == []
    assert says("Hilfe", OptOutType="HELP") == []
    write({**BOOK, "help": {}}, clock)
    assert says("HELP") == []


def test_who_writes_for_the_first_time_is_welcomed_once(aws: Aws, clock: Clock) -> None:
    write(BOOK | {"first_contact": {"en": "Welcome.", "es": "Bienvenido."}}, clock)
    assert says("hours") == ["Welcome.", "Open 9 to 5."]
    assert says("hours") == ["Open 9 to 5."]
    assert says("Hello", From="+12025550124") == ["Welcome."]
    assert says("Buenas", From="+12025550125", To=SPANISH) == ["Bienvenido."]


def test_who_was_texted_before_is_no_stranger(
    aws: Aws, clock: Clock, context: Context, twilio: FakeTwilio
) -> None:
    write({"first_contact": {"en": "Welcome."}}, clock)
    messages(http("POST", "/messages", {"to": PERSON, "body": "Your code is 1"}), context)
    assert says("Thanks") == []


def test_machines_that_answer_each_other_come_to_an_end(aws: Aws, clock: Clock) -> None:
    write(BOOK, clock)
    echoes = [len(says("We answer soon.")) for _ in range(14)]
    assert echoes == [1] * 10 + [0] * 4
    clock.pass_by(seconds=31)
    assert len(says("Anybody there?")) == 1


def test_answers_are_twiml_whatever_they_say(aws: Aws, clock: Clock) -> None:
    said = '<Response> & "quotes" 🙂 \' ]]> é'
    write({"otherwise": {"en": said}}, clock)
    assert says("Hi") == [said]


def test_until_answers_are_written_the_setting_answers(
    aws: Aws, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INBOUND_REPLY", "We read this.")
    warm.start_over(clock=clock)
    assert says("Hi") == ["We read this."]
    assert call("GET", "/answers")[1]["otherwise"] == {"en": "We read this."}
    write({"otherwise": {}}, clock)
    assert says("Hi") == []


def test_answers_are_shown_as_they_were_written(aws: Aws) -> None:
    status, written = call("PUT", "/answers", BOOK)
    assert (status, written) == (200, call("GET", "/answers")[1])
    assert written["rules"][0]["keywords"] == BOOK["rules"][0]["keywords"]  # type: ignore[index]
    assert written["rules"][1]["match"] == "start"


def rule(**more: Any) -> dict[str, Any]:
    return {"rules": [{"keywords": {"en": ["x"]}, "texts": {"en": "y"}} | more]}


@pytest.mark.parametrize(
    ("book", "code"),
    [
        (rule(keywords={"en": ["STOP"]}), "reserved_keyword"),
        (rule(keywords={"en": ["Start"]}), "reserved_keyword"),
        (rule(keywords={"en": ["help!"]}), "reserved_keyword"),
        (rule(keywords={"en": ["!?"]}), "invalid_keyword"),
        (rule(keywords={"en": []}), "too_short"),
        (rule(keywords={}), "too_short"),
        (rule(keywords={"english": ["x"]}), "string_pattern_mismatch"),
        (rule(texts={}), "too_short"),
        (rule(texts={"en": ""}), "string_too_short"),
        (rule(texts={"en": "x" * 1601}), "string_too_long"),
        (rule(numbers=["202-555-0100"]), "invalid_phone"),
        (rule(match="fuzzy"), "literal_error"),
        ({"otherwise": "Hi"}, "wrong_type"),
        ({"greeting": {}}, "unknown_field"),
        (
            {"rules": [rule(texts={"en": "x" * 1600})["rules"][0] for _ in range(190)]},
            "answers_too_large",
        ),
    ],
)
def test_answers_that_make_no_sense_are_refused_and_the_old_ones_stay(
    aws: Aws, book: dict[str, Any], code: str
) -> None:
    call("PUT", "/answers", BOOK)
    status, answer = call("PUT", "/answers", book)
    assert (status, answer["errors"][0]["code"]) == (422, code)
    assert call("GET", "/answers")[1]["otherwise"] == BOOK["otherwise"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_dying_while_answers_are_written_leaves_the_old_ones_or_the_new_whole(
    aws: Aws, clock: Clock, when: Literal["before", "after"]
) -> None:
    old, new = {"otherwise": {"en": "Old."}}, BOOK | {"otherwise": {"en": "New."}}
    for call_number in count(1):
        write(old, clock)
        with killed_at(call_number, when) as was_killed:
            call("PUT", "/answers", new)
        # THEN one of both holds, and the new ones when they are written again
        clock.pass_by(minutes=1)
        is_written = when == "after" or not was_killed()
        found = call("GET", "/answers")[1]
        assert (found["otherwise"], len(found["rules"])) == (
            (new["otherwise"], 4) if is_written else (old["otherwise"], 0)
        )
        assert says("Hi there") == ["New." if is_written else "Old."]
        write(new, clock)
        assert says("Hi there") == ["New."]
        if not was_killed():
            assert call_number > 1
            return


# ------------------------------------------------------------------------------------------------ again


def test_a_text_that_comes_again_is_answered_the_same_and_done_once(aws: Aws, clock: Clock) -> None:
    write(BOOK | {"first_contact": {"en": "Welcome."}}, clock)
    fields = text("hours")
    first = inbound(webhook("/webhooks/inbound", fields), Context())
    # WHEN the answers change, time passes, and Twilio brings it again
    write({"otherwise": {"en": "Other."}}, clock)
    says("something else")
    clock.pass_by(hours=1)
    again = inbound(webhook("/webhooks/inbound", fields), Context())
    # THEN
    assert again["body"] == first["body"]
    assert answered(again) == ["Welcome.", "Open 9 to 5."]
    assert len(conversation()["entries"]) == 2


def test_a_stop_that_is_repeated_under_another_token_does_not_undo_a_start(
    aws: Aws, clock: Clock
) -> None:
    # GIVEN a STOP, and a START after it
    stop = webhook("/webhooks/inbound", text("STOP"))
    stop["headers"]["i-twilio-idempotency-token"] = "1"
    inbound(stop, Context())
    clock.pass_by(minutes=1)
    says("START")
    # WHEN somebody who captured the first one invents a token for it
    stop["headers"]["i-twilio-idempotency-token"] = "2"
    clock.pass_by(minutes=1)
    inbound(stop, Context())
    # THEN
    shown = conversation()
    assert not shown["blocked"]
    assert len(shown["entries"]) == 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_dying_at_any_call_of_a_stop_keeps_it_and_stops_once(
    aws: Aws, clock: Clock, when: Literal["before", "after"]
) -> None:
    write(BOOK, clock)
    for call_number in count(1):
        person = f"+1202555{call_number:04}"
        event = webhook("/webhooks/inbound", text("STOP", From=person, MessageSid=next(SIDS)))
        with killed_at(call_number, when) as was_killed:
            inbound(event, Context())
        # WHEN Twilio brings it again
        assert answered(inbound(event, Context())) == []
        shown = conversation(person)
        assert shown["blocked"] is True, call_number
        assert len(shown["entries"]) == 1
        if not was_killed():
            assert call_number > 3
            return


# ------------------------------------------------------------------------------------------------ conversations


def test_a_conversation_shows_both_sides_the_newest_first(
    flow: Flow, aws: Aws, clock: Clock, context: Context, twilio: FakeTwilio
) -> None:
    broadcast_id = flow.created(
        body="Hi {{ name }}",
        recipients=[{"to": PERSON, "variables": {"name": "Ann"}}],
        start="now",
    )
    flow.dispatch()
    flow.send_all()
    clock.pass_by(seconds=1)
    says("Who is this?")
    clock.pass_by(seconds=1)
    picture = {"NumMedia": "1", "MediaUrl0": "https://api.twilio.com/m", "MediaContentType0": "a/b"}
    says("", **picture)
    clock.pass_by(seconds=1)
    sent = messages(http("POST", "/messages", {"to": PERSON, "body": "It is us."}), context)
    shown = conversation()
    assert (shown["phone"], shown["blocked"], shown["next_cursor"]) == (PERSON, False, None)
    ours, with_picture, question, first = shown["entries"]
    assert ours["id"] == json.loads(sent["body"])["id"]
    assert (ours["direction"], ours["body"], ours["status"]) == (
        "outbound",
        "It is us.",
        "accepted",
    )
    assert (with_picture["body"], with_picture["status"]) == ("", "received")
    [media] = with_picture["media"]
    assert (media["url"], media["content_type"]) == ("https://api.twilio.com/m", "a/b")
    assert (question["body"], question["number"]) == ("Who is this?", OURS)
    assert (first["direction"], first["broadcast_id"]) == ("outbound", broadcast_id)
    # AND texts know what they answer
    assert question["in_reply_to"] == with_picture["in_reply_to"] == first["id"]
    assert question["broadcast_id"] == broadcast_id


def sent_before(twilio: FakeTwilio, clock: Clock, to: str = PERSON) -> tuple[str, str]:
    """Send somebody a message; returns its id and SID."""
    answer = messages(http("POST", "/messages", {"to": to, "body": "Hi"}), Context())
    clock.pass_by(seconds=1)
    told = json.loads(answer["body"])
    return told["id"], told["sid"]


@pytest.mark.parametrize("channel", ["", "whatsapp:"])
def test_a_text_that_names_the_message_it_replies_to_answers_that_one(
    aws: Aws, twilio: FakeTwilio, clock: Clock, channel: str
) -> None:
    (older, sid), _ = sent_before(twilio, clock), sent_before(twilio, clock)
    says("Yes, that one", From=channel + PERSON, OriginalRepliedMessageSid=sid)
    [entry] = aws.items(prefix="IN#")
    assert entry["in_reply_to"] == older


@pytest.mark.parametrize("named", ["", "SM" + "f" * 32, "another's", "SM1", "x" * 3_000])
def test_a_text_that_names_no_message_of_theirs_answers_the_newest(
    aws: Aws, twilio: FakeTwilio, clock: Clock, named: str
) -> None:
    _, (newest, _) = sent_before(twilio, clock), sent_before(twilio, clock)
    _, others = sent_before(twilio, clock, to="+12025550199")
    sid = others if named == "another's" else named
    says("Yes", OriginalRepliedMessageSid=sid)
    entry, *_ = conversation()["entries"]
    assert entry["in_reply_to"] == newest


def test_a_text_that_names_their_own_text_answers_the_newest(
    aws: Aws, twilio: FakeTwilio, clock: Clock
) -> None:
    newest, _ = sent_before(twilio, clock)
    says("Are you open?", MessageSid="SM" + "e" * 32)
    clock.pass_by(seconds=1)
    says("Well?", OriginalRepliedMessageSid="SM" + "e" * 32)
    entry, *_ = conversation()["entries"]
    assert entry["in_reply_to"] == newest


def test_a_text_that_answers_nothing_says_so(aws: Aws) -> None:
    says("Hello")
    [entry] = conversation()["entries"]
    assert (entry["in_reply_to"], entry["broadcast_id"]) == (None, None)


def test_a_long_conversation_is_shown_page_by_page(aws: Aws, clock: Clock) -> None:
    for n in range(25):
        says(f"text {n}")
        clock.pass_by(seconds=1)
    bodies: list[str] = []
    query = "limit=10"
    for _ in range(3):
        page = conversation(query=query)
        bodies += [each["body"] for each in page["entries"]]
        query = f"limit=10&cursor={page['next_cursor']}"
    assert bodies == [f"text {n}" for n in reversed(range(25))]
    assert page["next_cursor"] is None


def test_a_cursor_of_another_list_is_refused(aws: Aws) -> None:
    event = http("GET", f"/conversations/{PERSON}", query="cursor=bm9wZQ==")
    event["queryStringParameters"] = {"cursor": "bm9wZQ=="}
    answer = compliance(event, Context())
    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["code"] == "invalid_cursor"


# ------------------------------------------------------------------------------------------------ pictures

OWL, CAT = ("https://api.twilio.com/ME1", "https://api.twilio.com/ME2")


def pictures(*urls: str) -> dict[str, str]:
    return {
        "NumMedia": str(len(urls)),
        **{f"MediaUrl{n}": url for n, url in enumerate(urls)},
        **{f"MediaContentType{n}": "image/png" for n, _ in enumerate(urls)},
    }


def shown(person: str = PERSON) -> list[dict[str, Any]]:
    media: list[dict[str, Any]] = conversation(person)["entries"][0]["media"]
    return media


def fetched(aws: Aws, media: dict[str, Any]) -> tuple[str, bytes]:
    """Read what is in the bucket where a link of ours points."""
    key = urlsplit(media["url"]).path.removeprefix("/").removeprefix("files/")
    answer = aws.session.client("s3").get_object(Bucket="files", Key=key)
    return answer["ContentType"], answer["Body"].read()


def test_pictures_are_fetched_and_kept_under_a_link_of_ours(
    flow: Flow, aws: Aws, twilio: FakeTwilio
) -> None:
    twilio.media = {OWL: ("image/png", b"an owl"), CAT: ("image/gif", b"a cat")}
    says("Look", **pictures(OWL, CAT))
    assert [each["url"] for each in shown()] == [OWL, CAT]
    flow.send_all()
    owl, cat = shown()
    assert (owl["content_type"], owl["size"], owl["missing"]) == ("image/png", 6, None)
    assert fetched(aws, owl) == ("image/png", b"an owl")
    assert fetched(aws, cat) == ("image/gif", b"a cat")
    # AND once only, however often the text comes
    says("Look", MessageSid=conversation()["entries"][0]["id"], **pictures(OWL, CAT))
    assert aws.records("SEND_QUEUE") == []
    assert twilio.media_reads == 2


@pytest.mark.parametrize("error", [TwilioBusyError(429, retry_after=2), TwilioUnavailableError()])
def test_a_picture_that_cannot_be_had_now_is_asked_for_again(
    flow: Flow, aws: Aws, twilio: FakeTwilio, error: Exception
) -> None:
    twilio.media = {OWL: error}
    says("Look", **pictures(OWL))
    flow.send(aws.records("SEND_QUEUE"))
    assert shown()[0]["url"] == OWL
    twilio.media = {OWL: ("image/png", b"an owl")}
    flow.send_all()
    assert fetched(aws, shown()[0]) == ("image/png", b"an owl")


def test_a_picture_that_is_gone_is_said_to_be(flow: Flow, aws: Aws, twilio: FakeTwilio) -> None:
    twilio.media = {OWL: MediaGoneError(), CAT: ("image/png", b"x" * (32 * 1024 * 1024 + 1))}
    says("Look", **pictures(OWL, CAT))
    flow.send_all()
    assert [each["missing"] for each in shown()] == ["gone", "too_large"]
    assert aws.records("SEND_QUEUE") == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_dying_while_a_picture_is_fetched_keeps_it_once(
    flow: Flow, aws: Aws, twilio: FakeTwilio, when: Literal["before", "after"]
) -> None:
    twilio.media = {OWL: ("image/png", b"an owl")}
    for call_number in count(1):
        person = f"+1202555{call_number:04}"
        says("Look", From=person, **pictures(OWL))
        [record] = aws.records("SEND_QUEUE")
        with killed_at(call_number, when) as was_killed:
            flow.send([record])
        flow.send([record])
        assert fetched(aws, shown(person)[0]) == ("image/png", b"an owl"), call_number
        assert len(kept_files(aws)) == call_number
        if not was_killed():
            assert call_number > 2
            return


@pytest.mark.parametrize("pieces", [None, 0, 1, 2])
def test_dying_inside_a_download_keeps_the_picture_once_in_the_end(
    flow: Flow,
    aws: Aws,
    twilio: FakeTwilio,
    monkeypatch: pytest.MonkeyPatch,
    pieces: int | None,
) -> None:
    # GIVEN a sender that dies when it asks, or after so many pieces of the answer
    twilio.media = {OWL: ("image/png", b"an owl")}
    says("Look", **pictures(OWL))
    [record] = aws.records("SEND_QUEUE")
    read = twilio.read_media

    def dying(url: str) -> MediaFile:
        if pieces is None:
            raise KilledError
        file = read(url)
        return replace(file, pieces=_breaking_off(file.pieces, after=pieces))

    with monkeypatch.context() as dead:
        dead.setattr(twilio, "read_media", dying)
        with pytest.raises(KilledError):
            flow.send([record])
    # THEN nothing is kept of it
    assert kept_files(aws) == []
    assert shown()[0]["url"] == OWL
    # AND all of it, once, when the queue message comes again, and again
    flow.send([record])
    flow.send([record])
    [key] = kept_files(aws)
    assert fetched(aws, shown()[0]) == ("image/png", b"an owl")
    assert urlsplit(shown()[0]["url"]).path.endswith(key)
    assert twilio.media_reads == (1 if pieces is None else 2)


def _breaking_off(pieces: Iterable[bytes], *, after: int) -> Iterator[bytes]:
    yield from islice(pieces, after)
    raise KilledError


def kept_files(aws: Aws) -> list[str]:
    found = aws.session.client("s3").list_objects_v2(Bucket="files", Prefix="media/")
    return [each["Key"] for each in found.get("Contents", [])]


@pytest.mark.parametrize("media", [{}, {"sid": "MM1"}, [], {"sid": 1, "number": "x", "url": ""}])
def test_what_is_no_wish_for_a_picture_is_set_aside(flow: Flow, aws: Aws, media: Any) -> None:
    body = json.dumps({"version": 1, "media": media})
    assert flow.send([{**sqs_record(body), "messageId": "m"}]) == []
    [letter] = aws.records("SEND_DEAD_LETTER_QUEUE")
    assert letter["body"] == body


def test_a_picture_of_a_text_that_is_gone_is_not_fetched(
    flow: Flow, aws: Aws, twilio: FakeTwilio
) -> None:
    wanted = {"sid": "MM1", "number": 0, "url": OWL, "rounds": 0}
    assert flow.send([sqs_record(json.dumps({"version": 1, "media": wanted}))]) == []
    assert twilio.media_reads == 0


# ------------------------------------------------------------------------------------------------ no ledger


@pytest.mark.parametrize("how", ["refuses", "hangs"])
def test_texts_outlive_a_ledger_that_is_down(
    aws: Aws, clock: Clock, how: Literal["refuses", "hangs"]
) -> None:
    # GIVEN answers that are known
    write(BOOK, clock)
    says("Hi", From="+12025550199")
    bodies = ["hours", "STOP", "🙂", "", "x" * 1600]
    # WHEN people text while the ledger is down
    with ledger_down(how):
        answers = [says(body, From=f"+120255501{n:02}") for n, body in enumerate(bodies)]
        # THEN they are answered
        assert answers == [["Open 9 to 5."], [], *[["We answer soon."]] * 3]
        # AND what the recorder cannot take in yet comes again
        records = aws.records("CALLBACKS_QUEUE")
        failed = recorder({"Records": records}, Context())["batchItemFailures"]
        assert len(failed) == len(bodies)
    clock.pass_by(minutes=6)
    assert recorder({"Records": records}, Context()) == {"batchItemFailures": []}
    # AND nothing is lost: each with the time at which it came and what it was answered
    for n, body in enumerate(bodies):
        [entry] = conversation(f"+120255501{n:02}")["entries"]
        assert (entry["body"], entry["answers"]) == (body, answers[n])
        assert warm.now() - timedelta(minutes=6) == _moment(entry["at"])
    assert conversation("+12025550101")["blocked"] is True


def _moment(written: str) -> Any:
    return type(warm.now()).fromisoformat(written)


def test_a_stop_from_the_queue_does_not_undo_a_start_that_came_later(
    aws: Aws, clock: Clock
) -> None:
    with ledger_down("refuses"):
        says("STOP")
    clock.pass_by(seconds=30)
    says("START")
    assert taken_in(aws) == []
    assert conversation()["blocked"] is False


def test_without_ledger_and_queue_twilio_is_told_to_come_again(
    aws: Aws, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLBACKS_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/1/none")
    warm.start_over(clock=clock)
    with ledger_down("refuses"), pytest.raises(clients.UNAVAILABLE):
        says("STOP")


def test_one_text_that_cannot_be_taken_in_keeps_no_other_back(
    aws: Aws, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ledger_down("refuses"):
        for n in range(3):
            says("STOP", From=f"+120255501{n:02}")
    records = aws.records("CALLBACKS_QUEUE")
    poison = json.loads(records[1]["body"])
    poison["fields"]["Body"] = "x" * 450_000  # more than an item holds
    records[1]["body"] = json.dumps(poison)
    failed = recorder({"Records": records}, Context())["batchItemFailures"]
    assert [each["itemIdentifier"] for each in failed] == [records[1]["messageId"]]
    assert conversation("+12025550100")["blocked"] is True
    assert conversation("+12025550102")["blocked"] is True


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "inbound"},
        {
            "kind": "inbound",
            "fields": {},
            "received_at": "2026-11-23T15:00:00+00:00",
            "answers": [],
        },
        {"kind": "inbound", "fields": {"MessageSid": "SM1"}, "received_at": "now", "answers": []},
        {
            "kind": "inbound",
            "fields": [],
            "received_at": "2026-11-23T15:00:00+00:00",
            "answers": [],
        },
        {"kind": "nonsense"},
        [],
    ],
)
def test_what_cannot_be_read_is_set_apart(aws: Aws, body: Any) -> None:
    records = [{"messageId": "m", "body": json.dumps(body)}]
    answer = recorder({"Records": records}, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}


# ------------------------------------------------------------------------------------------------ fallback


def failed_over(body: str, sid: str, **more: str) -> dict[str, Any]:
    fields = text(body, MessageSid=sid, ErrorCode="11200", ErrorUrl="https://x.test/in", **more)
    answer: dict[str, Any] = fallback(webhook("/webhooks/fallback", fields), Context())
    return answer


def test_what_the_inbound_webhook_failed_of_is_kept_with_its_error(aws: Aws, clock: Clock) -> None:
    write(BOOK, clock)
    with ledger_down("refuses"):
        assert answered(failed_over("STOP", "SM" + "7" * 32)) == []
    assert taken_in(aws) == []
    shown = conversation()
    [entry] = shown["entries"]
    assert shown["blocked"] is True
    assert (entry["body"], entry["answers"], entry["error_code"]) == ("STOP", [], "11200")


def test_a_text_that_was_kept_before_its_webhook_failed_is_kept_once_with_the_error(
    aws: Aws, clock: Clock
) -> None:
    write(BOOK, clock)
    says("hours", MessageSid="SM" + "7" * 32)
    failed_over("hours", "SM" + "7" * 32)
    assert taken_in(aws) == []
    [entry] = conversation()["entries"]
    assert (entry["answers"], entry["error_code"]) == (["Open 9 to 5."], "11200")


def test_a_stranger_reaches_no_fallback(aws: Aws) -> None:
    event = webhook("/webhooks/fallback", text("STOP"), token="f" * 32)
    assert fallback(event, Context())["statusCode"] == 403
    assert aws.records("CALLBACKS_QUEUE") == []


def test_a_fallback_that_dies_is_called_again_and_keeps_the_text_once(aws: Aws) -> None:
    event = webhook("/webhooks/fallback", text("STOP"))
    with killed_at(1, "after") as was_killed:
        fallback(event, Context())
    assert was_killed()
    fallback(event, Context())
    assert len(conversation()["entries"]) == 0
    assert taken_in(aws) == []
    assert conversation()["blocked"] is True
    assert aws.items(prefix="OPTOUT#")[0]["sk"] == SERVICE_SID
