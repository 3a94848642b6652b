"""Logs and metrics. Phone numbers, texts, events and secrets go into neither."""

from __future__ import annotations

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

__all__ = ["MetricUnit", "logger", "metrics"]

logger = Logger()
"""JSON lines with the function's name and the request id; `service` and level come from the environment."""

metrics = Metrics()
"""Counts in CloudWatch's embedded format. Dimensions stay few: ids go to the log."""
