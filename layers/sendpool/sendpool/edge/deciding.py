"""What the functions build that decide whether a message may go."""

from __future__ import annotations

from sendpool.edge import warm
from sendpool.edge.policy import policy
from sendpool.workflows.decide import Deciding


def deciding() -> Deciding:
    return Deciding(
        opt_outs=warm.opt_outs(),
        reachability=warm.reachability(),
        sent=warm.marketing_sent(),
        policy=policy,
        scope=warm.parameters().messaging_service_sid,
        now=warm.now,
    )
