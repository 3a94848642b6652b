"""A batch of queue messages, some at a time; one that fails says why in the log, and the queue delivers it again."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Part:
    """Some queue messages of a batch, and the work on them, which returns those that it leaves."""

    queue_messages: Collection[str]
    work: Callable[[], Iterable[str]]


def apart(**parts: Part) -> list[str]:
    """Work on parts of one batch that must not keep each other back, and return the queue messages that are left.

    A queue message may be in several. A part that fails leaves all of its own, and its name is logged. Raises what was
    raised when all of them failed.
    """
    parts = {name: part for name, part in parts.items() if part.queue_messages}
    left: list[str] = []
    # to the processor a part is one queue message
    processor = QueueProcessor()
    with processor(
        [{"messageId": name} for name in parts],
        lambda record: left.extend(parts[record.message_id].work()),
    ):
        processor.process()
    raised = [error for _, error, _ in processor.exceptions if error]
    if raised and len(raised) == len(parts):
        raise raised[0]
    for failed in processor.response()["batchItemFailures"]:
        left += parts[str(failed["itemIdentifier"])].queue_messages
    return list(dict.fromkeys(left))


def _about(error: BaseException) -> dict[str, Any]:
    steps = traceback.extract_tb(error.__traceback__)
    where = [f"{step.filename}:{step.lineno} {step.name}" for step in steps]
    return {**aws.refusal(error), "trace": where}
