"""What the functions that send build: the gateway to Twilio, and all that sending needs.

Tests swap the transport to Twilio with `use_transport`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import timedelta

from aws_lambda_powertools.utilities.typing import LambdaContext
from twilio.http import HttpClient

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.gateway import TwilioGateway
from sendpool.adapters.twilio.transport import PooledTransport
from sendpool.edge import warm
from sendpool.workflows.send import Sending

_LEASE_SLACK = timedelta(seconds=5)


def _pooled() -> HttpClient:
    settings = warm.settings()
    return PooledTransport(api_url=settings.twilio_api_url, connections=settings.send_concurrency)


_transport: list[Callable[[], HttpClient]] = [_pooled]


def use_transport(make: Callable[[], HttpClient] = _pooled) -> None:
    """Reach Twilio through this from now on."""
    _transport[0] = make
    _gateway.cache_clear()


def gateway() -> TwilioGateway:
    """Return the gateway for the credentials of this moment: a rotated token makes a new one."""
    return _gateway(warm.parameters().credentials, warm.parameters().messaging_service_sid)


@functools.lru_cache(maxsize=1)
def _gateway(credentials: Credentials, service_sid: str) -> TwilioGateway:
    return TwilioGateway(
        credentials=credentials, service_sid=service_sid, http_client=_transport[0]()
    )


def sending(context: LambdaContext) -> Sending:
    """What sending needs in this invocation; its claims outlive the invocation by a little."""
    return Sending(
        messages=warm.messages(),
        chunks=warm.chunks(),
        opt_outs=warm.opt_outs(),
        gateway=gateway(),
        public_url=warm.parameters().public_url,
        now=warm.now,
        lease=timedelta(milliseconds=context.get_remaining_time_in_millis()) + _LEASE_SLACK,
    )
