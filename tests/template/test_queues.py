"""Queues lose nothing: what fails is kept, somebody is told, and nobody works on a message twice at once."""

from __future__ import annotations

import pytest

from sendpool.domain.event_webhook import wait_after
from tests.template.stack import Source, Stack, as_deployed, target

DAY = 86_400
MOST_WITHOUT_A_WINDOW = 10
CONSUMED = sorted(as_deployed().consumers)


@pytest.fixture(params=CONSUMED)
def queue(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def source(queue: str, stack: Stack) -> Source:
    (found,) = (each for each in stack.sources if each.origin == queue)
    return found


def _dead_letters(stack: Stack, queue: str) -> str:
    return target(stack.queues[queue]["RedrivePolicy"]["deadLetterTargetArn"])


def test_a_queue_has_dead_letters_of_its_own_and_tries_at_least_five_times(
    queue: str, stack: Stack
) -> None:
    others = {_dead_letters(stack, each) for each in CONSUMED if each != queue}
    assert _dead_letters(stack, queue) in set(stack.queues) - others
    assert stack.queues[queue]["RedrivePolicy"]["maxReceiveCount"] >= 5


def test_every_other_queue_keeps_failures(stack: Stack) -> None:
    failures = {_dead_letters(stack, each) for each in CONSUMED} | {
        target(each.properties["DestinationConfig"]["OnFailure"]["Destination"])
        for each in stack.sources
        if each.origin not in stack.queues
    }
    assert failures == set(stack.queues) - set(CONSUMED)


def test_failures_are_kept_for_14_days_and_raise_an_alarm_at_the_first_one(stack: Stack) -> None:
    alarms = {
        target(alarm["Dimensions"][0]["Value"]): alarm
        for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }
    for name in set(stack.queues) - set(CONSUMED):
        assert stack.queues[name]["MessageRetentionPeriod"] == 14 * DAY
        assert alarms[name]["Threshold"] == 0
        assert alarms[name]["ComparisonOperator"] == "GreaterThanThreshold"


def test_dead_letters_live_longer_than_the_queue_they_come_from(queue: str, stack: Stack) -> None:
    # a message that moves keeps the time at which it was first enqueued
    retention = stack.queues[queue]["MessageRetentionPeriod"]
    assert retention < stack.queues[_dead_letters(stack, queue)]["MessageRetentionPeriod"]


def test_a_queue_that_falls_behind_raises_an_alarm(queue: str, stack: Stack) -> None:
    watched = [
        target(alarm["Dimensions"][0]["Value"])
        for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "ApproximateAgeOfOldestMessage"
    ]
    assert watched.count(queue) == 1


def test_every_queue_is_encrypted(stack: Stack) -> None:
    assert all(queue["SqsManagedSseEnabled"] is True for queue in stack.queues.values())


def test_every_queue_is_a_standard_queue(stack: Stack) -> None:
    # fair queues (a message group without FIFO) exist on standard queues only
    assert not [name for name, queue in stack.queues.items() if "FifoQueue" in queue]


def test_a_message_stays_hidden_for_six_times_its_functions_timeout(
    queue: str, source: Source, stack: Stack
) -> None:
    timeout = stack.functions[source.function]["Timeout"]
    assert stack.queues[queue]["VisibilityTimeout"] >= 6 * timeout


def test_a_bad_message_does_not_take_its_batch_along(source: Source) -> None:
    assert source.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_concurrency_is_limited_at_the_source(source: Source) -> None:
    assert source.properties["ScalingConfig"]["MaximumConcurrency"] >= 2


def test_a_large_batch_has_a_window(source: Source) -> None:
    has_window = source.properties.get("MaximumBatchingWindowInSeconds", 0) > 0
    assert has_window or source.properties["BatchSize"] <= MOST_WITHOUT_A_WINDOW


def test_events_reach_the_teams_url_only_if_there_is_one(stack: Stack) -> None:
    rule = stack.resources["EventWebhookRule"]["Properties"]
    assert rule["State"] == {"Fn::If": ["HasEventWebhook", "ENABLED", "DISABLED"]}
    assert stack.template["Parameters"]["EventWebhookUrl"]["Default"] == ""
    assert rule["EventPattern"] == {"source": ["sendpool"]}


def test_a_stream_waits_for_the_bus_and_not_for_what_cannot_be_read(stack: Stack) -> None:
    (source,) = (each for each in stack.sources if each.function == "PublisherFunction")
    assert source.properties["MaximumRetryAttempts"] == -1
    # the stream itself forgets after a day
    assert source.properties["MaximumRecordAgeInSeconds"] < DAY


def test_an_event_is_tried_long_enough_and_within_what_its_queue_keeps(stack: Stack) -> None:
    queue = stack.queues["EventWebhooksQueue"]
    tries = queue["RedrivePolicy"]["maxReceiveCount"]
    waits = sum(wait_after(each) for each in range(1, tries))
    assert DAY < waits < queue["MessageRetentionPeriod"]
