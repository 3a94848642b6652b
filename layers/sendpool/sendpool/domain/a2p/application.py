"""A brand as a team declares it: the business, who speaks for it, where it is, and what Twilio is told of it.

Everything may be missing at first: `missing` names what Twilio will ask for. Twilio wants it in parts (end users, an
address, a document), which two bundles hold: the customer profile and the A2P profile.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Final


class BrandKind(StrEnum):
    """With a tax ID and scored, with one and not scored, or a person without one."""

    STANDARD = "standard"
    LOW_VOLUME = "low_volume"
    SOLE_PROPRIETOR = "sole_proprietor"


class Which(StrEnum):
    """The two bundles of a brand."""

    PROFILE = "customer_profile"
    PRODUCT = "a2p_profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Business:
    """A business, in the words of its registration."""

    name: str | None = None
    identity: str | None = "direct_customer"
    type: str | None = None
    industry: str | None = None
    registration_identifier: str | None = None
    registration_number: str | None = None
    regions_of_operation: str | None = "USA_AND_CANADA"
    website_url: str | None = None
    social_media_profile_urls: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Representative:
    """Somebody who speaks for the business."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone_number: str | None = None
    business_title: str | None = None
    job_position: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the business or person is; `country` is ISO 3166."""

    street: str | None = None
    street_secondary: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """What carriers are told of the company: private, public, non-profit or government."""

    company_type: str | None = None
    stock_exchange: str | None = None
    stock_ticker: str | None = None
    brand_contact_email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proprietor:
    """A person who texts as a business without a tax ID; an SMS to the mobile number asks for a YES."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone_number: str | None = None
    brand_name: str | None = None
    mobile_phone_number: str | None = None
    vertical: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandApplication:
    """All that is said of a brand. With `customer_profile_sid` an approved profile stands for business and address.

    `email` is told of reviews by Twilio. A `mock` brand is reviewed by nobody, and its campaigns reach nobody.
    """

    kind: BrandKind = BrandKind.STANDARD
    email: str | None = None
    customer_profile_sid: str | None = None
    business: Business = Business()
    representatives: tuple[Representative, ...] = ()
    address: Address = Address()
    company: Company = Company()
    proprietor: Proprietor = Proprietor()
    mock: bool = False

    @property
    def is_sole_proprietor(self) -> bool:
        return self.kind is BrandKind.SOLE_PROPRIETOR

    @property
    def fee_kind(self) -> tuple[BrandKind, bool]:
        """The same for what costs the same: a mock brand costs nothing."""
        return self.kind, self.mock

    @property
    def display_name(self) -> str | None:
        named = self.proprietor.brand_name if self.is_sole_proprietor else self.business.name
        return named or None

    @property
    def digest(self) -> str:
        """The same for the same words."""
        return digest_of(asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An end user of a bundle: our name of it, Twilio's type, and what it says."""

    name: str
    type: str
    attributes: Mapping[str, Any]

    @property
    def digest(self) -> str:
        return digest_of(self.attributes)


def digest_of(said: object) -> str:
    """Return 16 hex digits that are the same for the same words."""
    written = json.dumps(said, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(written.encode()).hexdigest()[:16]


# our name of a bundle for a company, and for a sole proprietor: Twilio's policy
POLICIES: Final[Mapping[tuple[Which, bool], str]] = {
    (Which.PROFILE, False): "RNdfbf3fae0e1107f8aded0e7cead80bf5",
    (Which.PROFILE, True): "RN806dd6cd175f314e1f96a9727ee271f4",
    (Which.PRODUCT, False): "RNb0d4771c2c98518d916a3d4cd70a8f8b",
    (Which.PRODUCT, True): "RN670d5d2e282a6130ae063b234b6019c8",
}
PRIMARY_POLICY: Final = "RN6433641899984f951173ef1738c3bdd0"
_OPTIONAL: Final = {"social_media_profile_urls", "street_secondary"}
_OF_PUBLIC: Final = ("stock_exchange", "stock_ticker", "brand_contact_email")
_PERSON: Final = ("first_name", "last_name", "email", "phone_number")
_BRANDED: Final = ("brand_name", "mobile_phone_number", "vertical")


def missing(application: BrandApplication, which: Which) -> tuple[str, ...]:
    """Name the fields that a bundle needs and nobody has filled in."""
    return tuple(_missing(application, which))


def _missing(application: BrandApplication, which: Which) -> Iterator[str]:
    if which is Which.PROFILE and application.customer_profile_sid:
        return
    if not application.email:
        yield "email"
    if which is Which.PRODUCT:
        yield from _missing_of_product(application)
        return
    if application.is_sole_proprietor:
        yield from _empty(application.proprietor, "proprietor", only=_PERSON)
    else:
        yield from _empty(application.business, "business")
        for place, each in enumerate(application.representatives or (Representative(),)):
            yield from _empty(each, f"representatives.{place}")
    yield from _empty(application.address, "address")


def _missing_of_product(application: BrandApplication) -> Iterator[str]:
    if application.is_sole_proprietor:
        yield from _empty(application.proprietor, "proprietor", only=_BRANDED)
        return
    wanted: tuple[str, ...] = ("company_type",)
    if application.company.company_type == "public":
        wanted += _OF_PUBLIC
    yield from _empty(application.company, "company", only=wanted)


def _empty(of: Any, prefix: str, *, only: tuple[str, ...] = ()) -> Iterator[str]:
    for each in fields(of):
        is_wanted = each.name in only if only else each.name not in _OPTIONAL
        if is_wanted and not getattr(of, each.name):
            yield f"{prefix}.{each.name}"


def parts_of(application: BrandApplication, which: Which) -> tuple[Part, ...]:
    """Return the end users of a bundle."""
    if which is Which.PRODUCT:
        return (_of_product(application),)
    if application.is_sole_proprietor:
        person = _said(application.proprietor, _PERSON)
        kind = "starter_customer_profile_information"
        return (Part(name="person", type=kind, attributes=person),)
    business = {
        name if name.startswith(("website", "social")) else f"business_{name}": value
        for name, value in _said(application.business).items()
    }
    kind = "customer_profile_business_information"
    people = [
        Part(
            name=f"representative_{number}",
            type=f"authorized_representative_{number}",
            attributes=_said(each),
        )
        for number, each in enumerate(application.representatives, start=1)
    ]
    return (Part(name="business", type=kind, attributes=business), *people)


def _of_product(application: BrandApplication) -> Part:
    if application.is_sole_proprietor:
        branded = _said(application.proprietor, _BRANDED)
        return Part(name="proprietor", type="sole_proprietor_information", attributes=branded)
    kind = "us_a2p_messaging_profile_information"
    return Part(name="company", type=kind, attributes=_said(application.company))


def _said(of: Any, only: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        each.name: value
        for each in fields(of)
        if (not only or each.name in only) and (value := getattr(of, each.name))
    }
