"""Gap: with roles and signatures enforced, three kinds of right requests of ours are refused.

The emulator is spoken to over http, so what refuses everything but https refuses everything; it knows no resource
for SSM's GetParametersByPath, so only a policy for all parameters would allow it; and it asks for an action of its
own for batches of SQS, where AWS asks for that of a single message.
"""

import json
from typing import Any

from ministack import app
from ministack.core import iam_actions


def fill() -> None:
    """Take every request for an https one, and for the action and the resource that AWS takes it for."""
    name_action = iam_actions.extract_iam_action
    extract = iam_actions.extract_resource_arn
    pin = app.pin_request_origin

    def extract_with_paths(  # noqa: PLR0913, PLR0917 - theirs
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: Any,
        region: str,
        account: str,
    ) -> str:
        if headers.get("x-amz-target") == "AmazonSSM.GetParametersByPath":
            prefix = json.loads(body)["Path"].strip("/")
            return f"arn:aws:ssm:{region}:{account}:parameter/{prefix}"
        resource: str = extract(service, method, path, headers, body, query, region, account)
        return resource

    def name_action_of_one(service: str, *request: Any) -> str:
        action: str = name_action(service, *request)
        return action.removesuffix("Batch") if service == "sqs" else action

    def pin_as_secure(source_ip: str, secure_transport: bool) -> None:  # noqa: ARG001, FBT001 - theirs
        pin(source_ip, secure_transport=True)

    iam_actions.extract_iam_action = name_action_of_one
    iam_actions.extract_resource_arn = extract_with_paths
    app.pin_request_origin = pin_as_secure
