"""Opt-out keywords, and what is answered to them: Twilio's own, or those of a service with Advanced Opt-Out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Keyword(StrEnum):
    """What an inbound message that is a keyword asks for; the values are those of OptOutType."""

    STOP = "STOP"
    START = "START"
    HELP = "HELP"


DEFAULT_WORDS: Mapping[Keyword, frozenset[str]] = {
    Keyword.STOP: frozenset(
        {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"}
    ),
    Keyword.START: frozenset({"START", "YES", "UNSTOP"}),
    Keyword.HELP: frozenset({"HELP", "INFO"}),
}
# what Advanced Opt-Out cannot take away
FIXED_WORDS: Mapping[Keyword, frozenset[str]] = {
    Keyword.STOP: frozenset({"STOP"}),
    Keyword.START: frozenset({"START", "UNSTOP"}),
    Keyword.HELP: frozenset({"HELP"}),
}
DEFAULT_TEXTS: Mapping[Keyword, str] = {
    Keyword.STOP: (
        "You have successfully been unsubscribed. You will not receive any more messages "
        "from this number. Reply START to resubscribe."
    ),
    Keyword.START: (
        "You have successfully been re-subscribed to messages from this number. "
        "Reply HELP for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply."
    ),
    Keyword.HELP: "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordRules:
    """Which words count, and their answers; `is_advanced` rules also show in the webhook."""

    words: Mapping[Keyword, frozenset[str]]
    texts: Mapping[Keyword, str]
    is_advanced: bool

    def find(self, body: str) -> Keyword | None:
        """The keyword that a whole message is, whatever its case; `STOP PLEASE` is none."""
        word = word_of(body)
        return next((keyword for keyword in Keyword if word in self.words[keyword]), None)

    def to_json(self) -> dict[str, Any]:
        """The rules as the control API shows them."""
        return {
            "enabled": self.is_advanced,
            "keywords": {keyword.value: sorted(self.words[keyword]) for keyword in Keyword},
            "messages": {keyword.value: self.texts[keyword] for keyword in Keyword},
        }


DEFAULT_RULES = KeywordRules(words=DEFAULT_WORDS, texts=DEFAULT_TEXTS, is_advanced=False)


def word_of(body: str) -> str:
    """A message as keywords are written."""
    return body.strip().upper()


class AdvancedOptOut:
    """The services that have Advanced Opt-Out, with their rules."""

    def __init__(self) -> None:
        """Start with no service: it is off by default."""
        self._by_service: dict[str, KeywordRules] = {}

    def configure(self, service_sid: str, given: Mapping[str, Any]) -> None:
        """Switch it on or off from JSON: `enabled`, `keywords`, `messages`; ValueError if unreadable.

        A kind of keyword that is not given keeps Twilio's words and text.
        """
        unknown = set(given) - {"enabled", "keywords", "messages"}
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        words, texts = dict(DEFAULT_WORDS), dict(DEFAULT_TEXTS)
        for name, own_words in dict(given.get("keywords", {})).items():
            words[Keyword(name)] = FIXED_WORDS[Keyword(name)] | _read_words(name, own_words)
        for name, text in dict(given.get("messages", {})).items():
            texts[Keyword(name)] = str(text)
        if given.get("enabled", True) is True:
            rules = KeywordRules(words=words, texts=texts, is_advanced=True)
            self._by_service[service_sid] = rules
        else:
            self._by_service.pop(service_sid, None)

    def rules_of(self, service_sid: str | None) -> KeywordRules:
        """The rules that hold for a service; Twilio's own without one, or where it is off."""
        return self._by_service.get(service_sid or "", DEFAULT_RULES)

    def clear(self) -> None:
        """Switch it off everywhere."""
        self._by_service.clear()


def _read_words(name: str, given: Iterable[Any]) -> frozenset[str]:
    if isinstance(given, str):
        raise TypeError(f"keywords.{name}: a list is wanted")
    return frozenset(word_of(str(word)) for word in given)
