"""The harness itself: it strikes where it is told to, repeats what it did, and finds what is broken."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest

from tests.chaos.broken import BROKEN, WithoutVersionsOfClicks
from tests.chaos.deployment import deployment
from tests.chaos.explorer import Calls, calls_to_strike, plans, shrunk
from tests.chaos.faults import Fault, Plan, Strike, faults_at
from tests.chaos.run import Runner, running
from tests.chaos.twins import Twin
from tests.chaos.workers import workers
from tests.chaos.world import Collaborators

# how many plans, of the scenarios that take least, it may take to find a broken collaborator
ENOUGH_PLANS = 150
QUICK = ("singles", "queued", "silent", "canceled")
# what else it takes to see every kind of call
BESIDES = ("uploaded", "stopped", "clicked", "unanswered")
# keep nothing here: tests/functional/test_service.py, test_provision.py and test_notified.py strike their calls
WITHOUT_STATE = {"service", "provisioner", "notifier"}


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with running() as runner:
        yield runner


@pytest.fixture(scope="module")
def calls(runner: Runner) -> Calls:
    return calls_to_strike(runner.run_all, (*QUICK, *BESIDES))


@pytest.fixture(scope="module")
def quick(calls: Calls) -> Calls:
    return Calls(
        {name: points for name, points in calls.clean.items() if name in QUICK},
        {plan: points for plan, points in calls.repairs.items() if plan.scenario in QUICK},
    )


def test_every_kind_of_call_is_struck(calls: Calls) -> None:
    struck = (*calls.clean.values(), *calls.repairs.values())
    operations = {point.operation for points in struck for point in points}
    assert operations >= {
        "twilio.create",
        "twilio.list",
        "dynamodb.GetItem",
        "dynamodb.PutItem",
        "dynamodb.UpdateItem",
        "dynamodb.DeleteItem",
        "dynamodb.BatchGetItem",
        "dynamodb.BatchWriteItem",
        "dynamodb.TransactWriteItems",
        "dynamodb.Query",
        "sqs.SendMessage",
        "sqs.SendMessageBatch",
        "events.PutEvents",
        "s3.PutObject",
        "s3.HeadObject",
        "s3.GetObject",
        "s3.CreateMultipartUpload",
        "s3.UploadPart",
        "s3.CompleteMultipartUpload",
        "lambda.deliver",
        "lambda.acknowledge",
    }


def test_every_function_is_struck(calls: Calls) -> None:
    struck = {point.function for points in calls.clean.values() for point in points}
    assert struck == {*deployment().functions} - WITHOUT_STATE


def test_every_kind_of_fault_can_strike_somewhere() -> None:
    operations = ("twilio.create", "twilio.list", "dynamodb.BatchWriteItem", "sqs.SendMessage")
    queues = ("lambda.deliver", "lambda.acknowledge")
    assert {fault for each in operations + queues for fault in faults_at(each)} == set(Fault)


@pytest.mark.parametrize("fault", faults_at("twilio.create"))
def test_a_create_that_is_struck_is_put_right(runner: Runner, fault: Fault) -> None:
    # GIVEN a broadcast in which the create of one message is struck
    point = "sender twilio.create +12025551003 1"
    # WHEN all is quiet again
    outcome = runner.run(Plan("broadcast", (Strike(point, fault),)))
    # THEN it was struck, and everybody was sent to once
    assert outcome.struck == (f"{point} = {fault}",)
    assert (outcome.wrong, outcome.lost, outcome.doubled) == ((), 0, 0)


def test_a_plan_is_a_line_of_text() -> None:
    text = "two~3: sender twilio.create +12025551003 1 = kill_after; +7 = overtake"
    plan = Plan.parse(text)
    assert str(plan) == text
    assert (plan.scenario, plan.order, len(plan.strikes)) == ("two", 3, 2)


def test_the_same_plan_does_the_same_again(runner: Runner) -> None:
    plan = Plan.parse("paused~2: sender twilio.create +12025551002 1 = kill_after; +9 = overtake")
    first, second = runner.run(plan), runner.run(plan)
    assert len(first.struck) == 2
    assert (first.points, first.struck) == (second.points, second.struck)


def test_the_plans_of_a_seed_are_the_same_and_each_another(calls: Calls) -> None:
    some = [str(plan) for plan in islice(plans(calls, 7), 300)]
    assert some == [str(plan) for plan in islice(plans(calls, 7), 300)]
    assert len(set(some)) == 300
    assert some != [str(plan) for plan in islice(plans(calls, 8), 300)]


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found(runner: Runner, quick: Calls, name: str) -> None:
    # GIVEN a collaborator with a bug that costs somebody a text, or a text too many
    made_of = BROKEN[name]
    # WHEN plans are run
    outcomes = (runner.run(plan, made_of) for plan in islice(plans(quick, 1), ENOUGH_PLANS))
    found = next((outcome for outcome in outcomes if outcome.wrong), None)
    # THEN one shows it, and so does the smallest that is made of it
    assert found
    smallest = shrunk(found, runner, made_of)
    assert smallest.wrong
    assert len(smallest.plan.strikes) <= len(found.plan.strikes)


def test_a_click_that_is_written_over_is_found(runner: Runner) -> None:
    # GIVEN a recorder whose second write of a message's clicks is overtaken
    plan = Plan.parse("clicked: recorder dynamodb.PutItem BC#bc_d664#000000/CL#001 2 = repeat_late")
    # THEN no click is lost, but by a table that forgets its conditions
    right = runner.run(plan)
    assert (len(right.struck), right.wrong) == (1, ())
    assert runner.run(plan, Collaborators(table=WithoutVersionsOfClicks)).wrong


def test_processes_do_what_one_alone_does(runner: Runner, quick: Calls) -> None:
    some = list(islice(plans(quick, 3), 12))
    with workers(2) as processes:
        found = list(processes.judge_all(some))
    alone = [runner.run(plan) for plan in some]
    assert [(each.plan, each.struck, each.wrong) for each in found] == [
        (each.plan, each.struck, each.wrong) for each in alone
    ]


def test_two_processes_take_turns_until_one_is_over() -> None:
    done: list[str] = []

    def work() -> None:
        for number in range(4):
            done.append(f"theirs {number}")
            twin.pause()

    twin = Twin(work)
    for number in range(2):
        done.append(f"mine {number}")
        twin.go_on()
    twin.finish()
    assert done == ["mine 0", "theirs 0", "mine 1", "theirs 1", "theirs 2", "theirs 3"]


def test_what_a_twin_raises_is_heard() -> None:
    def work() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        Twin(work).finish()
