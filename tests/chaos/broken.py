"""Collaborators with a bug each that costs somebody a text or a text too many: what the harness must find."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twilio.http.response import Response

from sendpool.adapters.twilio.transport import NoAnswerError
from tests.chaos.memory import Answer, Bus, DynamoDb
from tests.chaos.twilio import Transport
from tests.chaos.world import Collaborators


@dataclass(slots=True)
class WithoutLeases(DynamoDb):
    """Who takes a chunk's lease does not write it down, so nobody sees that an attempt ended without a word."""

    def call(self, operation: str, params: Mapping[str, Any]) -> Answer:
        is_lease = "lease_until = :until" in params.get("UpdateExpression", "")
        return {} if is_lease else DynamoDb.call(self, operation, params)


@dataclass(slots=True)
class WithoutConditions(DynamoDb):
    """Every write goes through, whoever was first."""

    def condition(self, _params: Mapping[str, Any], /) -> str | None:
        return None


@dataclass(slots=True)
class WithoutVersionsOfClicks(DynamoDb):
    """Clicks are written over whatever another recorder wrote meanwhile."""

    def condition(self, params: Mapping[str, Any], /) -> str | None:
        is_clicks = params.get("Item", {}).get("sk", {}).get("S", "").startswith("CL")
        return None if is_clicks else DynamoDb.condition(self, params)


@dataclass(slots=True)
class WithoutTallies(DynamoDb):
    """Counters move, but what was counted is not kept with them."""

    def call(self, operation: str, params: Mapping[str, Any]) -> Answer:
        if operation == "TransactWriteItems":
            kept = [each for each in params["TransactItems"] if "Put" not in each]
            params = {**params, "TransactItems": kept}
        return DynamoDb.call(self, operation, params)


class Insistent(Transport):
    """A client that repeats what was not answered, as Twilio's own and most others do."""

    def request(self, *args: Any, **more: Any) -> Response:
        try:
            return super().request(*args, **more)
        except NoAnswerError:
            return super().request(*args, **more)


class Blind(Transport):
    """Sees nothing in Twilio's list."""

    def request(self, method: str, *args: Any, **more: Any) -> Response:
        answer = super().request(method, *args, **more)
        if method == "POST" or answer.status_code != 200:
            return answer
        return Response(200, json.dumps({"messages": [], "next_page_uri": None}))


@dataclass(slots=True)
class Deaf(Bus):
    """Takes every event, and forgets the last one of each call."""

    def call(self, operation: str, params: Mapping[str, Any]) -> Answer:
        answer = Bus.call(self, operation, params)
        self.told.pop()
        return answer


BROKEN = {
    "without_leases": Collaborators(table=WithoutLeases),
    "without_conditions": Collaborators(table=WithoutConditions),
    "without_tallies": Collaborators(table=WithoutTallies),
    "insistent": Collaborators(transport=Insistent),
    "deaf": Collaborators(bus=Deaf),
    "blind": Collaborators(transport=Blind),
}
