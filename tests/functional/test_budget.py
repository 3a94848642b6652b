"""A budget: a broadcast stops before it could cost more, says so, and goes on when it may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest

from sendpool.edge import prices as edge
from tests.functional.aws import Aws
from tests.functional.conftest import Clock
from tests.functional.flow import Flow
from tests.functional.rest import Deployment, killed_at
from tests.functional.test_control import asked, each_once, people
from tests.functional.test_prices import FakePriceList, country
from tests.functional.twilio import FakeTwilio

BODY = "Hi {{ name }}"
# what one segment costs at most with the carriers' fees
AT_MOST = 0.0145


@pytest.fixture
def flow(aws: Aws, twilio: FakeTwilio) -> Flow:
    return Flow(aws)


@pytest.fixture
def stack(flow: Flow, clock: Clock) -> Deployment:
    return Deployment(flow, clock)


@pytest.fixture(autouse=True)
def price_list(aws: Aws) -> Iterator[FakePriceList]:
    fake = FakePriceList({"US": country("US", local="0.0083")})
    edge.use_transport(lambda: fake)
    yield fake
    edge.use_transport()


def made(flow: Flow, recipients: list[dict[str, Any]], **fields: Any) -> str:
    # at this rate a chunk has five rows
    return flow.created(body=BODY, recipients=recipients, start="now", rate=1, **fields)


def test_a_broadcast_stops_before_it_could_cost_more_and_goes_on_with_a_larger_budget(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    # GIVEN a budget for two chunks of five and a little
    broadcast_id = made(flow, people(20), budget="0.15")
    stack.rest()
    # THEN two went out, and it says why no more do
    assert len(twilio.made) == 10
    report = flow.report(broadcast_id)
    assert (report["state"], report["budget"]) == ("paused", "0.15")
    assert report["held_reason"] == "budget: 0.14 of 0.15 spent, the next 5 cost up to 0.07"
    assert float(report["spent_at_most"]) == pytest.approx(10 * AT_MOST)
    # WHEN it is resumed as it is, it stops again
    asked(flow, broadcast_id, "resume")
    stack.rest()
    assert flow.report(broadcast_id)["state"] == "paused"
    assert len(twilio.made) == 10
    # WHEN the budget is raised
    status, _ = flow.call("POST", f"/broadcasts/{broadcast_id}/resume", {"budget": "1.00"})
    assert status == 202
    stack.rest()
    # THEN
    assert each_once(twilio, people(20))
    report = flow.report(broadcast_id)
    assert (report["state"], report["budget"]) == ("completed", "1")
    assert float(report["spent_at_most"]) == pytest.approx(20 * AT_MOST)


def test_what_is_skipped_in_the_file_costs_nothing(
    flow: Flow, stack: Deployment, twilio: FakeTwilio
) -> None:
    recipients = people(5) + people(5)
    broadcast_id = made(flow, recipients, budget="0.08")
    stack.rest()
    assert each_once(twilio, people(5))
    assert flow.report(broadcast_id)["state"] == "completed"


def test_without_a_price_nothing_goes_out(
    flow: Flow, stack: Deployment, twilio: FakeTwilio, price_list: FakePriceList
) -> None:
    price_list.countries.clear()
    broadcast_id = made(flow, people(5), budget="100")
    stack.rest()
    assert twilio.made == []
    report = flow.report(broadcast_id)
    assert (report["state"], report["held_reason"]) == (
        "paused",
        "budget: no price is known for US",
    )


def test_without_a_budget_nobody_asks_for_prices(
    flow: Flow, stack: Deployment, price_list: FakePriceList
) -> None:
    made(flow, people(5))
    stack.rest()
    assert price_list.asked == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, 9))
def test_dying_in_the_tick_that_meets_the_limit_sends_no_more_and_loses_nobody(
    flow: Flow,
    stack: Deployment,
    twilio: FakeTwilio,
    call: int,
    when: Literal["before", "after"],
) -> None:
    broadcast_id = made(flow, people(10), budget="0.08")
    stack.receive()
    stack.tick()
    stack.receive()
    [tick] = stack.ticks
    with killed_at(call, when) as was_killed:
        stack.tick()
    if was_killed():
        stack.ticks = [tick]
    stack.rest()
    assert len(twilio.made) == 5
    assert flow.report(broadcast_id)["state"] == "paused"
    flow.call("POST", f"/broadcasts/{broadcast_id}/resume", {"budget": "1"})
    stack.rest()
    assert each_once(twilio, people(10))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"budget": 25.5}, "wrong_type"),
        ({"budget": "0"}, "greater_than"),
        ({"budget": "-3"}, "greater_than"),
        ({"budget": "1.0000001"}, "decimal_max_places"),
        ({"budget": "lots"}, "wrong_type"),
        ({"budget": "5", "body": None, "content_sid": f"HX{'0' * 32}"}, "budget_needs_body"),
    ],
)
def test_a_budget_that_is_none_is_refused(flow: Flow, fields: dict[str, Any], code: str) -> None:
    request = {"name": "Sale", "body": BODY, "recipients": people(1), **fields}
    status, told = flow.call("POST", "/broadcasts", request)
    assert status == 422
    assert told["errors"][0]["code"] == code
