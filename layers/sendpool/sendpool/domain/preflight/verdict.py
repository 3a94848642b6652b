"""The verdict about a campaign, with all that led to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sendpool.domain.preflight.campaign import Campaign
from sendpool.domain.preflight.consent import check_description, check_flow
from sendpool.domain.preflight.content import check_content
from sendpool.domain.preflight.form import check_form, check_wording
from sendpool.domain.preflight.pages import check_pages
from sendpool.domain.preflight.reading import Reading, read
from sendpool.domain.preflight.rules import Hit, Rule, Severity, rules
from sendpool.domain.preflight.samples import check_links, check_replies, check_samples
from sendpool.domain.preflight.use_case import check_use_case

_LONGEST_QUOTED: Final = 200

_CHECKS: Final[tuple[Callable[[Reading], Iterator[Hit]], ...]] = (
    check_form,
    check_use_case,
    check_description,
    check_flow,
    check_samples,
    check_replies,
    check_links,
    check_pages,
    check_content,
    check_wording,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that a campaign breaks.

    `field` is the field's name, of samples with the place (`message_samples.0`); `text`, what in it breaks the rule,
    None if something is missing or it is the whole.
    """

    rule: str
    codes: tuple[int, ...]
    field: str
    severity: Severity
    message: str
    fix: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a reviewer would probably say, and why: the gravest findings first."""

    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Literal["accept", "reject"]:
        """Return whether anything stands against it; warnings do not."""
        return "reject" if any(each.severity == "reject" for each in self.findings) else "accept"


def preflight(campaign: Campaign) -> Preflight:
    """Hold a campaign against all rules; each counts once for each field, at its gravest."""
    reading = read(campaign)
    return judge((hit for check in _CHECKS for hit in check(reading)), rules())


def judge(hits: Iterable[Hit], by: Mapping[str, Rule]) -> Preflight:
    """Turn hits into the verdict of these rules."""
    findings: dict[tuple[str, str], Finding] = {}
    for finding in (_finding(hit, by[hit.rule]) for hit in hits):
        place = (finding.rule, finding.field)
        # of the two words `reject` comes first
        if place not in findings or finding.severity < findings[place].severity:
            findings[place] = finding
    return Preflight(
        tuple(sorted(findings.values(), key=lambda each: (each.severity, each.field, each.rule)))
    )


def _finding(hit: Hit, rule: Rule) -> Finding:
    return Finding(
        rule=hit.rule,
        codes=rule.codes,
        field=hit.field,
        severity=hit.severity or rule.severity,
        message=hit.message or rule.message,
        fix=rule.fix,
        text=hit.text[:_LONGEST_QUOTED] if hit.text else None,
    )
