"""GET and PATCH /service show and change the Messaging Service; GET /service/drift tells how it differs from the stack.

POST /service/drift/apply puts it back. GET and PUT /service/declared show and keep what the team's file says of it,
beside the stack's parameters. /service/senders lists, adds and removes the senders of its pool,
/service/link-domain shows and sets the domain of its short links. Once a day it looks for drift by itself.
"""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from sendpool.edge import http, warm
from sendpool.edge.observability import count, logger
from sendpool.edge.service_models import (
    AddedSender,
    AddSender,
    ChangeService,
    DeclarationView,
    Declare,
    DriftView,
    LinkDomainView,
    PutBack,
    PutBackView,
    RemovedSender,
    SenderPage,
    ServiceView,
    UseLinkDomain,
)
from sendpool.edge.serving import linking, serving
from sendpool.workflows import link_domain, service

MAX_BYTES = 64 * 1024

Cursor = Annotated[
    str | None, Query(max_length=512, description="next_cursor of the page before this one")
]
Limit = Annotated[int, Query(ge=1, le=1000)]

api = http.new_api()


def _serving() -> service.Serving:
    return serving(api.lambda_context)


@api.get("/service", summary="Show the Messaging Service, and what this stack declares of it")
def show() -> ServiceView:
    return ServiceView.of(service.compare(_serving()))


@api.patch("/service", summary="Change settings of the Messaging Service")
def change(request: Annotated[ChangeService, Body()]) -> ServiceView:
    changes = request.changes()
    after = service.change(changes, _serving())
    logger.info("service changed", extra={"settings": sorted(changes)})
    return ServiceView.of(after)


@api.get("/service/drift", summary="Tell how the Messaging Service differs from this stack")
def drift() -> DriftView:
    return DriftView.of(service.drift(_serving()))


@api.post("/service/drift/apply", summary="Put the Messaging Service back to what is declared")
def put_back(request: Annotated[PutBack | None, Body()] = None) -> PutBackView:
    # a warm environment may know the public URL of the deployment before, and would put that one back
    warm.parameters().forget()
    after = service.put_back(_serving(), only=request.settings if request else None)
    if after.changed:
        count("ServiceSettingsPutBack", len(after.changed))
        logger.info(
            "service put back", extra={"settings": [each.setting for each in after.changed]}
        )
    return PutBackView.of(after)


@api.get("/service/declared", summary="Show what the team's file says of the Messaging Service")
def show_declared() -> DeclarationView:
    return DeclarationView.of(service.declared_by_file(_serving()))


@api.put("/service/declared", summary="Keep what the team's file says; changes nothing at Twilio")
def declare(request: Annotated[Declare, Body()]) -> DeclarationView:
    kept = service.declare(request.declaration(), _serving())
    logger.info("service declared", extra={"settings": sorted(kept.settings)})
    return DeclarationView.of(kept)


@api.get("/service/senders", summary="List the senders of the pool, and how fast it is")
def list_senders(cursor: Cursor = None, limit: Limit = 100) -> SenderPage:
    return SenderPage.of(service.list_senders(_serving(), cursor=cursor, limit=limit))


@api.post("/service/senders", summary="Add a sender to the pool; again changes nothing")
def add_sender(request: Annotated[AddSender, Body()]) -> AddedSender:
    sender, pool, is_new = service.add_sender(request.new(), _serving())
    if is_new:
        logger.info("sender added", extra={"sender_sid": sender.sid})
    return AddedSender.of(sender, pool, added=is_new)


@api.delete(
    "/service/senders/<sid>", summary="Take a sender out of the pool; again changes nothing"
)
def remove_sender(sid: str) -> RemovedSender:
    removed = service.remove_sender(sid, _serving())
    if removed:
        logger.info("sender removed", extra={"sender_sid": sid})
    return RemovedSender(sid=sid, removed=removed)


@api.get("/service/link-domain", summary="Show the domain of short links, and what comes next")
def show_link_domain() -> LinkDomainView:
    return LinkDomainView.of(link_domain.show(linking()))


@api.put("/service/link-domain", summary="Shorten links with a domain; again goes on setting it up")
def use_link_domain(request: Annotated[UseLinkDomain, Body()]) -> LinkDomainView:
    linked = link_domain.use(request.use(), linking())
    logger.info("link domain set", extra={"next_step": linked.step})
    return LinkDomainView.of(linked)


@api.delete("/service/link-domain", summary="Shorten links with no domain any more")
def leave_link_domain() -> LinkDomainView:
    linked = link_domain.leave(linking())
    logger.info("link domain left")
    return LinkDomainView.of(linked)


def look_for_drift(context: LambdaContext) -> None:
    found = service.look_for_drift(serving(context))
    count("ServiceDrift", len(found.differences))
    if found.differences:
        settings = [each.setting for each in found.differences]
        logger.warning("service drifted", extra={"settings": settings})


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any] | None:
    if event.get("source") == "aws.events":
        look_for_drift(context)
        return None
    return http.answer(api, event, context, max_bytes=MAX_BYTES)
