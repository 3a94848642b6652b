"""All toll-free verifications: making, reviewing, editing, removing."""

from collections.abc import Callable, Iterator
from functools import partial

from local.twilio.account.senders import AccountSenders, Sender, SenderKind
from local.twilio.core.clock import Clock
from local.twilio.core.errors import ApiError, invalid_parameter
from local.twilio.core.forms import Form
from local.twilio.core.reviews import Reviews, Verdict
from local.twilio.core.settings import Behaviour
from local.twilio.core.sids import new_sid
from local.twilio.tollfree.fields import read_edit, read_submission
from local.twilio.tollfree.judging import UNKNOWN_REASON, find_faults
from local.twilio.tollfree.verification import Rejection, Verification, VerificationStatus

CONFLICT = 20409
EDIT_TOO_LATE = 30437
PICKED_UP_AFTER = 1 / 3  # of the time of a review
PRIORITY = 1 / 2  # of that time: an edit within its window jumps the queue
PENDING = frozenset({VerificationStatus.PENDING_REVIEW, VerificationStatus.IN_REVIEW})


class TollfreeVerifications:
    """The verifications of the account, at most one alive for each number."""

    def __init__(
        self,
        *,
        account_sid: str,
        senders: AccountSenders,
        clock: Clock,
        reviews: Reviews,
        behaviour: Callable[[], Behaviour],
    ) -> None:
        """Start with none."""
        self._account_sid = account_sid
        self._senders = senders
        self._clock = clock
        self._reviews = reviews
        self._behaviour = behaviour
        self._by_sid: dict[str, Verification] = {}

    def __iter__(self) -> Iterator[Verification]:
        """All verifications, newest first."""
        return iter(list(reversed(self._by_sid.values())))

    def is_verified(self, number_sid: str) -> bool:
        """The number may send to the US and Canada."""
        return any(
            each.status is VerificationStatus.TWILIO_APPROVED for each in self._of(number_sid)
        )

    def find(self, sid: str, *, path: str) -> Verification:
        """A verification; ApiError 20404 if there is none."""
        if sid not in self._by_sid:
            raise ApiError(20404, path=path)
        return self._by_sid[sid]

    def create(self, form: Form) -> Verification:
        """Take a request in."""
        submission = read_submission(form)
        number = self._find_number(form.get("TollfreePhoneNumberSid"))
        now = self._clock.now()
        if any(each.rejection is None or each.allows_edit(now) for each in self._of(number.sid)):
            raise ApiError(CONFLICT)
        verification = Verification(
            sid=new_sid("HH"),
            account_sid=self._account_sid,
            number=number,
            submission=submission,
            created=now,
            updated=now,
        )
        self._by_sid[verification.sid] = verification
        self._ask(verification, self._behaviour().tollfree_review_seconds)
        return verification

    def edit(self, verification: Verification, form: Form) -> None:
        """Send a rejected one in again; ApiError 20409 if it was not, or cannot be mended, 30437 if it is too late."""
        now = self._clock.now()
        rejection = verification.rejection
        if not verification.allows_edit(now):
            is_late = rejection is not None and now >= rejection.edit_expiration
            raise ApiError(EDIT_TOO_LATE if is_late else CONFLICT)
        verification.submission = read_edit(form, verification.submission)
        verification.rejection = None
        verification.round += 1
        self._move(verification, VerificationStatus.PENDING_REVIEW)
        self._ask(verification, self._behaviour().tollfree_review_seconds * PRIORITY)

    def delete(self, verification: Verification) -> None:
        """Remove it; its number is unverified then."""
        self._reviews.withdraw(verification.sid)
        del self._by_sid[verification.sid]

    def resume(self) -> None:
        """Ask anew for what waited when all reviews were forgotten."""
        for verification in self:
            if verification.status in PENDING:
                self._ask(verification, self._behaviour().tollfree_review_seconds)

    def clear(self) -> None:
        """Remove everything."""
        self._by_sid.clear()

    def _of(self, number_sid: str) -> list[Verification]:
        return [each for each in self if each.number.sid == number_sid]

    def _find_number(self, sid: str) -> Sender:
        number = self._senders.with_sid(sid)
        if number is None:
            raise ApiError(20404, path=sid)
        if number.kind is not SenderKind.TOLL_FREE:
            raise invalid_parameter("TollfreePhoneNumberSid", sid)
        return number

    def _ask(self, verification: Verification, seconds: float) -> None:
        self._clock.after(
            seconds * PICKED_UP_AFTER, partial(self._pick_up, verification, verification.round)
        )
        self._reviews.open(
            verification.sid,
            kind="tollfree_verification",
            seconds=seconds,
            decide=partial(self._decide, verification),
        )

    def _pick_up(self, verification: Verification, round_: int) -> None:
        """Somebody takes a look, unless it is over or another round has begun."""
        is_waiting = verification.status is VerificationStatus.PENDING_REVIEW
        if is_waiting and verification.round == round_:
            self._look_at(verification)

    def _look_at(self, verification: Verification) -> None:
        verification.trust_product_sid = verification.trust_product_sid or new_sid("BU")
        verification.regulated_item_sid = verification.regulated_item_sid or new_sid("RA")
        self._move(verification, VerificationStatus.IN_REVIEW)

    def _decide(self, verification: Verification, verdict: Verdict | None) -> None:
        self._look_at(verification)
        if verdict is None:
            faults = find_faults(verification.submission)
            verdict = Verdict(approved=not faults, codes=faults)
        if verdict.approved:
            self._move(verification, VerificationStatus.TWILIO_APPROVED)
            return
        verification.rejection = Rejection(
            codes=verdict.codes or (UNKNOWN_REASON,), at=self._clock.now(), reason=verdict.reason
        )
        self._move(verification, VerificationStatus.TWILIO_REJECTED)

    def _move(self, verification: Verification, status: VerificationStatus) -> None:
        verification.status = status
        verification.updated = self._clock.now()
