"""The ledger's stream: what changed in it, read as what it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sendpool.adapters.ledger import items, keys
from sendpool.adapters.ledger.a2p import to_record
from sendpool.adapters.ledger.people import to_inbound, to_standing
from sendpool.adapters.ledger.table import Item, load
from sendpool.adapters.ledger.toll_free import to_toll_free
from sendpool.domain.a2p.record import BrandRecord, CampaignRecord
from sendpool.domain.events.a2p import RegisteringBrand, RegisteringCampaign
from sendpool.domain.events.broadcasts import Broadcasting, Completing
from sendpool.domain.events.changes import Change
from sendpool.domain.events.clicks import Clicking
from sendpool.domain.events.messages import Delivering, Sending
from sendpool.domain.events.people import OptingOut, Receiving
from sendpool.domain.events.toll_free import Reviewing


class UnreadableChangeError(ValueError):
    """A record of the stream cannot be read, or its item is none that this release writes."""


def read_change(record: Mapping[str, Any]) -> Change | None:
    """Read a record of the stream; None when nobody is told of such a change.

    Raises UnreadableChangeError.
    """
    try:
        image = record["dynamodb"].get("NewImage")
        if not image:
            return None
        before = record["dynamodb"].get("OldImage")
        after = load(image)
        read = _READERS.get(_kind(after))
        at = datetime.fromtimestamp(record["dynamodb"]["ApproximateCreationDateTime"], tz=UTC)
        return read(load(before) if before else None, after, at) if read else None
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise UnreadableChangeError from error


def _kind(item: Item) -> tuple[str, str]:
    """Return how an item's keys begin. What stands under an opt-out's scope is an opt-out."""
    partition, kind = item["pk"].partition("#")[0], item["sk"].partition("#")[0]
    return (partition, "") if partition == "OPTOUT" else (partition, kind)


def _sending(before: Item | None, after: Item, at: datetime) -> Change:
    return Sending(items.to_message(before) if before else None, items.to_message(after), at)


def _delivering(before: Item | None, after: Item, _at: datetime) -> Change:
    message_id = _message_id(after)
    return Delivering(
        message_id, items.to_delivery(before) if before else None, items.to_delivery(after)
    )


def _clicking(before: Item | None, after: Item, _at: datetime) -> Change:
    return Clicking(
        _message_id(after), items.to_clicks(before) if before else None, items.to_clicks(after)
    )


def _message_id(item: Item) -> str:
    message_id = keys.message_id(keys.Key(item["pk"], item["sk"]))
    if message_id is None:
        raise ValueError("not a message's")
    return message_id


def _receiving(before: Item | None, after: Item, _at: datetime) -> Change | None:
    return None if before else Receiving(to_inbound(after))


def _opting_out(before: Item | None, after: Item, _at: datetime) -> Change:
    return OptingOut(to_standing(before) if before else None, to_standing(after))


def _broadcasting(before: Item | None, after: Item, at: datetime) -> Change:
    return Broadcasting(
        items.to_broadcast(before) if before else None, items.to_broadcast(after), at
    )


def _completing(before: Item | None, after: Item, _at: datetime) -> Change | None:
    if "completed_at" not in after or (before and "completed_at" in before):
        return None
    return Completing(keys.name_in(after["pk"]), items.to_counters(after))


def _registering_brand(before: Item | None, after: Item, at: datetime) -> Change:
    return RegisteringBrand(
        to_record(BrandRecord, before) if before else None, to_record(BrandRecord, after), at
    )


def _registering_campaign(before: Item | None, after: Item, at: datetime) -> Change:
    return RegisteringCampaign(
        to_record(CampaignRecord, before) if before else None, to_record(CampaignRecord, after), at
    )


def _reviewing(before: Item | None, after: Item, _at: datetime) -> Change:
    return Reviewing(to_toll_free(before) if before else None, to_toll_free(after))


_READERS: Final[
    Mapping[tuple[str, str], Callable[[Item | None, Item, datetime], Change | None]]
] = {
    ("BC", "MSG"): _sending,
    ("MSG", "MSG"): _sending,
    ("BC", "ST"): _delivering,
    ("MSG", "ST"): _delivering,
    ("BC", "CL"): _clicking,
    ("MSG", "CL"): _clicking,
    ("IN", "IN"): _receiving,
    ("OPTOUT", ""): _opting_out,
    ("BC", "META"): _broadcasting,
    ("BC", "COUNT"): _completing,
    (keys.A2P, "BRAND"): _registering_brand,
    (keys.A2P, "CAMPAIGN"): _registering_campaign,
    ("TOLLFREE", "VERIFICATION"): _reviewing,
}
