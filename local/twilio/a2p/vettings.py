"""Vettings of brands: begun by Twilio itself, asked for, or imported with a token."""

from collections.abc import Callable
from functools import partial

from local.twilio.a2p.brand import Brand, BrandStatus, Identity
from local.twilio.a2p.vetting import CAMPAIGN_VERIFY_TOKEN, Provider, Vetting, VettingStatus
from local.twilio.core.clock import Clock
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form
from local.twilio.core.reviews import Reviews, Verdict
from local.twilio.core.settings import Behaviour
from local.twilio.core.sids import new_sid

BRAND_UNFIT_FOR_TOKEN = 21721
TOKEN_INVALID = 21722
IMPORT_IN_PROGRESS = 21723
TOKEN_REJECTED = 30714
CONFLICT = 20409


class Vettings:
    """Opens vettings and brings their outcome to the brand."""

    def __init__(
        self, *, clock: Clock, reviews: Reviews, behaviour: Callable[[], Behaviour]
    ) -> None:
        """Let reviews decide."""
        self._clock = clock
        self._reviews = reviews
        self._behaviour = behaviour

    def create(self, brand: Brand, form: Form) -> Vetting:
        """A vetting that a form asks for.

        ApiError 21721, 21722 and 21723 refuse tokens of Campaign Verify, 20409 a brand that cannot be scored (again).
        """
        form.require("VettingProvider")
        provider = Provider(form.choice("VettingProvider", set(Provider)))
        if provider is Provider.AEGIS:
            _check_scorable(brand)
            return self.begin_scoring(brand)
        _check_token(brand, form.get("VettingId"))
        return self._open(brand, provider, form.get("VettingId"))

    def begin_scoring(self, brand: Brand) -> Vetting:
        """A secondary vetting, which finds the trust score."""
        return self._open(brand, Provider.AEGIS, None)

    def resume(self, brand: Brand) -> None:
        """Ask anew for what waited when all reviews were forgotten."""
        for vetting in brand.vettings.values():
            if vetting.status is VettingStatus.PENDING:
                self._ask(brand, vetting)

    def _open(self, brand: Brand, provider: Provider, vetting_id: str | None) -> Vetting:
        now = self._clock.now()
        vetting = Vetting(
            sid=new_sid("VT"), provider=provider, vetting_id=vetting_id, created=now, updated=now
        )
        brand.vettings[vetting.sid] = vetting
        self._ask(brand, vetting)
        return vetting

    def _ask(self, brand: Brand, vetting: Vetting) -> None:
        seconds = self._behaviour().vetting_review_seconds
        self._reviews.open(
            vetting.sid,
            kind="vetting",
            seconds=0 if brand.mock else seconds,
            decide=partial(self._decide, brand, vetting),
        )

    def _decide(self, brand: Brand, vetting: Vetting, verdict: Verdict | None) -> None:
        """Time always finds in favour."""
        verdict = verdict or Verdict(approved=True)
        vetting.status = VettingStatus.SUCCESS if verdict.approved else VettingStatus.FAILED
        vetting.updated = brand.updated = self._clock.now()
        if verdict.approved:
            brand.identity = Identity.VETTED_VERIFIED
            if vetting.provider is Provider.AEGIS:
                brand.score = brand.promised_score if verdict.score is None else verdict.score
        elif vetting.provider is Provider.CAMPAIGN_VERIFY:
            brand.errors = verdict.codes or (TOKEN_REJECTED,)


def _check_scorable(brand: Brand) -> None:
    waits = brand.vettings_of(Provider.AEGIS, VettingStatus.PENDING)
    is_fit = brand.status is BrandStatus.APPROVED and not brand.is_sole_proprietor
    if not is_fit or waits or brand.has_passed(Provider.AEGIS):
        raise ApiError(CONFLICT)


def _check_token(brand: Brand, token: str) -> None:
    if brand.is_sole_proprietor or brand.status is not BrandStatus.APPROVED:
        raise ApiError(BRAND_UNFIT_FOR_TOKEN)
    if not CAMPAIGN_VERIFY_TOKEN.fullmatch(token):
        raise ApiError(TOKEN_INVALID)
    if brand.vettings_of(Provider.CAMPAIGN_VERIFY, VettingStatus.PENDING):
        raise ApiError(IMPORT_IN_PROGRESS)
