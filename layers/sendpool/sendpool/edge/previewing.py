"""What previews build: the decision, prices, and what the account's texts are held against."""

from __future__ import annotations

from sendpool.edge import warm
from sendpool.edge.deciding import deciding
from sendpool.edge.prices import prices
from sendpool.edge.wording import wording
from sendpool.workflows.preview import Previewing


def previewing() -> Previewing:
    return Previewing(
        deciding=deciding(),
        messages=warm.messages(),
        prices=prices,
        wording=wording(),
    )
