"""What the functions that estimate build: prices from S3 and from Twilio's price list.

Kept apart from edge/outbound.py: whoever estimates need not load what sends. Tests swap the transport with
`use_transport`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sendpool.adapters import aws
from sendpool.adapters.parameters import Credentials
from sendpool.adapters.prices import PriceFiles
from sendpool.edge import warm

if TYPE_CHECKING:
    from sendpool.workflows.pricing import Prices


def _pooled() -> Any:
    from sendpool.adapters.twilio.products import product_url  # noqa: PLC0415
    from sendpool.adapters.twilio.transport import PooledTransport  # noqa: PLC0415

    url = product_url(warm.settings().twilio_api_url, "pricing")
    return PooledTransport(api_url=url, connections=1)


_transport: list[Callable[[], Any]] = [_pooled]


def use_transport(make: Callable[[], Any] = _pooled) -> None:
    """Reach Twilio's price list through this HTTP client of its SDK from now on, and forget all prices."""
    _transport[0] = make
    _prices.cache_clear()


def prices() -> Prices:
    """Return the prices; what one invocation learned holds for the next. A rotated token makes new ones."""
    return _prices(
        warm.parameters().credentials, PriceFiles(aws.s3(), warm.settings().files_bucket)
    )


@functools.lru_cache(maxsize=1)
def _prices(credentials: Credentials, files: PriceFiles) -> Prices:
    # loads Twilio's HTTP client, which takes a tenth of a second: only for those who ask for prices
    from sendpool.adapters.twilio.pricing import PriceList  # noqa: PLC0415
    from sendpool.workflows.pricing import Prices  # noqa: PLC0415

    return Prices(
        files=files,
        price_list=PriceList(credentials=credentials, http_client=_transport[0]()),
        now=warm.now,
    )
