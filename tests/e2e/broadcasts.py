"""Broadcasts as a caller sees them, and what the ledger holds of them."""

from __future__ import annotations

import random
import urllib.request
from collections import Counter
from typing import Any
from uuid import uuid4

from local.stack.stack import Stack
from sendpool.adapters.ledger.items import to_delivery, to_message
from sendpool.adapters.ledger.table import load
from sendpool.domain.message import current_status
from tests.e2e.conftest import Caller, wait_for

# the ledger remembers people: who turned out to have a landline in one test is not texted in the next
_ENDINGS = iter(random.SystemRandom().sample(range(1000), 1000))


def people(count: int) -> list[str]:
    """So many different people, others each time; none has a magic number of the simulator's."""
    ending = next(_ENDINGS)
    return [f"+1{310 + n // 1000:03d}2{n % 1000:03d}{ending:03d}" for n in range(count)]


def upload(form: dict[str, Any], content: bytes) -> int:
    """Post a file with a presigned form, as curl -F does."""
    boundary = uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form["fields"].items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="r"\r\n\r\n'
    parts += [head.encode(), content, f"\r\n--{boundary}--\r\n".encode()]
    request = urllib.request.Request(
        form["url"],
        data=b"".join(parts),
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(answer.status)


def completed(call: Caller, broadcast_id: str, *, final: bool = True) -> dict[str, Any]:
    """Wait until a broadcast is complete, and all its messages are final."""

    def look() -> dict[str, Any] | None:
        report = call("GET", f"/broadcasts/{broadcast_id}").json
        done = report["state"] == "completed" and (not final or report["final"] == report["total"])
        return report if done else None

    return wait_for(f"the end of {broadcast_id}", look)


def scanned(stack: Stack, broadcast_id: str) -> Counter[str]:
    """Count a broadcast's messages by status from the ledger's items alone."""
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.table_name)
    items = [load(item) for page in pages for item in page["Items"]]
    mine = [item for item in items if item["pk"].startswith(f"BC#{broadcast_id}#")]
    sent = {i["pk"] + i["sk"][4:]: to_message(i) for i in mine if i["sk"].startswith("MSG#")}
    heard = {i["pk"] + i["sk"][3:]: to_delivery(i) for i in mine if i["sk"].startswith("ST#")}
    return Counter(
        str(current_status(record.result, heard.get(place))) for place, record in sent.items()
    )
