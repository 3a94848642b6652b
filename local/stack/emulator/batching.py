"""Gap: `MaximumBatchingWindowInSeconds` of a queue is ignored, a batch never holds more than ten messages, and the
groups of a standard queue mean nothing.

A function that is meant to work on hundreds at a time is called for each few of them, which costs a laptop dearly;
and whoever sends little waits behind whoever sends much, which SQS's fair queues prevent.
"""

import threading
import time
from collections import Counter
from typing import Any

from ministack.core.concurrency import esm_wake
from ministack.services import lambda_svc, sqs


def fill() -> None:
    """Hand a batch to a function when it is full, or when its first message has waited for the window."""
    waiting_since: dict[str, float] = {}

    def receive(queue_url: str, batch_size: int) -> list[dict[str, Any]]:
        with sqs._queues_lock:  # noqa: SLF001
            queue = sqs._get_q(queue_url)  # noqa: SLF001
            sqs._expire_retained(queue)  # noqa: SLF001
            sqs._dlq_sweep(queue)  # noqa: SLF001
            ready = sum(message["visible_at"] <= time.time() for message in queue["messages"])
            if ready < batch_size and not window_is_over(queue_url, queue, ready):
                return []
            waiting_since.pop(queue_url, None)
            put_quiet_groups_first(queue)
            visibility = int(queue["attributes"].get("VisibilityTimeout", "30"))
            batch: list[dict[str, Any]] = sqs._collect_msgs(queue, batch_size, visibility)  # noqa: SLF001
            return batch

    def window_is_over(queue_url: str, queue: dict[str, Any], ready: int) -> bool:
        window = window_of(queue["attributes"]["QueueArn"])
        if not ready or not window:
            return True
        if queue_url not in waiting_since:
            waiting_since[queue_url] = time.monotonic()
            # the poller sleeps; nothing else tells it that the window is over
            threading.Timer(window, esm_wake.set).start()
        return time.monotonic() - waiting_since[queue_url] >= window

    sqs._receive_messages_for_esm = receive  # noqa: SLF001


def put_quiet_groups_first(queue: dict[str, Any]) -> None:
    """Sort a standard queue by how many messages of each message's group are in flight; each group keeps its order."""
    if queue["is_fifo"]:
        return
    now = time.time()
    in_flight = Counter(
        message.get("group_id")
        for message in queue["messages"]
        if message["visible_at"] > now and message.get("receive_count")
    )
    queue["messages"].sort(key=lambda message: in_flight[message.get("group_id")])


def window_of(source_arn: str) -> int:
    """The batching window of the function that works on this source, in seconds."""
    mappings = (mapping for _, _, mapping in lambda_svc._iter_all_esms())  # noqa: SLF001
    windows = (
        mapping["MaximumBatchingWindowInSeconds"]
        for mapping in mappings
        if mapping["EventSourceArn"] == source_arn
    )
    return next(windows, 0)
