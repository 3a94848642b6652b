"""POST /webhooks/status: Twilio tells what became of a message, or of the review of a profile.

Checks the signature, queues, answers 204.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.domain.errors import InvalidSignatureError
from sendpool.edge import warm, webhooks
from sendpool.edge.observability import logger

ROUTE = "/webhooks/status"


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    try:
        webhook = webhooks.verified(event, warm.parameters(), route=ROUTE)
    except InvalidSignatureError:
        return webhooks.forbidden(event)
    review = {"kind": "review", "brand": webhook.query["b"]} if "b" in webhook.query else {}
    warm.queues().callback(
        {
            "version": 1,
            "received_at": warm.now().isoformat(),
            "message_id": webhook.query.get("m"),
            "fields": webhook.fields,
        }
        | review
    )
    return webhooks.no_content(event)
