"""A bundle: the customer profile and the trust product resource, which differ in their policies only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from local.twilio.core.times import iso
from local.twilio.trusthub.evaluation import Evaluation
from local.twilio.trusthub.policies import Policy

LINKS = {
    "entity_assignments": "EntityAssignments",
    "evaluations": "Evaluations",
    "channel_endpoint_assignment": "ChannelEndpointAssignments",
}


class BundleStatus(StrEnum):
    """How far the review is."""

    DRAFT = "draft"
    PENDING_REVIEW = "pending-review"
    IN_REVIEW = "in-review"
    REJECTED = "twilio-rejected"
    APPROVED = "twilio-approved"


OPEN_TO_CHANGES = frozenset({BundleStatus.DRAFT, BundleStatus.REJECTED})
AWAITING_REVIEW = frozenset({BundleStatus.PENDING_REVIEW, BundleStatus.IN_REVIEW})


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """An end user, document, other bundle or phone number as part of a bundle."""

    sid: str
    object_sid: str
    created: datetime


@dataclass(slots=True, kw_only=True)
class Bundle:
    """`assignments` and `endpoints` are by their own SIDs; `round` counts the reviews; `errors` are Twilio's codes."""

    sid: str
    policy: Policy
    friendly_name: str
    email: str
    status_callback: str | None
    created: datetime
    updated: datetime
    status: BundleStatus = BundleStatus.DRAFT
    errors: tuple[int, ...] = ()
    round: int = 0
    assignments: dict[str, Assignment] = field(default_factory=dict)
    endpoints: dict[str, Assignment] = field(default_factory=dict)
    evaluations: dict[str, Evaluation] = field(default_factory=dict)

    @property
    def is_approved(self) -> bool:
        """Others may build on it."""
        return self.status is BundleStatus.APPROVED

    @property
    def object_sids(self) -> tuple[str, ...]:
        """What it is made of."""
        return tuple(each.object_sid for each in self.assignments.values())

    def holds(self, object_sid: str) -> bool:
        """The object is assigned to this bundle."""
        return object_sid in self.object_sids

    def to_json(self, *, account_sid: str, url: str) -> dict[str, Any]:
        """The resource; what was approved has no date of expiry here."""
        return {
            "sid": self.sid,
            "account_sid": account_sid,
            "policy_sid": self.policy.sid,
            "friendly_name": self.friendly_name,
            "status": self.status.value,
            "valid_until": None,
            "email": self.email,
            "status_callback": self.status_callback,
            "date_created": iso(self.created),
            "date_updated": iso(self.updated),
            "url": url,
            "links": _links(self.policy, url),
            "errors": [{"code": code} for code in self.errors] or None,
        }


def _links(policy: Policy, url: str) -> Mapping[str, str]:
    return {f"{policy.kind}s_{name}": f"{url}/{path}" for name, path in LINKS.items()}
