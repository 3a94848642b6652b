"""What few functions use, apart from warm.py: webhooks would load A2P, toll-free and events, a tenth of their start."""

from __future__ import annotations

from sendpool.adapters import aws
from sendpool.adapters.events import EventBus
from sendpool.adapters.ledger.a2p import A2pRecords
from sendpool.adapters.ledger.toll_free import TollFreeRecords
from sendpool.edge import warm


def bus() -> EventBus:
    return EventBus(aws.events(), warm.settings().event_bus)


def a2p_records() -> A2pRecords:
    return A2pRecords(warm.table())


def toll_free_records() -> TollFreeRecords:
    return TollFreeRecords(warm.table())
