"""Reading recipients: whatever kills the dispatcher while it imports, the rows are those of one undisturbed pass."""

from __future__ import annotations

import gzip
import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Self

import pytest
from botocore.exceptions import ClientError

from functions.dispatcher.app import lambda_handler as dispatcher
from sendpool.adapters import aws as clients
from sendpool.edge import warm
from tests.functional.aws import Aws, Context
from tests.functional.conftest import Clock
from tests.functional.flow import Flow
from tests.functional.twilio import FakeTwilio

PEOPLE = 300
MARGIN = random.Random(4).randbytes(30_000).hex()  # noqa: S311 - what gzip cannot shrink to nothing


@pytest.fixture
def flow(aws: Aws, twilio: FakeTwilio) -> Flow:
    return Flow(aws)


def hurry(clock: Clock) -> None:
    """Let a tick's time be over after one part of rows."""

    def hurrying() -> datetime:
        clock.at += timedelta(seconds=200)
        return clock.at

    warm.start_over(clock=hurrying)


class Killed(BaseException):
    """What SIGKILL looks like from inside: nothing is caught, nothing is written."""


def kill() -> None:
    raise Killed


class Calls:
    """Watches the calls of AWS, and does something before one of them, which is after the one before."""

    _EVENT = "before-call.*.*"

    def __init__(self, *, at: int = 0, then: Callable[[], None] = kill) -> None:
        self._at = at
        self._then = then
        self.made: list[str] = []

    def __enter__(self) -> Self:
        for client in (clients.s3(), clients.dynamodb(), clients.sqs()):
            client.meta.events.register(self._EVENT, self._on_call)
        return self

    def __exit__(self, *_: object) -> None:
        for client in (clients.s3(), clients.dynamodb(), clients.sqs()):
            client.meta.events.unregister(self._EVENT, self._on_call)

    def _on_call(self, model: Any, **_: Any) -> None:
        self.made.append(model.name)
        if len(self.made) == self._at:
            self._then()


# ------------------------------------------------------------------------------------------------ what is uploaded


def phone(n: int) -> str:
    return f"+1202555{1000 + n}"


def sheet(people: Iterator[int]) -> str:
    """A sheet with line breaks, separators and quotes in its cells; 130 rows fill a part."""
    rows = (f'{phone(n)},"é\r\n""{n}"", Ann",{MARGIN}\r\n' for n in people)
    return "to,name,margin\r\n" + "".join(rows)


def people_with_repeats() -> Iterator[int]:
    """Every tenth of the second half was there 150 rows before, in another part."""
    return (n - 150 if n >= 150 and n % 10 == 0 else n for n in range(PEOPLE))


SHORTER_FILE = sheet(iter(range(PEOPLE // 2))).encode()
LONG_SHEET = sheet(people_with_repeats())
LONG_FILES = {
    "CSV": LONG_SHEET.encode(),
    "UTF-16": LONG_SHEET.encode("utf-16"),
    "gzip": gzip.compress(LONG_SHEET.encode(), 1),
    "JSON lines": b"".join(
        json.dumps({"to": phone(n), "name": f"é{n}", "margin": MARGIN}).encode() + b"\n"
        for n in people_with_repeats()
    ),
}


def put(flow: Flow, broadcast_id: str, content: bytes) -> None:
    flow.aws.session.client("s3").put_object(
        Bucket="files", Key=f"uploads/{broadcast_id}", Body=content
    )


def uploaded(flow: Flow, content: bytes, **request: Any) -> str:
    """A started broadcast whose first tick waits."""
    broadcast_id = flow.created(body="Hi {{ name }}", upload=True, **request)
    put(flow, broadcast_id, content)
    assert flow.call("POST", f"/broadcasts/{broadcast_id}/start")[0] == 202
    return broadcast_id


def next_tick(flow: Flow) -> dict[str, Any]:
    [tick] = flow.aws.records("DISPATCH_QUEUE")
    return tick


def work_on(tick: dict[str, Any]) -> None:
    assert dispatcher({"Records": [tick]}, Context()) == {"batchItemFailures": []}


def imported(flow: Flow, broadcast_id: str) -> int:
    """Let the dispatcher work until the rows are there; returns how many ticks it took."""
    for ticks in itertools.count(1):
        work_on(next_tick(flow))
        if flow.report(broadcast_id)["state"] != "importing":
            return ticks
    raise AssertionError


def file_of_rows(flow: Flow, broadcast_id: str) -> bytes:
    answer = flow.aws.session.client("s3").get_object(Bucket="files", Key=f"rows/{broadcast_id}")
    content: bytes = answer["Body"].read()
    return content


def rows_of(flow: Flow, broadcast_id: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file_of_rows(flow, broadcast_id).splitlines()]


def released(flow: Flow) -> list[int]:
    """The numbers of the rows on the send queue."""
    flow.dispatch()
    chunks = [json.loads(record["body"])["chunk"] for record in flow.aws.records("SEND_QUEUE")]
    return [row["row"] for chunk in chunks for row in chunk["rows"]]


# ------------------------------------------------------------------------------------------------ long files


@pytest.mark.parametrize("content", LONG_FILES.values(), ids=LONG_FILES.keys())
def test_a_long_file_takes_several_ticks_and_gives_the_rows_of_one(
    flow: Flow, clock: Clock, content: bytes
) -> None:
    # GIVEN a file that is imported in one tick
    at_once = uploaded(flow, content)
    assert imported(flow, at_once) == 1
    flow.aws.records("DISPATCH_QUEUE")
    # WHEN the same is imported with less time
    hurry(clock)
    broadcast_id = uploaded(flow, content)
    ticks = imported(flow, broadcast_id)
    # THEN it takes more ticks, and nothing else is different
    assert ticks == 3
    assert file_of_rows(flow, broadcast_id) == file_of_rows(flow, at_once)
    assert flow.report(broadcast_id)["total"] == PEOPLE
    rows = rows_of(flow, broadcast_id)
    assert [row["row"] for row in rows] == list(range(1, PEOPLE + 1))
    assert [row["row"] for row in rows if row.get("skip") == "duplicate"] == list(
        range(151, 301, 10)
    )
    # AND everybody is released once
    warm.start_over(clock=clock)
    assert sorted(released(flow)) == list(range(1, PEOPLE + 1))


def test_a_dispatcher_killed_at_any_call_of_an_import_makes_the_same_rows(
    flow: Flow, clock: Clock
) -> None:
    # GIVEN the rows of an undisturbed import
    calls, expected = undisturbed(flow, clock)
    assert {"CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"} <= set(calls)
    for at in range(1, len(calls) + 1):
        # WHEN the dispatcher is killed at one of its calls
        broadcast_id = uploaded(flow, SHORTER_FILE)
        with Calls(at=at):
            tick = killed_tick(flow)
        # THEN the queue gives it the tick again, it goes on, and the rows are the same
        assert_goes_on(flow, broadcast_id, [tick], expected)


def test_two_ticks_at_a_time_make_the_same_rows(flow: Flow, clock: Clock) -> None:
    calls, expected = undisturbed(flow, clock)
    for at in range(1, len(calls), 3):
        # GIVEN a broadcast that was started twice
        broadcast_id = uploaded(flow, SHORTER_FILE)
        flow.call("POST", f"/broadcasts/{broadcast_id}/start")
        first, second = flow.aws.records("DISPATCH_QUEUE")
        # WHEN both ticks are worked on, the second at some call of the first
        with Calls(at=at, then=partial(work_on, second)):
            work_on(first)
        # THEN
        assert_goes_on(flow, broadcast_id, [], expected)


def undisturbed(flow: Flow, clock: Clock) -> tuple[list[str], bytes]:
    """The calls and the rows of an import whose ticks have time for one part each."""
    hurry(clock)
    broadcast_id = uploaded(flow, SHORTER_FILE)
    with Calls() as calls:
        imported(flow, broadcast_id)
    flow.aws.records("DISPATCH_QUEUE")
    return calls.made, file_of_rows(flow, broadcast_id)


def assert_goes_on(
    flow: Flow, broadcast_id: str, ticks: list[dict[str, Any]], expected: bytes
) -> None:
    """Work on these ticks and those that follow: the rows get ready, and a tick is there to release them."""
    waiting = [*ticks, *flow.aws.records("DISPATCH_QUEUE")]
    for _ in range(6):
        if not waiting or flow.report(broadcast_id)["state"] != "importing":
            break
        work_on(waiting.pop(0))
        waiting += flow.aws.records("DISPATCH_QUEUE")
    report = flow.report(broadcast_id)
    assert (report["state"], report["total"]) == ("sending", PEOPLE // 2)
    assert file_of_rows(flow, broadcast_id) == expected
    assert waiting


def killed_tick(flow: Flow) -> dict[str, Any]:
    """Work on ticks until one is killed, and return it."""
    for _ in range(10):
        tick = next_tick(flow)
        try:
            work_on(tick)
        except Killed:
            return tick
    raise AssertionError


def test_a_file_that_is_replaced_while_it_is_read_fails_the_broadcast(
    flow: Flow, clock: Clock
) -> None:
    # GIVEN an import under way
    hurry(clock)
    broadcast_id = uploaded(flow, LONG_FILES["CSV"])
    work_on(next_tick(flow))
    # WHEN the form is used for another file
    put(flow, broadcast_id, LONG_FILES["JSON lines"])
    work_on(next_tick(flow))
    # THEN nothing is sent to a mixture of both
    report = flow.report(broadcast_id)
    assert (report["state"], report["problem"]["code"]) == ("failed", "file_changed")
    assert flow.aws.records("DISPATCH_QUEUE") == []


def test_a_row_that_makes_a_long_file_doubtful_fails_the_broadcast_before_anything_is_sent(
    flow: Flow, clock: Clock
) -> None:
    hurry(clock)
    broadcast_id = uploaded(flow, LONG_FILES["CSV"] + "+12025550000,José,x\r\n".encode("latin-1"))
    imported(flow, broadcast_id)
    report = flow.report(broadcast_id)
    assert (report["state"], report["problem"]["code"]) == ("failed", "not_utf8")
    assert report["problem"]["row"] == PEOPLE + 1
    assert flow.aws.records("DISPATCH_QUEUE") == []


# ------------------------------------------------------------------------------------------------ rows


def test_a_row_longer_than_a_slice_is_released_too(flow: Flow) -> None:
    # GIVEN rows of 1.4 MB, for each of these characters is twelve bytes of JSON
    long = "\N{GRINNING FACE}" * 120_000
    content = "".join(
        json.dumps({"to": phone(n), "name": "Ann", "x": long}, ensure_ascii=False) + "\n"
        for n in range(3)
    )
    # WHEN
    imported(flow, uploaded(flow, content.encode()))
    # THEN
    assert released(flow) == [1, 2, 3]


def test_after_the_first_so_many_that_can_be_sent_to_the_rest_is_capped(
    flow: Flow, clock: Clock
) -> None:
    # GIVEN a cap that is reached in the second part, with numbers before it that do not count
    hurry(clock)
    content = sheet(iter([0, 0, 0, *range(1, PEOPLE - 2)])) + "nobody,Bob,x\r\n"
    # WHEN
    broadcast_id = uploaded(flow, content.encode(), first=200)
    imported(flow, broadcast_id)
    # THEN everybody has a row, and those after the cap have the reason
    rows = rows_of(flow, broadcast_id)
    assert len(rows) == PEOPLE + 1
    assert Counter(row.get("skip") for row in rows) == {
        None: 200,
        "duplicate": 2,
        "capped": PEOPLE - 202,
        "invalid_phone": 1,
    }
    assert [row["row"] for row in rows if "skip" not in row][-1] == 202


def test_an_import_that_stood_still_until_its_parts_expired_fails_with_the_reason(
    flow: Flow, clock: Clock, twilio: FakeTwilio
) -> None:
    # GIVEN a long file of which some parts are there
    hurry(clock)
    broadcast_id = uploaded(flow, LONG_FILES["CSV"])
    work_on(next_tick(flow))
    assert flow.report(broadcast_id)["state"] == "importing"

    # WHEN S3 has dropped them, as it does with what is a day old
    def no_such_upload(**_: Any) -> None:
        error = {"Code": "NoSuchUpload", "Message": "no"}
        raise ClientError({"Error": error}, "UploadPart")  # type: ignore[typeddict-item]

    clients.s3().meta.events.register("before-call.s3.UploadPart", no_such_upload)
    work_on(next_tick(flow))
    # THEN
    report = flow.report(broadcast_id)
    assert (report["state"], report["problem"]["code"]) == ("failed", "import_expired")
    assert twilio.made == []
