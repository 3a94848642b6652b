"""TwiML for messages: the text of a webhook's answer becomes verbs, or a `TwimlError` with Twilio's code."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

from local.twilio.core.addresses import is_number, is_sender

MAX_BODY = 1600
MAX_MEDIA = 10
METHODS = frozenset({"GET", "POST"})
MESSAGE_ATTRIBUTES = frozenset({"to", "from", "action", "method", "statusCallback"})
DECLARATION = re.compile(r"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)

DOCUMENT_UNREADABLE = 12100
SCHEMA_WARNING = 12200
INVALID_TO = 14101
INVALID_FROM = 14102
INVALID_BODY = 14103
INVALID_METHOD = 14104
INVALID_STATUS_CALLBACK = 14105
INVALID_VERB = 14110
INVALID_URL = 11100
TOO_MANY_MEDIA = 21623


class TwimlError(Exception):
    """A document or a verb that cannot be carried out, with Twilio's code."""

    def __init__(self, code: int) -> None:
        """Remember the code."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageVerb:
    """A message to be sent; without `to` or `sender` it answers the inbound one."""

    body: str
    media: tuple[str, ...] = ()
    to: str = ""
    sender: str = ""
    action: str = ""
    method: str = "POST"
    status_callback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectVerb:
    """Go on with the document at another URL; what follows it is not reached."""

    url: str
    method: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """A verb that is passed over, and why."""

    code: int


type Verb = MessageVerb | RedirectVerb | Unusable


def parse_twiml(text: str, *, base: str) -> list[Verb]:
    """The verbs of a document; URLs in it may be relative to its own."""
    root = _parse(text)
    if root.tag != "Response":
        raise TwimlError(DOCUMENT_UNREADABLE)
    return [_read_verb(element, base) for element in root]


def read_plain(text: str) -> Verb:
    """A plain text is the body of an answer."""
    return MessageVerb(body=text) if len(text) <= MAX_BODY else Unusable(INVALID_BODY)


def _parse(text: str) -> ET.Element:
    """Declarations of entities are refused, so the parser can be trusted with what is left."""
    if DECLARATION.search(text):
        raise TwimlError(DOCUMENT_UNREADABLE)
    try:
        return ET.fromstring(text.strip())  # noqa: S314 - no entities, and 64 kB at most
    except ET.ParseError as exc:
        raise TwimlError(DOCUMENT_UNREADABLE) from exc


def _read_verb(element: ET.Element, base: str) -> Verb:
    reader = READERS.get(element.tag)
    if reader is None:
        return Unusable(INVALID_VERB)
    try:
        return reader(element, base)
    except TwimlError as exc:
        return Unusable(exc.code)


def _read_message(element: ET.Element, base: str) -> MessageVerb:
    given = element.attrib
    if set(given) - MESSAGE_ATTRIBUTES or {child.tag for child in element} - {"Body", "Media"}:
        raise TwimlError(SCHEMA_WARNING)
    if "to" in given and not is_number(given["to"]):
        raise TwimlError(INVALID_TO)
    if "from" in given and not is_sender(given["from"]):
        raise TwimlError(INVALID_FROM)
    body, media = _read_content(element, base)
    return MessageVerb(
        body=body,
        media=media,
        to=given.get("to", ""),
        sender=given.get("from", ""),
        action=_read_url(given.get("action", ""), base, INVALID_URL),
        method=_read_method(element),
        status_callback=_read_url(given.get("statusCallback", ""), base, INVALID_STATUS_CALLBACK),
    )


def _read_content(element: ET.Element, base: str) -> tuple[str, tuple[str, ...]]:
    pieces = [element.text or "", *(child.tail or "" for child in element)]
    own_text = "".join(pieces).strip()
    body = own_text + "".join(each.text or "" for each in element.iter("Body"))
    urls = [(each.text or "").strip() for each in element.iter("Media")]
    if len(urls) > MAX_MEDIA:
        raise TwimlError(TOO_MANY_MEDIA)
    if len(body) > MAX_BODY or not (body or urls):
        raise TwimlError(INVALID_BODY)
    return body, tuple(_read_url(url or "/", base, INVALID_URL) for url in urls)


def _read_redirect(element: ET.Element, base: str) -> RedirectVerb:
    url = (element.text or "").strip()
    return RedirectVerb(url=_read_url(url, base, INVALID_URL) or base, method=_read_method(element))


def _read_method(element: ET.Element) -> str:
    method = element.attrib.get("method", "POST").upper()
    if method not in METHODS:
        raise TwimlError(INVALID_METHOD)
    return method


def _read_url(url: str, base: str, code: int) -> str:
    if not url:
        return ""
    try:
        target = urljoin(base, url)
        parts = urlsplit(target)
        host = parts.hostname
    except ValueError as exc:
        raise TwimlError(code) from exc
    if parts.scheme not in {"http", "https"} or not host or " " in url:
        raise TwimlError(code)
    return target


READERS: dict[str, Callable[[ET.Element, str], Verb]] = {
    "Message": _read_message,
    "Sms": _read_message,
    "Redirect": _read_redirect,
}
