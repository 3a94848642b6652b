"""All brands of the account: registered, reviewed, resubmitted."""

from collections.abc import Callable, Iterator
from functools import partial

from local.twilio.a2p.applications import Applications, check_bundles
from local.twilio.a2p.brand import (
    ANSWER_WINDOW,
    UNVETTED_MAXIMUM,
    Brand,
    BrandStatus,
    BrandType,
    Identity,
)
from local.twilio.a2p.brand_judging import UNKNOWN_REASON, Application, find_faults, marked_codes
from local.twilio.a2p.registry import tcr_id
from local.twilio.a2p.vettings import Vettings
from local.twilio.core.clock import Clock
from local.twilio.core.errors import ApiError, invalid_parameter
from local.twilio.core.forms import Form
from local.twilio.core.reviews import Reviews, Verdict
from local.twilio.core.settings import Behaviour
from local.twilio.core.sids import new_sid
from local.twilio.trusthub.trusthub import TrustHub

FREE_RESUBMISSIONS = 3
TOO_MANY_RESUBMISSIONS = 21724
NOT_FAILED = 21725
SUSPENDED = 21731
CONFLICT = 20409
AWAITING_REVIEW = frozenset({BrandStatus.PENDING, BrandStatus.IN_REVIEW})


class Brands:
    """The brands, newest first."""

    def __init__(
        self,
        *,
        trusthub: TrustHub,
        clock: Clock,
        reviews: Reviews,
        behaviour: Callable[[], Behaviour],
    ) -> None:
        """Start with none; what a brand is made of is read from the Trust Hub at each review."""
        self._trusthub = trusthub
        self._clock = clock
        self._reviews = reviews
        self._behaviour = behaviour
        self._by_sid: dict[str, Brand] = {}
        self._applications = Applications(trusthub)
        self.vettings = Vettings(clock=clock, reviews=reviews, behaviour=behaviour)

    def __iter__(self) -> Iterator[Brand]:
        """All brands, newest first."""
        return iter(list(reversed(self._by_sid.values())))

    def get(self, sid: str) -> Brand | None:
        """The brand with that SID, if there is one."""
        return self._by_sid.get(sid)

    def find(self, sid: str, *, path: str) -> Brand:
        """The brand with that SID; ApiError 20404 if there is none."""
        if sid not in self._by_sid:
            raise ApiError(20404, path=path)
        return self._by_sid[sid]

    def create(self, form: Form) -> Brand:
        """Register a brand; ApiError 20001 unless both bundles exist and fit its type.

        Whether they are approved shows in the review only, as the fee is due by then.
        """
        form.require("CustomerProfileBundleSid", "A2PProfileBundleSid")
        type_ = BrandType(form.choice("BrandType", set(BrandType), default=BrandType.STANDARD))
        check_bundles(form, type_, self._trusthub)
        now = self._clock.now()
        brand = self.add(
            Brand(
                sid=new_sid("BN"),
                type=type_,
                customer_profile_sid=form.get("CustomerProfileBundleSid"),
                a2p_profile_sid=form.get("A2PProfileBundleSid"),
                skip_automatic_sec_vet=form.flag("SkipAutomaticSecVet"),
                mock=form.flag("Mock"),
                created=now,
                updated=now,
            )
        )
        self._ask(brand)
        return brand

    def add(self, brand: Brand) -> Brand:
        """Take a brand in."""
        self._by_sid[brand.sid] = brand
        return brand

    def resubmit(self, brand: Brand) -> None:
        """Register a failed brand anew; ApiError 21725 if it has not failed, 21724 after too many tries."""
        check_not_suspended(brand)
        if brand.status is not BrandStatus.FAILED:
            raise ApiError(NOT_FAILED)
        if brand.resubmissions >= FREE_RESUBMISSIONS:
            raise ApiError(TOO_MANY_RESUBMISSIONS)
        brand.resubmissions += 1
        brand.errors, brand.reason = (), ""
        self._move(brand, BrandStatus.PENDING)
        self._ask(brand)

    def send_otp(self, brand: Brand) -> None:
        """Ask the owner anew; ApiError 20001 if the brand is no sole proprietor's, 20409 if nobody is to be asked."""
        if not brand.is_sole_proprietor:
            raise invalid_parameter("BrandRegistrationSid", brand.sid)
        if brand.answer_until is None:
            raise ApiError(CONFLICT)
        brand.answer_until = self._clock.now() + ANSWER_WINDOW

    def answer_otp(self, brand: Brand, answer: str) -> None:
        """Play the owner who answers the SMS; ValueError if nobody was asked, or it is too late."""
        now = self._clock.now()
        if brand.answer_until is None or now >= brand.answer_until:
            raise ValueError(f"{brand.sid}: no answer is awaited")
        if answer.strip().upper() == "YES":
            brand.identity = Identity.VERIFIED
            brand.answer_until = None
            brand.updated = now

    def set_suspended(self, brand: Brand, *, suspended: bool) -> None:
        """Suspend a brand that was approved, or end that; ValueError if it is neither."""
        if brand.status not in {BrandStatus.APPROVED, BrandStatus.SUSPENDED}:
            raise ValueError(f"{brand.sid} is {brand.status}")
        self._move(brand, BrandStatus.SUSPENDED if suspended else BrandStatus.APPROVED)

    def resume(self) -> None:
        """Ask anew for what waited when all reviews were forgotten."""
        for brand in self:
            if brand.status in AWAITING_REVIEW:
                self._ask(brand)
            self.vettings.resume(brand)

    def clear(self) -> None:
        """Forget all."""
        self._by_sid.clear()

    def _ask(self, brand: Brand) -> None:
        seconds = self._behaviour().brand_review_seconds
        self._reviews.open(
            brand.sid,
            kind="brand",
            seconds=0 if brand.mock else seconds,
            decide=partial(self._decide, brand),
        )

    def _decide(self, brand: Brand, verdict: Verdict | None) -> None:
        application = self._applications.read(brand, others=self)
        if verdict is None:
            faults = marked_codes(application) if brand.mock else find_faults(application)
            if not faults and _wants_a_person(brand, application):
                self._move(brand, BrandStatus.IN_REVIEW)
                self._ask(brand)
                return
            verdict = Verdict(approved=not faults, codes=faults)
        if verdict.approved:
            self._approve(brand, application, verdict.score)
        else:
            brand.errors, brand.reason = verdict.codes or (UNKNOWN_REASON,), verdict.reason
            self._move(brand, BrandStatus.FAILED)

    def _approve(self, brand: Brand, application: Application, score: int | None) -> None:
        brand.tcr_id = tcr_id("B", brand.sid)
        brand.company_type = str(application.messaging.get("company_type", "private"))
        if brand.is_sole_proprietor:
            brand.identity = Identity.UNVERIFIED
            brand.answer_until = self._clock.now() + ANSWER_WINDOW
        else:
            brand.identity = Identity.VERIFIED
            brand.promised_score = application.score if score is None else score
            brand.score = min(UNVETTED_MAXIMUM, brand.promised_score)
        self._move(brand, BrandStatus.APPROVED)
        if not (brand.is_sole_proprietor or brand.skip_automatic_sec_vet):
            self.vettings.begin_scoring(brand)

    def _move(self, brand: Brand, status: BrandStatus) -> None:
        brand.status = status
        brand.updated = self._clock.now()


def check_not_suspended(brand: Brand) -> None:
    """ApiError 21731 if the brand is suspended."""
    if brand.status is BrandStatus.SUSPENDED:
        raise ApiError(SUSPENDED)


def _wants_a_person(brand: Brand, application: Application) -> bool:
    """A public company is looked at by a person after the registry has."""
    return application.is_public and brand.status is BrandStatus.PENDING and not brand.mock
