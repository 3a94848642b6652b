"""What the sweeper does each minute: its duties, in order, and what each of them builds.

A duty is a function of the turn. It finds out by itself whether it is due, and says in the log what it did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.domain.books import SIDES, Day
from sendpool.domain.decision import REMEDIES, Reason
from sendpool.edge import outbound, seldom, warm
from sendpool.edge.control import controlling
from sendpool.edge.observability import count, logger
from sendpool.edge.registering import registering
from sendpool.workflows import follow_toll_free
from sendpool.workflows.check_registration import Checking, check_registration
from sendpool.workflows.close_books import ClosingBooks, close_books
from sendpool.workflows.follow_registrations import follow_registrations
from sendpool.workflows.follow_scheduled import Following, follow_scheduled
from sendpool.workflows.reconcile import Reconciling, reconcile
from sendpool.workflows.sweep import Sweeping, sweep

# a message takes two calls at most, a look for evidence and a create, of 13 s each, and a page of Twilio's list one
# call and a thousand reads; none begins with less left
ENOUGH_MILLISECONDS = 28_000


@dataclass(frozen=True, slots=True)
class Turn:
    """One minute's turn: the invocation, and whether there is time to begin something in it."""

    context: LambdaContext

    def may_go_on(self) -> bool:
        return self.context.get_remaining_time_in_millis() > ENOUGH_MILLISECONDS


def do_duties(context: LambdaContext) -> None:
    """Do all duties. What one of them raises is logged and keeps no other back; the last is raised in the end."""
    turn = Turn(context)
    failed: Exception | None = None
    for duty in DUTIES:
        try:
            duty(turn)
        except Exception as error:  # noqa: BLE001  whatever it is, the others have their turn
            logger.error("duty failed", extra={"duty": duty.__name__}, exc_info=error)
            failed = error
    if failed:
        raise failed


def _sweep(turn: Turn) -> None:
    swept = sweep(
        Sweeping(
            due=warm.due(),
            sending=outbound.sending(turn.context),
            controlling=controlling(),
            may_go_on=turn.may_go_on,
        )
    )
    logger.info("swept", extra=asdict(swept))


def _check_registration(_turn: Turn) -> None:
    if not warm.settings().checks_registration:
        return
    found = check_registration(
        Checking(
            records=warm.registration_records(),
            services=outbound.services,
            verifications=outbound.toll_free_verifications,
            service_sid=warm.parameters().messaging_service_sid,
            now=warm.now,
        )
    )
    if found and not found.is_registered:
        logger.warning("not registered", extra={"remedy": REMEDIES[Reason.NOT_REGISTERED]})


def _follow_scheduled(turn: Turn) -> None:
    done = follow_scheduled(
        Following(
            due=warm.due(),
            messages=warm.messages(),
            gateway=outbound.gateway(),
            queues=warm.queues(),
            now=warm.now,
            may_go_on=turn.may_go_on,
        )
    )
    if done.asked:
        logger.info("scheduled messages followed", extra=asdict(done))


def _follow_toll_free(turn: Turn) -> None:
    followed = follow_toll_free.follow_toll_free(
        follow_toll_free.Following(
            records=seldom.toll_free_records(),
            verifications=outbound.toll_free_verifications,
            now=warm.now,
            may_go_on=turn.may_go_on,
        )
    )
    if followed and followed.remedy:
        logger.warning("toll-free refused", extra={"remedy": followed.remedy})
    elif followed and followed.changed:
        logger.info("toll-free followed", extra=asdict(followed))


def _reconcile(turn: Turn) -> None:
    done = reconcile(
        Reconciling(
            places=warm.reconciliation(),
            messages=warm.messages(),
            queues=warm.queues(),
            gateway=outbound.gateway(),
            pool=outbound.pool(),
            now=warm.now,
            may_go_on=turn.may_go_on,
        )
    )
    if done.pages:
        logger.info("reconciled", extra=asdict(done))


def _follow_registrations(turn: Turn) -> None:
    due = [each for each in seldom.a2p_records().all() if each.is_due(warm.now())]
    if due and turn.may_go_on():
        done = follow_registrations(due, registering(turn.context))
        logger.info("registrations followed", extra=asdict(done))


def _close_books(turn: Turn) -> None:
    close_books(
        ClosingBooks(
            books=warm.books(),
            places=warm.reconciliation(),
            messages=warm.messages(),
            gateway=outbound.gateway(),
            pool=outbound.pool(),
            announce=_announce,
            now=warm.now,
            may_go_on=turn.may_go_on,
        )
    )


def _announce(day: Day) -> None:
    """Say what the books of a day come to; costs in millionths of their currency."""
    account = day.account
    count("ReconciliationDrift", account.unexplained, service="sendpool")
    for currency, difference in account.cost_difference.items():
        count(f"ReconciliationCostDifference{currency}", difference, service="sendpool")
    told = {
        "date": day.date.isoformat(),
        "messages": {side: account.side(side).messages for side in SIDES},
        "cost": {side: account.side(side).cost for side in SIDES},
        "causes": account.causes,
        "examples": account.examples,
    }
    say = logger.warning if account.unexplained else logger.info
    say("books closed", extra=told)


DUTIES: Final[tuple[Callable[[Turn], None], ...]] = (
    _sweep,
    _check_registration,
    _follow_scheduled,
    _follow_toll_free,
    _reconcile,
    _follow_registrations,
    _close_books,
)
"""In this order: what nobody goes on with first."""
