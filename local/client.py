"""Sendpool's HTTP API as a client with AWS credentials uses it: signed, with a timeout, and read again if need be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError

# only what changes nothing is asked again
_RETRIES = urllib3.Retry(
    3,
    allowed_methods={"GET"},
    status_forcelist={429, 502, 503, 504},
    backoff_factor=1,
    raise_on_status=False,
)
_HTTP = urllib3.PoolManager(timeout=urllib3.Timeout(35.0), retries=_RETRIES)


class ApiError(RuntimeError):
    """A request was not answered as it has to be; the text says how."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: a JSON object, which is a problem (RFC 9457) from status 400 on."""

    status: int
    body: Mapping[str, Any]

    @property
    def is_good(self) -> bool:
        return self.status < HTTPStatus.BAD_REQUEST


@dataclass(frozen=True, slots=True)
class Sendpool:
    """The API at a URL, asked with somebody's credentials."""

    url: str
    credentials: Credentials
    region: str

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        """Return what is answered, whatever its status; raises ApiError when nothing that can be read is."""
        text = json.dumps(body).encode() if body is not None else b""
        request = AWSRequest(
            method=method,
            url=self.url + path,
            data=text,
            headers={"content-type": "application/json"} if text else {},
        )
        try:
            SigV4Auth(self.credentials, "execute-api", self.region).add_auth(request)
        except BotoCoreError as error:
            raise ApiError(f"{method} {path} cannot be signed: {error}") from error
        answer = send(method, self.url + path, body=text, headers=dict(request.headers.items()))
        try:
            said = json.loads(answer.data)
        except ValueError as error:
            raise ApiError(_unexpected(method, self.url + path, answer)) from error
        if not isinstance(said, dict):
            raise ApiError(_unexpected(method, self.url + path, answer))
        return Answer(answer.status, said)

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._good("POST", path, body or {})

    def get(self, path: str) -> dict[str, Any]:
        return self._good("GET", path)

    def _good(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = self.ask(method, path, body)
        if not answer.is_good:
            raise ApiError(f"{method} {path} was answered {answer.status}: {answer.body}")
        return dict(answer.body)


def send(method: str, url: str, **how: Any) -> urllib3.BaseHTTPResponse:
    """Send any request; raises ApiError when it is not answered."""
    try:
        return _HTTP.request(method, url, **how)
    except urllib3.exceptions.HTTPError as error:
        raise ApiError(f"{method} {url} was not answered: {error}") from error


def _unexpected(method: str, url: str, answer: urllib3.BaseHTTPResponse) -> str:
    return f"{method} {url} was answered {answer.status}: {answer.data[:500]!r}"
