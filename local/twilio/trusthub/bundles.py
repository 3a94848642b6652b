"""Customer profiles and trust products: made, filled, evaluated, submitted, reviewed, deleted."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from urllib.parse import urlsplit

from local.twilio.core.clock import Clock
from local.twilio.core.errors import ApiError, invalid_parameter
from local.twilio.core.forms import Form
from local.twilio.core.reviews import Reviews, Verdict
from local.twilio.core.settings import Behaviour
from local.twilio.core.sids import new_sid
from local.twilio.trusthub.bundle import (
    AWAITING_REVIEW,
    OPEN_TO_CHANGES,
    Assignment,
    Bundle,
    BundleStatus,
)
from local.twilio.trusthub.contents import Contents
from local.twilio.trusthub.entities import DocumentStatus, Entities
from local.twilio.trusthub.evaluation import Evaluation
from local.twilio.trusthub.judging import UNKNOWN_REASON, find_faults, reason_of
from local.twilio.trusthub.notices import Notices
from local.twilio.trusthub.policies import POLICIES, PRIMARY, BundleKind

CONFLICT = 20409
NOT_DELETABLE = 21647
HAS_NUMBERS = 21648
PICKED_UP_AFTER = 0.1  # of the time of the review
RESTRICTED = "This operation is restricted via API for Primary Customer Profiles. Use Twilio Console instead."
DOCUMENT_STATUSES = {
    BundleStatus.PENDING_REVIEW: DocumentStatus.PENDING_REVIEW,
    BundleStatus.APPROVED: DocumentStatus.APPROVED,
    BundleStatus.REJECTED: DocumentStatus.REJECTED,
}


class Bundles:
    """The bundles of the account, in order of making."""

    def __init__(
        self,
        *,
        end_users: Entities,
        documents: Entities,
        clock: Clock,
        reviews: Reviews,
        notices: Notices,
        behaviour: Callable[[], Behaviour],
        has_address: Callable[[str], bool],
    ) -> None:
        """Start with none; what they are made of is looked up in the stores given."""
        self._clock = clock
        self._reviews = reviews
        self._notices = notices
        self._behaviour = behaviour
        self._by_sid: dict[str, Bundle] = {}
        self._contents = Contents(
            end_users=end_users,
            documents=documents,
            bundles=self._by_sid,
            has_address=has_address,
        )

    def __iter__(self) -> Iterator[Bundle]:
        """All bundles."""
        return iter(list(self._by_sid.values()))

    def of_kind(self, kind: BundleKind) -> list[Bundle]:
        """The customer profiles, or the trust products."""
        return [bundle for bundle in self if bundle.policy.kind is kind]

    def get(self, sid: str) -> Bundle | None:
        """The bundle with that SID, if there is one."""
        return self._by_sid.get(sid)

    def find(self, sid: str, kind: BundleKind, *, path: str) -> Bundle:
        """A bundle of a kind; ApiError 20404 if there is none."""
        bundle = self._by_sid.get(sid)
        if bundle is None or bundle.policy.kind is not kind:
            raise ApiError(20404, path=path)
        return bundle

    def create(self, form: Form, kind: BundleKind) -> Bundle:
        """A draft; ApiError 20001 for a policy that is unknown, of the other kind, or the Console's."""
        form.require("FriendlyName", "Email", "PolicySid")
        policy = POLICIES.get(form.get("PolicySid"))
        if policy is None or policy.kind is not kind:
            raise invalid_parameter("PolicySid", form.get("PolicySid"))
        if policy is PRIMARY:
            raise ApiError(20001, detail=RESTRICTED)
        now = self._clock.now()
        return self.add(
            Bundle(
                sid=new_sid("BU"),
                policy=policy,
                friendly_name=form.get("FriendlyName"),
                email=form.get("Email"),
                status_callback=_read_callback(form),
                created=now,
                updated=now,
            )
        )

    def add(self, bundle: Bundle) -> Bundle:
        """Take a bundle in."""
        self._by_sid[bundle.sid] = bundle
        return bundle

    def update(self, bundle: Bundle, form: Form) -> None:
        """Change what was sent, and submit if the status says so; ApiError 20409 once nothing may change."""
        _check_open(bundle)
        status = form.choice("Status", ("draft", "pending-review"), default=bundle.status.value)
        if status == BundleStatus.PENDING_REVIEW:
            self._check_compliant(bundle)
        if "StatusCallback" in form:
            bundle.status_callback = _read_callback(form)
        bundle.friendly_name = form.get("FriendlyName") or bundle.friendly_name
        bundle.email = form.get("Email") or bundle.email
        bundle.updated = self._clock.now()
        if "Status" in form:
            bundle.errors = ()
            self._move(bundle, BundleStatus(status))
        if bundle.status is BundleStatus.PENDING_REVIEW:
            self._ask(bundle)

    def delete(self, bundle: Bundle) -> None:
        """Remove a bundle; ApiError 21648 with a number on it, 21647 while it is under review or part of another."""
        if bundle.endpoints:
            raise ApiError(HAS_NUMBERS)
        if bundle.status in AWAITING_REVIEW or self.holders_of(bundle.sid):
            raise ApiError(NOT_DELETABLE)
        del self._by_sid[bundle.sid]

    def holders_of(self, object_sid: str) -> list[Bundle]:
        """The bundles that an object is assigned to."""
        return [bundle for bundle in self if bundle.holds(object_sid)]

    def assign(self, bundle: Bundle, object_sid: str) -> Assignment:
        """Make an object part of a bundle; ApiError 20404 if there is none, 20409 if it is or nothing may change."""
        if self._contents.type_of(object_sid) is None:
            raise ApiError(20404, path=object_sid)
        _check_open(bundle)
        if bundle.holds(object_sid) or object_sid == bundle.sid:
            raise ApiError(CONFLICT)
        assignment = Assignment(sid=new_sid("BV"), object_sid=object_sid, created=self._clock.now())
        bundle.assignments[assignment.sid] = assignment
        return assignment

    def unassign(self, bundle: Bundle, assignment: Assignment) -> None:
        """Take an object out again; ApiError 20409 if nothing may change."""
        _check_open(bundle)
        del bundle.assignments[assignment.sid]

    def assignments_of_type(self, bundle: Bundle, type_name: str) -> list[Assignment]:
        """The assignments of objects of a type of end user, document or profile."""
        return [
            each
            for each in bundle.assignments.values()
            if self._contents.type_of(each.object_sid) == type_name
        ]

    def evaluate(self, bundle: Bundle, form: Form) -> Evaluation:
        """Hold a bundle against its policy and keep the outcome; ApiError 20001 for another policy."""
        form.require("PolicySid")
        if form.get("PolicySid") != bundle.policy.sid:
            raise invalid_parameter("PolicySid", form.get("PolicySid"))
        evaluation = self._contents.evaluate(bundle, self._clock.now())
        bundle.evaluations[evaluation.sid] = evaluation
        return evaluation

    def attributes_of(self, bundle: Bundle, type_name: str) -> Mapping[str, object]:
        """The attributes of the bundle's end user or document of a type, none if it has none."""
        return self._contents.attributes_of(bundle, type_name)

    def resume(self) -> None:
        """Ask anew for what waited when all reviews were forgotten."""
        for bundle in self:
            if bundle.status in AWAITING_REVIEW:
                self._ask(bundle)

    def clear(self) -> None:
        """Forget all."""
        self._by_sid.clear()

    def _check_compliant(self, bundle: Bundle) -> None:
        if not self._contents.evaluate(bundle, self._clock.now()).is_compliant:
            detail = f"{bundle.sid} is noncompliant with its policy; an evaluation tells why"
            raise ApiError(20001, detail=detail)

    def _ask(self, bundle: Bundle) -> None:
        bundle.round += 1
        seconds = self._behaviour().profile_review_seconds
        self._clock.after(seconds * PICKED_UP_AFTER, partial(self._pick_up, bundle, bundle.round))
        self._reviews.open(
            bundle.sid,
            kind=bundle.policy.kind.value,
            seconds=seconds,
            decide=partial(self._decide, bundle),
        )

    def _pick_up(self, bundle: Bundle, round_: int) -> None:
        if bundle.status is BundleStatus.PENDING_REVIEW and bundle.round == round_:
            self._move(bundle, BundleStatus.IN_REVIEW)

    def _decide(self, bundle: Bundle, verdict: Verdict | None) -> None:
        if verdict is None:
            faults = find_faults(
                self._contents.texts_of(bundle),
                is_compliant=self._contents.evaluate(bundle, self._clock.now()).is_compliant,
            )
            verdict = Verdict(approved=not faults, codes=faults)
        bundle.errors = () if verdict.approved else verdict.codes or (UNKNOWN_REASON,)
        self._move(bundle, BundleStatus.APPROVED if verdict.approved else BundleStatus.REJECTED)
        self._notices.announce(bundle, reason=verdict.reason or reason_of(bundle.errors))

    def _move(self, bundle: Bundle, status: BundleStatus) -> None:
        bundle.status = status
        bundle.updated = self._clock.now()
        for entity in self._contents.entities_of(bundle):
            entity.status = DOCUMENT_STATUSES.get(status, entity.status)


def _check_open(bundle: Bundle) -> None:
    if bundle.status not in OPEN_TO_CHANGES:
        raise ApiError(CONFLICT)


def _read_callback(form: Form) -> str | None:
    url = form.get("StatusCallback")
    parts = urlsplit(url)
    if url and not (parts.scheme in {"http", "https"} and parts.netloc):
        raise invalid_parameter("StatusCallback", url)
    return url or None
