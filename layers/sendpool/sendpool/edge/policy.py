"""What the account allows: quiet hours, countries and caps by the template, registration and speed by Twilio's word."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import datetime, timedelta

from sendpool.domain.decision import Policy
from sendpool.domain.quiet_hours import Cap, Watch, load_rules
from sendpool.domain.registration import Registration
from sendpool.edge import warm
from sendpool.edge.settings import Limits, QuietHours

# the sweeper looks every few minutes; nobody needs to know it sooner than that
_KNOWN_FOR = timedelta(minutes=1)


def policy() -> Policy:
    allowed = policy_by_template()
    known = _known()
    return (
        allowed if known is None or known.is_registered else replace(allowed, is_registered=False)
    )


def pool_rate() -> float | None:
    """Return how many segments a second the senders of the pool pass on; None as long as nobody knows."""
    known = _known()
    return known.segments_per_second if known else None


def policy_by_template() -> Policy:
    """Return what the template says alone: for whoever asks about hours and may not read the rest."""
    return _policy(warm.settings().quiet_hours, warm.settings().limits)


class _Known:
    """What the sweeper found out about the pool, read once a minute."""

    def __init__(self) -> None:
        self._read_at: datetime | None = None
        self._found: Registration | None = None

    def known(self, now: datetime) -> Registration | None:
        if self._read_at is None or not timedelta() <= now - self._read_at < _KNOWN_FOR:
            self._found = warm.registration_records().get(warm.parameters().messaging_service_sid)
            self._read_at = now
        return self._found

    def forget(self) -> None:
        self._read_at = None


_registration = _Known()
warm.on_start_over(_registration.forget)


def _known() -> Registration | None:
    """Return what the sweeper found; nothing where it does not look, as what it found once may be long over."""
    return _registration.known(warm.now()) if warm.settings().checks_registration else None


@functools.cache
def _policy(quiet_hours: QuietHours, limits: Limits) -> Policy:
    caps = (
        (limits.marketing_a_day, timedelta(days=1), "day"),
        (limits.marketing_a_week, timedelta(days=7), "week"),
    )
    return Policy(
        hours=Watch(load_rules(off=quiet_hours.federal_in, closed=quiet_hours.closed_in))
        if quiet_hours.are_kept
        else None,
        countries=limits.countries,
        caps=tuple(Cap(count, within, rule) for count, within, rule in caps if count),
    )
