"""The evaluation: what a bundle has, lacks or has wrong, held against its policy."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.twilio.core.times import iso
from local.twilio.trusthub.entities import DocumentStatus, Entity
from local.twilio.trusthub.policies import (
    DocumentRequirement,
    EndUserRequirement,
    Policy,
    ProfileRequirement,
)
from local.twilio.trusthub.types import Attribute, EntityType

END_USER_MISSING = 22214
END_USER_INCOMPLETE = 22215
DOCUMENT_MISSING = 22216
DOCUMENT_INCOMPLETE = 22217
ADDRESS_MISSING = 22219
ADDRESSES = "address_sids"

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a bundle is made of; `profiles` tells of each profile's type whether it is approved."""

    end_users: Sequence[Entity]
    documents: Sequence[Entity]
    profiles: Mapping[str, bool]
    has_address: Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The outcome at one moment."""

    sid: str
    policy_sid: str
    created: datetime
    results: Sequence[Json]

    @property
    def is_compliant(self) -> bool:
        """Nothing is missing or wrong."""
        return all(result["passed"] for result in self.results)

    def to_json(self, *, account_sid: str, owner: Mapping[str, str], url: str) -> Json:
        """The resource; `owner` names the bundle."""
        return {
            "sid": self.sid,
            "account_sid": account_sid,
            "policy_sid": self.policy_sid,
            **owner,
            "status": "compliant" if self.is_compliant else "noncompliant",
            "results": list(self.results),
            "date_created": iso(self.created),
            "url": url,
        }


def evaluate(policy: Policy, parts: Parts) -> list[Json]:
    """One result for each requirement of the policy."""
    return [
        *_check_end_users(policy, parts),
        *(_check_document(each, parts) for each in policy.documents),
        *(_check_profile(each, parts) for each in policy.profiles),
    ]


def _check_end_users(policy: Policy, parts: Parts) -> Iterator[Json]:
    for requirement in policy.end_users:
        end_user = _first_of(parts.end_users, (requirement.type,))
        if end_user is not None or requirement.is_mandatory:
            yield _check_end_user(requirement, end_user)


def _check_end_user(requirement: EndUserRequirement, end_user: Entity | None) -> Json:
    name = requirement.type.friendly_name
    return _result(
        requirement_name=requirement.type.name,
        requirement=name,
        name=name,
        object_type=requirement.type.name,
        missing=None if end_user else (END_USER_MISSING, f"A {name} End-User is missing."),
        fields=_check_attributes(requirement.type, end_user, END_USER_INCOMPLETE),
    )


def _check_document(requirement: DocumentRequirement, parts: Parts) -> Json:
    document = _first_of(parts.documents, requirement.accepted)
    accepted = document.type if document else requirement.accepted[0]
    fields = _check_attributes(accepted, document, DOCUMENT_INCOMPLETE)
    if document is not None and not _has_addresses(document, parts.has_address):
        fields = [_failed(each, ADDRESS_MISSING, "is missing") for each in accepted.attributes]
    return _result(
        requirement_name=requirement.requirement_name,
        requirement=requirement.name,
        name=accepted.friendly_name,
        object_type=accepted.name,
        missing=None
        if document
        else (DOCUMENT_MISSING, f"A {accepted.friendly_name} document is missing."),
        fields=fields,
    )


def _check_profile(requirement: ProfileRequirement, parts: Parts) -> Json:
    found = [each for each in requirement.profile_types if each in parts.profiles]
    is_approved = bool(found) and parts.profiles[found[0]]
    field = Attribute(name="bundle_status")
    return _result(
        requirement_name=requirement.requirement_name,
        requirement=requirement.name,
        name=requirement.name,
        object_type=found[0] if found else requirement.profile_types[0],
        missing=None if found else (DOCUMENT_MISSING, f"A {requirement.name} is missing."),
        fields=[
            _passed(field)
            if is_approved
            else _failed(field, DOCUMENT_INCOMPLETE, "is not twilio-approved")
        ],
    )


def _first_of(entities: Sequence[Entity], types: Sequence[EntityType]) -> Entity | None:
    return next((each for each in entities if each.type in types), None)


def _has_addresses(document: Entity, has_address: Callable[[str], bool]) -> bool:
    """Every address exists, or did when the document was approved."""
    if document.status is DocumentStatus.APPROVED:
        return True
    given = document.attributes.get(ADDRESSES)
    sids = given if isinstance(given, list) else str(given or "").split(",")
    return all(has_address(str(sid).strip()) for sid in sids)


def _check_attributes(kind: EntityType, entity: Entity | None, code: int) -> list[Json]:
    attributes = entity.attributes if entity else {}
    return [
        _check_attribute(each, attributes, code)
        for each in kind.attributes
        if each.is_wanted(attributes) or each.name in attributes
    ]


def _check_attribute(attribute: Attribute, attributes: Mapping[str, object], code: int) -> Json:
    value = attributes.get(attribute.name)
    if not value and attribute.is_wanted(attributes):
        return _failed(attribute, code, "is missing")
    if value and not attribute.takes(value):
        return _failed(attribute, code, "has a value that is not allowed")
    return _passed(attribute)


def _passed(attribute: Attribute) -> Json:
    return {
        "object_field": attribute.name,
        "friendly_name": attribute.friendly_name,
        "passed": True,
        "failure_reason": None,
        "error_code": None,
    }


def _failed(attribute: Attribute, code: int, reason: str) -> Json:
    return _passed(attribute) | {
        "passed": False,
        "failure_reason": f"The {attribute.friendly_name} {reason}.",
        "error_code": code,
    }


def _result(
    *,
    requirement_name: str,
    requirement: str,
    name: str,
    object_type: str,
    missing: tuple[int, str] | None,
    fields: Sequence[Json],
) -> Json:
    """What is missing altogether has a code and a reason of its own; single fields bring theirs."""
    invalid = [each for each in fields if not each["passed"]]
    code, reason = missing or (None, None)
    return {
        "friendly_name": name,
        "object_type": object_type,
        "passed": missing is None and not invalid,
        "failure_reason": reason,
        "error_code": code,
        "valid": [each for each in fields if each["passed"]],
        "invalid": invalid,
        "requirement_friendly_name": requirement,
        "requirement_name": requirement_name,
    }
