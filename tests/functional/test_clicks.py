"""Clicks, from Twilio's callback to the counters: each once, whoever dies, in whatever order they come."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any, Literal

import pytest

from functions.clicks.app import lambda_handler as clicks
from functions.messages.app import lambda_handler as messages
from functions.recorder.app import lambda_handler as recorder
from functions.rollup.app import lambda_handler as rollup
from sendpool.adapters.ledger.clicks import ClickRecords
from sendpool.adapters.ledger.table import dump
from sendpool.domain.clicks import MOST_KEPT
from sendpool.edge import warm
from sendpool.workflows.record import ContendedError
from sendpool.workflows.record_clicks import MOST_RECEIVES
from sendpool.workflows.recount import Recounting, recount
from sendpool.workflows.roll_up import RollingUp
from tests.functional.aws import ACCOUNT_SID, SERVICE_SID, Aws, Context, sqs_record
from tests.functional.conftest import NOW, Clock
from tests.functional.flow import Flow
from tests.functional.requests import http
from tests.functional.rest import killed_at
from tests.functional.shapes import SHAPES
from tests.functional.test_webhooks import PERSON, signed_call, status_fields, webhook
from tests.functional.twilio import FakeTwilio

PHONE = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36"
)
LINK = "https://shop.example.com/sale"
STRANGER = "SM" + "9" * 32


def told(sid: str, seconds: float = 60, link: str = LINK, **more: str) -> dict[str, str]:
    """What Twilio tells of a click, so many seconds after NOW."""
    return {
        "event_type": "click",
        "sms_sid": sid,
        "to": PERSON,
        "from": "+12025550100",
        "link": link,
        "click_time": (NOW + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z"),
        "messaging_service_sid": SERVICE_SID,
        "account_sid": ACCOUNT_SID,
        "user_agent": PHONE,
        **more,
    }


def bot(sid: str, seconds: float = 60, **more: str) -> dict[str, str]:
    return told(sid, seconds, user_agent="curl/8.5.0", **more)


def preview(sid: str, seconds: float = 60, **more: str) -> dict[str, str]:
    return told(sid, seconds, event_type="preview", user_agent="WhatsApp/2.23.20.0 A", **more)


def queued(fields: dict[str, str]) -> str:
    """What the webhook puts on the queue for these fields."""
    body = {"version": 1, "kind": "click", "received_at": NOW.isoformat(), "fields": fields}
    return json.dumps(body)


class Pool:
    """A deployment with messages whose links are followed."""

    def __init__(self, aws: Aws, twilio: FakeTwilio, clock: Clock) -> None:
        self.aws, self.twilio, self.clock, self.flow = aws, twilio, clock, Flow(aws)

    def post(self, **more: object) -> dict[str, Any]:
        """Send a message; returns the answer."""
        body = {"to": PERSON, "body": f"See {LINK}", "shorten_urls": True, **more}
        answer = messages(http("POST", "/messages", body), Context())
        assert answer["statusCode"] == 202, answer
        made: dict[str, Any] = json.loads(answer["body"])
        return made

    def get(self, message_id: str) -> dict[str, Any]:
        answer = messages(http("GET", f"/messages/{message_id}"), Context())
        found: dict[str, Any] = json.loads(answer["body"])
        return found

    def broadcast(self, people: int) -> tuple[str, list[str]]:
        """Send a broadcast; returns its id and Twilio's SIDs."""
        before = len(self.twilio.made)
        broadcast_id = self.flow.created(
            body=f"See {LINK}",
            recipients=[{"to": f"+1202555{1000 + n}"} for n in range(people)],
            start="now",
            category="transactional",
        )
        self.flow.dispatch()
        self.flow.send_all()
        return broadcast_id, [message["sid"] for message in self.twilio.made[before:]]

    def record(self, *fields: dict[str, str], receives: int = 1) -> list[str]:
        """Let the recorder have these clicks in a batch; returns the ids of those that it leaves."""
        records = [
            sqs_record(queued(each), message_id=f"c-{position}")
            for position, each in enumerate(fields)
        ]
        for each in records:
            each["attributes"]["ApproximateReceiveCount"] = str(receives)
        failures = recorder({"Records": records}, Context())["batchItemFailures"]
        return [each["itemIdentifier"] for each in failures]

    def counted(self, broadcast_id: str) -> dict[str, int]:
        self.flow.roll_up()
        found: dict[str, int] = self.flow.report(broadcast_id)["clicks"]
        return found

    def kept(self) -> list[dict[str, Any]]:
        return [item for item in self.aws.items() if item["sk"].startswith("CL")]


@pytest.fixture
def pool(aws: Aws, twilio: FakeTwilio, clock: Clock) -> Pool:
    return Pool(aws, twilio, clock)


def counts(
    raw: int, previews: int, scanners: int, human: int, people: int, capped: int = 0
) -> dict[str, int]:
    return {
        "raw": raw,
        "previews": previews,
        "scanners": scanners,
        "human": human,
        "people": people,
        "capped": capped,
    }


# ------------------------------------------------------------------------------------------------ the door


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "form"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_click_goes_the_whole_way_to_its_message(
    pool: Pool, context: Context, shape: str, as_json: bool
) -> None:
    # GIVEN a message
    made = pool.post()
    assert pool.get(made["id"])["clicks"] is None
    # WHEN Twilio calls back that its link was unfurled and followed
    for fields in (preview(made["sid"], 20), told(made["sid"], 60)):
        call = signed_call(route="/webhooks/clicks", fields=fields, as_json=as_json)
        assert clicks(SHAPES[shape](call), context)["statusCode"] == 204
    recorder({"Records": pool.aws.records("CALLBACKS_QUEUE")}, context)
    # THEN its report tells
    assert pool.get(made["id"])["clicks"] == {
        "raw": 2,
        "previews": 1,
        "scanners": 0,
        "human": 1,
        "has_more": False,
        "first_human_at": "2026-11-23T15:01:00Z",
        "first_human_link": LINK,
        "timeline": [
            {
                "at": "2026-11-23T15:00:20Z",
                "kind": "preview",
                "reason": "event_type",
                "link": LINK,
                "user_agent": "WhatsApp/2.23.20.0 A",
            },
            {
                "at": "2026-11-23T15:01:00Z",
                "kind": "human",
                "reason": None,
                "link": LINK,
                "user_agent": PHONE,
            },
        ],
    }


STRANGERS: dict[str, Callable[[], dict[str, Any]]] = {
    "another token": lambda: webhook("/webhooks/clicks", told(STRANGER), token="f" * 32),
    "another url": lambda: webhook(
        "/webhooks/clicks", told(STRANGER), url="https://evil.example.com"
    ),
    "no signature": lambda: {**webhook("/webhooks/clicks", told(STRANGER)), "headers": {}},
    "a status callback's": lambda: webhook("/webhooks/status", told(STRANGER)),
    "another click's": lambda: _json(told(STRANGER), sent=told(STRANGER, 61)),
    "json that nothing binds": lambda: _json(told(STRANGER), query=""),
}


def _json(
    fields: dict[str, str], *, sent: dict[str, str] | None = None, query: str | None = None
) -> dict[str, Any]:
    """A click in JSON, with another body or query than was signed."""
    call = signed_call(route="/webhooks/clicks", fields=fields, as_json=True)
    body = json.dumps(sent).encode() if sent else call.body
    return replace(call, body=body, query=call.query if query is None else query).http_api()


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS.keys())
def test_a_stranger_changes_nothing_and_learns_nothing(
    aws: Aws, context: Context, stranger: Callable[[], dict[str, Any]]
) -> None:
    answer = clicks(stranger(), context)
    assert answer["statusCode"] == 403
    assert json.loads(answer["body"])["code"] == "invalid_signature"
    assert aws.records("CALLBACKS_QUEUE") == []


# ------------------------------------------------------------------------------------------------ the queue


@pytest.mark.parametrize(
    "body",
    [
        '{"kind": "click"}',
        '{"kind": "click", "fields": {}}',
        '{"kind": "owl", "fields": {"MessageSid": "SM1", "MessageStatus": "sent"}}',
        queued({**told(STRANGER), "sms_sid": ""}),
        queued({**told(STRANGER), "sms_sid": "SM1"}),
        queued({**told(STRANGER), "click_time": "yesterday"}),
        queued({**told(STRANGER), "click_time": "0001-01-01T00:00:00+23:00"}),
        json.dumps({"kind": "click", "fields": {**told(STRANGER), "sms_sid": 7}}),
        json.dumps({"kind": "click", "fields": {**told(STRANGER), "link": ["x"]}}),
        json.dumps({"kind": "click", "fields": {**told(STRANGER), "click_time": 7}}),
        json.dumps({"kind": "click", "fields": {**told(STRANGER), "user_agent": {"a": 1}}}),
    ],
)
def test_what_is_no_click_is_set_aside_and_its_neighbours_are_recorded(
    pool: Pool, body: str
) -> None:
    made = pool.post()
    records = [
        sqs_record(body, message_id="bad"),
        sqs_record(queued(told(made["sid"])), message_id="click"),
        sqs_record(_status("SM" + "2" * 32), message_id="status"),
    ]
    answer = recorder({"Records": records}, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert pool.get(made["id"])["clicks"]["human"] == 1
    assert len(pool.aws.items(prefix="TW#")) == 1


def _status(sid: str) -> str:
    fields = status_fields(MessageSid=sid)
    return json.dumps({"received_at": NOW.isoformat(), "message_id": None, "fields": fields})


def _fail(*_: object, **__: object) -> Any:
    raise ContendedError


def test_status_callbacks_and_clicks_do_not_keep_each_other_back(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = pool.post()
    records = [
        sqs_record(_status(made["sid"]), message_id="status"),
        sqs_record(queued(told(made["sid"])), message_id="click"),
    ]

    # WHEN clicks cannot be written
    with monkeypatch.context() as broken:
        broken.setattr("sendpool.adapters.ledger.clicks.ClickRecords.save", _fail)
        answer = recorder({"Records": records}, Context())
        assert answer == {"batchItemFailures": [{"itemIdentifier": "click"}]}
        assert len(pool.aws.items(prefix="TW#")) == 1
        # and nothing but clicks: the function fails, so that its alarm rings
        with pytest.raises(ContendedError):
            recorder({"Records": records[1:]}, Context())
    # WHEN deliveries cannot be written
    with monkeypatch.context() as broken:
        broken.setattr("sendpool.adapters.ledger.messages.Deliveries.save", _fail)
        records[0]["body"] = _status("SM" + "3" * 32)
        answer = recorder({"Records": records}, Context())
        assert answer == {"batchItemFailures": [{"itemIdentifier": "status"}]}
    assert pool.get(made["id"])["clicks"]["raw"] == 1


# ------------------------------------------------------------------------------------------------ whose it is


def test_a_click_waits_for_its_message_and_is_then_kept_under_its_sid(pool: Pool) -> None:
    # GIVEN a click on a message that nobody knows
    for receives in range(1, MOST_RECEIVES):
        assert pool.record(told(STRANGER), receives=receives) == ["c-0"]
    assert pool.kept() == []
    # WHEN it was received often enough
    assert pool.record(told(STRANGER), receives=MOST_RECEIVES) == []
    # THEN it is kept, and found by nobody who looks whose SID that is
    [kept] = pool.kept()
    assert (kept["pk"], kept["sk"], kept["human"]) == (f"TW#{STRANGER}", "CL", 1)
    assert warm.messages().id_of(STRANGER) is None


def test_a_click_that_was_kept_under_its_sid_joins_its_message_with_the_next_one(
    pool: Pool,
) -> None:
    # GIVEN clicks that came long before anybody knew their message
    sid = "SM" + "4" * 32
    pool.record(told(sid, 60), bot(sid, 70), receives=MOST_RECEIVES)
    # WHEN a callback tells whose SID it is, and another click comes
    made = pool.post()
    call_back = {
        "received_at": NOW.isoformat(),
        "message_id": made["id"],
        "fields": status_fields(MessageSid=sid),
    }
    recorder({"Records": [sqs_record(json.dumps(call_back))]}, Context())
    pool.record(told(sid, 90))
    pool.record(told(sid, 90))
    # THEN all are the message's
    found = pool.get(made["id"])["clicks"]
    assert (found["raw"], found["human"], found["scanners"]) == (3, 2, 1)


def test_a_click_that_was_kept_under_its_sid_joins_its_message_when_twilios_list_tells_whose_it_is(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a broadcast's message of which no callback came, so that nobody knew whose the clicks were
    broadcast_id, _ = pool.broadcast(1)
    sid = "SM" + "5" * 32
    pool.record(bot(sid, 50), told(sid, 60), receives=MOST_RECEIVES)
    listed = {
        "received_at": NOW.isoformat(),
        "message_id": f"{broadcast_id}-000000-000",
        "fields": status_fields(MessageSid=sid),
        "source": "list",
    }
    records = [sqs_record(json.dumps(listed), message_id="listed")]
    # WHEN the list tells it, while clicks cannot be written
    with monkeypatch.context() as broken:
        broken.setattr(ClickRecords, "get", _fail)
        answer = recorder({"Records": records}, Context())
    # THEN what it tells is recorded, and comes again for the clicks
    assert answer == {"batchItemFailures": [{"itemIdentifier": "listed"}]}
    assert pool.flow.report(broadcast_id)["clicks"]["raw"] == 0
    for _ in range(2):
        assert recorder({"Records": records}, Context()) == {"batchItemFailures": []}
    assert pool.counted(broadcast_id) == counts(2, 0, 1, 1, 1)


def test_a_click_waits_while_its_message_has_no_result_that_stays(pool: Pool) -> None:
    # GIVEN a message of which a callback came before its result was written
    message_id = "msg_" + "a" * 32
    call_back = {
        "received_at": NOW.isoformat(),
        "message_id": message_id,
        "fields": status_fields(MessageSid=STRANGER),
    }
    recorder({"Records": [sqs_record(json.dumps(call_back))]}, Context())
    # THEN a click waits for it, but not for ever
    assert pool.record(told(STRANGER), receives=1) == ["c-0"]
    assert pool.record(told(STRANGER), receives=MOST_RECEIVES) == []
    assert [item["pk"] for item in pool.kept()] == [f"MSG#{message_id}"]


def test_who_follows_a_link_sooner_than_a_person_can_is_a_scanner(pool: Pool) -> None:
    made = pool.post()
    pool.record(told(made["sid"], 2), told(made["sid"], 30))
    found = pool.get(made["id"])["clicks"]
    assert [(each["kind"], each["reason"]) for each in found["timeline"]] == [
        ("scanner", "too_soon"),
        ("human", None),
    ]


def test_haste_is_counted_from_when_a_scheduled_message_goes(pool: Pool) -> None:
    made = pool.post(send_at=(NOW + timedelta(hours=1)).isoformat())
    pool.record(told(made["sid"], 3602), told(made["sid"], 3630))
    found = pool.get(made["id"])["clicks"]
    assert [each["kind"] for each in found["timeline"]] == ["scanner", "human"]


def test_a_person_is_not_hasty_because_twilios_answer_is_slow(pool: Pool) -> None:
    # GIVEN a broadcast's message that Twilio makes at once, and an answer that takes ten seconds
    pool.twilio.on_made = lambda _: pool.clock.pass_by(seconds=10)
    broadcast_id, [sid] = pool.broadcast(1)
    # WHEN its link is followed before the answer is here
    pool.record(told(sid, 8))
    # THEN it was a person
    assert pool.counted(broadcast_id)["human"] == 1


def test_nothing_is_said_of_haste_when_that_it_went_was_learned_later(
    pool: Pool, clock: Clock
) -> None:
    # GIVEN a message whose result says only later, by evidence, that Twilio has it
    made = pool.post()
    pool.aws.session.client("dynamodb").update_item(
        TableName=pool.aws.environment["LEDGER_TABLE"],
        Key={"pk": {"S": f"MSG#{made['id']}"}, "sk": {"S": "MSG"}},
        UpdateExpression="SET evidence = :list",
        ExpressionAttributeValues={":list": {"S": "list"}},
    )
    pool.record(told(made["sid"], 2))
    assert pool.get(made["id"])["clicks"]["human"] == 1


# ------------------------------------------------------------------------------------------------ counters


def story(sids: list[str]) -> list[dict[str, str]]:
    """What is told of four messages: a person, a person after programs, a scanner, nothing but a preview."""
    one, two, three, four = sids
    return [
        told(one, 60),
        told(one, 120),
        preview(two, 10),
        bot(two, 20),
        told(two, 300),
        told(three, 40),
        told(three, 40, LINK + "/b"),
        preview(four, 5),
    ]


TRUTH = counts(raw=8, previews=2, scanners=3, human=3, people=2)


def test_counters_say_what_was_clicked(pool: Pool) -> None:
    broadcast_id, sids = pool.broadcast(5)
    assert pool.counted(broadcast_id) == counts(0, 0, 0, 0, 0)
    pool.record(*story(sids[:4]))
    assert pool.counted(broadcast_id) == TRUTH
    assert pool.counted(broadcast_id) == TRUTH


@pytest.mark.parametrize("seed", range(8))
def test_counters_are_the_same_however_clicks_come(pool: Pool, seed: int) -> None:
    # GIVEN clicks that come late, doubled, shuffled, in any batches, with the counters following at any time
    luck = Random(seed)  # noqa: S311 - an order, not secrecy
    broadcast_id, sids = pool.broadcast(4)
    every = story(sids)
    every += luck.choices(every, k=6)
    luck.shuffle(every)
    while every:
        batch = [every.pop() for _ in range(min(len(every), luck.randint(1, 5)))]
        assert pool.record(*batch) == []
        if luck.random() < 0.5:
            pool.flow.roll_up()
    assert pool.counted(broadcast_id) == TRUTH


def _changes(pool: Pool) -> list[dict[str, Any]]:
    items = [item for item in pool.kept() if item["pk"].startswith("BC#")]
    return [{"eventName": "MODIFY", "dynamodb": {"NewImage": dump(item)}} for item in items]


def test_a_person_that_turns_out_to_be_a_scanner_is_taken_back_exactly(pool: Pool) -> None:
    # GIVEN a click that counts as a person's
    broadcast_id, sids = pool.broadcast(1)
    pool.record(told(sids[0], 60))
    before = _changes(pool)
    assert pool.counted(broadcast_id) == counts(1, 0, 0, 1, 1)
    # WHEN another link of the same moment shows that it was a scanner's
    pool.record(told(sids[0], 60, LINK + "/b"))
    after = _changes(pool)
    # THEN the person is gone, whatever the stream reports, how often and in which order
    for changes in (after, before, after, [*before, *after], [*after, *before]):
        rollup({"Records": changes}, Context())
        assert pool.flow.report(broadcast_id)["clicks"] == counts(2, 0, 2, 0, 0)


def test_clicks_may_be_reported_before_their_message(pool: Pool) -> None:
    broadcast_id, sids = pool.broadcast(2)
    pool.record(told(sids[0], 60))
    rollup({"Records": _changes(pool)}, Context())
    report = pool.flow.report(broadcast_id)
    assert (report["outcomes"], report["clicks"]) == (0, counts(1, 0, 0, 1, 1))
    pool.flow.roll_up()
    assert pool.flow.report(broadcast_id)["outcomes"] == 2


def recounting() -> Recounting:
    return Recounting(
        chunks=warm.chunks(),
        rolling=RollingUp(tallies=warm.tallies(), broadcasts=warm.broadcasts(), now=warm.now),
        pause=lambda: None,
    )


def test_a_recount_counts_clicks_again(pool: Pool) -> None:
    # GIVEN counters that lost their tallies, and others that were told nothing
    broadcast_id, sids = pool.broadcast(4)
    pool.flow.roll_up()
    pool.record(*story(sids))
    needs = recounting()
    broadcast = warm.broadcasts().get(broadcast_id)
    assert broadcast
    # WHEN somebody counts again
    assert recount(broadcast, needs, counted=lambda _: None).chunks == 1
    # THEN they are right, stay so when the stream tells, and counting again finds nothing
    assert pool.flow.report(broadcast_id)["clicks"] == TRUTH
    assert pool.counted(broadcast_id) == TRUTH
    again = recount(broadcast, needs, counted=lambda _: None)
    assert (again.chunks, again.counters) == (0, {})


def test_of_many_clicks_on_a_message_the_earliest_are_kept(pool: Pool) -> None:
    made = pool.post()
    every = [told(made["sid"], 60 + 10 * n) for n in range(MOST_KEPT + 20)]
    every.reverse()
    for start in range(0, len(every), 50):
        pool.record(*every[start : start + 50])
    found = pool.get(made["id"])["clicks"]
    assert (found["raw"], found["has_more"]) == (MOST_KEPT, True)
    assert found["timeline"][-1]["at"] == "2026-11-23T15:17:30Z"


@pytest.mark.parametrize("seed", range(3))
def test_counters_stay_exact_beyond_what_is_kept_and_say_that_there_was_more(
    pool: Pool, seed: int
) -> None:
    # GIVEN programs' clicks before a hundred people's, in any order and batches, the counters following at any time
    luck = Random(seed)  # noqa: S311 - an order, not secrecy
    broadcast_id, (many, few) = pool.broadcast(2)
    every = [bot(many, 60 + 10 * n) for n in range(30)]
    every += [told(many, 400 + 10 * n) for n in range(MOST_KEPT)]
    every += [told(few, 60)]
    every += luck.choices(every, k=20)
    luck.shuffle(every)
    while every:
        pool.record(*every[-25:])
        del every[-25:]
        if luck.random() < 0.7:
            pool.flow.roll_up()
    # THEN the earliest hundred of the one and all of the other are counted
    truth = counts(101, 0, 30, 71, people=2, capped=1)
    assert pool.counted(broadcast_id) == truth
    assert sum(len(item["clicks"]) for item in pool.kept()) == truth["raw"]
    # AND a recount finds nothing to mend
    needs = recounting()
    broadcast = warm.broadcasts().get(broadcast_id)
    assert broadcast
    again = recount(broadcast, needs, counted=lambda _: None)
    assert (again.chunks, again.counters) == (0, {})


def test_clicks_expire_with_the_records(pool: Pool) -> None:
    made = pool.post()
    pool.record(told(made["sid"]))
    [kept] = pool.kept()
    [message] = [item for item in pool.aws.items(prefix="MSG#") if item["sk"] == "MSG"]
    assert kept["expires_at"] >= message["expires_at"]


def test_a_click_that_is_told_again_writes_nothing(pool: Pool) -> None:
    made = pool.post()
    pool.record(told(made["sid"]))
    pool.record(told(made["sid"]), told(made["sid"]))
    assert [item["version"] for item in pool.kept()] == [1]


def test_a_click_that_is_told_again_under_another_token_is_no_other_one(
    pool: Pool, aws: Aws
) -> None:
    made = pool.post()
    for token in ("1", "2"):
        event = webhook("/webhooks/clicks", told(made["sid"]))
        event["headers"]["i-twilio-idempotency-token"] = token
        assert clicks(event, Context()) == {"statusCode": 204}
    assert recorder({"Records": aws.records("CALLBACKS_QUEUE")}, Context()) == {
        "batchItemFailures": []
    }
    assert pool.get(made["id"])["clicks"]["raw"] == 1


# ------------------------------------------------------------------------------------------------ dying


def _kills(when: Literal["before", "after"], work: Callable[[], object]) -> Iterator[int]:
    """Kill the work at its first call, do what the loop does, then at its second, until it has none to die at."""
    for call in count(1):
        with killed_at(call, when) as killed:
            work()
        if not killed():
            return
        yield call


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_recorder_may_die_at_any_call(pool: Pool, when: Literal["before", "after"]) -> None:
    deaths: Counter[str] = Counter()
    for made in (pool.post(), pool.post(to="+12025550124")):
        fields = [told(made["sid"], 60), bot(made["sid"], 70)]
        for call in _kills(when, lambda fields=fields: pool.record(*fields)):  # type: ignore[misc]
            deaths[made["id"]] = call
        pool.record(*fields)
        found = pool.get(made["id"])["clicks"]
        assert (found["raw"], found["human"], found["scanners"]) == (2, 1, 1)
    # whose SID, its result, what is known, and the write
    assert min(deaths.values()) >= 4


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_recorder_and_a_rollup_may_die_at_any_call(
    pool: Pool, when: Literal["before", "after"]
) -> None:
    broadcast_id, sids = pool.broadcast(4)
    every = story(sids)
    for _ in _kills(when, lambda: (pool.record(*every[:4]), pool.flow.roll_up())):
        pool.record(*every[2:6])
    pool.record(*every)
    assert pool.counted(broadcast_id) == TRUTH


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_webhook_that_dies_is_called_again_and_counts_once(
    pool: Pool, context: Context, when: Literal["before", "after"]
) -> None:
    made = pool.post()
    event = webhook("/webhooks/clicks", told(made["sid"]))
    for _ in _kills(when, lambda: clicks(event, context)):
        assert clicks(event, context) == {"statusCode": 204}
    recorder({"Records": pool.aws.records("CALLBACKS_QUEUE")}, context)
    assert pool.get(made["id"])["clicks"]["raw"] == 1


def test_two_recorders_at_once_lose_nothing(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    made = pool.post()
    save = ClickRecords.save

    def overtaken(records: ClickRecords, *args: Any, **more: Any) -> bool:
        monkeypatch.setattr(ClickRecords, "save", save)
        pool.record(told(made["sid"], 60, LINK + "/b"))
        return save(records, *args, **more)

    # WHEN another recorder writes between what one reads and writes
    monkeypatch.setattr(ClickRecords, "save", overtaken)
    pool.record(told(made["sid"], 60))
    # THEN both clicks are judged together
    found = pool.get(made["id"])["clicks"]
    assert (found["raw"], found["scanners"]) == (2, 2)
