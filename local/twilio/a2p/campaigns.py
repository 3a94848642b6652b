"""All campaigns of the account, at most one for each service."""

from collections.abc import Callable
from functools import partial

from local.twilio.a2p.brand import Brand
from local.twilio.a2p.brands import Brands, check_not_suspended
from local.twilio.a2p.campaign import Campaign, CampaignStatus
from local.twilio.a2p.campaign_judging import (
    EXTERNAL_REJECTED,
    UNKNOWN_REASON,
    find_faults,
    marked_codes,
)
from local.twilio.a2p.registry import tcr_id
from local.twilio.a2p.submission import Submission, read_edit, read_submission
from local.twilio.a2p.use_cases import goes_with_service, use_cases_of
from local.twilio.core.clock import Clock
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form
from local.twilio.core.reviews import Reviews, Verdict
from local.twilio.core.settings import Behaviour

CONFLICT = 20409
BRAND_UNFIT = 21717
SERVICE_UNFIT = 21719
USE_CASE_INVALID = 21720
SUSPENDED = 21729
LIMIT_REACHED = 21732
SUSPENSION = 30990
MAX_PER_BRAND = 100
MAX_PER_PROPRIETOR = 1
PICKED_UP_AFTER = 0.1  # of the time of the review
AWAITING_REVIEW = frozenset({CampaignStatus.PENDING, CampaignStatus.IN_PROGRESS})


class Campaigns:
    """The campaigns by the SID of their service."""

    def __init__(
        self,
        *,
        brands: Brands,
        clock: Clock,
        reviews: Reviews,
        behaviour: Callable[[], Behaviour],
        has_service: Callable[[str], bool],
    ) -> None:
        """Start with none; a campaign ends with its service, of which `has_service` knows."""
        self._brands = brands
        self._clock = clock
        self._reviews = reviews
        self._behaviour = behaviour
        self._has_service = has_service
        self._by_service: dict[str, Campaign] = {}

    def get(self, service_sid: str) -> Campaign | None:
        """The campaign of a service, if it has one."""
        return self._by_service.get(service_sid)

    def find(self, service_sid: str, *, path: str) -> Campaign:
        """The campaign of a service; ApiError 20404 if it has none."""
        if service_sid not in self._by_service:
            raise ApiError(20404, path=path)
        return self._by_service[service_sid]

    def create(self, service_sid: str, form: Form, *, service_use_case: str) -> Campaign:
        """Hand a campaign in.

        ApiError 21727 and 21728 for what is missing, too short or too long, 21717 and 21731 for the brand, 21720 and
        21719 for the use case, 20409 if the service has a campaign, 21732 if the brand may have no more.
        """
        submission = read_submission(form)
        brand = self.find_brand(form.get("BrandRegistrationSid"))
        self._check_use_case(submission, brand, service_use_case)
        self._check_free(service_sid)
        self._check_room(brand)
        return self._open(service_sid, brand, submission)

    def import_external(self, service_sid: str, campaign_id: str) -> Campaign:
        """Take over a campaign registered elsewhere; ApiError 20409 if the service has one."""
        self._check_free(service_sid)
        campaign = self._open(service_sid, None, None)
        campaign.campaign_id = campaign_id
        return campaign

    def add(self, campaign: Campaign) -> Campaign:
        """Take a campaign in."""
        self._by_service[campaign.service_sid] = campaign
        return campaign

    def find_brand(self, sid: str) -> Brand:
        """A brand that may have campaigns; ApiError 21717 if it may not, 21731 if it is suspended."""
        brand = self._brands.get(sid)
        if brand is None:
            raise ApiError(BRAND_UNFIT)
        check_not_suspended(brand)
        if not brand.may_campaign:
            raise ApiError(BRAND_UNFIT)
        return brand

    def update(self, campaign: Campaign, form: Form) -> None:
        """Hand a failed campaign in again; ApiError 21729 if it is suspended, 20409 if it has not failed."""
        _check_not_suspended(campaign)
        if campaign.status is not CampaignStatus.FAILED or campaign.submission is None:
            raise ApiError(CONFLICT)
        campaign.submission = read_edit(form, campaign.submission)
        campaign.errors, campaign.reason = (), ""
        self._move(campaign, CampaignStatus.PENDING)
        self._ask(campaign)

    def delete(self, campaign: Campaign) -> None:
        """Remove a campaign; ApiError 21729 if it is suspended."""
        _check_not_suspended(campaign)
        self._reviews.withdraw(campaign.service_sid)
        del self._by_service[campaign.service_sid]

    def suspend(self, campaign: Campaign, codes: tuple[int, ...]) -> None:
        """Stop a verified campaign; ValueError if it is none."""
        if campaign.status is not CampaignStatus.VERIFIED:
            raise ValueError(f"{campaign.service_sid}: the campaign is {campaign.status}")
        campaign.errors = codes or (SUSPENSION,)
        self._move(campaign, CampaignStatus.SUSPENDED)

    def reinstate(self, campaign: Campaign) -> None:
        """End a suspension; ValueError if there is none."""
        if campaign.status is not CampaignStatus.SUSPENDED:
            raise ValueError(f"{campaign.service_sid}: the campaign is {campaign.status}")
        campaign.errors = ()
        self._move(campaign, CampaignStatus.VERIFIED)

    def resume(self) -> None:
        """Ask anew for what waited when all reviews were forgotten."""
        for campaign in self._by_service.values():
            if campaign.status in AWAITING_REVIEW:
                self._ask(campaign)

    def clear(self) -> None:
        """Forget all."""
        self._by_service.clear()

    def _check_use_case(self, submission: Submission, brand: Brand, service_use_case: str) -> None:
        use_case = submission.us_app_to_person_usecase
        if use_case not in {each.code for each in use_cases_of(brand)}:
            raise ApiError(USE_CASE_INVALID)
        if not goes_with_service(use_case, service_use_case):
            raise ApiError(SERVICE_UNFIT)

    def _check_free(self, service_sid: str) -> None:
        if service_sid in self._by_service:
            raise ApiError(CONFLICT)

    def _check_room(self, brand: Brand) -> None:
        limit = MAX_PER_PROPRIETOR if brand.is_sole_proprietor else MAX_PER_BRAND
        campaigns = self._by_service.values()
        alive = [each for each in campaigns if self._has_service(each.service_sid)]
        if sum(each.brand is brand for each in alive) >= limit:
            raise ApiError(LIMIT_REACHED)

    def _open(
        self, service_sid: str, brand: Brand | None, submission: Submission | None
    ) -> Campaign:
        now = self._clock.now()
        campaign = self.add(
            Campaign(
                service_sid=service_sid,
                brand=brand,
                submission=submission,
                created=now,
                updated=now,
            )
        )
        self._ask(campaign)
        return campaign

    def _ask(self, campaign: Campaign) -> None:
        campaign.round += 1
        seconds = 0 if campaign.is_mock else self._behaviour().campaign_review_seconds
        self._clock.after(
            seconds * PICKED_UP_AFTER, partial(self._pick_up, campaign, campaign.round)
        )
        self._reviews.open(
            campaign.service_sid,
            kind="campaign",
            seconds=seconds,
            decide=partial(self._decide, campaign),
        )

    def _pick_up(self, campaign: Campaign, round_: int) -> None:
        """The registry has it now, unless it is over or another round has begun."""
        is_waiting = campaign.status is CampaignStatus.PENDING
        if is_waiting and campaign.round == round_:
            self._register(campaign)

    def _register(self, campaign: Campaign) -> None:
        campaign.campaign_id = campaign.campaign_id or tcr_id("C", campaign.service_sid)
        self._move(campaign, CampaignStatus.IN_PROGRESS)

    def _decide(self, campaign: Campaign, verdict: Verdict | None) -> None:
        self._register(campaign)
        if verdict is None:
            faults = _judge(campaign)
            verdict = Verdict(approved=not faults, codes=faults)
        if verdict.approved:
            campaign.verified = self._clock.now()
            self._move(campaign, CampaignStatus.VERIFIED)
            return
        usual = EXTERNAL_REJECTED if campaign.is_external else UNKNOWN_REASON
        campaign.errors, campaign.reason = verdict.codes or (usual,), verdict.reason
        self._move(campaign, CampaignStatus.FAILED)

    def _move(self, campaign: Campaign, status: CampaignStatus) -> None:
        campaign.status = status
        campaign.updated = self._clock.now()


def _judge(campaign: Campaign) -> tuple[int, ...]:
    """Nothing is known of what was registered elsewhere, and a mock campaign is not read."""
    if campaign.brand is None or campaign.submission is None:
        return ()
    if campaign.is_mock:
        return marked_codes(campaign.submission)
    return find_faults(campaign.submission, campaign.brand)


def _check_not_suspended(campaign: Campaign) -> None:
    if campaign.is_suspended:
        raise ApiError(SUSPENDED)
