"""What callers may say of opt-outs and consent, and what they are told of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from sendpool.adapters.ledger.people import Reviewed
from sendpool.domain.opt_out import Change, Standing
from sendpool.edge.fields import Instant
from sendpool.workflows.opt_outs import (
    LARGEST_IMPORT,
    Consent,
    Imported,
    ImportRow,
    Person,
    ScopeName,
)

Source = Annotated[
    StrictStr,
    Field(
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="By which way it came, such as web_form, telephone or another system's name",
    ),
]
Reason = Annotated[StrictStr, Field(min_length=1, max_length=1000)]
Detail = Annotated[StrictStr, Field(min_length=1, max_length=1000)]
DetailName = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Evidence = Annotated[
    dict[DetailName, Detail],
    Field(
        max_length=10,
        description="What proves it, such as url, ip, user_agent, text_version, screenshot",
        examples=[{"url": "https://example.com/join", "ip": "203.0.113.7", "text_version": "3"}],
    ),
]
Scope = Annotated[
    ScopeName,
    Field(
        description="All that is ever sent from here, or the Messaging Service that is in use today"
    ),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _to_the_millisecond(at: datetime) -> datetime:
    """The same moment in UTC, as exact as the ledger keeps it."""
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


# ------------------------------------------------------------------------------------------------ requests


class OptOut(_Strict):
    """An opt-out that did not come as a text."""

    scope: Scope = "all"
    source: Source = "api"
    reason: Reason | None = None
    at: Instant | None = Field(default=None, description="When the person said so; now if left out")

    def change(self, *, now: datetime) -> Change:
        return Change(
            opted_out=True,
            at=_to_the_millisecond(self.at or now),
            source=self.source,
            evidence={"reason": self.reason} if self.reason else {},
        )


class ConsentGiven(_Strict):
    """How and when somebody agreed to be texted; kept as long as the person is."""

    source: Literal["website", "offline", "opt-in-message", "others"]
    at: Instant
    evidence: Evidence = {}

    def consent(self) -> Consent:
        return Consent(source=self.source, at=_to_the_millisecond(self.at), evidence=self.evidence)


class OptIn(_Strict):
    """A consent that lifts an opt-out; it has to be later than the opt-out."""

    consent: ConsentGiven
    scope: ScopeName | None = Field(
        default=None, description="Left out: every scope in which the person is opted out"
    )


class ImportedOptOut(_Strict):
    """One opt-out of a list; the number may be written as people write numbers."""

    to: Annotated[StrictStr, Field(max_length=64)]
    scope: ScopeName | None = None
    at: Instant | None = None


class ImportOptOuts(_Strict):
    """Opt-outs from elsewhere; what the rows do not say holds for all of them.

    With `at` the same import may be repeated at any time; without it, each time counts as a new opt-out of now.
    """

    rows: Annotated[list[ImportedOptOut], Field(min_length=1, max_length=LARGEST_IMPORT)]
    scope: Scope = "all"
    source: Source = "import"
    at: Instant | None = None

    def given(self, *, now: datetime) -> list[ImportRow]:
        return [
            ImportRow(
                to=row.to,
                scope=row.scope or self.scope,
                at=_to_the_millisecond(row.at or self.at or now),
            )
            for row in self.rows
        ]


class Decision(_Strict):
    """What a text that reads like an opt-out was."""

    decision: Literal["opt_out", "ignore"]


# ------------------------------------------------------------------------------------------------ answers


class ChangeView(BaseModel):
    """An opt-out or an opt-in."""

    opted_out: bool
    at: datetime
    source: str
    evidence: dict[str, str] = {}

    @classmethod
    def of(cls, change: Change) -> Self:
        return cls(
            opted_out=change.opted_out,
            at=change.at,
            source=change.source,
            evidence=dict(change.evidence),
        )


class StandingView(BaseModel):
    """Where somebody stands within a scope: a Messaging Service's SID, or `all`. `history` is newest first."""

    scope: str
    opted_out: bool
    since: datetime
    source: str
    consent: ChangeView | None = None
    history: list[ChangeView]

    @classmethod
    def of(cls, standing: Standing) -> Self:
        return cls(
            scope=standing.scope,
            opted_out=standing.opted_out,
            since=standing.since,
            source=standing.source,
            consent=ChangeView.of(standing.consent) if standing.consent else None,
            history=[ChangeView.of(each) for each in standing.history],
        )


class ReachView(BaseModel):
    """Whether texts reach the number; a date is left out once it does not count any more.

    Until `unreachable_until`, which may have passed, it gets no marketing: its carrier did not know it (30005).
    """

    landline_since: datetime | None = None
    unreachable_until: datetime | None = None
    deactivated_on: date | None = None


class PersonView(BaseModel):
    """What is known of somebody's wishes. `blocked_by` names the scope whose opt-out forbids to text them."""

    to: str
    blocked: bool
    blocked_by: str | None
    scopes: list[StandingView]
    reach: ReachView

    @classmethod
    def of(cls, person: Person) -> Self:
        reach = person.reach
        return cls(
            to=person.to,
            blocked=person.blocked_by is not None,
            blocked_by=person.blocked_by,
            scopes=[StandingView.of(each) for each in person.standings],
            reach=ReachView(
                landline_since=reach.landline_since if reach.is_landline else None,
                unreachable_until=reach.unreachable_until,
                deactivated_on=reach.deactivated_on if reach.is_deactivated else None,
            ),
        )


class ListedOptOut(BaseModel):
    """An opt-out that stands."""

    to: str
    scope: str
    since: datetime
    source: str

    @classmethod
    def of(cls, standing: Standing) -> Self:
        return cls(
            to=standing.person,
            scope=standing.scope,
            since=standing.since,
            source=standing.source,
        )


class OptOutPage(BaseModel):
    """A page of opt-outs, in no order that means anything; without `next_cursor` it is the last one."""

    opt_outs: list[ListedOptOut]
    next_cursor: str | None


class RejectedRowView(BaseModel):
    """A row that was left out: `row` counts from 1."""

    row: int
    code: str
    message: str


class ImportView(BaseModel):
    """What came of an import."""

    accepted: int
    rejected: list[RejectedRowView]

    @classmethod
    def of(cls, imported: Imported) -> Self:
        return cls(
            accepted=imported.accepted,
            rejected=[
                RejectedRowView(row=each.row, code=each.code, message=each.message)
                for each in imported.rejected
            ],
        )


class ReviewedView(BaseModel):
    """A text that reads like an opt-out, and what somebody decided about it."""

    sid: str
    to: str = Field(description="The person who wrote it")
    scope: str
    body: str
    received_at: datetime
    decision: Literal["opt_out", "ignore"] | None

    @classmethod
    def of(cls, reviewed: Reviewed) -> Self:
        return cls(
            sid=reviewed.sid,
            to=reviewed.person,
            scope=reviewed.scope,
            body=reviewed.body,
            received_at=reviewed.received_at,
            decision=reviewed.decision,
        )


class ReviewPage(BaseModel):
    """A page of texts to decide about; without `next_cursor` it is the last one."""

    texts: list[ReviewedView]
    next_cursor: str | None
