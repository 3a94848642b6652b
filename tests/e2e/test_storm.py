"""A broadcast in a storm: what Twilio made is the truth, and everything else is held against it.

Everybody on the list got the text once, or has a reason; the ledger says of each message what was heard of it; the
counters say what the ledger says.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from local.demo import recount
from local.demo.recipients import Recipient, as_csv
from local.stack.stack import Stack
from tests.e2e.broadcasts import people, upload
from tests.e2e.conftest import Caller, Twilio, wait_for
from tests.e2e.queues import quiet, waiting
from tests.e2e.storm import KILLS, Storm, brew, hasty_functions

SEED = 1
RECIPIENTS = 5_000
PATIENCE_SECONDS = 900

BODY = "Hi {{ name }}, the sale is on."
# no text uses it; it makes the rows so long that they are released in several ticks
NOTE = "n" * 1_500
UNREADABLE_ROWS = 20
REFUSED_ROWS = 10
REPEATED_ROWS = 20


@pytest.fixture
def hasty_stack(stack: Stack) -> Iterator[None]:
    with hasty_functions(stack):
        yield


# ------------------------------------------------------------------------------------------------ the list


def rows(chance: random.Random) -> list[Recipient]:
    """Everybody on the list, and what has to become of those who cannot get the text."""
    unreadable = [
        Recipient(to="call me", name="Nobody", skip="invalid_phone") for _ in range(UNREADABLE_ROWS)
    ]
    refused = [
        Recipient(to=f"+1{area}5550196", name="Refused", refusal=21612)
        for area in range(212, 212 + REFUSED_ROWS)
    ]
    ordinary = RECIPIENTS - UNREADABLE_ROWS - REFUSED_ROWS - REPEATED_ROWS
    good = [Recipient(to=to, name=f"Person {n}") for n, to in enumerate(people(ordinary))]
    repeated = [
        Recipient(to=each.to, name="Again", skip="duplicate")
        for each in chance.sample(good, REPEATED_ROWS)
    ]
    once = [*good, *refused, *unreadable]
    chance.shuffle(once)
    # at the end, so that the first of two is the one that counts
    return once + repeated


def as_file(listed: list[Recipient]) -> bytes:
    first, *rest = as_csv(listed).decode().splitlines()
    return "\n".join([f"{first},note", *(f"{line},{NOTE}" for line in rest)]).encode()


# ------------------------------------------------------------------------------------------------ rest


def wait_patiently[Found](what: str, look: Callable[[], Found | None]) -> Found:
    """Look seldom: whoever looks takes the time of those who work."""
    return wait_for(what, look, patience=PATIENCE_SECONDS, every=1)


def at_rest(stack: Stack, twilio: Twilio) -> bool:
    """Tell whether nothing is under way any more, at Twilio or on a queue."""
    callbacks = twilio.control("GET", "health")["callbacks"]
    queues = (stack.send_queue_url, stack.dispatch_queue_url, stack.callbacks_queue_url)
    return not (callbacks["pending"] or callbacks["in_flight"]) and all(
        quiet(stack, url) for url in queues
    )


def recounted(
    stack: Stack, report: Callable[[], dict[str, Any]]
) -> tuple[dict[str, Any], list[recount.Line]] | None:
    """The report and the ledger if the counters equal a recount; the stream may still be on its way."""
    told = report()
    lines = recount.scan(stack, told["id"])
    return None if any(recount.against_counters(lines, told)) else (told, lines)


def dead_letters(stack: Stack) -> int:
    return sum(
        waiting(stack, url)
        for url in (
            stack.send_dead_letter_queue_url,
            stack.dispatch_dead_letter_queue_url,
            stack.callbacks_dead_letter_queue_url,
        )
    )


# ------------------------------------------------------------------------------------------------ the truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What Twilio made. Callbacks of `deaf` messages were tried and not taken: nobody knows what was heard."""

    made: Sequence[Mapping[str, Any]]
    styles: Mapping[str, str]
    deaf: frozenset[str]

    @classmethod
    def of(cls, twilio: Twilio, styles: Mapping[str, str]) -> Truth:
        last_tries = {
            (each["sid"], each["status"]): each["outcome"]
            for each in twilio.control("GET", "callbacks")["attempts"]
        }
        return cls(
            made=twilio.control("GET", "truth")["messages"],
            styles=styles,
            deaf=frozenset(
                sid for (sid, _), outcome in last_tries.items() if not outcome.startswith("2")
            ),
        )

    def got(self) -> Counter[str]:
        """How many messages each number got."""
        return Counter(each["to"] for each in self.made)

    def may_be_told(self, message: Mapping[str, Any]) -> set[tuple[str, int | None]]:
        """What the ledger may say of a message: what it is, or what was the last thing heard of it."""
        truth = (message["status"], message["error_code"])
        if message["sid"] in self.deaf:
            return {truth, ("accepted", None), ("queued", None), ("sent", None)}
        match self.styles.get(message["to"]):
            case "lost":
                return {("accepted", None)}
            case "last_lost":
                return {("sent", None)}
            case _:
                return {truth}


def mistold(
    lines: Sequence[recount.Line], listed: Sequence[Recipient], truth: Truth
) -> Iterator[str]:
    """One sentence for each recipient of whom the ledger tells something else than is true."""
    made = {message_id(each): each for each in truth.made}
    for line in lines:
        row, message = listed[line.row - 1], made.get(line.message_id)
        told = (line.status, line.code)
        if message is None:
            right = line.reason == row.skip if row.skip else told == ("failed", row.refusal)
        else:
            is_theirs = (line.sid, row.to) == (message["sid"], message["to"])
            right = is_theirs and told in truth.may_be_told(message)
        if not right:
            yield f"{line} of {row} is {message}"


def message_id(made: Mapping[str, Any]) -> str:
    """Our own id, which rides in the query of the callback's URL."""
    url: str = made["status_callback"]
    return parse_qs(urlsplit(url).query)["m"][0]


# ------------------------------------------------------------------------------------------------ the test


def test_in_a_storm_everybody_gets_the_text_once(
    call: Caller,
    twilio: Twilio,
    stack: Stack,
    hasty_stack: None,
    record_property: Callable[[str, object], None],
) -> None:
    # GIVEN a list of people, of whom some cannot be sent to, and bad weather
    chance = random.Random(SEED)  # noqa: S311 - a sample, not secrecy
    listed = rows(chance)
    reachable = [each.to for each in listed if not (each.skip or each.refusal)]
    letters = dead_letters(stack)
    styles = brew(twilio, reachable, chance)
    body = {"name": "Storm", "body": BODY, "upload": True, "category": "transactional"}
    created = call("POST", "/broadcasts", body).json
    upload(created["upload"], as_file(listed))

    def report() -> dict[str, Any]:
        told: dict[str, Any] = call("GET", f"/broadcasts/{created['id']}").json
        return told

    # WHEN it goes out in a storm, and everything comes to rest
    assert call("POST", f"/broadcasts/{created['id']}/start").status == 202
    storm = Storm(stack, twilio, chance)
    wait_for("the storm", lambda: storm.blow(until=len(reachable)), patience=PATIENCE_SECONDS)
    wait_patiently("the end", lambda: report()["state"] == "completed")
    wait_patiently("rest", lambda: at_rest(stack, twilio))
    # THEN everybody got it once
    truth = Truth.of(twilio, styles)
    got = truth.got()
    lost = set(reachable) - got.keys()
    doubled = {to for to, times in got.items() if times > 1}
    kills = ", ".join(f"{count} {function}" for function, count in sorted(storm.killed.items()))
    record_property(
        "figures",
        f"{len(listed):,} recipients, {storm.killed.total()} kills ({kills}), "
        f"lost {len(lost)}, doubled {len(doubled)}",
    )
    assert storm.killed.keys() == KILLS.keys()
    assert (lost, doubled) == (set(), set())
    assert got.keys() == set(reachable)
    # and ledger and counters tell it
    told, lines = wait_patiently("true counts", lambda: recounted(stack, report))
    assert (told["state"], told["outcomes"], told["total"]) == (
        "completed",
        len(listed),
        len(listed),
    )
    assert [*recount.against_file(lines, listed)] == []
    assert [*mistold(lines, listed, truth)] == []
    assert dead_letters(stack) == letters
