"""The demo's proof: count the ledger again, item by item, and compare it with everything else that is known.

Written without the product's own code, so that a mistake there is not repeated here. Each `against_…` yields
one sentence for each difference, and nothing when all is well.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from boto3.dynamodb.types import TypeDeserializer

from local.demo.recipients import Recipient
from local.stack.stack import Stack

# the send result and the callbacks' sum each name one of these; the further one stands
_LIFE = (
    "claimed", "unknown", "accepted", "queued", "sending", "sent",
    "delivered", "read", "undelivered", "failed", "skipped",
)  # fmt: skip
_WITHOUT_OUTCOME = {"claimed", "unknown"}
_FINAL = {"delivered", "read", "undelivered", "failed", "skipped"}

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What the ledger says about one recipient, the send result and the callbacks put together."""

    message_id: str
    row: int
    status: str
    reason: str | None = None
    code: int | None = None
    sid: str | None = None
    sent_at: datetime | None = None
    heard_at: datetime | None = None


def scan(stack: Stack, broadcast_id: str) -> list[Line]:
    """Read the whole table and keep what belongs to the broadcast's recipients."""
    read = TypeDeserializer().deserialize
    pages = (
        stack.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=stack.table_name,
            FilterExpression="begins_with(pk, :broadcast)",
            ExpressionAttributeValues={":broadcast": {"S": f"BC#{broadcast_id}#"}},
            ConsistentRead=True,
        )
    )
    return lines(
        {name: read(value) for name, value in item.items()}
        for page in pages
        for item in page["Items"]
    )


def lines(items: Iterable[Item]) -> list[Line]:
    """Join the items `MSG#<n>` and `ST#<n>` of each partition; one without the other counts too."""
    results: dict[tuple[str, str], Item] = {}
    deliveries: dict[tuple[str, str], Item] = {}
    for item in items:
        kind, _, number = item["sk"].partition("#")
        if kind in {"MSG", "ST"}:
            (results if kind == "MSG" else deliveries)[item["pk"], number] = item
    return [
        _line(key, results.get(key, {}), deliveries.get(key, {}))
        for key in sorted(results.keys() | deliveries.keys())
    ]


def _line(key: tuple[str, str], result: Item, delivery: Item) -> Line:
    partition, number = key
    known = [item["status"] for item in (result, delivery) if item]
    code = delivery.get("error_code") or result.get("error_code")
    sid = result.get("sid") or delivery.get("sid")
    heard = max(delivery.get("timeline", {}).values(), default=None)
    return Line(
        message_id=f"{partition.removeprefix('BC#').replace('#', '-')}-{number}",
        row=int(result.get("row", 0)),
        status=max(known, key=_LIFE.index),
        reason=result.get("reason"),
        code=int(code) if code else None,
        sid=sid,
        sent_at=datetime.fromisoformat(result["created_at"]) if sid and result else None,
        heard_at=datetime.fromisoformat(heard) if heard else None,
    )


def against_file(recount: Sequence[Line], rows: Sequence[Recipient]) -> Iterator[str]:
    """Every row of the file has one outcome, and those that cannot be sent to have the right one."""
    seen = Counter(line.row for line in recount)
    yield from _named("rows are not in the ledger", set(range(1, len(rows) + 1)) - seen.keys())
    yield from _named(
        "rows of the ledger are not in the file", seen.keys() - range(1, len(rows) + 1)
    )
    yield from _named("rows stand in the ledger twice", {row for row, n in seen.items() if n > 1})
    waiting = {line.row for line in recount if line.status in _WITHOUT_OUTCOME}
    yield from _named("rows have no outcome", waiting)
    wrong = {
        line.row
        for line in recount
        if 0 < line.row <= len(rows) and not _is_as_meant(line, rows[line.row - 1])
    }
    yield from _named("rows are skipped or sent against what the file says", wrong)


def _is_as_meant(line: Line, row: Recipient) -> bool:
    if row.skip:
        return (line.status, line.reason) == ("skipped", row.skip)
    # an earlier demo, or a STOP by hand, may have opted somebody out
    return line.status != "skipped" or line.reason == "opted_out"


def against_counters(recount: Sequence[Line], report: Mapping[str, Any]) -> Iterator[str]:
    """The counters that GET /broadcasts/{id} reports equal the recount, each of them."""
    statuses = Counter(line.status for line in recount)
    reasons = Counter(line.reason for line in recount if line.status == "skipped")
    codes = Counter(line.code for line in recount if line.code)
    told_codes = {each["code"]: each["count"] for each in report["errors"]}
    yield from _unequal("recipients", {"total": report["total"]}, {"total": len(recount)})
    yield from _unequal("status", report["counters"], statuses)
    yield from _unequal("skipped", report["skipped"], reasons)
    yield from _unequal("error", told_codes, codes)
    totals = {
        "outcomes": sum(n for status, n in statuses.items() if status not in _WITHOUT_OUTCOME),
        "final": sum(n for status, n in statuses.items() if status in _FINAL),
    }
    yield from _unequal("sum", {name: report[name] for name in totals}, totals)


def against_twilio(
    recount: Sequence[Line], rows: Sequence[Recipient], made: Iterable[Mapping[str, Any]]
) -> Iterator[str]:
    """The simulated Twilio made one message for each that the ledger says it made, and they ended alike."""
    own_ids = {line.message_id for line in recount}
    ours = [each for each in made if _message_id(each) in own_ids]
    for what, key in (
        ("messages were made twice", _message_id),
        ("people were sent to twice", _to),
    ):
        yield from _named(what, {value for value, n in Counter(map(key, ours)).items() if n > 1})
    at_twilio = {
        _message_id(each): (each["sid"], each["status"], each["error_code"]) for each in ours
    }
    in_ledger = {
        line.message_id: (line.sid, line.status, line.code) for line in recount if line.sid
    }
    yield from _named(
        "messages at Twilio are not in the ledger", at_twilio.keys() - in_ledger.keys()
    )
    yield from _named(
        "messages in the ledger are not at Twilio", in_ledger.keys() - at_twilio.keys()
    )
    both = at_twilio.keys() & in_ledger.keys()
    yield from _named(
        "messages ended differently at Twilio",
        {each for each in both if at_twilio[each] != in_ledger[each]},
    )
    refused = {
        (line.row, line.code) for line in recount if line.status == "failed" and not line.sid
    }
    meant = {(number, row.refusal) for number, row in enumerate(rows, start=1) if row.refusal}
    yield from _named(
        "rows are refused, or not, against what the file says", {row for row, _ in refused ^ meant}
    )


def _message_id(made: Mapping[str, Any]) -> str:
    """Our own id, which rides in the query of the callback's URL."""
    return parse_qs(urlsplit(made["status_callback"] or "").query).get("m", [""])[0]


def _to(made: Mapping[str, Any]) -> str:
    to: str = made["to"]
    return to


def _named(what: str, which: set[Any]) -> Iterator[str]:
    if which:
        first = ", ".join(str(each) for each in sorted(which)[:3])
        yield f"{len(which)} {what}: {first}{' …' if len(which) > 3 else ''}"


def _unequal(what: str, told: Mapping[Any, Any], counted: Mapping[Any, Any]) -> Iterator[str]:
    for name in sorted(told.keys() | counted.keys(), key=str):
        if told.get(name, 0) != counted.get(name, 0):
            yield f"{what} {name}: {told.get(name, 0)} reported, {counted.get(name, 0)} counted"
