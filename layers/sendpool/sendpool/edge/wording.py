"""What the account's texts are held against, for previews and plans."""

from __future__ import annotations

from sendpool.edge import warm
from sendpool.workflows.preview import Wording


def wording() -> Wording:
    return Wording(brand=warm.settings().brand, link_domain=warm.settings().link_domain)
