"""How the running local stack behaves.

    python -m local.benchmarks.stack [pause|rate|neighbour|plan|flood|cold]

All, without a name:

    pause      how long after the answer to a pause Twilio still makes messages, and how many
    rate       how near a broadcast with a rate of 50 segments a second comes to it
    neighbour  how long a broadcast of 200 takes, alone and beside one of 200,000
    plan       how long the plan of 100,000 rows takes, in how much memory, and whether sending then does what it said
    flood      10,000 status callbacks at once: how long each waits for its answer, and until all are counted
    cold       how long a text waits for its answer when no process of the inbound function runs

Real: the deployed template, the built functions, the simulated Twilio over HTTP; all times are those at which it
made its messages. Not real: AWS. The local one is slower by far and runs three processes of a function at most, so
that a neighbour waits until one of them is done with its ten chunks. Callbacks are switched off: the local API takes a
hundred a second, and they would be most of what is measured. Those of the flood are signed and posted by the benchmark,
in no order, over as many connections as there are of Twilio's.

The ledger keeps what was sent, and local scans of it are slow: start the stack anew (`make down`) before tests.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

import urllib3
from twilio.request_validator import RequestValidator

from local.client import ApiError, Sendpool
from local.demo.api import simulated_messages, upload
from local.stack.failure import StackError
from local.stack.stack import Stack

BODY = "Hi {{ name }}, the sale is on."
# senders without a rate of their own, and nobody is told anything
WEATHER = {"rate_scale": 0, "loss_share": 1}

PAUSED_ROWS = 20_000
PAUSED_AFTER = 3_000
RATE = 50
WARM_UP = timedelta(seconds=20)
MEASURED = timedelta(seconds=60)
SMALL, LARGE = 200, 200_000
LARGE_IS_UNDER_WAY = 2_000
PLANNED = 100_000
FLOODED = 5_000
CONNECTIONS = 32

_LOOK_EVERY_SECONDS = 0.25
_LINE_EVERY_SECONDS = 5.0
_PATIENCE_SECONDS = 300.0


# ------------------------------------------------------------------------------------------------ the two sides


@dataclass(frozen=True, slots=True)
class Simulator:
    """The simulated Twilio's control."""

    stack: Stack

    def begin(self) -> None:
        """Forget all messages, and take Twilio's own settings but for ours."""
        self._control("reset", {"settings": True})
        self._control("settings", WEATHER)

    def end(self) -> None:
        """Forget all messages, and take Twilio's own settings."""
        self._control("reset", {"settings": True})

    def made(self) -> int:
        """How many messages it has made since it began."""
        count: int = self._control("health")["messages"]
        return count

    def times(self, broadcast_id: str) -> list[datetime]:
        """When it made the messages of a broadcast, in order."""
        return sorted(
            datetime.fromisoformat(each["created"])
            for each in simulated_messages(self.stack)
            if f"m={broadcast_id}-" in each["status_callback"]
        )

    def _control(self, path: str, change: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own simulator
            f"{self.stack.twilio_api_url}/_control/{path}",
            data=json.dumps(change).encode() if change is not None else None,
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.loads(answer.read())


@dataclass(frozen=True, slots=True)
class _Post:
    """A webhook of Twilio's that is to be posted."""

    url: str
    fields: dict[str, str]
    signature: str


@dataclass(frozen=True, slots=True)
class Bench:
    """Both sides, and what one does with them."""

    stack: Stack
    sendpool: Sendpool
    simulator: Simulator

    def broadcast(self, rows: int, **fields: Any) -> str:
        """Create a broadcast to so many people, its file uploaded; returns its id."""
        asked = {"name": f"benchmark of {rows:,}", "body": BODY, "upload": True}
        asked |= {"category": "transactional"} | fields
        created = self.sendpool.post("/broadcasts", asked)
        upload(created["upload"], "".join(_file(rows)).encode())
        broadcast_id: str = created["id"]
        return broadcast_id

    def order(self, broadcast_id: str, what: str) -> datetime:
        """Start, pause or cancel a broadcast; returns when the answer was there."""
        self.sendpool.post(f"/broadcasts/{broadcast_id}/{what}")
        return datetime.now(UTC)

    def outcomes(self, broadcast_id: str) -> int:
        """How many recipients have an outcome; callbacks play no part in that."""
        count: int = self.sendpool.get(f"/broadcasts/{broadcast_id}")["outcomes"]
        return count

    def waiting(self) -> int:
        """How many messages the queues of dispatcher and sender hold."""
        return sum(map(self._messages, (self.stack.dispatch_queue_url, self.stack.send_queue_url)))

    def _messages(self, queue_url: str) -> int:
        attributes = self.stack.client("sqs").get_queue_attributes(
            QueueUrl=queue_url, AttributeNames=["All"]
        )["Attributes"]
        return sum(
            int(value)
            for name, value in attributes.items()
            if name.startswith("ApproximateNumberOfMessages")
        )

    def come_to_rest(self) -> None:
        """Wait until nothing is on the queues."""
        watch("queue messages left", self.waiting, until=lambda left: not left)


def _file(rows: int) -> Iterator[str]:
    """Yield a sheet of so many different numbers, none of them a magic one of the simulator's."""
    yield "to,name\n"
    for n in range(rows):
        yield f"+1{310 + n // 10_000}3{n // 10 % 1_000:03d}{n % 10}11,Person {n}\n"


def watch(what: str, look: Callable[[], int], *, until: Callable[[int], bool]) -> int:
    """Look until it is so, and say now and then how far it is; StackError when nothing moves for minutes."""
    before, moved_at, said_at = -1, time.monotonic(), time.monotonic()
    began = said_at
    while not until(now := look()):
        if now != before:
            before, moved_at = now, time.monotonic()
        if time.monotonic() - moved_at > _PATIENCE_SECONDS:
            raise StackError(f"nothing moved for {_PATIENCE_SECONDS:.0f} s: {now:,} {what}")
        if time.monotonic() - said_at > _LINE_EVERY_SECONDS:
            said_at = time.monotonic()
            print(f"    {said_at - began:4.0f} s  {now:,} {what}", flush=True)
        time.sleep(_LOOK_EVERY_SECONDS)
    return now


# ------------------------------------------------------------------------------------------------ measurements


def pause(bench: Bench) -> str:
    """Pause a broadcast that goes out as fast as it can."""
    broadcast_id = bench.broadcast(PAUSED_ROWS)
    bench.order(broadcast_id, "start")
    watch("messages made", bench.simulator.made, until=lambda made: made >= PAUSED_AFTER)
    answered = bench.order(broadcast_id, "pause")
    bench.come_to_rest()
    made = bench.simulator.times(broadcast_id)
    bench.order(broadcast_id, "cancel")
    bench.come_to_rest()
    late = [at for at in made if at > answered]
    seconds = (max(late, default=answered) - answered).total_seconds()
    began = made[0]
    speed = (len(made) - len(late)) / (answered - began).total_seconds()
    return (
        f"the last message was made {seconds:.1f} s after the answer, {len(late)} after it in all "
        f"({PAUSED_ROWS:,} rows at {speed:.0f}/s, {len(made):,} made)"
    )


def rate(bench: Bench) -> str:
    """Send texts of one segment at a rate, and count those of a minute."""
    span = (WARM_UP + MEASURED).total_seconds()
    rows = round(RATE * span * 1.25)
    broadcast_id = bench.broadcast(rows, rate=RATE)
    bench.order(broadcast_id, "start")
    enough = RATE * span * 1.1
    watch("messages made", bench.simulator.made, until=lambda made: made >= enough)
    made = bench.simulator.times(broadcast_id)
    bench.order(broadcast_id, "cancel")
    bench.come_to_rest()
    begin = made[0] + WARM_UP
    found = sum(begin <= at < begin + MEASURED for at in made) / MEASURED.total_seconds()
    return (
        f"{found:.2f} segments/s of {RATE} over {MEASURED.total_seconds():.0f} s: "
        f"{(found / RATE - 1) * 100:+.1f} %"
    )


def neighbour(bench: Bench) -> str:
    """Send a small broadcast alone, and again while a large one is under way."""
    # the first one warms the functions up
    for _ in range(2):
        alone = _small(bench)
    bench.come_to_rest()
    bench.simulator.begin()
    large = bench.broadcast(LARGE)
    bench.order(large, "start")
    watch("messages made", bench.simulator.made, until=lambda made: made >= LARGE_IS_UNDER_WAY)
    beside = _small(bench)
    large_by_then = bench.simulator.made() - SMALL
    bench.order(large, "cancel")
    bench.come_to_rest()
    return (
        f"{SMALL} alone {alone:.1f} s, beside {LARGE:,} {beside:.1f} s, delay {beside - alone:.1f} s "
        f"(the large one had {large_by_then:,} made by then)"
    )


def _small(bench: Bench) -> float:
    """Send the small broadcast; returns the seconds from its start to its last message."""
    broadcast_id = bench.broadcast(SMALL)
    asked = datetime.now(UTC)
    bench.order(broadcast_id, "start")
    watch(
        f"of {SMALL} have an outcome",
        lambda: bench.outcomes(broadcast_id),
        until=lambda outcomes: outcomes >= SMALL,
    )
    return (bench.simulator.times(broadcast_id)[-1] - asked).total_seconds()


def plan(bench: Bench) -> str:
    """Plan a large broadcast, start it, and hold what became of everybody against the plan."""
    created = bench.sendpool.post(
        "/broadcasts",
        {"name": "benchmark", "body": BODY, "upload": True, "category": "transactional"},
    )
    broadcast_id = created["id"]
    upload(created["upload"], "".join(_mixed_file(PLANNED)).encode())
    asked = time.monotonic()
    bench.sendpool.post(f"/broadcasts/{broadcast_id}/plan")
    path = f"/broadcasts/{broadcast_id}/plan"
    watch(
        "rows planned",
        lambda: int(_not_failed(bench, path)["planned"]),
        until=lambda planned: planned >= PLANNED,
    )
    watch("plans done", lambda: int(_not_failed(bench, path)["state"] == "done"), until=bool)
    seconds = time.monotonic() - asked
    memory = _peak_megabytes("Dispatcher")
    made = bench.sendpool.get(path)
    bench.order(broadcast_id, "start")
    watch(
        "have an outcome",
        lambda: bench.outcomes(broadcast_id),
        until=lambda outcomes: outcomes >= PLANNED,
    )
    report = bench.sendpool.get(f"/broadcasts/{broadcast_id}")
    skipped = {each["reason"]: each["rows"] for each in made["reasons"]}
    sent = report["outcomes"] - sum(report["skipped"].values())
    is_so = (made["decisions"]["send"], skipped) == (sent, report["skipped"])
    return (
        f"{PLANNED:,} rows planned in {seconds:.0f} s ({PLANNED / seconds:.0f}/s), "
        f"the dispatcher took {memory or '?'} MB at most; planned {made['decisions']} {skipped}, "
        f"then {sent:,} sent and skipped {report['skipped']}: {'the same' if is_so else 'NOT THE SAME'}"
    )


def flood(bench: Bench) -> str:
    """Post all status callbacks of a broadcast at once, and wait until its counters are right."""
    broadcast_id = bench.broadcast(FLOODED)
    bench.order(broadcast_id, "start")
    watch(
        "have an outcome",
        lambda: bench.outcomes(broadcast_id),
        until=lambda outcomes: outcomes >= FLOODED,
    )
    bench.come_to_rest()
    posts = list(_callbacks(bench.stack))
    random.shuffle(posts)
    pool = urllib3.PoolManager(maxsize=CONNECTIONS, block=True, retries=False, timeout=60)
    began = time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        waits = sorted(threads.map(lambda post: _posted(pool, post), posts))
    accepted = time.monotonic() - began

    def delivered() -> int:
        report = bench.sendpool.get(f"/broadcasts/{broadcast_id}")
        return int(report["counters"].get("delivered", 0))

    counted = watch("delivered", delivered, until=lambda found: found >= FLOODED)
    right = time.monotonic() - began
    return (
        f"{len(posts):,} callbacks over {CONNECTIONS} connections taken in {accepted:.0f} s "
        f"({len(posts) / accepted:.0f}/s), p50 {waits[len(waits) // 2] * 1000:.0f} ms, "
        f"p99 {waits[len(waits) * 99 // 100] * 1000:.0f} ms; {counted:,} of {FLOODED:,} delivered "
        f"by the counters after {right:.0f} s"
    )


def _callbacks(stack: Stack) -> Iterator[_Post]:
    """Yield a signed `sent` and `delivered` for each message that was made."""
    validator = RequestValidator(stack.auth_token)
    for message in simulated_messages(stack):
        url = str(message["status_callback"]).partition("#")[0]
        for status in ("sent", "delivered"):
            fields = {
                "MessageSid": message["sid"],
                "MessageStatus": status,
                "To": message["to"],
                "AccountSid": stack.account_sid,
                "MessagingServiceSid": stack.messaging_service_sid,
            }
            yield _Post(url, fields, validator.compute_signature(url, fields))


# each as a person sends it: what it says, whether a picture comes along, and how it is answered
_TEXTS = (
    ("STOP", 0, "<Response />"),
    ("HELP", 0, "<Response />"),
    ("START", 0, "<Response />"),
    ("Where is my order?", 0, "<Response />"),
    ("Look", 1, "<Response />"),
    ("", 1, "<Response />"),
    ("🎉👩‍👩‍👧‍👦" * 8, 0, "<Response />"),
    ("x" * 1600, 0, "<Response />"),
    ("", 0, "<Response />"),
)


def cold(bench: Bench) -> str:
    """Let each kind of text find no process of its function."""
    validator, pool = RequestValidator(bench.stack.auth_token), urllib3.PoolManager()
    url = f"{bench.stack.public_url}/webhooks/inbound"
    waits: list[float] = []
    people = [
        f"+1310{number}" for number in random.sample(range(2_000_000, 9_999_999), len(_TEXTS))
    ]
    for person, (body, pictures, expected) in zip(people, _TEXTS, strict=True):
        for pid in bench.stack.worker_pids("InboundFunction"):
            os.kill(pid, signal.SIGKILL)
        fields = {
            "MessageSid": f"SM{uuid4().hex}",
            "AccountSid": bench.stack.account_sid,
            "MessagingServiceSid": bench.stack.messaging_service_sid,
            "From": person,
            "To": "+12025550100",
            "Body": body,
            "NumMedia": str(pictures),
            **({"MediaUrl0": f"{bench.stack.twilio_api_url}/none"} if pictures else {}),
        }
        post = _Post(url, fields, validator.compute_signature(url, fields))
        began = time.monotonic()
        try:
            answer = _answered(pool, post)
        except (
            StackError
        ):  # the emulator saw only now that the process is gone; Twilio repeats as well
            began = time.monotonic()
            answer = _answered(pool, post)
        waits.append(time.monotonic() - began)
        if expected not in answer.data.decode():
            raise StackError(f"{body[:20]!r} was answered with {answer.data.decode()[:200]}")
    kept = sum(bool(bench.sendpool.get(f"/conversations/{person}")["entries"]) for person in people)
    return (
        f"{len(waits)} texts, each to a process that had to be started: "
        f"{min(waits):.1f} to {max(waits):.1f} s, all answered, {kept} kept"
    )


def _posted(pool: urllib3.PoolManager, post: _Post) -> float:
    """Post a callback; returns the seconds until its answer."""
    began = time.monotonic()
    _answered(pool, post)
    return time.monotonic() - began


def _answered(pool: urllib3.PoolManager, post: _Post) -> urllib3.BaseHTTPResponse:
    answer = pool.request_encode_body(
        "POST",
        post.url,
        fields=post.fields,
        encode_multipart=False,
        headers={"X-Twilio-Signature": post.signature},
    )
    if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise StackError(f"a webhook was answered with {answer.status}")
    return answer


def _not_failed(bench: Bench, path: str) -> dict[str, Any]:
    made = bench.sendpool.get(path)
    if made["state"] == "failed":
        raise ApiError(f"the plan failed: {made['problem']}")
    return made


def _mixed_file(rows: int) -> Iterator[str]:
    """Yield a sheet in which one in a hundred is there twice, one is no number, and one has one column too few."""
    for n, line in enumerate(_file(rows), start=-1):
        match n % 100:
            case 97 if n > 0:
                yield f"+1{310}3000011,Again {n}\n"
            case 98 if n > 0:
                yield f"12,Nobody {n}\n"
            case 99 if n > 0:
                yield line.partition(",")[0] + "\n"
            case _:
                yield line


def _peak_megabytes(function: str) -> int | None:
    """The most memory that any process of a function ever had; None where the system does not tell."""
    peaks: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
            status = (process / "status").read_text()
        except OSError:
            continue
        name = next(
            (each for each in environment if each.startswith(b"AWS_LAMBDA_FUNCTION_NAME=")), b""
        )
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        if function.encode() in name and peak:
            peaks.append(int(peak[1]) // 1024)
    return max(peaks, default=None)


MEASUREMENTS: dict[str, Callable[[Bench], str]] = {
    "pause": pause,
    "rate": rate,
    "neighbour": neighbour,
    "plan": plan,
    "flood": flood,
    "cold": cold,
}


def _measure(name: str, bench: Bench) -> None:
    print(f"{name} …", flush=True)
    bench.simulator.begin()
    try:
        said = MEASUREMENTS[name](bench)
    finally:
        bench.simulator.end()
    print(f"{name}: {said}; load of the machine {os.getloadavg()[0]:.1f}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print one line for each measurement; 1 when there is no stack, or it stands still."""
    parser = argparse.ArgumentParser(prog="python -m local.benchmarks.stack")
    parser.add_argument("which", nargs="*", choices=[*MEASUREMENTS], default=[*MEASUREMENTS])
    try:
        stack = Stack.load()
        bench = Bench(stack, stack.api, Simulator(stack))
        for name in parser.parse_args(arguments).which:
            _measure(name, bench)
    except (StackError, ApiError) as error:
        print(f"local.benchmarks.stack: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
