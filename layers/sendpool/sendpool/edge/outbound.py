"""What the functions that send build: the gateway to Twilio, and all that sending needs.

Tests swap the transport to Twilio with `use_transport`.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from datetime import timedelta

from aws_lambda_powertools.utilities.typing import LambdaContext
from twilio.http import HttpClient

from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.a2p import A2p
from sendpool.adapters.twilio.gateway import TwilioGateway
from sendpool.adapters.twilio.link_domains import LinkDomains
from sendpool.adapters.twilio.media import MediaSource, open_media
from sendpool.adapters.twilio.numbers import Numbers
from sendpool.adapters.twilio.products import (
    Consents,
    Deactivations,
    Storage,
    open_storage,
    product_url,
)
from sendpool.adapters.twilio.services import Services
from sendpool.adapters.twilio.toll_free import TollFreeVerifications
from sendpool.adapters.twilio.transport import PooledTransport
from sendpool.adapters.twilio.trust_hub import TrustHub
from sendpool.edge import warm
from sendpool.edge.deciding import deciding
from sendpool.edge.pausing import paused
from sendpool.edge.people import opting_out
from sendpool.workflows.fetch_media import Fetching
from sendpool.workflows.pool import Pool
from sendpool.workflows.send import Sending

_LEASE_SLACK = timedelta(seconds=5)


def _pooled() -> HttpClient:
    settings = warm.settings()
    return PooledTransport(api_url=settings.twilio_api_url, connections=settings.send_concurrency)


def _opened_media() -> MediaSource:
    return open_media(warm.settings().twilio_api_url, warm.parameters().credentials)


@functools.cache
def pool() -> Pool:
    """Return the sender's pool: what it learned in one invocation holds for the next."""
    return Pool(warm.settings().send_concurrency, sleep=_sleep[0])


_transport: list[Callable[[], HttpClient]] = [_pooled]
_storage: list[Callable[[], Storage]] = [open_storage]
_media: list[Callable[[], MediaSource]] = [_opened_media]
_sleep: list[Callable[[float], None]] = [time.sleep]


def use_transport(
    make: Callable[[], HttpClient] = _pooled,
    *,
    sleep: Callable[[float], None] = time.sleep,
    storage: Callable[[], Storage] = open_storage,
    media: Callable[[], MediaSource] = _opened_media,
) -> None:
    """Reach Twilio through this from now on, with a pool that knows nothing yet and pauses with `sleep`.

    `storage` reads the files that Twilio's answers point at, `media` the pictures that come with texts.
    """
    _transport[0] = make
    _storage[0] = storage
    _media[0] = media
    _sleep[0] = sleep
    _gateway.cache_clear()
    pool.cache_clear()


def consents() -> Consents:
    """Return Twilio's Consents API; a sender is told of few, and keeps no connection for it."""
    return Consents(
        credentials=warm.parameters().credentials, http_client=_transport_to("accounts")
    )


def services() -> Services:
    """Return the Messaging Services of the account."""
    return Services(
        credentials=warm.parameters().credentials, http_client=_transport_to("messaging")
    )


def numbers() -> Numbers:
    """Return the numbers and short codes of the account."""
    return Numbers(credentials=warm.parameters().credentials, http_client=_transport_to("api"))


def toll_free_verifications() -> TollFreeVerifications:
    """Return the toll-free verifications of the account."""
    return TollFreeVerifications(
        credentials=warm.parameters().credentials, http_client=_transport_to("messaging")
    )


def link_domains() -> LinkDomains:
    """Return the link domains of the organization."""
    return LinkDomains(
        credentials=warm.parameters().credentials, http_client=_transport_to("messaging")
    )


def a2p() -> A2p:
    """Return the brands and campaigns of the account."""
    return A2p(credentials=warm.parameters().credentials, http_client=_transport_to("messaging"))


def trust_hub() -> TrustHub:
    """Return the profiles of the account."""
    return TrustHub(
        credentials=warm.parameters().credentials,
        http_client=_transport_to("trusthub"),
        addresses=_transport_to("api"),
    )


def deactivations() -> Deactivations:
    """Return Twilio's lists of deactivated numbers."""
    return Deactivations(
        credentials=warm.parameters().credentials,
        http_client=_transport_to("messaging"),
        storage=_storage[0](),
    )


def fetching() -> Fetching:
    """What fetching the pictures of a text needs."""
    return Fetching(inbound=warm.inbound_messages(), files=warm.files(), source=_media[0]())


def _transport_to(product: str) -> HttpClient:
    if _transport[0] is not _pooled:
        return _transport[0]()
    url = product_url(warm.settings().twilio_api_url, product)
    return PooledTransport(api_url=url, connections=1)


def gateway() -> TwilioGateway:
    """Return the gateway for the credentials of this moment: a rotated token makes a new one."""
    return _gateway(warm.parameters().credentials, warm.parameters().messaging_service_sid)


@functools.lru_cache(maxsize=1)
def _gateway(credentials: Credentials, service_sid: str) -> TwilioGateway:
    return TwilioGateway(
        credentials=credentials,
        service_sid=service_sid,
        http_client=_transport[0](),
        heard=pool().heard,
    )


def sending(context: LambdaContext) -> Sending:
    """What sending needs in this invocation; its claims outlive the invocation by a little."""
    return Sending(
        messages=warm.messages(),
        chunks=warm.chunks(),
        deciding=deciding(),
        opting_out=opting_out(),
        gateway=gateway(),
        public_url=warm.parameters().public_url,
        link_domain=warm.settings().link_domain,
        now=warm.now,
        lease=timedelta(milliseconds=context.get_remaining_time_in_millis()) + _LEASE_SLACK,
        evidence_age=warm.settings().evidence_age,
        pool=pool(),
        parking=warm.parking(),
        tell_paused=paused,
    )
