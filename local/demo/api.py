"""The demo's two counterparts over HTTP: Sendpool's API, with signed requests, and the simulator's control API."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.stack.stack import Stack

# only what changes nothing is asked again
_RETRIES = urllib3.Retry(
    3, allowed_methods={"GET"}, status_forcelist={502, 503, 504}, backoff_factor=1
)
_HTTP = urllib3.PoolManager(timeout=urllib3.Timeout(30.0), retries=_RETRIES)


class ApiError(RuntimeError):
    """A request was not answered as it has to be; the text says how."""


@dataclass(frozen=True, slots=True)
class Sendpool:
    """Sendpool's API as a client with AWS credentials uses it."""

    stack: Stack

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._request("POST", path, json.dumps(body or {}).encode())

    def get(self, path: str) -> dict[str, Any]:
        return self._request("GET", path, b"")

    def _request(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        url = self.stack.api_url + path
        request = AWSRequest(
            method=method,
            url=url,
            data=body,
            headers={"content-type": "application/json"} if body else {},
        )
        keys = Credentials(self.stack.aws_access_key_id, self.stack.aws_secret_access_key)
        SigV4Auth(keys, "execute-api", self.stack.region).add_auth(request)
        return _json(method, url, body=body, headers=dict(request.headers.items()))


def upload(form: dict[str, Any], content: bytes) -> None:
    """Post a file with the form that a broadcast was created with, as a browser does."""
    fields = {**form["fields"], "file": ("recipients.csv", content, "text/csv")}
    answer = _send("POST", form["url"], fields=fields)
    if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT}:
        raise ApiError(f"the upload was answered {answer.status}: {answer.data[:500]!r}")


def simulated_messages(stack: Stack) -> list[dict[str, Any]]:
    """Every message that the simulated Twilio made since it was started or reset."""
    truth = _json("GET", f"{stack.twilio_api_url}/_control/truth", body=b"", headers={})
    messages: list[dict[str, Any]] = truth["messages"]
    return messages


def _json(method: str, url: str, *, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    answer = _send(method, url, body=body, headers=headers)
    if answer.status >= HTTPStatus.BAD_REQUEST:
        raise ApiError(f"{method} {url} was answered {answer.status}: {answer.data[:500]!r}")
    parsed: dict[str, Any] = json.loads(answer.data)
    return parsed


def _send(method: str, url: str, **how: Any) -> urllib3.BaseHTTPResponse:
    try:
        return _HTTP.request(method, url, **how)
    except urllib3.exceptions.HTTPError as error:
        raise ApiError(f"{method} {url} was not answered: {error}") from error
