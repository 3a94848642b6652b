"""Working on a registration: one at a time, kept after each step, and never twice what costs a fee.

Whoever works on a record holds its lease. What Twilio refuses is kept with the record. After an answer that got lost
the lease stays until it is over: by then what Twilio made shows in its lists, where the next one looks first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sendpool.adapters.ledger.a2p import A2pRecords, Record
from sendpool.adapters.twilio.a2p import A2p
from sendpool.adapters.twilio.trust_hub import TrustHub
from sendpool.domain.a2p.record import HandedIn, Refusal
from sendpool.domain.errors import (
    ConflictError,
    InvalidRequestError,
    TwilioBusyError,
    TwilioRefusedError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registering:
    """What these stories need; a lease outlives the invocation by a little.

    `stage` is part of the names of what is made: stages of one account keep theirs apart.
    """

    records: A2pRecords
    hub: TrustHub
    a2p: A2p
    callback_url: str
    stage: str
    lease: timedelta
    now: Callable[[], datetime]
    may_go_on: Callable[[], bool]


class NotNowError(Exception):
    """This is as far as it goes now, for want of time for another step; somebody goes on soon."""


class Work[R: Record]:
    """A record under our lease; `step` is what is being worked on."""

    def __init__(self, record: R, needs: Registering) -> None:
        self.needs = needs
        self.step = ""
        now = needs.now()
        self.record: R = needs.records.claim(record, until=now + needs.lease, now=now)

    def keep(self, record: R) -> None:
        """Write what is known now, if it is anything new."""
        if record != self.record:
            self.record = self.needs.records.save(record)

    def check_time(self) -> None:
        if not self.needs.may_go_on():
            raise NotNowError

    def hand_in[T](
        self, begun: HandedIn, noted: Callable[[R, HandedIn], R], call: Callable[[], T]
    ) -> T:
        """Hand in again what failed, noted before and, if Twilio refuses it, after: then it is not repeated by itself.

        `noted` returns a record with such a note.
        """
        self.check_time()
        self.keep(noted(self.record, begun))
        try:
            return call()
        except TwilioRefusedError as error:
            refused = Refusal(step=self.step, code=error.twilio_code, at=self.needs.now())
            answered = replace(begun, is_sure=True, refused=refused)
            self.keep(noted(self.record, answered))
            raise

    def _let_go(self, **more: Any) -> R:
        now = self.needs.now()
        then = now + self.record.look_after()
        after = replace(
            self.record, **{"claimed_until": None, "looked_at": now, "next_look_at": then} | more
        )
        self.record = self.needs.records.save(after)
        return self.record

    def through(self, steps: Callable[[Work[R]], None]) -> R:
        """Go on as far as it goes, and let the record go. What Twilio refuses is kept, and raised."""
        try:
            steps(self)
        except TwilioRefusedError as error:
            at = self.needs.now()
            self.keep(
                replace(self.record, refusal=Refusal(step=self.step, code=error.twilio_code, at=at))
            )
            self._let_go()
            raise
        except (ConflictError, InvalidRequestError):
            self._let_go()
            raise
        except TwilioBusyError:
            self._let_go(next_look_at=self.needs.now())
            raise
        except NotNowError:
            return self._let_go(next_look_at=self.needs.now())
        return self._let_go(refusal=None)


def go_on[R: Record](
    record: R, needs: Registering, steps: Callable[[Work[R]], None], *, accept_fees: bool = False
) -> R:
    """Take the lease of a record as it was read or declared, and go through these steps as far as they go now.

    Raises InProgressError when somebody else works on it, and what Twilio refuses.
    """
    if accept_fees and record.fees_accepted_at is None:
        record = replace(record, fees_accepted_at=needs.now())
    return Work(record, needs).through(steps)


def again(last: HandedIn | None, digest: str, failed_at: datetime | None) -> HandedIn | None:
    """Say what to keep before something that failed is handed in again.

    None: that was done already, by somebody who could not keep it, and it has failed anew.
    """
    marker = failed_at.isoformat() if failed_at else ""
    is_begun = last is not None and not last.is_sure and last.digest == digest
    if is_begun and last and last.after_failure not in {None, marker}:
        return None
    return HandedIn(digest=digest, after_failure=marker, is_sure=False)
