"""POST /webhooks/fallback: a text of which the inbound webhook failed. Queues it with the error, and answers nothing.

It needs neither the ledger nor anything that the inbound function could have failed of but Twilio's token.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.domain.errors import InvalidSignatureError
from sendpool.edge import warm, webhooks
from sendpool.edge.observability import count, logger
from sendpool.workflows.receive import AnsweredText

ROUTE = "/webhooks/fallback"


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    try:
        webhook = webhooks.verified(event, warm.parameters(), route=ROUTE)
    except InvalidSignatureError:
        return webhooks.forbidden(event)
    fields = webhook.fields
    logger.warning(
        "inbound failed", extra={"sid": fields["MessageSid"], "error_code": fields.get("ErrorCode")}
    )
    warm.queues().callback(AnsweredText(fields, warm.now()).to_body())
    count("InboundFailed")
    return webhooks.twiml(event, "<Response/>")
