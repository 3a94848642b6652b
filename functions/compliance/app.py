"""GET, PUT and DELETE /opt-outs/{phone} look up, opt out and opt in again; GET /opt-outs lists, POST …/import opts out.

GET /opt-outs/review lists the texts that read like an opt-out, PUT /opt-outs/review/{sid} decides about one.
GET /conversations/{phone} shows what passed between us and somebody; GET and PUT /answers, what we answer to whom.
POST /compliance/campaigns/preflight holds an A2P campaign against what gets campaigns rejected.
GET /compliance shows where US A2P 10DLC registration stands; …/brands/{name} and …/campaigns/{service_sid} register.
/compliance/toll-free submits toll-free numbers for verification, shows how reviews go, fixes and takes back.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.edge import http
from sendpool.edge.observability import logger
from sendpool.edge.routes import people, registration, toll_free

# what Lambda takes: 6 MB
MAX_BYTES = 6_000_000

api = http.new_api()
for each in (people, registration, toll_free):
    api.include_router(each.api)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return http.answer(api, event, context, max_bytes=MAX_BYTES)
