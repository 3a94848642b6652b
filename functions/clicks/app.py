"""POST /webhooks/clicks: Twilio tells that a short link was followed. Checks the signature, queues, answers 204."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.domain.errors import InvalidSignatureError
from sendpool.edge import warm, webhooks
from sendpool.edge.observability import logger

ROUTE = "/webhooks/clicks"


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    try:
        webhook = webhooks.verified(event, warm.parameters(), route=ROUTE)
    except InvalidSignatureError:
        return webhooks.forbidden(event)
    warm.queues().callback(
        {
            "version": 1,
            "kind": "click",
            "received_at": warm.now().isoformat(),
            "fields": webhook.fields,
        }
    )
    return webhooks.no_content(event)
