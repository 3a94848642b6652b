"""What the functions build that ask for plans of broadcasts, or make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendpool.edge import warm
from sendpool.edge.control import controlling
from sendpool.edge.policy import policy_by_template, pool_rate
from sendpool.workflows.plan import Planning

if TYPE_CHECKING:
    from sendpool.workflows.make_plan import PlanMaking
    from sendpool.workflows.preview import Wording


def planning() -> Planning:
    return Planning(
        plans=warm.plans(), controlling=controlling(), policy=policy_by_template, wording=_wording
    )


def _wording() -> Wording:
    # what reads texts is loaded by the first plan
    from sendpool.edge.wording import wording  # noqa: PLC0415

    return wording()


def plan_making() -> PlanMaking:
    # what decides and asks for prices is loaded by the first plan
    from sendpool.edge.deciding import deciding  # noqa: PLC0415
    from sendpool.edge.prices import prices  # noqa: PLC0415
    from sendpool.workflows.make_plan import PlanMaking  # noqa: PLC0415

    return PlanMaking(
        plans=warm.plans(),
        broadcasts=warm.broadcasts(),
        tallies=warm.tallies(),
        messages=warm.messages(),
        files=warm.files(),
        queues=warm.queues(),
        deciding=deciding(),
        prices=prices(),
        wording=_wording(),
        pool_rate=pool_rate,
        default_region=warm.settings().default_region,
        now=warm.now,
    )
