"""What the functions that opt people out and in build."""

from __future__ import annotations

from sendpool.domain.twilio_codes import explain
from sendpool.edge import warm
from sendpool.edge.observability import count, logger
from sendpool.workflows.opting_out import OptingOut


def opting_out() -> OptingOut:
    return OptingOut(
        opt_outs=warm.opt_outs(),
        reachability=warm.reachability(),
        queues=warm.queues(),
        forwards=warm.settings().forward_consents,
        alarm=_alarm,
    )


def _alarm(twilio_code: int) -> None:
    row = explain(twilio_code)
    logger.error(
        "twilio alarm",
        extra={"twilio_code": twilio_code, "class": row.error_class, "remedy": row.remedy},
    )
    # wherever it was met: one alarm watches all
    count("TwilioAlarms", service="sendpool")
