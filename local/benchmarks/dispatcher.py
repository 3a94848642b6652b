"""How fast the dispatcher turns an upload into chunks on the send queue, and in how much memory.

    python -m local.benchmarks.dispatcher --rows 1000000

Real: reading, decoding and checking the upload, numbers, duplicates, rows and checkpoints, rendering, counting
segments, quiet hours (at an hour at which all may be texted), chunks and their JSON, the ledger's (de)serializing. Not
real: AWS. The clients under our adapters are stand-ins of a few lines, S3 on this disk, so that neither networks nor
botocore's own work count. Time waited for the pace is skipped. Each run has a process of its own, and its peak memory
is the whole process's.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import random
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from sendpool.adapters.files import Files
from sendpool.adapters.ledger.broadcasts import Broadcasts, Tallies
from sendpool.adapters.ledger.chunks import Chunks
from sendpool.adapters.ledger.messages import Messages
from sendpool.adapters.ledger.parked import ParkedChunks
from sendpool.adapters.ledger.table import Table
from sendpool.adapters.queues import Queues, QueueUrls
from sendpool.domain.broadcast import Broadcast, Content, State
from sendpool.domain.decision import Policy
from sendpool.domain.quiet_hours import Watch, load_rules
from sendpool.workflows.dispatch import Dispatching, Tick, on_tick
from sendpool.workflows.park import Parking

BODY = "Hi {{ name }}, the autumn sale in {{ city }} is on until Sunday. Reply STOP to opt out."
CITIES = ("New York", "Chicago", "San Antonio", "Boston", "Los Angeles")
ID = "bc_benchmark"
_NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


# ------------------------------------------------------------------------------------------------ stand-ins


class Disk:
    """S3 in a folder: objects are files, the parts of an upload are written one behind the other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, key: str) -> Path:
        return self._folder / key.replace("/", "_")

    def get_object(self, **call: Any) -> dict[str, Any]:
        content = self._range(call["Key"], call.get("Range", "bytes=0-"))
        return {"Body": io.BytesIO(content), "ETag": '"1"'}

    def _range(self, key: str, wanted: str) -> bytes:
        first, last = wanted.removeprefix("bytes=").split("-")
        with self.path(key).open("rb") as file:
            file.seek(int(first))
            return file.read(int(last) + 1 - int(first) if last else -1)

    def put_object(self, **call: Any) -> dict[str, str]:
        self.path(call["Key"]).write_bytes(call["Body"])
        return {"ETag": '"1"'}

    def create_multipart_upload(self, **call: Any) -> dict[str, str]:
        self.path(call["Key"]).write_bytes(b"")
        return {"UploadId": "1"}

    def upload_part(self, **call: Any) -> dict[str, str]:
        with self.path(call["Key"]).open("ab") as file:
            file.write(call["Body"])
        return {"ETag": md5(call["Body"], usedforsecurity=False).hexdigest()}

    def complete_multipart_upload(self, **_: Any) -> dict[str, str]:
        return {"ETag": '"1"'}


class Ledger:
    """DynamoDB that puts every condition down as met."""

    def __init__(self) -> None:
        self._items: dict[str, dict[str, Any]] = {}

    def get_item(self, **call: Any) -> dict[str, Any]:
        item = self._items.get(str(call["Key"]))
        return {"Item": dict(item)} if item else {}

    def put_item(self, **call: Any) -> None:
        item = call["Item"]
        self._items[str({"pk": item["pk"], "sk": item["sk"]})] = item

    def update_item(self, **call: Any) -> None:
        """Apply `SET #a = :a, … REMOVE #b, …`."""
        item = self._items[str(call["Key"])]
        names, values = call["ExpressionAttributeNames"], call["ExpressionAttributeValues"]
        sets, _, removes = call["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
        for assignment in sets.split(", "):
            name, value = assignment.split(" = ")
            item[names[name]] = values[value]
        for name in filter(None, removes.split(", ")):
            item.pop(names[name], None)


class Counting:
    """SQS that keeps ticks and counts chunks."""

    def __init__(self) -> None:
        self.ticks: list[tuple[str, int]] = []
        self.chunks = 0

    def send_message_batch(self, **call: Any) -> dict[str, Any]:
        if call["QueueUrl"] == "dispatch":
            self.ticks += [
                (entry["MessageBody"], entry.get("DelaySeconds", 0)) for entry in call["Entries"]
            ]
        else:
            self.chunks += len(call["Entries"])
        return {}


@dataclass
class Clock:
    """A clock that goes from a Monday's noon in New York, and from which waiting is skipped."""

    skipped: timedelta = timedelta()
    begun: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        return _NOON + self.skipped + timedelta(seconds=time.monotonic() - self.begun)


# ------------------------------------------------------------------------------------------------ the run


def write_upload(path: Path, rows: int, *, is_packed: bool) -> None:
    """Write a sheet of so many people, one in a hundred of them for the second time."""
    with gzip.open(path, "wt", 6) if is_packed else path.open("w") as file:
        file.writelines(sheet(rows))


def sheet(rows: int) -> Iterator[str]:
    chance = random.Random(7)
    phone = ""
    yield "to,name,city,timezone\r\n"
    for row in range(rows):
        if row % 100 != 99:
            phone = f"+1{chance.randrange(2_010_000_000, 9_899_999_999)}"
        yield f"{phone},Person {row},{chance.choice(CITIES)},America/Chicago\r\n"


def ticks_of(queue: Counting, clock: Clock) -> Iterator[Tick]:
    """Yield ticks as they are posted, without waiting for them."""
    while queue.ticks:
        body, delay = queue.ticks.pop(0)
        clock.skipped += timedelta(seconds=delay)
        yield Tick.from_body(json.loads(body))


def measure(rows: int, *, is_packed: bool, folder: Path) -> dict[str, object]:
    """Dispatch a broadcast to so many people, and say how long it took and what memory."""
    disk, queue, clock = Disk(folder), Counting(), Clock()
    write_upload(disk.path(f"uploads/{ID}"), rows, is_packed=is_packed)
    table, retention = Table(cast("Any", Ledger()), "ledger"), timedelta(days=400)
    broadcasts = Broadcasts(table, retention=retention)
    policy = Policy(hours=Watch(load_rules()))
    urls = QueueUrls(
        dispatch="dispatch",
        send="send",
        send_dead_letter="",
        callbacks="",
        publisher_failures="",
        event_webhooks="",
    )
    needs = Dispatching(
        broadcasts=broadcasts,
        tallies=Tallies(table, retention=retention),
        messages=Messages(table, retention=retention),
        files=Files(cast("Any", disk), "files"),
        queues=Queues(cast("Any", queue), urls),
        parking=Parking(
            broadcasts=broadcasts,
            parked=ParkedChunks(table, retention=retention),
            chunks=Chunks(table, retention=retention),
            now=clock,
        ),
        policy=lambda: policy,
        pool_rate=lambda: None,
        prices=lambda: cast("Any", None),  # it has no budget
        default_region="US",
        now=clock,
    )
    broadcasts.create(
        Broadcast(
            id=ID,
            name="Benchmark",
            content=Content(body=BODY),
            state=State.IMPORTING,
            created_at=clock(),
        )
    )
    needs.queues.tick(ID, Tick(ID).to_body())
    spent = {State.IMPORTING: Spent(), State.SENDING: Spent()}
    for tick in ticks_of(queue, clock):
        broadcast = broadcasts.get(ID)
        assert broadcast
        spent[broadcast.state].begin()
        on_tick(tick, needs, by="m-1")
        spent[broadcast.state].end()
    broadcast = broadcasts.get(ID)
    assert broadcast
    assert (broadcast.state, broadcast.total) == (State.DISPATCHED, rows)
    both = spent[State.IMPORTING] + spent[State.SENDING]
    return {
        "rows": rows,
        "upload_mb": round(disk.path(f"uploads/{ID}").stat().st_size / 1e6),
        "import": spent[State.IMPORTING].per_second(rows),
        "release": spent[State.SENDING].per_second(rows),
        "both": both.per_second(rows),
        "chunks": queue.chunks,
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


@dataclass
class Spent:
    """Time spent, by the clock and by the processor."""

    ticks: int = 0
    wall: float = 0.0
    cpu: float = 0.0

    def begin(self) -> None:
        self.ticks += 1
        self.wall -= time.perf_counter()
        self.cpu -= time.process_time()

    def end(self) -> None:
        self.wall += time.perf_counter()
        self.cpu += time.process_time()

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.ticks + other.ticks, self.wall + other.wall, self.cpu + other.cpu)

    def per_second(self, rows: int) -> dict[str, int]:
        return {
            "rows_a_second": round(rows / self.wall),
            "rows_a_cpu_second": round(rows / self.cpu),
            "ticks": self.ticks,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--gzip", action="store_true", help="upload it packed")
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        found = measure(arguments.rows, is_packed=arguments.gzip, folder=Path(folder))
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
