"""Callbacks that come in any order, twice or never: in the end everybody's last status is the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from local.demo import recount
from local.stack.stack import Stack
from sendpool.adapters.ledger.reconciliation import Reconciliation
from sendpool.adapters.ledger.table import Table
from sendpool.domain.reconciliation import Round, Span
from tests.e2e.broadcasts import people, upload
from tests.e2e.conftest import Caller, Twilio
from tests.e2e.test_storm import at_rest, message_id, recounted, wait_patiently

RECIPIENTS = 5_000
ASTRAY = {"loss_share": 0.2, "duplicate_share": 0.3, "reorder_share": 0.3, "failure_share": 0.1}


def test_what_lost_callbacks_did_not_tell_is_learned_from_twilios_list(
    call: Caller, twilio: Twilio, stack: Stack, record_property: Callable[[str, object], None]
) -> None:
    # GIVEN a broadcast of which a fifth of the callbacks is lost, many come twice, and many in another order
    twilio.control("POST", "settings", ASTRAY)
    rows = [f"{to},Person {n}" for n, to in enumerate(people(RECIPIENTS))]
    body = {"name": "Astray", "body": "Hi {{ name }}", "upload": True, "category": "transactional"}
    created = call("POST", "/broadcasts", body).json
    upload(created["upload"], "\n".join(["to,name", *rows]).encode())
    assert call("POST", f"/broadcasts/{created['id']}/start").status == 202

    def report() -> dict[str, Any]:
        told: dict[str, Any] = call("GET", f"/broadcasts/{created['id']}").json
        return told

    wait_patiently("the end", lambda: report()["state"] == "completed")
    wait_patiently("rest", lambda: at_rest(stack, twilio))
    made = {
        message_id(each): (each["status"], each["error_code"])
        for each in twilio.control("GET", "truth")["messages"]
    }
    missing = sum(told != made[message] for message, told in statuses(stack, created["id"]).items())
    # WHEN the sweeper has gone through Twilio's list
    go_through_the_list(stack)

    def right() -> dict[str, tuple[str, int | None]] | None:
        told = statuses(stack, created["id"])
        return told if told == made else None

    told = wait_patiently("the truth", right)
    # THEN the ledger has what is true of everybody, and the counters say so
    assert len(told) == RECIPIENTS
    report_then, _ = wait_patiently("true counts", lambda: recounted(stack, report))
    assert report_then["counters"] == Counter(status for status, _ in made.values())
    assert report_then["final"] == report_then["total"] == RECIPIENTS
    record_property(
        "figures", f"{RECIPIENTS:,} messages, {missing:,} without their last status before the list"
    )
    assert missing > RECIPIENTS / 10


def statuses(stack: Stack, broadcast_id: str) -> dict[str, tuple[str, int | None]]:
    return {line.message_id: (line.status, line.code) for line in recount.scan(stack, broadcast_id)}


def go_through_the_list(stack: Stack) -> None:
    """Have the sweeper's next round begin now, instead of in an hour."""
    places = Reconciliation(
        Table(stack.client("dynamodb"), stack.table_name), retention=timedelta(days=1)
    )
    now = datetime.now(UTC)
    today = Span(now - timedelta(hours=2), now + timedelta(minutes=1))
    nothing = Span(now - timedelta(hours=25), now - timedelta(hours=25))
    begun = Round(begins_at=now, soon=today, late=nothing)
    assert wait_patiently("a round", lambda: places.move(places.place(), begun))
