"""What callers do, and what must have come of it once all is quiet."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from sendpool.domain.message import new_id
from sendpool.edge import warm
from sendpool.workflows import dispatch, import_recipients
from tests.chaos.deployment import deployment
from tests.chaos.twilio import SETTINGS
from tests.chaos.world import Request, World

SENT = "sent"
BODY = "Hi {{ name }}, the sale is on. Reply STOP to opt out."


@dataclass(frozen=True, slots=True)
class Row:
    """A recipient of a broadcast and what may come of it: `sent`, or a reason not to send.

    `number` is the row's in the file; without it, rows count from one.
    """

    to: str
    outcomes: tuple[str, ...] = (SENT,)
    variables: dict[str, str] | None = None
    number: int | None = None
    timezone: str | None = None

    def asked(self) -> dict[str, Any]:
        given = {"variables": self.variables, "timezone": self.timezone}
        return {"to": self.to, **{name: value for name, value in given.items() if value}}

    def text(self, body: str) -> str:
        """What this person reads."""
        for name, value in (self.variables or {}).items():
            body = body.replace(f"{{{{ {name} }}}}", value)
        return body


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be true at rest.

    `broadcasts` by id, with `bodies` where they are not the usual one; `messages` are ids of single messages with
    their recipients; `perhaps` are those whose caller did not insist, or who may have opted out; `dead_letters` is
    how many bodies were meant to be set aside; `books` is a day whose books are closed by then.
    """

    broadcasts: dict[str, Sequence[Row]] = field(default_factory=dict)
    bodies: dict[str, str] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    perhaps: dict[str, str] = field(default_factory=dict)
    dead_letters: int = 0
    books: date | None = None


Scenario = Callable[[World], Expected]


def people(first: int, count: int) -> list[Row]:
    return [Row(f"+1202555{first + n}", variables={"name": f"Person {n}"}) for n in range(count)]


def _named(to: str, *outcomes: str) -> Row:
    return Row(to, outcomes or (SENT,), {"name": "Somebody"})


# fates that the simulator has for these numbers: callbacks doubled, reversed, lost; 30003, 21610; refused at once
UNUSUAL = [
    _named("+12025550173"),
    _named("+12025550174"),
    _named("+12025550175"),
    _named("+12025550176"),
    _named("+12025550183"),
    _named("+12025550190"),
    # or, when the sender died with that answer, known from it as a landline
    _named("+12025550194", "refused_by_twilio", "landline"),
    _named("12345", "invalid_phone"),
    _named("(202) 555-1000", "duplicate"),
    Row("+12025551900", ("missing_variable",)),
    _named("+12025551901", "opted_out"),
]


def _announce(
    world: World, key: str, rows: Sequence[Row], *, after: float = 0.0, **request: Any
) -> tuple[str, Request]:
    """Let a caller create and start a broadcast; returns its id and the request."""
    asked = {"name": key, "body": BODY, "recipients": [row.asked() for row in rows]}
    body = {**asked, "start": "now", **request}
    return (
        new_id("bc", key=key),
        world.ask(Request("POST", "/broadcasts", body, key=key, after=after)),
    )


def _control(
    world: World, broadcast_id: str, verb: str, *, after: float, follows: Request
) -> Request:
    path = f"/broadcasts/{broadcast_id}/{verb}"
    return world.ask(Request("POST", path, after=after, follows=follows, may_conflict=True))


def broadcast(world: World) -> Expected:
    """A broadcast in small chunks over several ticks, with every sort of row."""
    rows = people(1000, 6) + UNUSUAL + people(1010, 5)
    warm.opt_outs().record(
        "+12025551901",
        SETTINGS.service_sid,
        opted_out=True,
        source="test",
        at=world.moment(),
    )
    sale, _ = _announce(world, "sale", rows, rate=0.5)
    return Expected({sale: rows})


def two(world: World) -> Expected:
    """Two broadcasts side by side, with the same words to some of the same people; each callback comes by itself."""
    first, second = people(1000, 7), people(1004, 3) + people(1020, 4)
    for row in first + second:
        world.twilio.slow_down(row.to, seconds=5)
    body = "Come in, we are open."
    east, _ = _announce(world, "east", first, body=body, rate=0.6)
    west, _ = _announce(world, "west", second, after=3, body=body, rate=0.6)
    return Expected({east: first, west: second}, bodies={east: body, west: body})


def twice(world: World) -> Expected:
    """A broadcast of which every chunk, tick and callback is delivered twice."""
    for queue in world.sqs.queues.values():
        if not queue.name.endswith("DeadLetterQueue"):
            queue.copies = 2
    rows = people(1000, 6) + UNUSUAL[:5]
    broadcast_id, _ = _announce(world, "twice", rows, rate=0.6)
    return Expected({broadcast_id: rows})


def silent(world: World) -> Expected:
    """A broadcast of which callbacks get lost, or come after minutes only: Twilio's list is all there is to ask."""
    rows = people(1000, 12)
    for position, row in enumerate(rows):
        if position % 3 == 2:
            world.twilio.slow_down(row.to, seconds=400)
        else:
            world.twilio.silence(row.to)
    broadcast_id, _ = _announce(world, "silent", rows, rate=0.6)
    return Expected({broadcast_id: rows})


def wide(world: World) -> Expected:
    """A broadcast of which a sender has several calls in flight, in several chunks at a time."""
    world.widen(4)
    rows = people(1000, 22)
    broadcast_id, _ = _announce(world, "wide", rows, rate=1.2)
    return Expected({broadcast_id: rows})


def uploaded(world: World) -> Expected:
    """A file that somebody uploads: its rows are put in many parts by several ticks, and read in many slices."""
    world.shrink(import_recipients, PART_BYTES=300, PARTS_A_CHECKPOINT=2)
    world.shrink(dispatch, SLICE_BYTES=700)
    world.slow["UploadPart"] = 75.0  # a tick may take three minutes
    some = people(1000, 16)
    again = [replace(row, outcomes=("duplicate",)) for row in (some[0], some[9])]
    rows = [*some[:12], *again, Row("12345", ("invalid_phone",)), *some[12:]]
    broadcast_id = new_id("bc", key="uploaded")
    body = {"name": "uploaded", "body": BODY, "upload": True, "rate": 1}
    created = world.ask(Request("POST", "/broadcasts", body, key="uploaded"))
    lines = b"".join(json.dumps(row.asked()).encode() + b"\n" for row in rows)
    world.s3.call("PutObject", {"Key": f"uploads/{broadcast_id}", "Body": lines})
    _control(world, broadcast_id, "start", after=10, follows=created)
    return Expected({broadcast_id: rows})


def paused(world: World) -> Expected:
    """A broadcast that is paused while it goes out, and resumed twice."""
    rows = people(1000, 10)
    broadcast_id, created = _announce(world, "paused", rows, rate=0.4)
    pause = _control(world, broadcast_id, "pause", after=7, follows=created)
    _control(world, broadcast_id, "resume", after=40, follows=pause)
    _control(world, broadcast_id, "resume", after=3000, follows=pause)
    return Expected({broadcast_id: rows})


def canceled(world: World) -> Expected:
    """A broadcast without callbacks that is canceled while it is paused: who got nothing is told why."""
    rows = [replace(row, outcomes=(SENT, "canceled")) for row in people(1000, 10)]
    for row in rows:
        world.twilio.silence(row.to)
    broadcast_id, created = _announce(world, "canceled", rows, rate=0.4)
    pause = _control(world, broadcast_id, "pause", after=7, follows=created)
    _control(world, broadcast_id, "cancel", after=12, follows=pause)
    return Expected({broadcast_id: rows})


def scheduled(world: World) -> Expected:
    """A broadcast that starts at a time, and expires in the middle."""
    rows = [replace(row, outcomes=(SENT, "expired")) for row in people(1000, 10)]
    start = world.moment() + timedelta(minutes=2)
    broadcast_id, _ = _announce(
        world,
        "scheduled",
        rows,
        rate=0.4,
        start=start.isoformat(),
        expire_at=(start + timedelta(seconds=12)).isoformat(),
    )
    return Expected({broadcast_id: rows})


def held(world: World) -> Expected:
    """A broadcast that is paused and never resumed, until it expires."""
    rows = [replace(row, outcomes=(SENT, "expired")) for row in people(1000, 8)]
    expire_at = (world.moment() + timedelta(minutes=5)).isoformat()
    broadcast_id, created = _announce(world, "held", rows, rate=0.4, expire_at=expire_at)
    _control(world, broadcast_id, "pause", after=7, follows=created)
    return Expected({broadcast_id: rows})


def stopped(world: World) -> Expected:
    """While a broadcast goes out slowly, one of the last recipients says STOP, one STOP and START, one telephones."""
    leaves, returns, calls = "+12025551950", "+12025551951", "+12025551953"
    rows = people(1000, 7) + [_named(each, SENT, "opted_out") for each in (leaves, returns, calls)]
    broadcast_id, _ = _announce(world, "stopped", rows, rate=0.1)
    world.write(leaves, "STOP", after=4)
    world.write(returns, "STOP", after=4.5)
    world.write(returns, "START", after=15)
    world.write("+12025551952", "Are you open?", after=16, picture=b"the door")
    said = {"reason": "by telephone", "at": world.moment().isoformat()}
    world.ask(Request("PUT", f"/opt-outs/{calls}", said, after=5))
    body = {"to": leaves, "body": "Your table is ready."}
    world.ask(Request("POST", "/messages", body, key="table", after=90))
    return Expected({broadcast_id: rows}, perhaps={new_id("msg", key="table"): leaves})


def withdrawn(world: World) -> Expected:
    """Messages that are scheduled for somebody who says STOP after, while and before they are taken in."""
    leaves, stays = "+12025551950", "+12025551952"
    send_at = (world.moment() + timedelta(hours=1)).isoformat()
    asked = {
        "first": (leaves, 0),
        "second": (leaves, 3.8),
        "third": (leaves, 4),
        "last": (leaves, 9),
    }
    for key, (to, after) in asked.items():
        body = {"to": to, "body": "Your table is ready.", "send_at": send_at}
        world.ask(Request("POST", "/messages", body, key=key, after=after))
    world.write(leaves, "STOP", after=4)
    world.ask(Request("POST", "/messages", {"to": stays, "body": "Hi"}, key="stays"))
    return Expected(
        messages={new_id("msg", key="stays"): stays},
        perhaps={new_id("msg", key=key): to for key, (to, _) in asked.items()},
    )


def unanswered(world: World) -> Expected:
    """The inbound webhook fails whatever comes: the fallback has what people write, a STOP among it."""
    world.broken.add("inbound")
    leaves, stays = "+12025551950", "+12025551952"
    world.write(leaves, "STOP", after=1)
    world.write(stays, "Are you open?", after=2)
    for to, key, after in ((stays, "table", 5), (stays, "menu", 30), (leaves, "late", 3 * 3600)):
        world.ask(Request("POST", "/messages", {"to": to, "body": key}, key=key, after=after))
    table, menu, late = (new_id("msg", key=key) for key in ("table", "menu", "late"))
    return Expected({}, messages={table: stays, menu: stays}, perhaps={late: leaves})


def asleep(world: World) -> Expected:
    """A broadcast to people of whom some sleep for three hours yet, and a message to one of them."""
    rows = [
        replace(row, timezone="Pacific/Honolulu") if position % 3 else row
        for position, row in enumerate(people(1000, 7))
    ] + [replace(row, timezone="Pacific/Honolulu") for row in people(1010, 5)]
    morning, _ = _announce(world, "morning", rows, rate=0.6)
    body = {
        "to": "+12025551950",
        "body": "Aloha",
        "category": "marketing",
        "timezone": "Pacific/Honolulu",
    }
    world.ask(Request("POST", "/messages", body, key="aloha"))
    return Expected({morning: rows}, messages={new_id("msg", key="aloha"): "+12025551950"})


def failing(world: World) -> Expected:
    """A broadcast that pauses by itself because too many fail, and is resumed each time."""
    bad = [_named(f"+1{area}5550183") for area in (202, 415, 212, 313)]
    rows = [row for pair in zip(bad, people(1000, 4), strict=True) for row in pair]
    rule = {"failure_share": 0.4, "after": 2}
    broadcast_id, created = _announce(world, "failing", rows, rate=0.4, auto_pause=rule)
    for after in range(60, 3000, 300):
        _control(world, broadcast_id, "resume", after=after, follows=created)
    return Expected({broadcast_id: rows})


def refused(world: World) -> Expected:
    """A broadcast that pauses at once because Twilio's pool is empty for a while, and is resumed before and after."""
    rows = people(1000, 10)
    world.twilio.empty_the_pool(seconds=600)
    broadcast_id, created = _announce(world, "refused", rows, rate=0.4)
    for after in range(60, 6000, 300):
        _control(world, broadcast_id, "resume", after=after, follows=created)
    return Expected({broadcast_id: rows})


def retried(world: World) -> Expected:
    """A broadcast of which some fail for a reason that passes, and hours later those are tried again, twice asked."""
    world.shrink(import_recipients, PART_BYTES=200, PARTS_A_CHECKPOINT=1)
    bad = [_named(f"+1{area}5550183") for area in (202, 415, 212, 313)]
    rows = [row for pair in zip(bad, people(1000, 4), strict=True) for row in pair]
    failed = [replace(row, number=1 + rows.index(row)) for row in bad]
    broadcast_id, created = _announce(world, "retried", rows, rate=1)
    path = f"/broadcasts/{broadcast_id}/retry-failed"
    for after in (4 * 3600, 4 * 3600 + 1):
        world.ask(Request("POST", path, {"start": "now"}, after=after, follows=created))
    retry_id = new_id("bc", key=f"retry-failed\n{broadcast_id}")
    return Expected({broadcast_id: rows, retry_id: failed})


def singles(world: World) -> Expected:
    """Single messages: repeated requests, the same words to one person under two keys, callers who never ask again."""
    expected = Expected()
    asked = [
        ("a", "+12025551000", True),
        ("b", "+12025551000", True),
        ("c", "+12025550175", True),
        ("d", "+12025550173", True),
        ("e", "+12025551001", False),
        ("f", "+12025550175", False),
        ("g", "+12025550174", False),
    ]
    for position, (key, to, is_patient) in enumerate(asked):
        body = {"to": to, "body": "Your table is ready."}
        request = Request("POST", "/messages", body, key=key, after=position, is_patient=is_patient)
        world.ask(request)
        message_id = new_id("msg", key=key)
        (expected.messages if is_patient else expected.perhaps)[message_id] = to
        if is_patient:
            world.ask(replace(request.repeated(), after=position + 2))
            world.ask(replace(request.repeated(), after=position + 400))
    return expected


def queued(world: World) -> Expected:
    """Bodies that another system put on the send queue: one twice, one unreadable, two alike to one person."""
    people_by_id = {
        "order-1": "+12025551000",
        "order-2": "+12025551000",
        "order-3": "+12025551001",
        "order-4": "+12025550175",
        "order-5": "+12025550173",
    }
    requests = [
        {"id": each, "to": to, "body": "Your parcel is here."} for each, to in people_by_id.items()
    ]
    bodies = [requests[:3], requests[3:], requests[1:4]]
    for body in bodies:
        _put(world, json.dumps({"version": 1, "requests": body}))
    _put(world, '{"version": 1}')
    return Expected(
        messages={f"req_{each}": to for each, to in people_by_id.items()}, dead_letters=1
    )


def _put(world: World, body: str) -> None:
    url = deployment().environment["SEND_QUEUE_URL"]
    world.sqs.call("SendMessage", {"QueueUrl": url, "MessageBody": body})


BROWSER = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Safari/537.36"


def clicked(world: World) -> Expected:
    """A broadcast and a message whose links people and programs follow, soon after each other or at once."""
    world.twilio.shorten_links()
    rows = people(1000, 6)
    body = "Hi {{ name }}, see https://example.com/sale or https://example.com/new"
    sale, _ = _announce(world, "clicked", rows, body=body, rate=0.6, shorten_urls=True)
    lone = "+12025551950"
    asked = {"to": lone, "body": "See https://example.com/table", "shorten_urls": True}
    world.ask(Request("POST", "/messages", asked, key="table", after=5))
    one, two, three, four = (row.to for row in rows[:4])
    for person, after in ((one, 30), (one, 36), (two, 32), (lone, 40)):
        world.tap(person, after=after, kind="human", user_agent=BROWSER)
    world.tap(two, after=20, kind="preview", user_agent="WhatsApp/2.23.20.0 A")
    world.tap(two, after=26, kind="scanner", user_agent="curl/8.5.0")
    world.tap(three, after=35, kind="scanner", user_agent=BROWSER, links=2)
    world.tap(four, after=5, kind="preview", user_agent="facebookexternalhit/1.1")
    world.tap(lone, after=8, kind="preview", user_agent="facebookexternalhit/1.1")
    return Expected({sale: rows}, bodies={sale: body}, messages={new_id("msg", key="table"): lone})


def booked(world: World) -> Expected:
    """Single messages of a day whose books are closed two days later, some without callbacks; sweeps come in fours."""
    expected = Expected(books=date(2035, 1, 9))
    numbers = ("+12025551000", "+12025550175", "+12025550173", "+12025551001", "+12025550175")
    for key, to in zip("abcde", numbers, strict=True):
        body = {"to": to, "body": f"Table {key} is ready."}
        world.ask(Request("POST", "/messages", body, key=key, after=12 * 3600))
        expected.messages[new_id("msg", key=key)] = to
    # the first begins the books, the second looks soon, the last ones late
    for hours in (0, 30, 59):
        for minute in range(4):
            world.sweep(after=hours * 3600 + minute * 60)
    return expected


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        broadcast,
        two,
        twice,
        singles,
        queued,
        silent,
        wide,
        uploaded,
        paused,
        canceled,
        scheduled,
        held,
        stopped,
        withdrawn,
        unanswered,
        asleep,
        failing,
        refused,
        retried,
        clicked,
        booked,
    )
}
