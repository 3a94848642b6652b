"""Every minute: goes on with messages whose outcome is unknown and with broadcasts that stand still.

Now and then it also looks whether the service may text US numbers, what became of scheduled messages, what Twilio's
list of messages tells, how far brands and campaigns are registered, and how the reviews of toll-free numbers go;
once a day it closes the books of a day.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.edge import outbound, warm
from sendpool.edge.duties import do_duties
from sendpool.edge.observability import logger

if warm.in_lambda():
    outbound.gateway()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> None:
    do_duties(context)
