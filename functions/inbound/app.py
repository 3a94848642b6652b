"""POST /webhooks/inbound: somebody texted us. Keeps the message and answers with TwiML."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from twilio.twiml.messaging_response import MessagingResponse

from sendpool.adapters import aws
from sendpool.domain.errors import InvalidSignatureError
from sendpool.edge import warm, webhooks
from sendpool.edge.answers import answer_book_at_hand
from sendpool.edge.observability import count, logger
from sendpool.edge.receiving import receiving
from sendpool.workflows.receive import AnsweredText, answers_in, receive

ROUTE = "/webhooks/inbound"


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    try:
        webhook = webhooks.verified(event, warm.parameters(), route=ROUTE)
    except InvalidSignatureError:
        return webhooks.forbidden(event)
    response = MessagingResponse()
    for answer in _answers(webhook.fields):
        response.message(answer)
    return webhooks.twiml(event, str(response))


def _answers(fields: dict[str, str]) -> tuple[str, ...]:
    try:
        kept = receive(fields, receiving(), at=warm.now())
    except aws.UNAVAILABLE as error:
        logger.error("text put aside", extra={"sid": fields["MessageSid"], **aws.refusal(error)})
        return _put_aside(fields)
    logger.info("inbound", extra={"sid": kept.sid, "opt_out_class": kept.opt_out_class})
    return kept.answers


def _put_aside(fields: dict[str, str]) -> tuple[str, ...]:
    """Leave a text to the recorder while the ledger takes nothing; answer what can be answered without it."""
    now = warm.now()
    answers = answers_in(
        fields, answer_book_at_hand(), warm.settings().likely_stop, before=None, at=now
    )
    warm.queues().callback(AnsweredText(fields, now, answers).to_body())
    count("InboundPutAside")
    return answers
