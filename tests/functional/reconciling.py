"""A deployment whose list of messages the sweeper goes through, and the Twilio that shows it."""

from __future__ import annotations

import json
from typing import Any

from functions.messages.app import lambda_handler as messages
from functions.recorder.app import lambda_handler as recorder
from functions.sweeper.app import lambda_handler as sweeper
from sendpool.domain.reconciliation import Round
from sendpool.edge import outbound, warm
from sendpool.workflows import reconcile
from tests.functional.aws import Context
from tests.functional.conftest import Clock
from tests.functional.flow import Flow
from tests.functional.requests import http
from tests.functional.twilio import FakeTwilio

PRICE = "-0.00830"


def number(n: int) -> str:
    return f"+1202555{1000 + n}"


def needs() -> reconcile.Reconciling:
    return reconcile.Reconciling(
        places=warm.reconciliation(),
        messages=warm.messages(),
        queues=warm.queues(),
        gateway=outbound.gateway(),
        pool=outbound.pool(),
        now=warm.now,
        may_go_on=lambda: True,
    )


class Account:
    """A deployment whose list of messages is gone through, and the Twilio that shows it."""

    def __init__(self, flow: Flow, twilio: FakeTwilio, clock: Clock) -> None:
        self.flow, self.twilio, self.clock = flow, twilio, clock
        self.sweep()  # plans the first round

    def post(self, n: int = 0) -> str:
        """Send a message; returns its id."""
        answer = messages(http("POST", "/messages", {"to": number(n), "body": "Hi"}), Context())
        assert answer["statusCode"] == 202
        message_id: str = json.loads(answer["body"])["id"]
        return message_id

    def get(self, message_id: str) -> dict[str, Any]:
        answer = messages(http("GET", f"/messages/{message_id}"), Context())
        found: dict[str, Any] = json.loads(answer["body"])
        return found

    def broadcast(self, people: int) -> str:
        """Send a broadcast; returns its id."""
        recipients = [{"to": number(n)} for n in range(people)]
        broadcast_id = self.flow.created(
            body="Hi", recipients=recipients, start="now", category="transactional"
        )
        self.flow.dispatch()
        self.flow.send_all()
        return broadcast_id

    def end(self, status: str = "delivered", *, price: str | None = PRICE, **more: Any) -> None:
        """Let every message come to its end, without a word of it."""
        for message in self.twilio.made:
            self.twilio.end(message, status, **more)
            message["price"] = price  # type: ignore[assignment]

    def ripen(self) -> None:
        """Let so much time pass that the next round has what went until now."""
        self.clock.pass_by(hours=1)
        self.round()
        self.clock.pass_by(hours=1)
        self.twilio.pages = 0

    def sweep(self, context: Context | None = None) -> None:
        sweeper({}, context or Context())

    def found(self) -> list[dict[str, Any]]:
        """Take what was found from the callbacks queue."""
        return self.flow.aws.records("CALLBACKS_QUEUE")

    def record(self) -> int:
        """Let the recorder have what was found; returns how much it was."""
        records = self.found()
        assert recorder({"Records": records}, Context()) == {"batchItemFailures": []}
        return len(records)

    def report(self, broadcast_id: str) -> dict[str, Any]:
        """Count, and report."""
        self.flow.roll_up()
        return self.flow.report(broadcast_id)

    def round(self) -> int:
        """Go on in the list until nothing is due; returns how much was found."""
        for _ in range(50):
            if self.place.begins_at > self.clock():
                return self.record()
            reconcile.reconcile(needs())
        raise AssertionError("the round comes to no end")

    @property
    def place(self) -> Round:
        place = warm.reconciliation().place()
        assert place
        return place.round
