"""Compares what came of a run with what the simulated Twilio made: each person once, or with a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from math import inf
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sendpool.adapters.ledger.table import load
from sendpool.domain.events.messages import OF_A_STATUS
from sendpool.domain.message import UNDECIDED, Status, later
from tests.chaos.deployment import deployment
from tests.chaos.scenarios import BODY, SENT, Expected, Row
from tests.chaos.world import Text, World

# what functions end with when their calls fail as the plan says; anything else is a bug
_NO_SURPRISE = frozenset(
    {
        "ClientError",
        "InternalServerError",
        "NotPublishedError",
        "NotQueuedError",
        "ReadTimeoutError",
        "ThrottlingException",
        "UnprocessedError",
    }
)
# Twilio keeps some or all callbacks of messages to these numbers back
_SILENT = ("0175", "0176")


@dataclass(slots=True)
class Verdict:
    """What is wrong after a run, in words, and how many people were forgotten or texted twice."""

    lost: int = 0
    doubled: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Send results and deliveries by message id."""

    results: Mapping[str, dict[str, Any]]
    deliveries: Mapping[str, dict[str, Any]]

    @classmethod
    def of(cls, world: World) -> Ledger:
        items = [load(item) for item in world.dynamodb.loaded()]
        results = {item["id"]: item for item in items if item["sk"].split("#")[0] == "MSG"}
        by_key = {(item["pk"], item["sk"].replace("MSG", "ST")): i for i, item in results.items()}
        deliveries = {
            by_key.get((item["pk"], item["sk"]), f"{item['pk']}/{item['sk']}"): item
            for item in items
            if item["sk"].split("#")[0] == "ST"
        }
        return cls(results, deliveries)

    def status(self, message_id: str) -> Status:
        status = Status(self.results[message_id]["status"])
        delivery = self.deliveries.get(message_id)
        return later(status, Status(delivery["status"])) if delivery else status

    def reason(self, message_id: str) -> str:
        return str(self.results[message_id].get("reason"))

    def error_code(self, message_id: str) -> int | None:
        """The code that a message failed with, if it did."""
        if self.status(message_id) not in {Status.FAILED, Status.UNDELIVERED}:
            return None
        code = self.deliveries.get(message_id, {}).get("error_code")
        return code or self.results[message_id].get("error_code")


def judge(world: World, expected: Expected) -> Verdict:
    """Look at the world at rest."""
    verdict = Verdict()
    # a chunk that is being sent is sent to its end; when nothing went wrong, that is at once
    slack = deployment().functions["sender"].timeout if world.course.struck else 1.0
    ledger = Ledger.of(world)
    made: dict[str, list[dict[str, Any]]] = {}
    for message in world.twilio.truth():
        made.setdefault(_our_id(message), []).append(message)
    verdict.doubled = sum(len(messages) - 1 for messages in made.values())
    verdict.wrong += [
        f"{message_id} was made {len(messages)} times"
        for message_id, messages in made.items()
        if len(messages) > 1
    ]
    verdict.wrong += _ledger_against_truth(ledger, made, world.twilio.silent)
    for message_id, to in (expected.messages | expected.perhaps).items():
        _single(verdict, ledger, made, message_id, to, must=message_id in expected.messages)
    for broadcast_id, rows in expected.broadcasts.items():
        body = expected.bodies.get(broadcast_id, BODY)
        _broadcast(verdict, world, ledger, made, broadcast_id, rows, body)
    verdict.wrong += _clicks(world, ledger, expected)
    verdict.wrong += _events(world, ledger)
    verdict.wrong += world.too_early
    verdict.wrong += _stops(world, ledger, made, slack)
    verdict.wrong += _texts(world)
    verdict.wrong += _pauses(world, made, slack)
    verdict.wrong += _left_over(world, expected)
    verdict.wrong += _left_open(world)
    verdict.wrong += _answers(world, made)
    verdict.wrong += _books(world, expected)
    verdict.wrong += _surprises(world)
    return verdict


def _books(world: World, expected: Expected) -> Iterator[str]:
    """A day's books are closed, have every message once on both sides, and leave nothing unexplained."""
    if expected.books is None:
        return
    books = world.look(f"/reconciliations/{expected.books}")
    if not books.get("is_finished"):
        yield f"the books of {expected.books} are not closed: {books}"
        return
    made = sum(_made_on(message) == expected.books for message in world.twilio.truth())
    for side in ("twilio", "ledger"):
        if books[side]["messages"] != made:
            yield f"{made} were made on {expected.books}, {side} has {books[side]['messages']} in the books"
    causes = {each["cause"] for each in books["causes"]}
    odd = causes - {"behind_in_status", "price_not_known", "never_answered"}
    if odd:
        yield f"the books of {expected.books} have {', '.join(sorted(odd))}"


def _made_on(message: Mapping[str, Any]) -> date:
    return datetime.fromisoformat(message["created"]).date()


def _our_id(message: Mapping[str, Any]) -> str:
    return parse_qs(urlsplit(message["status_callback"] or "").query).get("m", ["nobody's"])[0]


def _ledger_against_truth(
    ledger: Ledger, made: Mapping[str, Sequence[Mapping[str, Any]]], silent: set[str]
) -> Iterator[str]:
    """What the ledger says of each message is what Twilio made, and it knows of all that was made."""
    for message_id, result in ledger.results.items():
        status = ledger.status(message_id)
        if status in UNDECIDED:
            yield f"{message_id} is {status} ({ledger.reason(message_id)}) at rest"
        sids = {message["sid"] for message in made.get(message_id, [])}
        if "sid" in result and result["sid"] not in sids:
            yield f"{message_id} claims {result['sid']}, which is another's"
        if sids and result["status"] == Status.SKIPPED:
            yield f"{message_id} is skipped ({ledger.reason(message_id)}), but was made"
    for message_id, messages in made.items():
        if message_id not in ledger.results:
            yield f"{message_id} was made, and the ledger does not know"
            continue
        to = messages[0]["to"]
        is_told = to not in silent and not to.endswith(_SILENT)
        if len(messages) == 1 and is_told and ledger.status(message_id) != messages[0]["status"]:
            yield f"{message_id} is {messages[0]['status']}, the ledger says {ledger.status(message_id)}"


def _single(
    verdict: Verdict,
    ledger: Ledger,
    made: Mapping[str, Sequence[Mapping[str, Any]]],
    message_id: str,
    to: str,
    *,
    must: bool,
) -> None:
    messages = made.get(message_id, [])
    if must and not messages:
        verdict.lost += 1
        verdict.wrong.append(f"{message_id} to {to} was never made")
    if any(message["to"] != to for message in messages):
        verdict.wrong.append(f"{message_id} went to a stranger")
    is_refused = message_id in ledger.results and ledger.reason(message_id) == "opted_out"
    if not messages and message_id in ledger.results and not is_refused:
        verdict.lost += not must
        verdict.wrong.append(f"{message_id} was taken in, and never made")


def _broadcast(
    verdict: Verdict,
    world: World,
    ledger: Ledger,
    made: Mapping[str, Sequence[Mapping[str, Any]]],
    broadcast_id: str,
    rows: Sequence[Row],
    body: str,
) -> None:
    ids = {
        result["row"]: message_id
        for message_id, result in ledger.results.items()
        if message_id.startswith(broadcast_id)
    }
    reached = {
        message["to"]
        for message_id, messages in made.items()
        if message_id.startswith(broadcast_id)
        for message in messages
    }
    for place, row in enumerate(rows, start=1):
        number = row.number or place
        message_id = ids.get(number, "")
        messages = made.get(message_id, [])
        verdict.wrong += [
            f"row {number} to {row.to}: {message['to']} was told {message['body']!r}"
            for message in messages
            if (message["to"], message["body"]) != (row.to, row.text(body))
        ]
        outcome = SENT if messages else ledger.reason(message_id) if message_id else "nothing"
        if outcome in row.outcomes:
            continue
        is_open = outcome in {"nothing", "None"} or ledger.status(message_id) in UNDECIDED
        verdict.lost += is_open and row.to not in reached
        verdict.wrong.append(
            f"row {number} to {row.to}: {outcome}, not {' or '.join(row.outcomes)}"
        )
    verdict.wrong += _report_against_scan(world, ledger, broadcast_id, len(rows))


def _report_against_scan(
    world: World, ledger: Ledger, broadcast_id: str, total: int
) -> Iterator[str]:
    report = world.look(f"/broadcasts/{broadcast_id}")
    ids = [each for each in ledger.results if each.startswith(broadcast_id)]
    scanned = Counter(str(ledger.status(each)) for each in ids)
    skipped = Counter(ledger.reason(each) for each in ids if ledger.status(each) is Status.SKIPPED)
    if report.get("counters") != scanned or report.get("skipped") != skipped:
        yield f"counters {report.get('counters')} {report.get('skipped')}, a scan {scanned} {skipped}"
    if (report.get("total"), report.get("outcomes")) != (total, total):
        yield f"{report.get('outcomes')} outcomes of {report.get('total')}, not of {total}"
    codes = Counter(code for each in ids if (code := ledger.error_code(each)))
    reported = {each["code"]: each["count"] for each in report.get("errors", [])}
    if reported != codes:
        yield f"errors {reported}, a scan {codes}"
    if not report.get("completed_at"):
        yield f"the broadcast is {report.get('state')}, and not complete"


def _clicks(world: World, ledger: Ledger, expected: Expected) -> Iterator[str]:
    """Every click is counted once, as what made it."""
    yield from (
        f"nobody followed the links of {tap.person}" for tap in world.taps if not tap.followed
    )
    ids = {
        sid: message_id
        for message_id, result in ledger.results.items()
        if (sid := result.get("sid"))
    }
    made: dict[str, Counter[str]] = {}
    for tap in world.taps:
        for link in tap.followed:
            made.setdefault(ids.get(link.message_sid, "nobody's"), Counter())[tap.kind] += 1
    for message_id, kinds in made.items():
        told = world.look(f"/messages/{message_id}").get("clicks") or {}
        if _by_kind(told) != _kinds(kinds):
            yield f"{message_id} was clicked {kinds}, its report says {told}"
    for broadcast_id in expected.broadcasts:
        of_it = [kinds for each, kinds in made.items() if each.startswith(broadcast_id)]
        summed = sum(of_it, Counter[str]())
        report = world.look(f"/broadcasts/{broadcast_id}")["clicks"]
        people = sum(bool(kinds["human"]) for kinds in of_it)
        if (_by_kind(report), report["people"]) != (_kinds(summed), people):
            yield f"{broadcast_id} was clicked {summed} by {people}, its report says {report}"


def _events(world: World, ledger: Ledger) -> Iterator[str]:
    """Whoever listens is told of everything, under one id each, however often."""
    told: dict[tuple[str, str], set[str]] = {}
    for each in world.bus.told:
        told.setdefault((each["type"], _about(each["data"])), set()).add(each["id"])
    wanted = Counter(
        (f"message.{status}", message_id)
        for message_id in ledger.results
        if (status := ledger.status(message_id)) in OF_A_STATUS
    )
    wanted += Counter(
        ("message.accepted", message_id)
        for message_id, result in ledger.results.items()
        if "sid" in result
    )
    items = list(map(load, world.dynamodb.loaded()))
    wanted += Counter(("message.received", item["sid"]) for item in items if item["sk"] == "IN")
    wanted += Counter(
        ("broadcast.completed", item["pk"].partition("#")[2])
        for item in items
        if "completed_at" in item
    )
    for what, times in wanted.items():
        if len(told.get(what, ())) != times:
            yield f"{what} was told as {told.get(what)}"
    yield from (
        f"{what} was told, and is not so"
        for what in told
        if what not in wanted and what[0] in {"message.delivered", "broadcast.completed"}
    )
    yield from _opt_outs_told(world)


def _opt_outs_told(world: World) -> Iterator[str]:
    """What was told last of each person is where they stand."""
    kinds = {"recipient.opted_out": True, "recipient.opted_in": False}
    said = [each for each in world.bus.told if each["type"] in kinds]
    last = {
        (each["data"]["phone"], each["data"]["scope"]): kinds[each["type"]]
        for each in sorted(said, key=lambda each: (each["timestamp"], kinds[each["type"]]))
    }
    stands = {
        (item["pk"].partition("#")[2], item["sk"]): item["opted_out"]
        for item in map(load, world.dynamodb.loaded())
        if item["pk"].startswith("OPTOUT#")
    }
    if last != stands:
        yield f"of opt-outs was told {last}, they are {stands}"


def _about(data: Mapping[str, Any]) -> str:
    """What an event is about."""
    names = ("message_id", "broadcast_id", "sid")
    return next((str(data[name]) for name in names if name in data), "")


def _kinds(kinds: Mapping[str, int]) -> tuple[int, ...]:
    """How many clicks there were in all, and by what."""
    return sum(kinds.values()), kinds["preview"], kinds["scanner"], kinds["human"]


def _by_kind(report: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(report.get(name, 0) for name in ("raw", "previews", "scanners", "human"))


def _left_over(world: World, expected: Expected) -> Iterator[str]:
    """Queues are empty, what was to be set aside is (perhaps several times), and callers are content."""
    dead: set[str] = set()
    for queue in world.sqs.queues.values():
        if queue.dead_letters is None:
            dead |= {f"{queue.name}: {message.body[:200]}" for message in queue.messages}
        elif queue.messages:
            yield f"{len(queue.messages)} messages are left on {queue.name}"
    if len(dead) != expected.dead_letters:
        yield f"{len(dead)} dead letters, not {expected.dead_letters}: {dead}"
    for request in world.requests:
        is_fine = request.status in {200, 201, 202} or (
            request.may_conflict and request.status == 409
        )
        if request.is_patient and not is_fine:
            yield f"{request.method} {request.path} ended with {request.status}: {request.answer}"


def _left_open(world: World) -> Iterator[str]:
    """Nothing waits for anybody at rest: nothing is to be looked at, no chunk is held, half done or parked."""
    done = {
        item["pk"]
        for item in map(load, world.dynamodb.loaded())
        if item["sk"] == "CHUNK" and item.get("done")
    }
    for item in map(load, world.dynamodb.loaded()):
        name = f"{item['pk']} {item['sk']}"
        # what is scheduled at Twilio is open until its hour: who must not get it is a matter of what they said
        if "open" in item and not item["open"].startswith("scheduled#"):
            yield f"{name} is still to be looked at, at {item['due_at']}"
        if item["sk"] == "CHUNK" and ("lease_until" in item or not item.get("done")):
            yield f"{name} is held, or not done: {item}"
        # a copy of a chunk that became done while it was parked harms nobody
        if item["sk"].startswith("PARK#") and f"{item['pk']}#{item['sk'][-6:]}" not in done:
            yield f"{name} is still parked"


def _made_at(message: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(message["created"]).timestamp()


def _pauses(
    world: World, made: Mapping[str, Sequence[Mapping[str, Any]]], slack: float
) -> Iterator[str]:
    """Nothing of a broadcast goes out between the answer to a pause and the next resume."""
    for pause in world.requests:
        path, _, verb = pause.path.rpartition("/")
        if verb != "pause" or pause.status != 202:
            continue
        asked = [each.asked_at for each in world.requests if each.path == f"{path}/resume"]
        until = min((at for at in asked if at and at > pause.due), default=inf)
        for message_id, messages in made.items():
            if message_id.startswith(path.rpartition("/")[2]) and any(
                pause.due + slack < _made_at(message) < until for message in messages
            ):
                yield f"{message_id} went out while its broadcast was paused"


def _stops(
    world: World,
    ledger: Ledger,
    made: Mapping[str, Sequence[Mapping[str, Any]]],
    slack: float,
) -> Iterator[str]:
    """Whoever's STOP or START reached us is treated so, by all that began after it."""
    for text in world.texts:
        if not text.is_answered or text.body not in {"STOP", "START"}:
            continue
        later = [
            each.at for each in world.texts if each.person == text.person and each.at > text.at
        ]
        since, until = (text.acknowledged_at or inf) + slack, min(later, default=inf)
        if text.body == "STOP":
            sent = (m for messages in made.values() for m in messages if m["to"] == text.person)
            offered = [_made_at(message) for message in sent]
        else:
            refused = (r for r in ledger.results.values() if r["to"] == text.person)
            offered = [
                datetime.fromisoformat(result["created_at"]).timestamp()
                for result in refused
                if result.get("reason") == "opted_out"
            ]
        if any(since < at < until for at in offered):
            yield f"{text.person} said {text.body} at {text.at}, but {offered}"
        if not later:
            yield from _opt_out(world, text)
        if not later and text.body == "STOP":
            waiting = [
                message_id
                for message_id, result in ledger.results.items()
                if result["to"] == text.person and result["status"] == Status.SCHEDULED
            ]
            yield from (f"{each} waits for {text.person}, who said STOP" for each in waiting)


def _texts(world: World) -> Iterator[str]:
    """Whatever text we answered well is kept, once."""
    kept = Counter(
        (item["person"], item["fields"]["Body"])
        for item in map(load, world.dynamodb.loaded())
        if item["sk"] == "IN"
    )
    for text in world.texts:
        times = kept[text.person, text.body]
        if times > 1 or (text.is_answered and not times):
            yield f"{text.body!r} of {text.person} is kept {times} times"
    pictures = [text.picture for text in world.texts if text.picture and text.is_answered]
    stored = [
        item["media_0"]["key"] for item in map(load, world.dynamodb.loaded()) if "media_0" in item
    ]
    if sorted(pictures) != sorted(world.s3.files[key].content for key in stored):
        yield f"of {len(pictures)} pictures {len(stored)} are kept"


def _opt_out(world: World, text: Text) -> Iterator[str]:
    items = [load(item) for item in world.dynamodb.loaded()]
    opted_out = [item["opted_out"] for item in items if item["pk"] == f"OPTOUT#{text.person}"]
    if opted_out != [text.body == "STOP"]:
        yield f"{text.person} last said {text.body}, the ledger has {opted_out}"


def _answers(world: World, made: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """What a caller was told of a message is true."""
    for request in world.requests:
        sid = request.answer.get("sid")
        message_id = request.answer.get("id", "")
        if sid and sid not in {message["sid"] for message in made.get(message_id, [])}:
            yield f"{request.path} answered {sid} for {message_id}, which is another's"


def _surprises(world: World) -> Iterator[str]:
    for error in dict.fromkeys(world.errors):
        if error.split(": ")[1] not in _NO_SURPRISE:
            yield f"nobody expects {error}"
