"""Clicks on shortened links: where they lead, and the callback that tells of them.

A program that unfurls links for a chat counts as a preview, a person as a click. Links that Twilio has forgotten
lead to the fallback URL of their domain, without an event.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from local.twilio.core.background import Background
from local.twilio.core.clock import Clock
from local.twilio.core.debugger import Debugger
from local.twilio.core.settings import Behaviour
from local.twilio.core.times import iso
from local.twilio.links.domains import Domain, Domains
from local.twilio.links.links import Link, Links
from local.twilio.webhooks.client import Call, WebhookClient, new_token

PREVIEWERS = (
    *("facebookexternalhit", "facebot", "twitterbot", "slackbot", "slack-imgproxy", "whatsapp"),
    *("telegrambot", "discordbot", "linkedinbot", "skypeuripreview", "google-pagerenderer"),
    *("googlebot", "bingpreview", "pinterestbot", "redditbot", "applebot", "viber"),
)
FORM = "form"
SENT_TO_FALLBACK = 30104
LED_NOWHERE = 30105
CALLBACK_FAILED = 11200


class EventType(StrEnum):
    """What a click event reports."""

    CLICK = "click"
    PREVIEW = "preview"


def event_type_of(user_agent: str) -> EventType:
    """Who follows a link: a known link previewer, or a person."""
    word = user_agent.lower()
    return EventType.PREVIEW if any(each in word for each in PREVIEWERS) else EventType.CLICK


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody follows a link; without an event type it is looked up only."""

    code: str
    host: str
    user_agent: str
    event_type: EventType | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clicks:
    """Leads visitors on, and calls back behind their backs."""

    account_sid: str
    links: Links
    domains: Domains
    clock: Clock
    debugger: Debugger
    client: WebhookClient
    background: Background
    behaviour: Callable[[], Behaviour]

    def follow(self, visit: Visit) -> str | None:
        """Where the visitor is sent on to, None for nowhere; raises the event where there is one."""
        link = self.links.find(visit.code)
        now = self.clock.now()
        if link is None or link.is_expired(now):
            return self._fall_back(link, visit)
        if visit.event_type is not None:
            self._count(link, visit.event_type)
            self._call_back(link, visit.event_type, visit.user_agent, now)
        return link.original

    def _fall_back(self, link: Link | None, visit: Visit) -> str | None:
        domain = link.domain if link else self.domains.with_name(visit.host)
        target = domain.config.fallback_url if domain and domain.config else None
        if domain is not None:
            self.debugger.note(
                SENT_TO_FALLBACK if target else LED_NOWHERE,
                url=f"https://{domain.name}/{visit.code}",
                sid=link.message_sid if link else "",
            )
        return target

    def _count(self, link: Link, event_type: EventType) -> None:
        if event_type is EventType.CLICK:
            link.clicks += 1
        else:
            link.previews += 1

    def _call_back(self, link: Link, event_type: EventType, user_agent: str, now: datetime) -> None:
        url = _callback_url(link.domain)
        if url is None:
            return
        fields = {
            "event_type": event_type.value,
            "sms_sid": link.message_sid,
            "to": link.to,
            "from": link.sender,
            "link": link.original,
            "click_time": iso(now),
            "messaging_service_sid": link.service_sid,
            "account_sid": self.account_sid,
            "user_agent": user_agent,
        }
        is_form = self.behaviour().click_format == FORM
        call = (
            Call(url=url, params=fields, token=new_token())
            if is_form
            else Call(url=url, json=fields, token=new_token())
        )
        self.background.start(self._send(call, link))

    async def _send(self, call: Call, link: Link) -> None:
        answer = await self.client.call(call)
        if not answer.is_success:
            self.debugger.note(CALLBACK_FAILED, url=call.url, sid=link.message_sid)


def _callback_url(domain: Domain) -> str | None:
    return domain.config.callback_url if domain.config else None
