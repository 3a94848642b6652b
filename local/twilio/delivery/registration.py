"""Whether carriers take messages of a sender at all: A2P campaigns for US long codes, verification for toll-free."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from local.twilio.a2p.a2p import A2p
from local.twilio.account.senders import Sender, SenderKind, country_of
from local.twilio.core.settings import Behaviour
from local.twilio.services.services import Services
from local.twilio.tollfree.verifications import TollfreeVerifications

UNVERIFIED_TOLL_FREE = 30032
HOME = frozenset({"US", "CA"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Asks the registers about a sender."""

    a2p: A2p
    tollfree: TollfreeVerifications
    services: Services
    behaviour: Callable[[], Behaviour]

    def find_error(self, sender: Sender, *, to: str, now: datetime) -> int | None:
        """The code with which carriers refuse this sender's messages to that recipient."""
        if not self.behaviour().enforce_registration:
            return None
        country = country_of(to)
        if sender.kind is SenderKind.TOLL_FREE and country in HOME:
            return None if self.tollfree.is_verified(sender.sid) else UNVERIFIED_TOLL_FREE
        if sender.kind is SenderKind.LONG_CODE and sender.country in HOME and country == "US":
            return self._campaign_error(sender, now)
        return None

    def campaign_rate(self, sender: Sender) -> float | None:
        """Segments a second that the campaign of the sender's service may send."""
        service = self.services.with_address(sender.address)
        return self.a2p.throughput(service.sid) if service else None

    def _campaign_error(self, sender: Sender, now: datetime) -> int | None:
        service = self.services.with_address(sender.address)
        return self.a2p.registration_error(
            service.sid if service else None,
            attached=service.attached_at(sender.sid) if service else None,
            now=now,
        )
