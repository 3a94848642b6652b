"""Tell Twilio of opt-outs and opt-ins that it has not heard itself, so that its own block agrees with ours.

Only what still stands is told: somebody may have said otherwise since, and Twilio heard that. Telling twice is fine.
"""

from __future__ import annotations

from dataclasses import dataclass

from sendpool.adapters.ledger.people import OptOuts
from sendpool.adapters.twilio.products import Consents, RefusedConsent
from sendpool.domain.opt_out import ALL
from sendpool.domain.withdrawal import Forward, Withdrawal


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarding:
    """What forwarding needs; `service` is the Messaging Service's SID, for which Twilio blocks and unblocks."""

    consents: Consents
    opt_outs: OptOuts
    service: str


def forward(told: Withdrawal, what: Forward, needs: Forwarding) -> list[RefusedConsent]:
    """Tell Twilio, and return what it did not take; raises TwilioBusyError or TwilioUnavailableError."""
    scope = needs.service if told.scope == ALL else told.scope
    opted_out = needs.opt_outs.among(told.people, told.scope)
    is_out = what.status == "opt-out"
    people = [person for person in told.people if (person in opted_out) is is_out]
    return needs.consents.tell(people, scope, what) if people else []
