"""US A2P 10DLC as a whole: who may send from US long codes to the US, and how fast."""

from collections.abc import Callable
from datetime import datetime, timedelta

from local.twilio.a2p.brands import Brands
from local.twilio.a2p.campaign import Campaign, CampaignStatus
from local.twilio.a2p.campaigns import Campaigns
from local.twilio.a2p.start import start_brand, start_campaign
from local.twilio.core.clock import Clock
from local.twilio.core.reviews import Reviews
from local.twilio.core.settings import Behaviour
from local.twilio.trusthub.trusthub import TrustHub

SUSPENDED = 30033
UNREGISTERED = 30034
NUMBER_PENDING = 30035


class A2p:
    """The brands and campaigns of the account."""

    def __init__(
        self,
        *,
        default_service_sid: str,
        trusthub: TrustHub,
        clock: Clock,
        reviews: Reviews,
        behaviour: Callable[[], Behaviour],
        has_service: Callable[[str], bool],
    ) -> None:
        """Start with a vetted brand, and a verified campaign of the default service."""
        self._default_service_sid = default_service_sid
        self._clock = clock
        self._behaviour = behaviour
        self.brands = Brands(trusthub=trusthub, clock=clock, reviews=reviews, behaviour=behaviour)
        self.campaigns = Campaigns(
            brands=self.brands,
            clock=clock,
            reviews=reviews,
            behaviour=behaviour,
            has_service=has_service,
        )
        self.restore()

    def restore(self) -> None:
        """Put everything back to the start."""
        now = self._clock.now()
        self.brands.clear()
        self.campaigns.clear()
        brand = self.brands.add(start_brand(now))
        self.campaigns.add(start_campaign(brand, self._default_service_sid, now))

    def resume(self) -> None:
        """Ask anew for what waited when all reviews were forgotten."""
        self.brands.resume()
        self.campaigns.resume()

    def is_registered(self, service_sid: str) -> bool:
        """The service has a verified campaign."""
        return self._verified(service_sid) is not None

    def registration_error(
        self, service_sid: str | None, *, attached: datetime | None, now: datetime
    ) -> int | None:
        """The code with which carriers refuse a number that came into its service at that moment."""
        campaign = self.campaigns.get(service_sid) if service_sid else None
        if campaign is None or campaign.verified is None or campaign.is_mock:
            return UNREGISTERED
        if campaign.is_suspended:
            return SUSPENDED
        since = max(campaign.verified, attached or campaign.verified)
        wait = timedelta(seconds=self._behaviour().number_registration_seconds)
        return NUMBER_PENDING if now < since + wait else None

    def throughput(self, service_sid: str) -> float | None:
        """SMS segments a second that the service may send to US mobiles, None without a verified campaign."""
        campaign = self._verified(service_sid)
        return campaign.segments_per_second if campaign else None

    def _verified(self, service_sid: str) -> Campaign | None:
        campaign = self.campaigns.get(service_sid)
        if campaign is None or campaign.is_mock or campaign.is_suspended:
            return None
        return campaign if campaign.status is CampaignStatus.VERIFIED else None
