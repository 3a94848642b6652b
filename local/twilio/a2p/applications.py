"""What a brand's bundles say, read from the Trust Hub."""

from collections import Counter
from collections.abc import Iterable

from local.twilio.a2p.brand import Brand, BrandStatus, BrandType
from local.twilio.a2p.brand_judging import Application
from local.twilio.core.errors import invalid_parameter
from local.twilio.core.forms import Form
from local.twilio.trusthub.policies import (
    A2P_TRUST_PRODUCT,
    PRIMARY,
    SECONDARY,
    SOLE_PROPRIETOR_TRUST_PRODUCT,
    STARTER_PROFILE,
    Policy,
)
from local.twilio.trusthub.trusthub import TrustHub
from local.twilio.trusthub.types import (
    A2P_PROFILE,
    BUSINESS,
    PROFILE_ADDRESS,
    SOLE_PROPRIETOR,
    STARTER,
)

# type of brand: policies of its customer profile, and of its trust product
POLICIES: dict[BrandType, tuple[tuple[Policy, ...], Policy]] = {
    BrandType.STANDARD: ((SECONDARY, PRIMARY), A2P_TRUST_PRODUCT),
    BrandType.SOLE_PROPRIETOR: ((STARTER_PROFILE,), SOLE_PROPRIETOR_TRUST_PRODUCT),
}
# code: how many sole proprietors may share it, in which type of which bundle it stands, and what it is called there
SHARED = {
    30750: (3, SOLE_PROPRIETOR, "mobile_phone_number"),
    30749: (10, STARTER, "email"),
    30747: (10, PROFILE_ADDRESS, "address_sids"),
}


def check_bundles(form: Form, type_: BrandType, trusthub: TrustHub) -> None:
    """ApiError 20001 unless both bundles that a form names exist under policies of that type of brand."""
    profiles, product = POLICIES[type_]
    for name, allowed in (
        ("CustomerProfileBundleSid", profiles),
        ("A2PProfileBundleSid", (product,)),
    ):
        bundle = trusthub.find_bundle(form.get(name))
        if bundle is None or bundle.policy not in allowed:
            raise invalid_parameter(name, form.get(name))


class Applications:
    """Reads what brands are made of, as it is at that moment."""

    def __init__(self, trusthub: TrustHub) -> None:
        """Read from this Trust Hub."""
        self._trusthub = trusthub

    def read(self, brand: Brand, *, others: Iterable[Brand]) -> Application:
        """What a brand says, in the light of the other brands."""
        alive = [
            each
            for each in others
            if each is not brand and not each.mock and each.status is not BrandStatus.FAILED
        ]
        look = self._trusthub.attributes_of
        return Application(
            business=look(brand.customer_profile_sid, BUSINESS),
            messaging=look(brand.a2p_profile_sid, A2P_PROFILE),
            proprietor=look(brand.a2p_profile_sid, SOLE_PROPRIETOR),
            is_sole_proprietor=brand.is_sole_proprietor,
            are_bundles_approved=self._are_approved(brand),
            is_duplicate=any(
                each.customer_profile_sid == brand.customer_profile_sid for each in alive
            ),
            exhausted=self._exhausted(brand, alive) if brand.is_sole_proprietor else (),
        )

    def _are_approved(self, brand: Brand) -> bool:
        sids = (brand.customer_profile_sid, brand.a2p_profile_sid)
        bundles = [self._trusthub.find_bundle(sid) for sid in sids]
        return all(bundle is not None and bundle.is_approved for bundle in bundles)

    def _exhausted(self, brand: Brand, others: Iterable[Brand]) -> tuple[int, ...]:
        used = Counter(
            (code, self._shared(each, code))
            for each in others
            if each.is_sole_proprietor
            for code in SHARED
        )
        return tuple(
            code
            for code, (limit, _, _) in SHARED.items()
            if used[code, self._shared(brand, code)] >= limit
        )

    def _shared(self, brand: Brand, code: int) -> str:
        _, type_name, attribute = SHARED[code]
        sids = (brand.customer_profile_sid, brand.a2p_profile_sid)
        found = (self._trusthub.attributes_of(sid, type_name).get(attribute) for sid in sids)
        return next((str(value) for value in found if value), "")
