"""What a Messaging Service sends with, as Twilio has it now, with the registrations that its senders need."""

from __future__ import annotations

from collections.abc import Sequence

from sendpool.adapters.twilio.services import Services
from sendpool.adapters.twilio.toll_free import TollFreeVerifications
from sendpool.domain.senders import Sender, SenderKind, SenderPool


def look_at_pool(
    service_sid: str, services: Services, verifications: TollFreeVerifications
) -> SenderPool:
    return pool_of(services.senders(service_sid), service_sid, services, verifications)


def pool_of(
    found: Sequence[Sender],
    service_sid: str,
    services: Services,
    verifications: TollFreeVerifications,
) -> SenderPool:
    """Ask for the registrations that these senders need, and for no others."""
    needs_campaign = any(each.needs_campaign for each in found)
    toll_free = [each.sid for each in found if each.kind is SenderKind.TOLL_FREE]
    return SenderPool(
        senders=found,
        campaign=services.campaign(service_sid) if needs_campaign else None,
        verifications=verifications.statuses(toll_free),
    )
