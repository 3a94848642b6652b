"""Follow what is being registered: look again when it is due, and go on with what was consented to.

Cheap while nothing is due: one query of a partition with few items.
"""

from __future__ import annotations

from dataclasses import dataclass

from sendpool.adapters.ledger.a2p import Record
from sendpool.domain.a2p.record import BrandRecord
from sendpool.domain.errors import (
    ConflictError,
    InProgressError,
    InvalidRequestError,
    NotFoundError,
    TwilioBusyError,
    TwilioRefusedError,
    TwilioUnavailableError,
)
from sendpool.workflows import register_brand, register_campaign
from sendpool.workflows.registering import Registering


@dataclass(slots=True)
class FollowedRegistrations:
    """How many were looked at, how many stand otherwise since, and how many Twilio refused to go on with."""

    looked: int = 0
    changed: int = 0
    refused: int = 0


def follow_registrations(records: list[Record], needs: Registering) -> FollowedRegistrations:
    """Go on with each of these, brands before campaigns, until time is over or Twilio does not answer."""
    done = FollowedRegistrations()
    for record in records:
        if not needs.may_go_on():
            break
        done.looked += 1
        try:
            after = _advance(record, needs)
        except (TwilioBusyError, TwilioUnavailableError):
            break
        except (InProgressError, NotFoundError):  # somebody is at it, or deleted it meanwhile
            continue
        except (TwilioRefusedError, ConflictError, InvalidRequestError):
            done.refused += 1
        else:
            done.changed += _shown(record) != _shown(after)
    return done


def _advance(record: Record, needs: Registering) -> Record:
    if isinstance(record, BrandRecord):
        return register_brand.advance(record.name, needs)
    return register_campaign.advance(record.service_sid, needs)


def _shown(record: Record) -> object:
    if isinstance(record, BrandRecord):
        return record.profile, record.product, record.brand, record.vettings
    return record.live
