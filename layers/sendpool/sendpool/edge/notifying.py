"""What telling events at a team's own URL needs. Tests put their own in the place of the call with `use_webhook`."""

from __future__ import annotations

import functools
from collections.abc import Callable

from sendpool.adapters.event_webhook import EventWebhook, open_webhook
from sendpool.domain.event_webhook import read_secret
from sendpool.edge import warm
from sendpool.edge.settings import MissingSettingError
from sendpool.workflows.notify import Notifying

_open: list[Callable[[str], EventWebhook]] = [open_webhook]


def use_webhook(make: Callable[[str], EventWebhook] = open_webhook) -> None:
    """Call URLs through this from now on."""
    _open[0] = make
    _webhook.cache_clear()


@functools.lru_cache(maxsize=1)
def _webhook(url: str) -> EventWebhook:
    return _open[0](url)


def notifying() -> Notifying:
    """Raises MissingSettingError, MissingParameterError or SecretError as long as URL or secret are not there."""
    url = warm.settings().event_webhook_url
    if not url:
        raise MissingSettingError("EventWebhookUrl is empty: nobody is to be told")
    return Notifying(
        webhook=_webhook(url),
        keys=[read_secret(each) for each in warm.parameters().event_webhook_secrets],
        queues=warm.queues(),
        now=warm.now,
    )
