"""A fake Twilio behind the SDK's HTTP client: it makes messages, lists them, and answers as it is told to."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from twilio.http import HttpClient
from twilio.http.response import Response

from local.twilio.contract.contract import Violation, request_violations
from local.twilio.contract.requests import Request
from sendpool.adapters.twilio.media import MediaFile
from sendpool.adapters.twilio.transport import TransportError
from sendpool.domain.countries import country_of

# the lists of a service, and what each calls its members
_LISTS = {
    "PhoneNumbers": "phone_numbers",
    "ShortCodes": "short_codes",
    "AlphaSenders": "alpha_senders",
    "DestinationAlphaSenders": "alpha_senders",
    "ChannelSenders": "senders",
    "Usa2p": "compliance",
}
_ONE_MESSAGE = re.compile(r"/Messages/(SM[0-9a-f]{32})\.json$")


@dataclass(frozen=True)
class Answer:
    """What one create is answered with, and whether the message is made all the same."""

    status: int = 201
    code: int | None = None
    error: TransportError | None = None
    made: bool = False


@dataclass
class FakeTwilio(HttpClient):
    """Twilio's Messages. `answers` holds what the next creates to a recipient (or to `*`) get.

    The list shows a message `shown_after` it was made, unless `list_answer` refuses or `list_error` is raised. That
    of all messages has pages of at most `page_size`, and `forgets_pages` makes it refuse those that follow the first;
    it does not show SIDs that are `unlisted`. Those that are `deleted` are gone.
    Each request is held against Twilio's OpenAPI documents; `violations` must stay empty.
    """

    clock: Callable[[], datetime]
    made: list[dict[str, str]] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    list_error: TransportError | None = None
    list_answer: Answer = Answer(200)
    shown_after: timedelta = timedelta()
    lists: int = 0
    pages: int = 0
    page_size: int = 1000
    forgets_pages: bool = False
    unlisted: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    on_create: Callable[[Mapping[str, Any]], None] = lambda _fields: None
    on_made: Callable[[Mapping[str, Any]], None] = lambda _fields: None
    on_list: Callable[[Mapping[str, Any]], None] = lambda _params: None
    on_cancel: Callable[[str], None] = lambda _sid: None
    cancel_answers: list[Answer] = field(default_factory=list)
    media: dict[str, tuple[str, bytes] | Exception] = field(default_factory=dict)
    media_reads: int = 0
    canceled: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    short_codes: list[str] = field(default_factory=list)
    campaigns: list[str] = field(default_factory=list)
    campaign_mps: float | None = 75.0
    service_questions: int = 0
    service_error: TransportError | None = None
    consents: list[dict[str, str]] = field(default_factory=list)
    consent_answers: list[Answer] = field(default_factory=list)
    no_consent_of: set[str] = field(default_factory=set)
    deactivated: dict[str, str] = field(default_factory=dict)
    deactivation_answers: list[Answer] = field(default_factory=list)
    on_deactivations: Callable[[str], None] = lambda _day: None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def sent_to(self, to: str) -> list[dict[str, str]]:
        return [message for message in self.made if message["to"] == to]

    def end(self, message: dict[str, Any], status: str, *, error_code: int | None = None) -> None:
        """Let a message come to its end, of which no callback tells."""
        now = format_datetime(self.clock())
        message |= {"status": status, "error_code": error_code, "num_segments": "1"}
        message |= {"date_updated": now, "date_sent": message["date_sent"] or now}

    def request(  # type: ignore[override]
        self, method: str, uri: str, params: Any = None, data: Any = None, **_: object
    ) -> Response:
        asked = _as_sent(method, uri, params, data)
        self.requests.append(asked)
        self.violations.extend(request_violations(asked))
        one = _ONE_MESSAGE.search(asked.path)
        if one:
            return self._change(one[1]) if method == "POST" else self._fetch(one[1])
        if asked.path == "/v1/Consents/Bulk":
            return self._take_consents(data["Items"])
        if asked.path.startswith(("/v1/Services/", "/v1/Tollfree/")):
            return self._service(asked.path.rpartition("/")[2])
        if asked.path == "/v1/Deactivations":
            return self._deactivations(params["Date"])
        assert asked.path.endswith("/Messages.json")
        if method == "POST":
            return self._create(data)
        return self._list(params) if params and "To" in params else self._page(asked)

    def _take_consents(self, items: list[str]) -> Response:
        answer = self.consent_answers.pop(0) if self.consent_answers else Answer(201)
        consents = [json.loads(item) for item in items]
        if answer.status == 201 or answer.made:
            self.consents += consents
        if answer.error:
            raise answer.error
        if answer.status != 201:
            return refusal(answer)
        results = [
            {"correlation_id": each["correlation_id"], "error_code": 30646, "error_messages": ["X"]}
            if each["contact_id"] in self.no_consent_of
            else {"correlation_id": each["correlation_id"], "error_code": 0, "error_messages": []}
            for each in consents
        ]
        return Response(201, json.dumps({"items": results}))

    def _service(self, kind: str) -> Response:
        """Say what the service sends with, and how its campaign stands; no number was submitted for verification."""
        if kind == "Verifications":
            return Response(
                200, json.dumps({"verifications": [], "meta": {"key": "verifications"}})
            )
        self.service_questions += 1
        if self.service_error:
            raise self.service_error
        campaign = {"rate_limits": {"att": {"mps": self.campaign_mps}}}
        found: dict[str, list[dict[str, Any]]] = {
            "phone_numbers": [
                {"sid": f"PN{n:032x}", "phone_number": each, "country_code": country_of(each)}
                for n, each in enumerate(self.numbers)
            ],
            "short_codes": [
                {"sid": f"SC{n:032x}", "short_code": each, "country_code": "US"}
                for n, each in enumerate(self.short_codes)
            ],
            "alpha_senders": [],
            "senders": [],
            "compliance": [{"campaign_status": each, **campaign} for each in self.campaigns],
        }
        key = _LISTS[kind]
        return Response(200, json.dumps({key: found[key], "meta": {"key": key}}))

    def _deactivations(self, day: str) -> Response:
        """Say where the list of a day is; one of which nothing is known is not out yet."""
        self.on_deactivations(day)
        if self.deactivation_answers:
            answer = self.deactivation_answers.pop(0)
            if answer.error:
                raise answer.error
            return refusal(answer)
        if day not in self.deactivated:
            return refusal(Answer(400, 30114))
        return Response(307, json.dumps({"redirect_to": f"https://storage.example.com/{day}"}))

    def read_file(self, url: str) -> Iterator[bytes]:
        """What the storage host answers, in small pieces."""
        content = self.deactivated[url.rpartition("/")[2]].encode()
        yield from (content[at : at + 7] for at in range(0, len(content), 7))

    def read_media(self, url: str) -> MediaFile:
        """What a picture of an inbound text is, or the error that reading it meets."""
        found = self.media[url]
        if isinstance(found, Exception):
            raise found
        self.media_reads += 1
        content_type, content = found
        return MediaFile(content_type, iter([content[:3], content[3:]]))

    def _change(self, sid: str) -> Response:
        """Cancel a message while it is scheduled."""
        self.on_cancel(sid)
        answer = self.cancel_answers.pop(0) if self.cancel_answers else Answer(200)
        message = self._message(sid)
        if message and answer.status == 200 and message["status"] != "scheduled":
            return refusal(Answer(409, 30409))
        if message and (answer.status == 200 or answer.made):
            message["status"] = "canceled"
            self.canceled.append(sid)
        if answer.error:
            raise answer.error
        return self._fetch(sid) if answer.status == 200 else refusal(answer)

    def _fetch(self, sid: str) -> Response:
        message = self._message(sid)
        return Response(200, json.dumps(message)) if message else refusal(Answer(404, 20404))

    def _message(self, sid: str) -> dict[str, Any] | None:
        made = [message for message in self.made if message["sid"] == sid]
        return made[0] if made and sid not in self.deleted else None

    def _create(self, fields: Mapping[str, Any]) -> Response:
        self.on_create(fields)
        with self._lock:
            answer = self._next_answer(fields["To"])
            made = self._make(fields) if answer.status == 201 or answer.made else None
        if made:
            self.on_made(fields)
        if answer.error:
            raise answer.error
        return refusal(answer) if answer.status != 201 else Response(201, json.dumps(made))

    def _next_answer(self, to: str) -> Answer:
        waiting = self.answers.get(to) or self.answers.get("*") or []
        return waiting.pop(0) if waiting else Answer()

    def _make(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        message = {
            "sid": f"SM{len(self.made) + 1:032x}",
            "to": fields["To"],
            "body": fields.get("Body", ""),
            "status": "scheduled" if "SendAt" in fields else "accepted",
            "messaging_service_sid": fields["MessagingServiceSid"],
            "date_created": format_datetime(self.clock()),
            "date_updated": format_datetime(self.clock()),
            "date_sent": None,
            "direction": "outbound-api",
            "num_segments": "0",
            "price": None,
            "price_unit": "USD",
            "error_code": None,
            "fields": dict(fields),
        }
        self.made.append(message)
        return message

    def _list(self, params: Mapping[str, Any]) -> Response:
        self.lists += 1
        self.on_list(params)
        if self.list_error:
            raise self.list_error
        if self.list_answer.status != 200:
            return refusal(self.list_answer)
        shown = self.clock() - self.shown_after
        found = [
            message
            for message in reversed(self.made)
            if message["to"] == params["To"]
            and parsedate_to_datetime(message["date_created"]) <= shown
        ]
        return Response(200, json.dumps({"messages": found, "next_page_uri": None}))

    def _page(self, asked: Request) -> Response:
        """A page of all messages; where the next one begins is the SID of the last that was shown."""
        self.pages += 1
        self.on_list(asked.query)
        if self.list_error:
            raise self.list_error
        if self.list_answer.status != 200:
            return refusal(self.list_answer)
        after = asked.query.get("PageToken", [""])[0].removeprefix("PA")
        if after and self.forgets_pages:
            return refusal(Answer(400, 20001))
        hidden = self.unlisted | self.deleted
        shown = [message for message in self.made if message["sid"] not in hidden]
        sids = [message["sid"] for message in shown]
        older = shown[: sids.index(after)] if after else shown
        size = min(self.page_size, int(asked.query["PageSize"][0]))
        found = older[::-1][:size]
        more = None
        if len(older) > size:
            more = f"{asked.path}?PageSize={size}&Page=1&PageToken=PA{found[-1]['sid']}"
        return Response(200, json.dumps({"messages": found, "next_page_uri": more}))


def refusal(answer: Answer) -> Response:
    problem = {"status": answer.status, "message": "no"}
    with_code = {**problem, "code": answer.code} if answer.code else problem
    return Response(answer.status, json.dumps(with_code))


def _as_sent(method: str, uri: str, params: Any, form: Any) -> Request:
    """The request as it would go over the wire, where every value is a text."""
    parts = urlsplit(uri)
    query = "&".join(filter(None, [parts.query, urlencode(params or {}, doseq=True)]))
    return Request(
        method=method,
        path=parts.path,
        query=parse_qs(query, keep_blank_values=True),
        form=parse_qs(urlencode(form or {}, doseq=True), keep_blank_values=True),
    )
