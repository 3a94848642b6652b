"""What the account allows: quiet hours, countries and frequency caps by the template, registration by Twilio's word."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import datetime, timedelta

from sendpool.domain.decision import Policy
from sendpool.domain.quiet_hours import Cap, Watch, load_rules
from sendpool.edge import warm
from sendpool.edge.settings import Limits, QuietHours

# the sweeper looks every few minutes; nobody needs to know it sooner than that
_KNOWN_FOR = timedelta(minutes=1)


def policy() -> Policy:
    allowed = policy_by_template()
    if not warm.settings().checks_registration or _registered.holds(warm.now()):
        return allowed
    return replace(allowed, is_registered=False)


def policy_by_template() -> Policy:
    """Return what the template says alone: for whoever asks about hours and may not read the rest."""
    return _policy(warm.settings().quiet_hours, warm.settings().limits)


class _Registered:
    """Whether the service may text US numbers, read once a minute."""

    def __init__(self) -> None:
        self._read_at: datetime | None = None
        self._is_registered = True

    def holds(self, now: datetime) -> bool:
        if self._read_at is None or not timedelta() <= now - self._read_at < _KNOWN_FOR:
            known = warm.registration_records().get(warm.parameters().messaging_service_sid)
            self._is_registered = known is None or known.is_registered
            self._read_at = now
        return self._is_registered

    def forget(self) -> None:
        self._read_at = None


_registered = _Registered()
warm.on_start_over(_registered.forget)


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
