"""`python -m local.benchmarks.sender`: messages a second and CPU a message of one sender on one core.

Real: the sender's handler with batches of ten chunks of 100, as Lambda calls it (one call after the other, so the
tail of each batch counts); every floor below it; the request to Twilio over kept-alive HTTP connections; DynamoDB
through boto3 over HTTP (leases, the chunk's query, opt-outs, every result written and counted at the end).
Not real: the far side (local/benchmarks/far_side.py, on the other core) answers creates after 80 ms and AWS after
4 ms from memory, without TLS, throttling or conditions; there is no SQS in front.

The CPU is that of this process, all its threads together. The first batches are not measured: they connect, import,
and let the window grow.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.sender.app import lambda_handler
from local.benchmarks.far_side import KEPT
from sendpool.domain.broadcast import Broadcast, Content, State
from sendpool.domain.chunk import Chunk, ChunkRow, to_body
from sendpool.edge import outbound, warm

_PARAMETERS = {
    "messaging-service-sid": "MG00000000000000000000000000000001",
    "public-url": "https://sendpool.example.com",
    "twilio/account-sid": "AC00000000000000000000000000000001",
    "twilio/auth-token": "0123456789abcdef0123456789abcdef",
}
_ROWS_A_CHUNK = 100


@dataclass(frozen=True)
class Context:
    """Lambda's context of a call that has a minute left."""

    function_name: str = "sender"
    memory_limit_in_mb: int = 1769
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:sender"
    aws_request_id: str = "00000000-0000-0000-0000-000000000001"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@contextmanager
def far_side(*, core: int, twilio_ms: float, aws_ms: float) -> Iterator[str]:
    """A far side that keeps to one core; yields its URL."""
    command = [sys.executable, "-m", "local.benchmarks.far_side", "--core", str(core)]
    command += ["--twilio-ms", str(twilio_ms), "--aws-ms", str(aws_ms)]
    command += ["--parameters", json.dumps(_PARAMETERS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


def environment(url: str, *, concurrency: int) -> dict[str, str]:
    """What the template would tell the sender."""
    return {
        "STAGE": "benchmark",
        "LEDGER_TABLE": "ledger",
        "FILES_BUCKET": "files",
        **{
            f"{name}_QUEUE_URL": f"{url}/{name.lower()}"
            for name in ("DISPATCH", "SEND", "CALLBACKS")
        },
        "SEND_DEAD_LETTER_QUEUE_URL": f"{url}/dead",
        "PARAMETERS_PATH": "/sendpool/benchmark",
        "CREDENTIALS_STORE": "ssm",
        "TWILIO_API_URL": url,
        "DEFAULT_REGION": "US",
        "SEND_CONCURRENCY": str(concurrency),
        "RETENTION_DAYS": "400",
        "EVIDENCE_SECONDS": "60",
        "POWERTOOLS_METRICS_NAMESPACE": "Sendpool",
        "POWERTOOLS_SERVICE_NAME": "sender",
        "POWERTOOLS_LOG_LEVEL": "WARNING",
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def batches(count: int, *, chunks: int) -> Iterator[dict[str, Any]]:
    """SQS events of one broadcast, which is in the table."""
    broadcast = Broadcast(
        id=f"bc_{uuid4().hex}",
        name="benchmark",
        content=Content(body="Hi {{ name }}"),
        state=State.SENDING,
        created_at=datetime.now(UTC),
    )
    warm.broadcasts().create(broadcast)
    for first in range(0, count * chunks, chunks):
        bodies = (to_body(chunk(broadcast.id, number)) for number in range(first, first + chunks))
        yield {"Records": [record(body, position) for position, body in enumerate(bodies)]}


def chunk(broadcast_id: str, number: int) -> Chunk:
    return Chunk(
        broadcast_id=broadcast_id,
        number=number,
        content=Content(category="transactional"),
        rows=tuple(row(number * _ROWS_A_CHUNK + place, place) for place in range(_ROWS_A_CHUNK)),
    )


def row(number: int, place: int) -> ChunkRow:
    return ChunkRow(
        number=place,
        row=number,
        to=f"+1202{number:07d}",
        body=f"Hi Person {number}, the sale is on until Sunday evening. Bring this text along for "
        "10% off everything. Reply STOP to opt out.",
        segments=1,
    )


def record(body: dict[str, Any], position: int) -> dict[str, Any]:
    return {
        "messageId": f"m-{position}",
        "receiptHandle": "handle",
        "body": json.dumps(body, separators=(",", ":")),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:send",
        "awsRegion": "us-east-1",
    }


def results_kept(url: str) -> int:
    with urllib.request.urlopen(url + KEPT) as answer:  # noqa: S310 - our own server
        kept: int = json.loads(answer.read())["results"]
        return kept


def run(url: str, *, batches_a_run: int, chunks: int) -> tuple[float, float]:
    """Messages a second and CPU milliseconds a message of one run, all of whose results are kept."""
    events = list(batches(batches_a_run, chunks=chunks))
    messages = batches_a_run * chunks * _ROWS_A_CHUNK
    before = results_kept(url)
    began, began_cpu = time.perf_counter(), time.process_time()
    for event in events:
        assert lambda_handler(event, cast(LambdaContext, Context())) == {"batchItemFailures": []}
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    assert results_kept(url) - before == messages, "a result was not kept"
    return messages / seconds, cpu * 1000 / messages


def main() -> None:
    """Measure a few times and print each figure."""
    parser = argparse.ArgumentParser(prog="python -m local.benchmarks.sender")
    parser.add_argument("--in-flight", type=int, default=64, help="calls to Twilio at a time")
    parser.add_argument("--batches", type=int, default=8, help="batches a run")
    parser.add_argument("--chunks", type=int, default=10, help="chunks a batch")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--warm-up", type=int, default=5, help="batches before the first run")
    parser.add_argument("--twilio-ms", type=float, default=80)
    parser.add_argument("--aws-ms", type=float, default=4)
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("two cores are needed: one for the sender, one for the far side")
    with far_side(core=cores[0], twilio_ms=given.twilio_ms, aws_ms=given.aws_ms) as url:
        os.sched_setaffinity(0, {cores[-1]})
        os.environ.update(environment(url, concurrency=given.in_flight))
        run(url, batches_a_run=given.warm_up, chunks=given.chunks)
        limit = given.in_flight * 1000 / given.twilio_ms
        print(
            f"{given.runs} runs of {given.batches} batches of {given.chunks} chunks of {_ROWS_A_CHUNK}; "
            f"{given.in_flight} in flight at {given.twilio_ms:.0f} ms: {limit:,.0f}/s at the very most"
        )
        for _ in range(given.runs):
            rate, cpu = run(url, batches_a_run=given.batches, chunks=given.chunks)
            print(
                f"{rate:,.0f} messages/s, {cpu:.2f} ms CPU a message "
                f"(window {outbound.pool().window.size}, load of the machine {os.getloadavg()[0]:.1f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
