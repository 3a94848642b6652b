"""The types of end users and supporting documents, and what each is asked for."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.twilio.account.senders import steady_sid

PUBLIC = "public"
COMPANY_TYPES = frozenset({"private", PUBLIC, "non-profit", "government"})
BUSINESS_IDENTITIES = frozenset({"direct_customer", "isv_reseller_or_partner", "unknown"})
JOB_POSITIONS = frozenset({"Director", "GM", "VP", "CEO", "CFO", "General Counsel", "Other"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute: `allowed` are its only values if there are any.

    It may be missing if it is optional, unless `wanted_if` names an attribute and the value of it that asks for this
    one.
    """

    name: str
    allowed: Collection[str] = ()
    is_optional: bool = False
    wanted_if: tuple[str, str] | None = None
    constraint: str = "String"

    @property
    def friendly_name(self) -> str:
        """The name for people."""
        return self.name.replace("_", " ").title()

    def is_wanted(self, attributes: Mapping[str, object]) -> bool:
        """These attributes must have this one."""
        if self.wanted_if is not None:
            other, value = self.wanted_if
            return attributes.get(other) == value
        return not self.is_optional

    def takes(self, value: object) -> bool:
        """The value is one that this attribute may have."""
        return not self.allowed or value in self.allowed

    def to_json(self) -> dict[str, str]:
        """A field of the type's resource."""
        return {
            "machine_name": self.name,
            "friendly_name": self.friendly_name,
            "constraint": self.constraint,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityType:
    """A type of end user or supporting document; `name` is what requests call it."""

    name: str
    friendly_name: str
    attributes: tuple[Attribute, ...]

    @property
    def sid(self) -> str:
        """The same on every server."""
        return steady_sid("OY", self.name)

    def to_json(self, url: str) -> dict[str, Any]:
        """The resource, under its URL."""
        return {
            "sid": self.sid,
            "friendly_name": self.friendly_name,
            "machine_name": self.name,
            "fields": [attribute.to_json() for attribute in self.attributes],
            "url": url,
        }


def _by_name(types: Iterable[EntityType]) -> dict[str, EntityType]:
    return {each.name: each for each in types}


def _plain(*names: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(name=name) for name in names)


PERSON = _plain("first_name", "last_name", "email", "phone_number")
REPRESENTATIVE = (
    *PERSON,
    Attribute(name="business_title"),
    Attribute(name="job_position", allowed=JOB_POSITIONS),
)
ADDRESS = (Attribute(name="address_sids", constraint="List"),)

BUSINESS = "customer_profile_business_information"
REPRESENTATIVE_1 = "authorized_representative_1"
REPRESENTATIVE_2 = "authorized_representative_2"
STARTER = "starter_customer_profile_information"
A2P_PROFILE = "us_a2p_messaging_profile_information"
SOLE_PROPRIETOR = "sole_proprietor_information"
PROFILE_ADDRESS = "customer_profile_address"
STARTER_ADDRESS = "starter_customer_profile_address"

END_USER_TYPES = _by_name(
    (
        EntityType(
            name=BUSINESS,
            friendly_name="Business Information",
            attributes=(
                *_plain("business_type", "business_registration_number", "business_name"),
                Attribute(name="business_registration_identifier"),
                Attribute(name="business_identity", allowed=BUSINESS_IDENTITIES),
                *_plain("business_industry", "website_url", "business_regions_of_operation"),
                Attribute(name="social_media_profile_urls", is_optional=True),
            ),
        ),
        EntityType(
            name=REPRESENTATIVE_1,
            friendly_name="Authorized Representative one",
            attributes=REPRESENTATIVE,
        ),
        EntityType(
            name=REPRESENTATIVE_2,
            friendly_name="Authorized Representative two",
            attributes=REPRESENTATIVE,
        ),
        EntityType(name=STARTER, friendly_name="Information", attributes=PERSON),
        EntityType(
            name=A2P_PROFILE,
            friendly_name="US A2P Messaging Profile Information",
            attributes=(
                Attribute(name="company_type", allowed=COMPANY_TYPES),
                Attribute(name="stock_exchange", wanted_if=("company_type", PUBLIC)),
                Attribute(name="stock_ticker", wanted_if=("company_type", PUBLIC)),
                Attribute(name="brand_contact_email", wanted_if=("company_type", PUBLIC)),
            ),
        ),
        EntityType(
            name=SOLE_PROPRIETOR,
            friendly_name="Sole Proprietor Information",
            attributes=_plain("brand_name", "mobile_phone_number", "vertical"),
        ),
    )
)
DOCUMENT_TYPES = _by_name(
    (
        EntityType(
            name=PROFILE_ADDRESS, friendly_name="Customer profile address", attributes=ADDRESS
        ),
        EntityType(
            name=STARTER_ADDRESS,
            friendly_name="Starter customer profile address",
            attributes=ADDRESS,
        ),
    )
)
