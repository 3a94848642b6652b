"""A STOP while a broadcast runs: nothing leaves after it, neither what is on its way nor what is scheduled."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.broadcasts import completed, upload
from tests.e2e.conftest import Caller, Twilio, wait_for

PEOPLE = 600
RATE = 30
# every tenth says stop, the last of the list first: some have their message by then, some as it is under way
STOPPING = slice(None, 5, -10)
SCHEDULED = 12
# what is known of a person is read anew for each message, unless it is younger than a second
GRACE = timedelta(seconds=2)


def test_nothing_leaves_after_a_stop(
    call: Caller, twilio: Twilio, record_property: Callable[[str, object], None]
) -> None:
    # GIVEN messages that Twilio keeps for later
    # others each time: what they say is kept
    exchange = secrets.randbelow(300) + 200
    everybody = [f"+1417{exchange}{n:04d}" for n in range(PEOPLE)]
    stopping = everybody[STOPPING]
    later = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    kept = stopping[:SCHEDULED] + everybody[:SCHEDULED]
    scheduled = {to: scheduled_for(call, to, later) for to in kept}
    # AND a broadcast that takes a while
    body = {
        "name": "Stop",
        "body": "Hi",
        "upload": True,
        "rate": RATE,
        "category": "transactional",
    }
    created = call("POST", "/broadcasts", body).json
    upload(created["upload"], "\n".join(["to", *everybody]).encode())
    assert call("POST", f"/broadcasts/{created['id']}/start").status == 202
    wait_for("the first messages", lambda: len(made(twilio)) > SCHEDULED * 2)
    # AND a webhook that is warm: a cold one may take longer than Twilio waits
    wait_for("the inbound webhook", lambda: answers(twilio, "+14175550100", "Hello"))
    # WHEN people say stop, one after the other
    with ThreadPoolExecutor(2) as handsets:
        answered = dict(
            zip(stopping, handsets.map(lambda to: stop(twilio, to), stopping), strict=True)
        )
    report = completed(call, created["id"], final=False)
    # THEN nothing was made for them after that, and everybody else has the message
    texts = [each for each in made(twilio) if each["body"] == "Hi"]
    late = [
        datetime.fromisoformat(each["created"]) - answered[each["to"]]
        for each in texts
        if each["to"] in answered and datetime.fromisoformat(each["created"]) > answered[each["to"]]
    ]
    assert [by for by in late if by > GRACE] == []
    got = {each["to"] for each in texts}
    assert set(everybody) - set(stopping) <= got
    skipped = report["skipped"].get("opted_out", 0)
    assert skipped == PEOPLE - len(got)
    assert skipped > 0
    # AND what was scheduled for them is canceled, at Twilio and here; for the others it is not
    theirs = {to: message for to, message in scheduled.items() if to in answered}
    wait_for(
        "the cancellations",
        lambda: all(status(call, each) == "canceled" for each in theirs.values()),
    )
    statuses = {each["sid"]: each["status"] for each in made(twilio)}
    for to, message in scheduled.items():
        assert statuses[message["sid"]] == ("canceled" if to in answered else "scheduled")
    record_property(
        "figures",
        f"{PEOPLE} recipients at {RATE}/s, {len(stopping)} said stop meanwhile: {skipped} got nothing, "
        f"{len(late)} left within {max(late, default=timedelta()).total_seconds():.2f} s of the answer to STOP, "
        f"{len(theirs)} of {len(scheduled)} scheduled ones canceled",
    )


def scheduled_for(call: Caller, to: str, send_at: str) -> Any:
    answer = call("POST", "/messages", {"to": to, "body": "Later", "send_at": send_at})
    assert (answer.status, answer.json["status"]) == (202, "scheduled")
    return answer.json


def stop(twilio: Twilio, person: str) -> datetime:
    """Say stop, and return when that was answered."""
    assert answers(twilio, person, "STOP")
    return datetime.now(UTC)


def answers(twilio: Twilio, person: str, body: str) -> bool:
    """Text us, and tell whether the webhook answered in time."""
    webhook = twilio.control("POST", "inbound", {"from": person, "body": body})["webhook"]
    return bool(webhook["status"] == 200)


def status(call: Caller, message: dict[str, Any]) -> str:
    found: str = call("GET", f"/messages/{message['id']}").json["status"]
    return found


def made(twilio: Twilio) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = twilio.control("GET", "truth")["messages"]
    return messages
