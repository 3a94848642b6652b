"""What would become of a message: whether it may go, how it goes over the air, what it costs, what may be filtered.

Nothing is sent, claimed or counted. The decision is the one that sending would ask for at that instant, by what the
ledger knows now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sendpool.adapters.ledger.messages import Messages
from sendpool.domain.countries import country_of
from sendpool.domain.decision import Decision, Send
from sendpool.domain.lint import Finding, LintContext, lint
from sendpool.domain.message import OutboundMessage
from sendpool.domain.prices import Cost, PriceTable, estimate
from sendpool.domain.text import (
    CostlyCharacter,
    Segmentation,
    as_sent,
    costly_characters,
    segment,
)
from sendpool.workflows.decide import Deciding, asked_of
from sendpool.workflows.pricing import Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What the account's texts are held against: its name, and the domain of its short links; empty if not known."""

    brand: str
    link_domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewing:
    """What a preview needs; `prices` is called late, for it loads more than most previews need."""

    deciding: Deciding
    messages: Messages
    prices: Callable[[], Prices]
    wording: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a message costs, in millionths of `currency`."""

    currency: str
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would become of a message. Without a text of ours (a template, only media) it has no segmentation."""

    decision: Decision
    segmentation: Segmentation | None
    segments: int
    costly: tuple[CostlyCharacter, ...]
    estimate: Estimate | None
    findings: tuple[Finding, ...]


def preview(message: OutboundMessage, needs: Previewing, *, at: datetime) -> Preview:
    """Say what would become of a message that is offered at this instant."""
    asked = asked_of(message)
    decision = needs.deciding.known([asked]).decide(asked, "preview", at=message.send_at or at)
    body = message.body and as_sent(
        message.body,
        shortens_urls=bool(message.shorten_urls),
        link_domain=needs.wording.link_domain,
    )
    counted = segment(body, smart_encoded=bool(message.smart_encoded)) if body else None
    segments = 1 if message.media_urls else counted.segments if counted else 0
    return Preview(
        decision=decision,
        segmentation=counted,
        segments=segments,
        costly=costly_characters(message.body, smart_encoded=bool(message.smart_encoded))
        if message.body and not message.media_urls
        else (),
        estimate=_estimate(message, segments, needs) if isinstance(decision, Send) else None,
        findings=_findings(message, needs) if message.body else (),
    )


def _estimate(message: OutboundMessage, segments: int, needs: Previewing) -> Estimate | None:
    country = country_of(message.to)
    if country is None or not segments:
        return None
    table: PriceTable | None = needs.prices().table([country])
    cost = estimate(message.to, segments=segments, is_mms=bool(message.media_urls), prices=table)
    return Estimate(currency=table.currency, cost=cost) if table and cost else None


def _findings(message: OutboundMessage, needs: Previewing) -> tuple[Finding, ...]:
    context = LintContext(
        category=message.category,
        brand=needs.wording.brand or None,
        own_domains=(needs.wording.link_domain,) if needs.wording.link_domain else (),
        shortens_links=bool(message.shorten_urls),
    )
    if message.category == "marketing":
        context = replace(context, is_first=not needs.messages.has_texted(message.to))
    return lint(message.body or "", context)
