"""POST /webhooks/inbound: somebody texted us. Keeps the message and answers with TwiML."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from twilio.twiml.messaging_response import MessagingResponse

from sendpool.domain.errors import InvalidSignatureError
from sendpool.edge import warm, webhooks
from sendpool.edge.observability import logger
from sendpool.edge.people import opting_out
from sendpool.workflows.receive import Receiving, receive

ROUTE = "/webhooks/inbound"


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    try:
        webhook = webhooks.verified(event, warm.parameters(), route=ROUTE)
    except InvalidSignatureError:
        return webhooks.forbidden(event)
    needs = Receiving(
        inbound=warm.inbound_messages(),
        opting_out=opting_out(),
        reply=warm.settings().inbound_reply,
        likely_stop=warm.settings().likely_stop,
    )
    received = receive(webhook.fields, needs, at=warm.now())
    logger.info(
        "inbound",
        extra={"sid": webhook.fields["MessageSid"], "opt_out_class": received.opt_out_class},
    )
    response = MessagingResponse()
    if received.answer:
        response.message(received.answer)
    return webhooks.twiml(event, str(response))
