"""A batch of queue messages, some at a time; one that fails says why in the log, and the queue delivers it again."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType

from sendpool.adapters import aws
from sendpool.edge.observability import count, logger


class QueueProcessor(BatchProcessor):
    """Powertools' batch processor with `lanes` messages at a time; equal messages one after the other.

    A process that is killed leaves at most `lanes` chunks in doubt, not the whole batch. So that one's last calls
    and the next one's first overlap, have more than one lane.

    Errors that are `expected` are logged as information; all others as errors, with the metric `QueueMessagesFailed`.
    """

    def __init__(
        self,
        *,
        lanes: Callable[[], int] = lambda: 1,
        expected: tuple[type[Exception], ...] = (),
    ) -> None:
        super().__init__(EventType.SQS, raise_on_entire_batch_failure=False)
        self._lanes = lanes
        self._expected = expected

    def process(self) -> list[tuple[Any, ...]]:
        lanes = self._lanes()
        if lanes == 1:
            return super().process()
        by_body: dict[str, list[dict[str, Any]]] = {}
        for record in self.records:
            by_body.setdefault(record["body"], []).append(record)
        with ThreadPoolExecutor(lanes) as threads:
            worked = list(threads.map(self._process_equal, by_body.values()))
        return [each for some in worked for each in some]

    def _process_equal(self, records: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        return [self._process_record(record) for record in records]

    def failure_handler(self, record: Any, exception: Any) -> Any:
        """Say what failed and where. An error's own text may hold what was sent to whom, and is left out."""
        _, error, _ = exception
        said = {"queue_message": record.message_id, "error": type(error).__name__}
        if isinstance(error, self._expected):
            logger.info("left on the queue", extra=said)
        else:
            logger.error("queue message failed", extra={**said, **_about(error)})
            count("QueueMessagesFailed")
        return super().failure_handler(record, exception)


def apart(works: Iterable[tuple[Collection[str], Callable[[], list[str]]]]) -> list[str]:
    """Do works of one batch that must not keep each other back, and return the queue messages that are left.

    A work has its queue messages and returns which of them it leaves; one that fails leaves all of its own. Raises
    what was raised when every one failed.
    """
    left: list[str] = []
    failed: list[tuple[Collection[str], Exception]] = []
    done = 0
    for queue_messages, work in works:
        if not queue_messages:
            continue
        try:
            left += work()
            done += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this work's alone
            failed.append((queue_messages, error))
    if failed and not done:
        raise failed[0][1]
    for queue_messages, raised in failed:
        said = {"error": type(raised).__name__, **_about(raised)}
        logger.error("queue messages failed", extra=said)
        count("QueueMessagesFailed", len(queue_messages))
        left += queue_messages
    return left


def _about(error: BaseException) -> dict[str, Any]:
    steps = traceback.extract_tb(error.__traceback__)
    where = [f"{step.filename}:{step.lineno} {step.name}" for step in steps]
    return {**aws.refusal(error), "trace": where}
