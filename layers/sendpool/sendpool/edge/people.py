"""What the functions that opt people out and in build."""

from __future__ import annotations

from sendpool.edge import warm
from sendpool.workflows.opting_out import OptingOut


def opting_out() -> OptingOut:
    return OptingOut(
        opt_outs=warm.opt_outs(),
        reachability=warm.reachability(),
        queues=warm.queues(),
        forwards=warm.settings().forward_consents,
    )
