"""Gap: a number that comes from a parameter (`!Ref`) stays text; AWS makes it a number.

The poller of event source mappings silently stops on such a text.
"""

import functools
from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners

TYPES = ("AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function")
NUMBERS = frozenset(
    {
        "BatchSize",
        "MaximumBatchingWindowInSeconds",
        "MaximumConcurrency",
        "MaximumRecordAgeInSeconds",
        "MaximumRetryAttempts",
        "MemorySize",
        "ReservedConcurrentExecutions",
        "Timeout",
    }
)


def fill() -> None:
    """Turn the numbers among a resource's properties into numbers before the resource is made or changed."""
    for resource_type in TYPES:
        handlers = provisioners._RESOURCE_HANDLERS[resource_type]  # noqa: SLF001
        for action in ("create", "update"):
            handlers[action] = _with_numbers(handlers[action])


def _with_numbers(handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handler)
    def handle(*args: Any, **named: Any) -> Any:
        return handler(*map(as_numbers, args), **named)

    return handle


def as_numbers(value: Any) -> Any:
    """The same properties, the known numbers as numbers."""
    if isinstance(value, list):
        return [as_numbers(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: int(each)
        if name in NUMBERS and isinstance(each, str) and each.isdigit()
        else as_numbers(each)
        for name, each in value.items()
    }
