"""Trust Hub: customer profiles and trust products (bundles), and the end users, documents and addresses in them.

Nothing here has a key that makes a create safe to repeat. So everything is made under a name of ours that says whose it
is, and looked for by that name first (`found_or_made`): an attempt whose answer got lost may have made it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from twilio.http import HttpClient

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.answered import RefusedError, library
from sendpool.adapters.twilio.registering import PAGE, problems, refusals
from sendpool.domain.a2p.application import PRIMARY_POLICY, Address, Part, Which
from sendpool.domain.a2p.record import Bundle, Problem

_DOCUMENT: Final = "customer_profile_address"
_APPROVED, _PENDING_REVIEW = "twilio-approved", "pending-review"
_ALREADY = 20409
_ASSIGNMENTS: Final = {
    Which.PROFILE: "customer_profiles_entity_assignments",
    Which.PRODUCT: "trust_products_entity_assignments",
}
_EVALUATIONS: Final = {
    Which.PROFILE: "customer_profiles_evaluations",
    Which.PRODUCT: "trust_products_evaluations",
}


class TrustHub:
    """The Trust Hub of an account, and the account's addresses."""

    def __init__(
        self, *, credentials: Credentials, http_client: HttpClient, addresses: HttpClient
    ) -> None:
        self._hub = library(credentials=credentials, http_client=http_client).trusthub.v1
        self._addresses = library(credentials=credentials, http_client=addresses).addresses
        self._bundles: Any = {
            Which.PROFILE: self._hub.customer_profiles,
            Which.PRODUCT: self._hub.trust_products,
        }

    # -------------------------------------------------------------------------------------------- parts

    def end_user(self, part: Part, *, called: str) -> tuple[str, bool]:
        """Return the SID of an end user of this name, which is made if there is none, and whether it was."""
        return _found_or_made(
            called,
            self._hub.end_users.stream,
            lambda: self._hub.end_users.create(
                friendly_name=called, type=part.type, attributes=dict(part.attributes)
            ),
        )

    def tell_end_user(self, sid: str, part: Part) -> bool:
        """Replace what an end user says; False if it is gone."""
        end_user = self._hub.end_users(sid)
        with refusals():
            return _is_there(lambda: end_user.update(attributes=dict(part.attributes)))

    def address(self, address: Address, *, customer_name: str, called: str) -> tuple[str, bool]:
        """Return the SID of an address of this name, which is made if there is none, and whether it was."""
        fields = {
            "customer_name": customer_name,
            "friendly_name": called,
            "street": address.street or "",
            "city": address.city or "",
            "region": address.region or "",
            "postal_code": address.postal_code or "",
            "iso_country": address.country or "",
        } | ({"street_secondary": address.street_secondary} if address.street_secondary else {})
        return _found_or_made(
            called,
            lambda **more: self._addresses.stream(friendly_name=called, **more),
            lambda: self._addresses.create(**fields),
        )

    def document(self, address_sid: str, *, called: str) -> tuple[str, bool]:
        """Return the SID of a document of this name, which is made if there is none, and whether it was."""
        return _found_or_made(
            called,
            self._hub.supporting_documents.stream,
            lambda: self._hub.supporting_documents.create(
                friendly_name=called, type=_DOCUMENT, attributes={"address_sids": address_sid}
            ),
        )

    def tell_document(self, sid: str, address_sid: str) -> bool:
        """Have a document name another address; False if the document is gone."""
        document = self._hub.supporting_documents(sid)
        with refusals():
            return _is_there(lambda: document.update(attributes={"address_sids": address_sid}))

    # -------------------------------------------------------------------------------------------- bundles

    def primary(self) -> str | None:
        """Return the SID of the account's own approved profile; None as long as there is none."""
        with refusals():
            listed = self._hub.customer_profiles.stream(
                policy_sid=PRIMARY_POLICY, status=_APPROVED, page_size=PAGE
            )
            return next((str(each.sid) for each in listed), None)

    def bundle(
        self, which: Which, *, called: str, email: str, policy_sid: str, status_callback: str
    ) -> tuple[str, bool]:
        """Return the SID of a bundle of this name, made as a draft if there is none, and whether it was."""
        bundles = self._bundles[which]
        return _found_or_made(
            called,
            lambda **more: bundles.stream(friendly_name=called, policy_sid=policy_sid, **more),
            lambda: bundles.create(
                friendly_name=called,
                email=email,
                policy_sid=policy_sid,
                status_callback=status_callback,
            ),
        )

    def read(self, which: Which, sid: str) -> Bundle | None:
        """Return a bundle; None if it is gone."""
        with refusals():
            try:
                found = self._bundles[which](sid).fetch()
            except RefusedError as error:
                if not error.is_missing:
                    raise
                return None
        return Bundle(sid=str(found.sid), status=str(found.status), problems=problems(found.errors))

    def assigned(self, which: Which, sid: str) -> Mapping[str, str]:
        """Return what a bundle holds: the SIDs of its assignments by those of the objects."""
        with refusals():
            listed = getattr(self._bundles[which](sid), _ASSIGNMENTS[which]).stream(page_size=PAGE)
            return {str(each.object_sid): str(each.sid) for each in listed}

    def assign(self, which: Which, sid: str, object_sid: str) -> bool:
        """Make an object part of a bundle; again changes nothing. False if the object is gone."""
        assignments = getattr(self._bundles[which](sid), _ASSIGNMENTS[which])
        with refusals():
            try:
                return _is_there(lambda: assignments.create(object_sid=object_sid))
            except RefusedError as error:
                if error.code != _ALREADY:
                    raise
                return True

    def unassign(self, which: Which, sid: str, assignment_sid: str) -> None:
        """Take an object out of a bundle; again changes nothing."""
        _gone(getattr(self._bundles[which](sid), _ASSIGNMENTS[which])(assignment_sid).delete)

    def evaluate(self, which: Which, sid: str, policy_sid: str) -> tuple[Problem, ...]:
        """Hold a bundle against its policy; returns what is missing or wrong."""
        with refusals():
            evaluations = getattr(self._bundles[which](sid), _EVALUATIONS[which])
            found = evaluations.create(policy_sid=policy_sid)
        return tuple(_lacks(found.results or ()))

    def submit(self, which: Which, sid: str, *, email: str) -> None:
        """Hand a bundle in for review, of which this address is told."""
        with refusals():
            self._bundles[which](sid).update(status=_PENDING_REVIEW, email=email)

    # -------------------------------------------------------------------------------------------- deleting

    def delete_bundle(self, which: Which, sid: str) -> None:
        _gone(self._bundles[which](sid).delete)

    def delete_end_user(self, sid: str) -> None:
        _gone(self._hub.end_users(sid).delete)

    def delete_document(self, sid: str) -> None:
        _gone(self._hub.supporting_documents(sid).delete)


def _found_or_made(
    called: str, listed: Callable[..., Iterable[Any]], make: Callable[[], Any]
) -> tuple[str, bool]:
    with refusals():
        named = (each for each in listed(page_size=PAGE) if each.friendly_name == called)
        found = next(named, None)
        return str((found or make()).sid), found is None


def _is_there(change: Callable[[], Any]) -> bool:
    """Change something; tells whether it is there."""
    try:
        change()
    except RefusedError as error:
        if not error.is_missing:
            raise
        return False
    return True


def _gone(delete: Callable[[], Any]) -> None:
    with refusals():
        _is_there(delete)


def _lacks(results: Iterable[Mapping[str, Any]]) -> Iterable[Problem]:
    """Read the requirements that are not met: as a whole, or by their fields."""
    for each in results:
        if each.get("passed"):
            continue
        kind = str(each.get("object_type") or each.get("requirement_name") or "")
        if each.get("error_code"):
            reason = each.get("failure_reason")
            yield Problem(code=int(each["error_code"]), fields=(kind,), description=reason)
            continue
        for wrong in each.get("invalid") or ():
            where = f"{kind}.{wrong.get('object_field')}"
            reason = wrong.get("failure_reason")
            yield Problem(
                code=int(wrong.get("error_code") or 0), fields=(where,), description=reason
            )
