"""What the functions that register brands and campaigns build."""

from __future__ import annotations

from datetime import timedelta

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.edge import outbound, seldom, warm
from sendpool.workflows.registering import Registering

# one call to Twilio and our answer have to fit in what is left
_ENOUGH_MILLISECONDS = 15_000
# what was made without an answer shows in Twilio's lists by then
_LEASE_SLACK = timedelta(seconds=30)
# Twilio tells of reviews where it tells of messages
_CALLBACK_ROUTE = "/webhooks/status"


def registering(context: LambdaContext) -> Registering:
    """What registration needs in this invocation."""
    return Registering(
        records=seldom.a2p_records(),
        hub=outbound.trust_hub(),
        a2p=outbound.a2p(),
        callback_url=warm.parameters().public_url + _CALLBACK_ROUTE,
        stage=warm.settings().stage,
        lease=timedelta(milliseconds=context.get_remaining_time_in_millis()) + _LEASE_SLACK,
        now=warm.now,
        may_go_on=lambda: context.get_remaining_time_in_millis() > _ENOUGH_MILLISECONDS,
    )
