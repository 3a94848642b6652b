"""The books of a day as callers see them: both sides, the difference, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from sendpool.domain.books import REMEDIES, Cause, Day, SideTotal, less
from sendpool.edge.fields import MILLION
from sendpool.edge.message_models import PriceView

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _date(value: Any) -> date:
    """Take a day as ISO 8601 writes it; pydantic would also read numbers as one."""
    try:
        if _DATE.fullmatch(str(value)):
            return date.fromisoformat(str(value))
    except ValueError:
        pass
    raise PydanticCustomError("invalid_date", "must be a day, such as 2026-11-23")


UtcDay = Annotated[date, BeforeValidator(_date), Field(description="A UTC day")]


class SideView(BaseModel):
    """One side of a day: how many messages, by status, and what those with a price cost (`billed` of them)."""

    messages: int
    statuses: dict[str, int]
    billed: int
    cost: list[PriceView]

    @classmethod
    def of(cls, side: SideTotal) -> Self:
        return cls(
            messages=side.messages,
            statuses=dict(side.statuses),
            billed=side.billed,
            cost=_prices(side.cost),
        )


class CauseView(BaseModel):
    """Why the sides differ over some messages, or what is odd about them though they agree.

    `cost` is what these add to the cost at Twilio over that in the ledger; `examples` are some of them, by our id,
    or by Twilio's SID where they are none of ours.
    """

    cause: Cause
    messages: int
    cost: list[PriceView]
    remedy: str
    examples: list[str]


class ReconciliationView(BaseModel):
    """A day's books: what Twilio's list shows of all that the account sent, and what the ledger has.

    A message belongs to the UTC day on which Twilio made it. `difference` is Twilio's side less the ledger's, without
    what is the same. `unexplained` counts the messages over which the sides differ for no known cause. Until
    `is_finished`, messages are still added, and those that only the ledger has are not looked for yet.
    """

    date: date
    is_finished: bool
    finished_at: datetime | None
    twilio: SideView
    ledger: SideView
    difference: SideView
    unexplained: int
    causes: list[CauseView]

    @classmethod
    def of(cls, day: Day) -> Self:
        account = day.account
        twilio, ledger = account.side("twilio"), account.side("ledger")
        return cls(
            date=day.date,
            is_finished=day.finished_at is not None,
            finished_at=day.finished_at,
            twilio=SideView.of(twilio),
            ledger=SideView.of(ledger),
            difference=SideView(
                messages=twilio.messages - ledger.messages,
                statuses=_without_zero(less(twilio.statuses, ledger.statuses)),
                billed=twilio.billed - ledger.billed,
                cost=_prices(_without_zero(account.cost_difference)),
            ),
            unexplained=account.unexplained,
            causes=[
                CauseView(
                    cause=cause,
                    messages=messages,
                    cost=_prices(_without_zero(account.cost_of(cause))),
                    remedy=REMEDIES[cause],
                    examples=list(account.examples.get(cause, ())),
                )
                for cause, messages in account.causes.items()
            ],
        )


class ReconciliationPage(BaseModel):
    """The books of the last days, the newest first; without days of which nothing is known yet."""

    reconciliations: list[ReconciliationView]


def _prices(millionths: Mapping[str, int]) -> list[PriceView]:
    return [
        PriceView(currency=currency, amount=Decimal(amount) / MILLION)
        for currency, amount in millionths.items()
    ]


def _without_zero(numbers: Mapping[str, int]) -> dict[str, int]:
    return {name: number for name, number in numbers.items() if number}
