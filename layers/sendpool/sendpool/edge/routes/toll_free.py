"""Toll-free numbers are submitted for verification; reviews are shown, rejected ones fixed, all of them taken back."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from sendpool.edge import warm
from sendpool.edge.observability import logger
from sendpool.edge.toll_free_models import (
    FixTollFree,
    RemovedTollFree,
    SubmittedTollFree,
    SubmitTollFree,
    TollFreeList,
    TollFreeSummary,
    TollFreeView,
)
from sendpool.edge.verifying import verifying
from sendpool.workflows import toll_free

api = APIGatewayHttpRouter()


@api.post("/compliance/toll-free", summary="Submit a toll-free number; again shows how it stands")
def submit_toll_free(request: Annotated[SubmitTollFree, Body()]) -> SubmittedTollFree:
    done = toll_free.submit(
        request.tollfree_phone_number_sid, request.submission(), verifying(), force=request.force
    )
    if done.is_new:
        logger.info("toll-free submitted", extra={"verification_sid": done.verification.sid})
    return SubmittedTollFree.told(done, now=warm.now())


@api.get("/compliance/toll-free", summary="List toll-free verifications, and who has to act")
def list_toll_free() -> TollFreeList:
    found = toll_free.listed(verifying())
    return TollFreeList(verifications=[TollFreeSummary.of(each, now=warm.now()) for each in found])


@api.get("/compliance/toll-free/<sid>", summary="Show a toll-free verification")
def show_toll_free(sid: str) -> TollFreeView:
    return TollFreeView.of(toll_free.show(sid, verifying()), now=warm.now())


@api.patch("/compliance/toll-free/<sid>", summary="Fix a rejected verification and submit it again")
def fix_toll_free(sid: str, request: Annotated[FixTollFree, Body()]) -> SubmittedTollFree:
    done = toll_free.fix(
        sid, request.changes(), verifying(), reason=request.edit_reason, force=request.force
    )
    if done.is_new:
        logger.info("toll-free submitted again", extra={"verification_sid": sid})
    return SubmittedTollFree.told(done, now=warm.now())


@api.delete("/compliance/toll-free/<sid>", summary="Take a toll-free verification back")
def remove_toll_free(
    sid: str,
    force: Annotated[bool, Query(description="Also one that is approved")] = False,  # noqa: FBT002
) -> RemovedTollFree:
    removed = toll_free.remove(sid, verifying(), force=force)
    if removed:
        logger.info("toll-free removed", extra={"verification_sid": sid})
    return RemovedTollFree(sid=sid, removed=removed)
