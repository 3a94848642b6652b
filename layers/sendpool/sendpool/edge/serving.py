"""What the function that keeps the Messaging Service builds, and what this stack's parameters declare of it."""

from __future__ import annotations

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.adapters.ledger.declarations import Declarations
from sendpool.domain.messaging_service import Changes, declared_webhooks
from sendpool.edge import outbound, seldom, warm
from sendpool.workflows.link_domain import Linking
from sendpool.workflows.service import Serving

# one call to Twilio and our answer have to fit in what is left
_ENOUGH_MILLISECONDS = 15_000


def declared() -> Changes:
    """Return what the service shall be: webhooks by the public URL, features by the stack's parameters."""
    return {
        **declared_webhooks(warm.parameters().public_url),
        **warm.settings().service_features,
    }


def serving(context: LambdaContext) -> Serving:
    return Serving(
        services=outbound.services(),
        numbers=outbound.numbers(),
        declarations=Declarations(warm.table()),
        verifications=outbound.toll_free_verifications(),
        service_sid=warm.parameters().messaging_service_sid,
        declared=declared(),
        tell=lambda events: seldom.bus().publish(events),
        now=warm.now,
        may_go_on=lambda: context.get_remaining_time_in_millis() > _ENOUGH_MILLISECONDS,
    )


def linking() -> Linking:
    return Linking(
        domains=outbound.link_domains(),
        service_sid=warm.parameters().messaging_service_sid,
        public_url=warm.parameters().public_url,
        now=warm.now,
    )
