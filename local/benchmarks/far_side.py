"""What a sender talks to, as one small server: Twilio's create after a fixed time, and AWS's table and parameters.

It takes next to no time of its own. Twilio's answer has the fields and the size of the real one. The table keeps
whatever is put into it, takes every condition for met, forgets updates, and answers reads from what it keeps.

    python -m local.benchmarks.far_side --core 0 --twilio-ms 80 --aws-ms 4
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import re
import zlib
from collections.abc import Callable
from typing import Any

Item = dict[str, Any]

_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)", re.IGNORECASE)
_TARGET = re.compile(rb"\r\nX-Amz-Target: *[^.]+\.(\w+)", re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"
KEPT = "/kept"


class Twilio:
    """Makes a message of every create, and says how many are in the making."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.in_flight = 0

    def made(self) -> bytes:
        """Return the answer to one create."""
        sid = f"SM{next(self._numbers):032x}"
        account = "AC00000000000000000000000000000001"
        uri = f"/2010-04-01/Accounts/{account}/Messages/{sid}"
        message = {
            "account_sid": account,
            "api_version": "2010-04-01",
            "body": "Hi Person, the sale is on until Sunday evening. Bring this text for 10% off. "
            * 2,
            "date_created": "Mon, 23 Nov 2026 15:00:00 +0000",
            "date_sent": None,
            "date_updated": "Mon, 23 Nov 2026 15:00:00 +0000",
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": None,
            "messaging_service_sid": "MG00000000000000000000000000000001",
            "num_media": "0",
            "num_segments": "0",
            "price": None,
            "price_unit": None,
            "sid": sid,
            "status": "accepted",
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "tags": None,
            "to": "+12025550123",
            "uri": f"{uri}.json",
        }
        return answer(
            "201 Created",
            message,
            f"Twilio-Concurrent-Requests: {self.in_flight}\r\nTwilio-Request-Id: RQ{self.in_flight:032x}\r\n"
            "Twilio-Request-Duration: 0.080\r\nX-API-Domain: api.twilio.com\r\n"
            "Strict-Transport-Security: max-age=31536000\r\nX-Powered-By: AT-5000\r\n"
            "Access-Control-Allow-Origin: *\r\nX-Shenanigans: none\r\n"
            "Date: Mon, 23 Nov 2026 15:00:00 GMT\r\nConnection: keep-alive\r\n"
            "Vary: Origin\r\n",
        )


class Aws:
    """A table without conditions, and the parameters of a deployment."""

    def __init__(self, parameters: dict[str, str]) -> None:
        self._parameters = parameters
        self._partitions: dict[str, dict[str, Item]] = {}
        self._operations: dict[str, Callable[[Any], Any]] = {
            "GetItem": self._get,
            "PutItem": self._put,
            "UpdateItem": lambda _: {},
            "DeleteItem": lambda _: {},
            "Query": self._query,
            "BatchGetItem": self._get_many,
            "BatchWriteItem": self._put_many,
            "GetParametersByPath": self._all_parameters,
        }

    def answer(self, operation: str, body: bytes) -> bytes:
        text = json.dumps(self._operations[operation](json.loads(body))).encode()
        more = f"x-amz-crc32: {zlib.crc32(text)}\r\nx-amzn-RequestId: 1\r\n"
        return answer("200 OK", text, more, content_type="application/x-amz-json-1.0")

    def kept(self, prefix: str) -> int:
        """How many items whose sort keys begin so are kept."""
        return sum(key.startswith(prefix) for rows in self._partitions.values() for key in rows)

    def _keep(self, item: Item) -> None:
        self._partitions.setdefault(item["pk"]["S"], {})[item["sk"]["S"]] = item

    def _found(self, key: Item) -> Item | None:
        return self._partitions.get(key["pk"]["S"], {}).get(key["sk"]["S"])

    def _get(self, asked: Any) -> Any:
        found = self._found(asked["Key"])
        return {"Item": found} if found else {}

    def _put(self, asked: Any) -> Any:
        self._keep(asked["Item"])
        return {}

    def _query(self, asked: Any) -> Any:
        values = asked["ExpressionAttributeValues"]
        rows = self._partitions.get(values.get(":pk", {}).get("S", ""), {})
        prefix = values.get(":prefix", {}).get("S", "")
        found = [rows[key] for key in sorted(rows) if key.startswith(prefix)]
        return {"Items": found, "Count": len(found), "ScannedCount": len(found)}

    def _get_many(self, asked: Any) -> Any:
        responses = {
            name: [found for key in table["Keys"] if (found := self._found(key))]
            for name, table in asked["RequestItems"].items()
        }
        return {"Responses": responses, "UnprocessedKeys": {}}

    def _put_many(self, asked: Any) -> Any:
        for writes in asked["RequestItems"].values():
            for write in writes:
                self._keep(write["PutRequest"]["Item"])
        return {"UnprocessedItems": {}}

    def _all_parameters(self, asked: Any) -> Any:
        below = asked["Path"].rstrip("/")
        return {
            "Parameters": [
                {"Name": f"{below}/{name}", "Value": value, "Type": "String"}
                for name, value in self._parameters.items()
            ]
        }


def answer(
    status: str, body: Any, more: str = "", *, content_type: str = "application/json"
) -> bytes:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(text)}\r\n{more}\r\n"
    return head.encode() + text


class Peer(asyncio.Protocol):
    """One connection: requests one after the other, each answered after its time."""

    def __init__(
        self, twilio: Twilio, aws: Aws, *, twilio_seconds: float, aws_seconds: float
    ) -> None:
        self._twilio = twilio
        self._aws = aws
        self._seconds = {"twilio": twilio_seconds, "aws": aws_seconds}
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, received: bytes) -> None:
        self._buffer += received
        head, end, rest = self._buffer.partition(_END_OF_HEAD)
        length = _LENGTH.search(head)
        size = int(length[1]) if length else 0
        if not end or len(rest) < size:
            return
        self._buffer = rest[size:]
        self._on_request(head, rest[:size])

    def _on_request(self, head: bytes, body: bytes) -> None:
        target = _TARGET.search(head)
        if target:
            self._later("aws", lambda: self._aws.answer(target[1].decode(), body))
        elif head.startswith(b"GET " + KEPT.encode()):
            self._say({"results": self._aws.kept("MSG#")})
        else:
            self._twilio.in_flight += 1
            self._later("twilio", self._made)

    def _made(self) -> bytes:
        text = self._twilio.made()
        self._twilio.in_flight -= 1
        return text

    def _later(self, who: str, make: Callable[[], bytes]) -> None:
        asyncio.get_running_loop().call_later(self._seconds[who], lambda: self._write(make()))

    def _say(self, body: Any) -> None:
        self._write(answer("200 OK", body))

    def _write(self, text: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(text)


async def serve(*, twilio_seconds: float, aws_seconds: float, parameters: dict[str, str]) -> None:
    """Serve until stopped; the first line on stdout is the port."""
    twilio, aws = Twilio(), Aws(parameters)
    server = await asyncio.get_running_loop().create_server(
        lambda: Peer(twilio, aws, twilio_seconds=twilio_seconds, aws_seconds=aws_seconds),
        "127.0.0.1",
        0,
        backlog=1024,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.benchmarks.far_side")
    parser.add_argument("--core", type=int, required=True)
    parser.add_argument("--twilio-ms", type=float, required=True)
    parser.add_argument("--aws-ms", type=float, required=True)
    parser.add_argument("--parameters", type=json.loads, default={})
    given = parser.parse_args()
    os.sched_setaffinity(0, {given.core})
    asyncio.run(
        serve(
            twilio_seconds=given.twilio_ms / 1000,
            aws_seconds=given.aws_ms / 1000,
            parameters=given.parameters,
        )
    )


if __name__ == "__main__":
    main()
