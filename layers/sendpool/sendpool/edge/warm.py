"""Everything a function uses, built late and once per process: where adapters meet settings.

What sends through Twilio is built in edge/outbound.py, so that functions which do not send never load the SDK.
Tests set the clock with `start_over`.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from datetime import UTC, datetime

from sendpool.adapters import aws
from sendpool.adapters.files import Files
from sendpool.adapters.ledger.answer_book import AnswerBooks
from sendpool.adapters.ledger.broadcasts import Broadcasts, Tallies
from sendpool.adapters.ledger.chunks import Chunks
from sendpool.adapters.ledger.clicks import ClickRecords
from sendpool.adapters.ledger.conversations import Conversations
from sendpool.adapters.ledger.due import Due
from sendpool.adapters.ledger.messages import Deliveries, Messages
from sendpool.adapters.ledger.parked import ParkedChunks
from sendpool.adapters.ledger.people import InboundMessages, OptOuts
from sendpool.adapters.ledger.plans import Plans
from sendpool.adapters.ledger.reach import Reachability
from sendpool.adapters.ledger.reconciliation import Books, Reconciliation
from sendpool.adapters.ledger.registrations import RegistrationRecords
from sendpool.adapters.ledger.sent import MarketingSent
from sendpool.adapters.ledger.table import Table
from sendpool.adapters.parameters import Parameters
from sendpool.adapters.queues import Queues, QueueUrls
from sendpool.edge.settings import Settings
from sendpool.workflows.park import Parking


def _utc_now() -> datetime:
    """Now, to the millisecond: as exact as the ledger keeps it."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


_clock: list[Callable[[], datetime]] = [_utc_now]


def start_over(*, clock: Callable[[], datetime] = _utc_now) -> None:
    """Forget everything that was built, and go by this clock from now on."""
    _clock[0] = clock
    aws.forget()
    for built in (settings, table, parameters, queues, files):
        built.cache_clear()
    for forget in _forgetting:
        forget()


_forgetting: list[Callable[[], None]] = []


def on_start_over(forget: Callable[[], None]) -> None:
    """Have something forgotten that another module of the edge keeps."""
    _forgetting.append(forget)


def now() -> datetime:
    return _clock[0]()


def in_lambda() -> bool:
    """Tell whether this process is a Lambda environment, where building at import keeps requests quick."""
    return "AWS_LAMBDA_RUNTIME_API" in os.environ


@functools.cache
def settings() -> Settings:
    return Settings.from_env(os.environ)


@functools.cache
def table() -> Table:
    return Table(aws.dynamodb(settings().patience), settings().ledger_table)


@functools.cache
def parameters() -> Parameters:
    return Parameters(settings().parameters_path, credentials_store=settings().credentials_store)


@functools.cache
def queues() -> Queues:
    chosen = settings()
    return Queues(
        aws.sqs(chosen.patience),
        QueueUrls(
            dispatch=chosen.dispatch_queue_url,
            send=chosen.send_queue_url,
            send_dead_letter=chosen.send_dead_letter_queue_url,
            callbacks=chosen.callbacks_queue_url,
            publisher_failures=chosen.publisher_failures_queue_url,
            event_webhooks=chosen.event_webhooks_queue_url,
        ),
    )


@functools.cache
def files() -> Files:
    return Files(aws.s3(), settings().files_bucket)


def messages() -> Messages:
    return Messages(table(), retention=settings().retention)


def deliveries() -> Deliveries:
    return Deliveries(table(), retention=settings().retention)


def click_records() -> ClickRecords:
    return ClickRecords(table(), retention=settings().retention)


def chunks() -> Chunks:
    return Chunks(table(), retention=settings().retention)


def due() -> Due:
    return Due(table())


def parking() -> Parking:
    return Parking(broadcasts=broadcasts(), parked=parked_chunks(), chunks=chunks(), now=now)


def registration_records() -> RegistrationRecords:
    return RegistrationRecords(table())


def reconciliation() -> Reconciliation:
    return Reconciliation(table(), retention=settings().retention)


def books() -> Books:
    return Books(table(), retention=settings().retention)


def marketing_sent() -> MarketingSent:
    return MarketingSent(table())


def opt_outs() -> OptOuts:
    return OptOuts(table())


def reachability() -> Reachability:
    return Reachability(table())


def inbound_messages() -> InboundMessages:
    return InboundMessages(table(), retention=settings().retention)


def conversations() -> Conversations:
    return Conversations(table())


def answer_books() -> AnswerBooks:
    return AnswerBooks(table())


def broadcasts() -> Broadcasts:
    return Broadcasts(table(), retention=settings().retention)


def plans() -> Plans:
    return Plans(table(), retention=settings().retention)


def parked_chunks() -> ParkedChunks:
    return ParkedChunks(table(), retention=settings().retention)


def tallies() -> Tallies:
    return Tallies(table(), retention=settings().retention)
