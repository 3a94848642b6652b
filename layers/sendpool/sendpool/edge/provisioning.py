"""CloudFormation's requests for the Messaging Service: read, done, and answered whatever happens.

Tests put their own in the place of the answer's way back with `use_responder`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.adapters import aws
from sendpool.adapters.cloudformation import (
    LONGEST_SECONDS,
    Answer,
    Responder,
    encoded,
    open_responder,
)
from sendpool.adapters.parameters import MissingParameterError
from sendpool.domain.errors import InvalidRequestError, SendpoolError
from sendpool.domain.messaging_service import declared_webhooks
from sendpool.edge import outbound, warm
from sendpool.edge.observability import logger
from sendpool.edge.settings import MissingSettingError, features
from sendpool.workflows.provision import (
    Declaration,
    Provisioning,
    Retiring,
    is_service_sid,
    provide,
    retire,
)

# a pool is read with five calls to Twilio of 13 s at most; then there must be time for the answer
_ENOUGH_MILLISECONDS: Final = (5 * 13 + LONGEST_SECONDS) * 1000

# what a version of the template that did not ask for it yet goes by: as template.yaml's parameters begin
_DEFAULTS: Final = {
    "MessagingServiceSid": "",
    "ServiceName": "",
    "Senders": "",
    "DeleteService": "never",
}

# what whoever deploys has to mend; all else is ours
_EXPECTED: Final = (SendpoolError, MissingParameterError, MissingSettingError)

_open: list[Callable[[], Responder]] = [open_responder]


def use_responder(make: Callable[[], Responder] = open_responder) -> None:
    """Bring answers through this from now on."""
    _open[0] = make
    _responder.cache_clear()


@functools.cache
def _responder() -> Responder:
    return _open[0]()


def answer(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do what CloudFormation asks for and tell it what came of it; returns what it was told.

    Raises NotAnsweredError when it could not be told, so that Lambda asks again. An event without a ResponseURL, made
    by hand, is answered by what is returned only.
    """
    said = _done(event, context).to(event)
    if event.get("ResponseURL"):
        _responder()(event["ResponseURL"], encoded(said))
    return said


def _done(event: Mapping[str, Any], context: LambdaContext) -> Answer:
    kind, kept = event["RequestType"], event.get("PhysicalResourceId")
    try:
        if kind == "Delete":
            return _retired(event, kept or "")
        return _provided(event, kept, context)
    except Exception as error:  # noqa: BLE001  whatever it is, a deployment waits for the answer
        reason = _reason(error)
        logger.error(
            "messaging service not provided",
            extra={"request": kind, "reason": reason},
            exc_info=None if isinstance(error, _EXPECTED) else error,
        )
        # a create that failed has made nothing that its clean-up could take for the stack's own
        failed = kept or f"failed-{event['RequestId']}"
        return Answer(status="FAILED", resource_id=failed, reason=reason)


def _provided(event: Mapping[str, Any], kept: str | None, context: LambdaContext) -> Answer:
    wanted, before = event["ResourceProperties"], event.get("OldResourceProperties")
    # a warm environment may know the token, or its absence, of the deployment before
    warm.parameters().forget()
    service_sid = provide(
        declaration(wanted, other=before),
        Provisioning(
            services=outbound.services(),
            numbers=outbound.numbers(),
            may_go_on=lambda: context.get_remaining_time_in_millis() > _ENOUGH_MILLISECONDS,
        ),
        before=declaration(before, other=wanted) if before else None,
        kept=kept if is_service_sid(kept) else None,
    )
    logger.info("messaging service provided", extra={"service_sid": service_sid})
    return Answer(status="SUCCESS", resource_id=service_sid, attributes={"ServiceSid": service_sid})


def _retired(event: Mapping[str, Any], service_sid: str) -> Answer:
    warm.parameters().forget()
    is_deleted = is_service_sid(service_sid) and retire(
        service_sid,
        declaration(event["ResourceProperties"]),
        Retiring(services=outbound.services, is_stack_there=_is_stack_there),
    )
    done = "deleted" if is_deleted else "left as it is"
    logger.info(f"messaging service {done}", extra={"service_sid": service_sid})
    return Answer(status="SUCCESS", resource_id=service_sid)


def _is_stack_there() -> bool:
    # a stack that goes gives up the parameter first, because that refers to the service
    try:
        return bool(warm.parameters().messaging_service_sid)
    except MissingParameterError:
        return False


def declaration(
    properties: Mapping[str, Any], *, other: Mapping[str, Any] | None = None
) -> Declaration:
    """Read the properties that template.yaml gives the resource; CloudFormation makes text of all of them.

    A rollback brings those of an older version, which may lack some: account and URL are then as in the `other` ones
    of the update, all else as by default.
    """
    steady = {name: (other or {}).get(name, "") for name in ("AccountSid", "PublicUrl")}
    said = {**_DEFAULTS, **steady, **properties}
    # the features are called as their variables in functions are
    variables = {_variable(name): str(value) for name, value in said.items()}
    public_url = said["PublicUrl"].rstrip("/")
    return Declaration(
        account_sid=said["AccountSid"],
        service_sid=said["MessagingServiceSid"] or None,
        name=said["ServiceName"] or f"Sendpool {warm.settings().stage}",
        settings={
            **(declared_webhooks(public_url) if public_url else {}),
            **features(variables),
        },
        senders=tuple(dict.fromkeys(filter(None, said["Senders"].split(",")))),
        goes_with_stack=said["DeleteService"] == "with-the-stack",
    )


def _variable(name: str) -> str:
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", name).upper()


def _reason(error: Exception) -> str:
    """Say why in words that are ours: what others say may hold secrets."""
    match error:
        case InvalidRequestError():
            return " ".join(each.message for each in error.violations)
        case SendpoolError():
            code = f" (Twilio {error.twilio_code})" if error.twilio_code else ""
            return f"{error.detail.removesuffix('.')}{code}. {error.remedy or ''}".rstrip()
        case MissingParameterError() | MissingSettingError():
            return str(error)
    # Powertools hides what AWS said in what its own error came of
    refusal = aws.refusal(error) or aws.refusal(error.__context__ or error)
    said = f" (AWS refused {refusal['operation']}: {refusal['code']})" if refusal else ""
    group = f"/sendpool/{warm.settings().stage}/provisioner"
    return f"{type(error).__name__}{said}. The log group {group} has more."
