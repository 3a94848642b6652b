"""The policies: what a customer profile or trust product must consist of to be compliant."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from local.twilio.trusthub.types import (
    A2P_PROFILE,
    BUSINESS,
    DOCUMENT_TYPES,
    END_USER_TYPES,
    PROFILE_ADDRESS,
    REPRESENTATIVE_1,
    REPRESENTATIVE_2,
    SOLE_PROPRIETOR,
    STARTER,
    STARTER_ADDRESS,
    EntityType,
)


class BundleKind(StrEnum):
    """The two resources that are bundles under a policy; the values name their kind in JSON and reviews."""

    CUSTOMER_PROFILE = "customer_profile"
    TRUST_PRODUCT = "trust_product"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndUserRequirement:
    """An end user of a type; one that is not mandatory is looked at if it is there."""

    type: EntityType
    is_mandatory: bool = True

    def to_json(self) -> dict[str, Any]:
        """Its part of the policy."""
        return {
            "url": f"/EndUserTypes/{self.type.name}",
            "fields": [attribute.name for attribute in self.type.attributes],
            "type": self.type.name,
            "name": self.type.friendly_name,
            "requirement_name": self.type.name,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRequirement:
    """A document of one of several types."""

    requirement_name: str
    name: str
    accepted: tuple[EntityType, ...]

    def to_json(self) -> dict[str, Any]:
        """Its part of the policy."""
        return {
            "description": self.name,
            "type": "document",
            "name": self.name,
            "accepted_documents": [
                {
                    "url": f"/SupportingDocumentTypes/{each.name}",
                    "fields": [attribute.name for attribute in each.attributes],
                    "type": each.name,
                    "name": self.name,
                }
                for each in self.accepted
            ],
            "requirement_name": self.requirement_name,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRequirement:
    """An approved customer profile under one of several policies, told by their `profile_type`."""

    requirement_name: str
    name: str
    profile_types: tuple[str, ...]

    def to_json(self) -> list[dict[str, str]]:
        """Its part of the policy."""
        return [
            {"type": each, "name": self.name, "requirement_name": self.requirement_name}
            for each in self.profile_types
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy; `profile_type` is what requirements of others call bundles under it."""

    sid: str
    friendly_name: str
    kind: BundleKind
    profile_type: str
    end_users: tuple[EndUserRequirement, ...]
    documents: tuple[DocumentRequirement, ...] = ()
    profiles: tuple[ProfileRequirement, ...] = field(default=())

    def to_json(self, url: str) -> dict[str, Any]:
        """The resource, under its URL."""
        return {
            "sid": self.sid,
            "friendly_name": self.friendly_name,
            "requirements": {
                "end_user": [each.to_json() for each in self.end_users],
                "supporting_trust_products": [],
                "supporting_document": [[each.to_json() for each in self.documents]],
                "supporting_customer_profiles": [
                    entry for each in self.profiles for entry in each.to_json()
                ],
            },
            "url": url,
        }


def _required(*names: str) -> tuple[EndUserRequirement, ...]:
    return tuple(EndUserRequirement(type=END_USER_TYPES[name]) for name in names)


PRIMARY_TYPE = "primary_customer_profile_type_business"
SECONDARY_TYPE = "secondary_customer_profile_type_business"
STARTER_TYPE = "starter_customer_profile_type_business"

BUSINESS_END_USERS = (
    *_required(BUSINESS, REPRESENTATIVE_1),
    EndUserRequirement(type=END_USER_TYPES[REPRESENTATIVE_2], is_mandatory=False),
)
BUSINESS_ADDRESS = DocumentRequirement(
    requirement_name=PROFILE_ADDRESS,
    name="Physical Business Address",
    accepted=(DOCUMENT_TYPES[PROFILE_ADDRESS],),
)
PRIMARY_PROFILE = ProfileRequirement(
    requirement_name="primary_customer_profile",
    name="Primary Customer Profile Bundle",
    profile_types=(PRIMARY_TYPE,),
)

PRIMARY = Policy(
    sid="RN6433641899984f951173ef1738c3bdd0",
    friendly_name="Primary Customer Profile of type Business",
    kind=BundleKind.CUSTOMER_PROFILE,
    profile_type=PRIMARY_TYPE,
    end_users=BUSINESS_END_USERS,
    documents=(BUSINESS_ADDRESS,),
)
SECONDARY = Policy(
    sid="RNdfbf3fae0e1107f8aded0e7cead80bf5",
    friendly_name="Secondary Customer Profile of type Business",
    kind=BundleKind.CUSTOMER_PROFILE,
    profile_type=SECONDARY_TYPE,
    end_users=BUSINESS_END_USERS,
    documents=(BUSINESS_ADDRESS,),
    profiles=(PRIMARY_PROFILE,),
)
STARTER_PROFILE = Policy(
    sid="RN806dd6cd175f314e1f96a9727ee271f4",
    friendly_name="Starter Customer Profile of type Business",
    kind=BundleKind.CUSTOMER_PROFILE,
    profile_type=STARTER_TYPE,
    end_users=_required(STARTER),
    documents=(
        DocumentRequirement(
            requirement_name=PROFILE_ADDRESS,
            name="Customer Profile Address",
            accepted=(DOCUMENT_TYPES[PROFILE_ADDRESS], DOCUMENT_TYPES[STARTER_ADDRESS]),
        ),
    ),
    profiles=(PRIMARY_PROFILE,),
)
A2P_TRUST_PRODUCT = Policy(
    sid="RNb0d4771c2c98518d916a3d4cd70a8f8b",
    friendly_name="A2P Messaging Profile",
    kind=BundleKind.TRUST_PRODUCT,
    profile_type="us_a2p_messaging_profile",
    end_users=_required(A2P_PROFILE),
    profiles=(
        ProfileRequirement(
            requirement_name="customer_profile",
            name="Customer Profile Bundle",
            profile_types=(SECONDARY_TYPE, PRIMARY_TYPE),
        ),
    ),
)
SOLE_PROPRIETOR_TRUST_PRODUCT = Policy(
    sid="RN670d5d2e282a6130ae063b234b6019c8",
    friendly_name="Sole Proprietor TrustProduct",
    kind=BundleKind.TRUST_PRODUCT,
    profile_type="sole_proprietor_trust_product",
    end_users=_required(SOLE_PROPRIETOR),
    profiles=(
        ProfileRequirement(
            requirement_name="customer_profile",
            name="Starter Customer Profile(isv customers) Proof",
            profile_types=(STARTER_TYPE,),
        ),
    ),
)


def _by_sid(policies: Iterable[Policy]) -> dict[str, Policy]:
    return {each.sid: each for each in policies}


POLICIES = _by_sid(
    (PRIMARY, SECONDARY, STARTER_PROFILE, A2P_TRUST_PRODUCT, SOLE_PROPRIETOR_TRUST_PRODUCT)
)
