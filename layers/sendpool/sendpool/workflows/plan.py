"""Ask for a broadcast's plan: what would happen if it started now, or at another time; and what changed since.

The dispatcher makes it (workflows/make_plan.py). Asking again replaces it: whoever works on the old one finds another
run and stops. Dying between the item and its tick leaves a plan that stands still until it is asked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sendpool.adapters.ledger.plans import Plans
from sendpool.domain.broadcast import Broadcast, Content, Go, State, pace_of
from sendpool.domain.decision import Policy
from sendpool.domain.errors import ConflictError, InvalidRequestError, PlanMissingError, Violation
from sendpool.domain.plan import Changes, Ending, Plan, PlanState, changes, ending
from sendpool.workflows.control import Controlling, existing, refuse_if_over, require_recipients

if TYPE_CHECKING:
    from sendpool.domain.lint import Finding, LintContext
    from sendpool.workflows.preview import Wording


@dataclass(frozen=True, slots=True)
class PlanTick:
    """Asks to work on a plan from this byte of its rows on."""

    broadcast_id: str
    run: str
    offset: int = 0

    def to_body(self) -> dict[str, Any]:
        return {"version": 1, "plan": self.broadcast_id, "run": self.run, "offset": self.offset}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> PlanTick:
        return cls(broadcast_id=body["plan"], run=body["run"], offset=body["offset"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """What asking for plans needs; of the policy only the hours."""

    plans: Plans
    controlling: Controlling
    policy: Callable[[], Policy]
    wording: Callable[[], Wording]

    @property
    def now(self) -> datetime:
        return self.controlling.now()


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, and what follows from it; `findings` are those of the template as it stands."""

    plan: Plan
    findings: tuple[Finding, ...]
    ending: Ending | None = None
    over_budget: bool | None = None
    report_url: str | None = None
    changes: Changes | None = None


def ask_for_plan(broadcast_id: str, needs: Planning, *, at: datetime | None) -> Planned:
    """Ask for a plan of a broadcast that starts `at`, by itself or at once; one that is there is replaced.

    Raises NotFoundError; ConflictError when the broadcast has started, or is over, or has no recipients yet;
    InvalidRequestError when the time has passed.
    """
    broadcast = existing(broadcast_id, needs.controlling)
    refuse_if_over(broadcast)
    if broadcast.state is not State.CREATED:
        raise ConflictError(
            "This broadcast has started.",
            code="broadcast_started",
            remedy="Plans are made before a broadcast starts; read its report.",
        )
    require_recipients(broadcast, needs.controlling)
    now = needs.now
    if at is not None and at < now:
        raise InvalidRequestError(Violation("at", "at_has_passed", "must not be in the past"))
    rules = needs.policy().rules
    plan = Plan(
        broadcast_id=broadcast_id,
        run=uuid4().hex,
        state=PlanState.READING,
        requested_at=now,
        at=at or max(now, broadcast.start_at or now),
        upload_etag=_upload_etag(broadcast, needs),
        rules_version=rules.version if rules else None,
    )
    needs.plans.ask_for(plan)
    needs.controlling.queues.tick(broadcast_id, PlanTick(broadcast_id, plan.run).to_body())
    return _of_plan(plan, broadcast, needs)


def planned(broadcast_id: str, needs: Planning) -> Planned:
    """Return a broadcast's plan, as far as it is. Raises NotFoundError and PlanMissingError."""
    broadcast = existing(broadcast_id, needs.controlling)
    plan = needs.plans.get(broadcast_id)
    if plan is None:
        raise PlanMissingError
    return _of_plan(plan, broadcast, needs)


def _of_plan(plan: Plan, broadcast: Broadcast, needs: Planning) -> Planned:
    """Add to a plan what follows from it, once it is done; while a broadcast has not started also what changed."""
    findings = _findings(broadcast.content, needs.wording())
    if plan.state is not PlanState.DONE:
        return Planned(plan=plan, findings=findings)
    pace = pace_of(replace(broadcast, pool_rate=plan.pool_rate), Go(), plan.at)
    start_at = max(plan.at, needs.now)
    return Planned(
        plan=plan,
        findings=findings,
        ending=ending(plan.forecast.places.values(), pace=pace, at=plan.at),
        over_budget=_is_over_budget(plan, broadcast),
        report_url=needs.controlling.files.report_url(report_name(plan)),
        changes=_changes(plan, broadcast, needs, at=start_at)
        if broadcast.state is State.CREATED
        else None,
    )


def changed_since_plan(broadcast: Broadcast, needs: Planning) -> Changes | None:
    """Say what is different, for a broadcast that starts, from what its plan said; None without a finished plan."""
    plan = needs.plans.get(broadcast.id)
    if plan is None or plan.state is not PlanState.DONE:
        return None
    return _changes(plan, broadcast, needs, at=broadcast.started_at or needs.now)


def lint_context(
    content: Content, wording: Wording, *, overrides: frozenset[str] = frozenset()
) -> LintContext:
    """Return what a broadcast's texts are held against."""
    from sendpool.domain.lint import LintContext  # noqa: PLC0415

    return LintContext(
        category=content.category,
        brand=wording.brand or None,
        own_domains=(wording.link_domain,) if wording.link_domain else (),
        shortens_links=bool(content.shorten_urls),
        overrides=overrides,
    )


def _findings(content: Content, wording: Wording) -> tuple[Finding, ...]:
    """Hold the template against the rules; its placeholders are meant to be there."""
    if content.body is None:
        return ()
    # loads its phrases
    from sendpool.domain.lint import lint  # noqa: PLC0415

    context = lint_context(content, wording, overrides=frozenset({"L-TEMPLATE"}))
    return lint(content.body, context)


def report_name(plan: Plan) -> str:
    return f"{plan.broadcast_id}/plan-{plan.run}"


def _changes(plan: Plan, broadcast: Broadcast, needs: Planning, *, at: datetime) -> Changes:
    return changes(
        plan,
        at=at,
        now=needs.now,
        upload_etag=_upload_etag(broadcast, needs),
        policy=needs.policy(),
        window=broadcast.window,
        expire_at=broadcast.expire_at,
    )


def _upload_etag(broadcast: Broadcast, needs: Planning) -> str | None:
    if broadcast.retry_of:
        return None
    return needs.controlling.files.upload_etag(broadcast.id)


def _is_over_budget(plan: Plan, broadcast: Broadcast) -> bool | None:
    """Tell whether the plan costs more than it may at most, or has a price that nobody knows; None without a budget."""
    if broadcast.budget is None:
        return None
    costs = plan.forecast.costs.values()
    unknown = any(each.unpriced for each in costs)
    return unknown or sum(each.cost.high for each in costs) > broadcast.budget
