"""Make a plan so, call by call, in its order. What fails stops it; what was done stays, the next plan has the rest."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from tenacity import Retrying, retry_if_result, stop_after_attempt
from tenacity.wait import wait_base

from local.client import Answer
from local.declared.live import Api, Json, RefusedError
from local.declared.plan import Plan, Step

_TRIES: Final = 4
# what API Gateway answers where no function could in time
_PASSING: Final = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
_PAUSE_SECONDS: Final = 5.0
_LONGEST_PAUSE_SECONDS: Final = 60.0


def carry_out(made: Plan, api: Api) -> Iterator[tuple[Step, Json]]:
    """Do each step and yield it with what was answered. Raises RefusedError, ApiError."""
    for step in made.steps:
        # a busy Twilio, a registration that another one works on, a function that ran out of time on the way
        tried: Answer = Retrying(
            retry=retry_if_result(_passes),
            stop=stop_after_attempt(_TRIES),
            wait=_AsTold(),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )(api.ask, step.method, step.path, step.body)
        if not tried.is_good:
            what = ", ".join(each.what for each in step.changes)
            raise RefusedError(f"{step.method} {step.path} ({what or 'what is declared'})", tried)
        yield step, tried.body


def _passes(answer: Answer) -> bool:
    return bool(answer.body.get("retryable", answer.status in _PASSING))


class _AsTold(wait_base):
    """Waits as long as the answer says, or a moment."""

    def __call__(self, retry_state: object) -> float:
        outcome = getattr(retry_state, "outcome", None)
        told = outcome.result().body.get("retry_after") if outcome else None
        return min(float(told or _PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
