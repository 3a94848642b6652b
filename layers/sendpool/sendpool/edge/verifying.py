"""What having toll-free numbers verified needs."""

from __future__ import annotations

from sendpool.edge import outbound, seldom, warm
from sendpool.workflows.toll_free import Verifying


def verifying() -> Verifying:
    return Verifying(
        verifications=outbound.toll_free_verifications(),
        records=seldom.toll_free_records(),
        now=warm.now,
    )
