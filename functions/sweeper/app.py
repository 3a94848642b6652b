"""Every minute: goes on with messages whose outcome is unknown and with broadcasts that stand still.

Now and then it also looks whether the service may text US numbers, what became of scheduled messages, what Twilio's
list of messages tells, how far brands and campaigns are registered, and how the reviews of toll-free numbers go;
once a day it closes the books of a day.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

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

if warm.in_lambda():
    outbound.gateway()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> None:
    def may_go_on() -> bool:
        return context.get_remaining_time_in_millis() > ENOUGH_MILLISECONDS

    with ExitStack() as parts:  # the last one first; what one of them raises keeps no other back
        parts.callback(_close_books, may_go_on)
        parts.callback(_follow_registrations, context, may_go_on)
        parts.callback(_reconcile, may_go_on)
        parts.callback(_follow_toll_free, may_go_on)
        parts.callback(_follow_scheduled, may_go_on)
        parts.callback(_check_registration)
        parts.callback(_sweep, context, may_go_on)


def _sweep(context: LambdaContext, may_go_on: Callable[[], bool]) -> None:
    swept = sweep(
        Sweeping(
            due=warm.due(),
            sending=outbound.sending(context),
            controlling=controlling(),
            may_go_on=may_go_on,
        )
    )
    logger.info("swept", extra=asdict(swept))


def _follow_scheduled(may_go_on: Callable[[], bool]) -> None:
    done = follow_scheduled(
        Following(
            due=warm.due(),
            messages=warm.messages(),
            gateway=outbound.gateway(),
            queues=warm.queues(),
            now=warm.now,
            may_go_on=may_go_on,
        )
    )
    if done.asked:
        logger.info("scheduled messages followed", extra=asdict(done))


def _check_registration() -> None:
    if not warm.settings().checks_registration:
        return
    found = check_registration(
        Checking(
            records=warm.registration_records(),
            registrations=outbound.registrations,
            service_sid=warm.parameters().messaging_service_sid,
            now=warm.now,
        )
    )
    if found and not found.is_registered:
        logger.warning("not registered", extra={"remedy": REMEDIES[Reason.NOT_REGISTERED]})


def _follow_registrations(context: LambdaContext, may_go_on: Callable[[], bool]) -> None:
    due = [each for each in seldom.a2p_records().all() if each.is_due(warm.now())]
    if due and may_go_on():
        done = follow_registrations(due, registering(context))
        logger.info("registrations followed", extra=asdict(done))


def _follow_toll_free(may_go_on: Callable[[], bool]) -> None:
    followed = follow_toll_free.follow_toll_free(
        follow_toll_free.Following(
            records=seldom.toll_free_records(),
            verifications=outbound.toll_free_verifications,
            now=warm.now,
            may_go_on=may_go_on,
        )
    )
    if followed and followed.remedy:
        logger.warning("toll-free refused", extra={"remedy": followed.remedy})
    elif followed and followed.changed:
        logger.info("toll-free followed", extra=asdict(followed))


def _reconcile(may_go_on: Callable[[], bool]) -> None:
    done = reconcile(
        Reconciling(
            places=warm.reconciliation(),
            messages=warm.messages(),
            queues=warm.queues(),
            gateway=outbound.gateway(),
            pool=outbound.pool(),
            now=warm.now,
            may_go_on=may_go_on,
        )
    )
    if done.pages:
        logger.info("reconciled", extra=asdict(done))


def _close_books(may_go_on: Callable[[], bool]) -> None:
    close_books(
        ClosingBooks(
            books=warm.books(),
            places=warm.reconciliation(),
            messages=warm.messages(),
            gateway=outbound.gateway(),
            pool=outbound.pool(),
            announce=_announce,
            now=warm.now,
            may_go_on=may_go_on,
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
