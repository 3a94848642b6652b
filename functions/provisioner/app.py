"""On each deployment: finds, makes and sets the Messaging Service, for CloudFormation, which waits for the answer."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.edge import provisioning
from sendpool.edge.observability import logger


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return provisioning.answer(event, context)
