"""Logs and metrics. Phone numbers, texts, events and secrets go into neither."""

from __future__ import annotations

import logging

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

logger = Logger()
"""JSON lines with the function's name and the request id; `service` and level come from the environment."""

# a line at each cold start about where credentials were found
logging.getLogger("botocore").setLevel(logging.WARNING)


def count(name: str, number: int = 1, *, service: str | None = None) -> None:
    """Count something in CloudWatch's embedded metric format, by function if nothing else is said.

    Ids belong in the log.
    """
    dimensions = {"service": service} if service else None
    with single_metric(
        name=name, unit=MetricUnit.Count, value=number, default_dimensions=dimensions
    ):
        pass
