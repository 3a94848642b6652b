"""A campaign as all rules look at it: each text with its words, what it says, and what content lint finds in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sendpool.domain.lint import Finding, LintContext, lint
from sendpool.domain.phrases import Words, read_words
from sendpool.domain.preflight.addresses import site_of
from sendpool.domain.preflight.campaign import Campaign
from sendpool.domain.preflight.vocabulary import vocabulary

_LONGEST_READ: Final = 5000
"""Characters of a text that are looked at: more than Twilio takes in any field."""

_MOST_SAMPLES: Final = 10
_SENTENCE_END: Final = re.compile(r"[.!?\n](?:\s|$)|$")
# a line that goes on: sentences and list items end with a sign, paragraphs with an empty line
_WRAPPED: Final = re.compile(r"(?<![.!?:;\n\r])\n(?!\s*(?:\n|[-*\u2022]|\d+[.)]))")


@dataclass(frozen=True, slots=True)
class Text:
    """A field's text. `tags` maps what it says (`vocabulary().phrases`) to the words that say so, once each.

    `found` is what content lint finds in it, disclaimers left out: "we send no loans" offers none.
    """

    field: str
    text: str
    words: Words
    tags: Mapping[str, str]
    found: tuple[Finding, ...]
    leads_home: bool
    """Whether a link in it leads to the brand's own site."""

    def first(self, rule: str) -> Finding | None:
        """Return the first finding of a lint rule."""
        return next((each for each in self.found if each.rule == rule), None)

    def says(self, words: frozenset[str]) -> bool:
        """Tell whether any of these words stands in it."""
        return not words.isdisjoint(self.words.words)

    def names(self, brand: str | None) -> bool:
        """Tell whether it names the brand; an unknown one counts as named."""
        return not brand or self.first("L-BRAND-MISSING") is None


@dataclass(frozen=True, slots=True)
class Reading:
    """A campaign with its texts read; fields without a text have None."""

    campaign: Campaign
    description: Text | None
    flow: Text | None
    samples: tuple[Text, ...]
    opt_in_message: Text | None
    opt_out_message: Text | None
    help_message: Text | None

    @property
    def replies(self) -> Iterator[Text]:
        """Yield the texts that answer keywords."""
        messages = (self.opt_in_message, self.opt_out_message, self.help_message)
        yield from (each for each in messages if each)

    @property
    def texts(self) -> Iterator[Text]:
        """Yield all texts."""
        yield from (each for each in (self.description, self.flow) if each)
        yield from self.samples
        yield from self.replies

    @property
    def is_sole_proprietor(self) -> bool:
        """Tell whether it is the campaign of a person without a company."""
        kinds = (self.campaign.us_app_to_person_usecase, self.campaign.brand_type)
        return "SOLE_PROPRIETOR" in kinds


def read(campaign: Campaign) -> Reading:
    """Read all texts of a campaign; of endless ones, as much as could ever be accepted."""
    context = LintContext(
        category="marketing",
        brand=spoken_name(campaign.brand_name),
        own_domains=tuple(filter(None, (site_of(campaign.brand_website),))),
        age_gated=bool(campaign.age_gated),
        use_case=campaign.us_app_to_person_usecase,
        # as if it had declared neither: so that lint names each link and phone number
        has_embedded_links=False,
        has_embedded_phone=False,
    )

    def read_field(name: str, text: str | None) -> Text | None:
        return _read_text(name, text, context) if text and text.strip() else None

    samples = (
        read_field(f"message_samples.{place}", text)
        for place, text in enumerate(campaign.message_samples[:_MOST_SAMPLES])
    )
    return Reading(
        campaign=campaign,
        description=read_field("description", campaign.description),
        flow=read_field("message_flow", campaign.message_flow),
        samples=tuple(filter(None, samples)),
        opt_in_message=read_field("opt_in_message", campaign.opt_in_message),
        opt_out_message=read_field("opt_out_message", campaign.opt_out_message),
        help_message=read_field("help_message", campaign.help_message),
    )


def spoken_name(name: str | None) -> str | None:
    """Return a company's name as texts have it: Owl Shop of Owl Shop, LLC."""
    words = (name or "").split()
    while len(words) > 1 and words[-1].strip(",.").lower() in vocabulary().company_words:
        words.pop()
    return " ".join(words).rstrip(",") or None


def _read_text(field: str, text: str, context: LintContext) -> Text:
    text = _WRAPPED.sub(" ", text[:_LONGEST_READ])
    words = read_words(text)
    meant = _without_disclaimers(text, words)
    found = lint(meant, context)
    # of what a flow says, "we never share numbers" counts too: its negations are guards
    judged = read_words(_without_links(text if field == "message_flow" else meant, found))
    known = vocabulary()
    tags: dict[str, str] = {}
    for tag, start, end in known.phrases.tagged(judged.without(known.guards.places(judged))):
        tags.setdefault(tag, text[judged.starts[start] : judged.ends[end - 1]])
    return Text(field, text, words, tags, found, bool(context.own_domains) and _leads_home(found))


def _without_disclaimers(text: str, words: Words) -> str:
    """Blank what a text says that it is not about, up to the end of the sentence."""
    for start, _ in vocabulary().disclaimers.find(words):
        begin = words.starts[start]
        found = _SENTENCE_END.search(text, begin)
        end = found.start() if found else len(text)
        text = f"{text[:begin]}{' ' * (end - begin)}{text[end:]}"
    return text


def _leads_home(found: tuple[Finding, ...]) -> bool:
    links = {each.start for each in found if each.rule == "L-LINKS-FLAG"}
    return bool(links - {each.start for each in found if each.rule == "L-URL-FOREIGN"})


def _without_links(text: str, found: tuple[Finding, ...]) -> str:
    """Blank the links: owl.shop/texts says nothing of texts."""
    for link in found:
        if link.rule == "L-LINKS-FLAG":
            text = f"{text[: link.start]}{' ' * (link.end - link.start)}{text[link.end :]}"
    return text
