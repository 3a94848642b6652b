"""One run: a deployment in memory under the real handlers, with every call that leaves them struck by a plan.

The world plays Lambda's part (it delivers from queues and the stream, runs the schedules, ends functions whose time
is over, and starts a process anew after it died), Twilio's part (webhooks), and the callers' part (they repeat what
failed). One thing runs at a time, so a plan always does the same; a fault can let others run in the middle of a
call. Time is virtual and moves when nothing else is to do.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from threading import RLock
from types import ModuleType
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

from twilio.http import HttpClient
from twilio.http.response import Response

from local.twilio.links.clicks import EventType
from local.twilio.links.links import Link
from sendpool.adapters import events
from sendpool.adapters.twilio.media import MediaFile
from sendpool.adapters.twilio.transport import NeverSentError, NoAnswerError, TransportError
from sendpool.domain.errors import TwilioUnavailableError
from sendpool.domain.message import UNDECIDED
from tests.chaos.deployment import Deployed, Trigger, deployment, matches
from tests.chaos.environments import Environments
from tests.chaos.faults import Course, Fault, Plan
from tests.chaos.memory import S3, AwsError, Bus, DynamoDb, Queue, QueueMessage, Sqs
from tests.chaos.seam import Answered, Http, Seam, forget, no_answer, refused, subject_of
from tests.chaos.twilio import SimulatedTwilio, Transport, Webhook
from tests.chaos.twins import Twin
from tests.functional.requests import http

SHARDS = 2
# a sweep that changes nothing, several times in a row: nobody has anything left to do
MINUTES_OF_A_DAY = 1440
SWEEPS_IN_VAIN = 4
MOST_STEPS = 5000
MOST_SECONDS = 3 * 86_400.0
OTHERS_STEPS = 25
STREAM_RETRIES = 20
AWS_SECONDS = 0.003
TWILIO_SECONDS = 0.06
AWS_GIVES_UP_SECONDS = 18.0
TWILIO_GIVES_UP_SECONDS = 10.0
CLIENT_WAITS_SECONDS = 6.0
LATE_SECONDS = 3.0
WEBHOOK_AGAIN_SECONDS = 40.0
DELAY_SECONDS = 8.0
STALL_SECONDS = 35.0
CALLER_WAITS_SECONDS = 5.0
TAPS_APART_SECONDS = 5.0
MOST_ATTEMPTS = 40
# ours are shortened; Twilio's are others in every run
_IDS = re.compile(r"(bc_[0-9a-f]{4}|msg_[0-9a-f]{4}|SM)[0-9a-f]{28,32}")


class KilledError(BaseException):
    """The process is dead; nothing in it may catch this."""


class FunctionFailedError(Exception):
    """An invocation died, or ended with an error."""


class NoRestError(Exception):
    """The system works on for days, or for ever."""


@dataclass(slots=True)
class Invocation:
    """One run of a function, until `deadline`; `twice` delivers the same work a second time."""

    function: Deployed
    deadline: float
    twice: Callable[[], None]
    is_dead: bool = False


@dataclass(slots=True)
class Context:
    """Lambda's context on virtual time."""

    invocation: Invocation
    now: Callable[[], float]
    function_name: str = "chaos"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:chaos"
    aws_request_id: str = "00000000-0000-0000-0000-000000000001"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.invocation.deadline - self.now()) * 1000))


@dataclass(slots=True)
class Request:
    """What a caller asks of the API, `after` seconds after another request is over, or after the beginning.

    A patient caller repeats it until the answer is final; `may_conflict` says that a 409 is no surprise.
    """

    method: str
    path: str
    body: Any = None
    key: str | None = None
    after: float = 0.0
    follows: Request | None = None
    is_patient: bool = True
    may_conflict: bool = False
    due: float = 0.0
    asked_at: float | None = None
    attempts: int = 0
    status: int = 0
    answer: dict[str, Any] = field(default_factory=dict)
    is_over: bool = False

    @property
    def function(self) -> str:
        what = self.path.split("/")[1]
        return {"opt-outs": "compliance", "reconciliations": "messages"}.get(what, what)

    def repeated(self) -> Request:
        """The same once more."""
        return replace(self, asked_at=None, attempts=0, status=0, answer={}, is_over=False)

    def due_at(self) -> float | None:
        """When it is asked next; None when it is over, or waits for another."""
        if self.is_over or (self.follows and not self.follows.is_over):
            return None
        if self.attempts or self.follows is None:
            return self.due
        return self.follows.due + self.after


@dataclass(slots=True)
class Text:
    """What a person writes to us at a time.

    `is_answered` when we answered its webhook well, `acknowledged_at` when we did so with the text in the ledger: one
    that the ledger did not take waits on a queue, and counts when it is worked off.
    """

    person: str
    body: str
    at: float
    picture: bytes | None = None
    is_written: bool = False
    is_answered: bool = False
    acknowledged_at: float | None = None


@dataclass(slots=True)
class Tap:
    """Somebody, or a program, follows links of a message to a person all at once, so many seconds after it was made.

    `kind` is what made it, as it should be counted: `human`, `preview` or `scanner`.
    """

    person: str
    after: float
    kind: str
    user_agent: str
    links: int
    followed: list[Link] = field(default_factory=list)
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Ways:
    """How a call fails: each answers or raises as its service would."""

    refuse: Callable[[], Any]
    crash: Callable[[], Any]
    lose: Callable[[], Any]
    unsent: Callable[[], Any]
    partial: Callable[[], Any]
    patience: float


@dataclass(frozen=True, slots=True)
class Collaborators:
    """What a run is made of; who wants to see the harness fail puts a broken one in its place."""

    table: Callable[..., DynamoDb] = DynamoDb
    transport: Callable[..., HttpClient] = Transport
    bus: Callable[..., Bus] = Bus


@dataclass(slots=True)
class Shard:
    """A shard of the stream: what its reader has not been given yet; one batch is read at a time."""

    changes: list[dict[str, Any]] = field(default_factory=list)
    failures: int = 0
    due: float = 0.0
    is_read: bool = False


class World:
    """A deployment and everybody around it."""

    def __init__(
        self, plan: Plan, seam: Seam, environments: Environments, made_of: Collaborators
    ) -> None:
        self.plan = plan
        self.course = Course(plan.strikes)
        self._loop = asyncio.new_event_loop()
        self.twilio = SimulatedTwilio(self._loop)
        self.dynamodb = made_of.table(deployment().indexes, self.now)
        self.sqs = Sqs(deployment().queues(), self.now)
        self.s3 = S3(self.twilio.now)
        self.bus = made_of.bus()
        self.began = self.now()
        self.requests: list[Request] = []
        self.texts: list[Text] = []
        # functions that are broken: they do nothing and fail
        self.broken: set[str] = set()
        self.taps: list[Tap] = []
        self.errors: list[str] = []
        self.too_early: list[str] = []
        self.slow: dict[str, float] = {}
        self._made_of = made_of
        self._environments = environments
        self._stack: list[Invocation] = []
        self._beside: list[Invocation] = []
        self._twin: Twin | None = None
        self._shards = {
            function.name: [Shard() for _ in range(SHARDS)] for function, _ in _triggered("stream")
        }
        self._luck = random.Random(plan.order)  # noqa: S311 - an order, not secrecy
        self._late: list[tuple[float, Callable[[], object]]] = []
        self._turn = 0
        self._in_vain = 0
        self._is_wide = False
        self._undo = ExitStack()
        self._one_by_one = RLock()
        os.environ["SEND_CONCURRENCY"] = "1"
        self.shrink(events, CALLS_AT_A_TIME=1)
        seam.enter(self)

    def widen(self, calls: int) -> None:
        """Let senders make so many calls at a time. What they do is the same again, but not in the same order."""
        self._is_wide = True
        os.environ["SEND_CONCURRENCY"] = str(calls)
        forget()

    def shrink(self, module: ModuleType, **sizes: int) -> None:
        """Let a module's sizes be others in this run, so that little work takes many rounds."""
        for name, size in sizes.items():
            self._undo.enter_context(patch.object(module, name, size))

    def close(self) -> None:
        """Leave nothing behind in the process."""
        self._undo.close()
        self.twilio.close()
        self._loop.close()

    # -------------------------------------------------------------------------------------------- time

    def now(self) -> float:
        return self.twilio.clock.seconds()

    def moment(self) -> datetime:
        return self.twilio.now()

    def note(self, error: str) -> None:
        """Keep what went wrong in a function."""
        self.errors.append(error)

    def _pass(self, seconds: float) -> None:
        self.twilio.clock.advance(seconds)

    # -------------------------------------------------------------------------------------------- calls

    def transport(self) -> HttpClient:
        return self._made_of.transport(self.twilio, self._on_twilio)

    def read_media(self, url: str) -> MediaFile:
        """A picture of a text, read as functions read it; its failures are as our reader tells them."""
        try:
            answer = self._on_twilio("media", "picture", lambda: self.twilio.picture(url))
        except TransportError as error:
            raise TwilioUnavailableError from error
        if answer.status_code != HTTPStatus.OK:
            raise TwilioUnavailableError
        return MediaFile("image/png", iter([answer.text.encode()]))

    def on_aws(self, service: str, operation: str, params: Mapping[str, Any]) -> Answered:
        """A call that reached AWS."""
        services: dict[str, Callable[[str, Mapping[str, Any]], dict[str, Any]]] = {
            "dynamodb": self.dynamodb.call,
            "sqs": self.sqs.call,
            "s3": self.s3.call,
            "events": self.bus.call,
        }

        def effect(asked: Mapping[str, Any] = params) -> Answered:
            try:
                return Http(), services[service](operation, asked)
            except AwsError as error:
                return refused(error)

        def lose() -> Answered:
            raise no_answer(service)

        ways = Ways(
            refuse=lambda: refused(_refusal(service, operation)),
            crash=lambda: refused(AwsError("InternalServerError", status=500)),
            lose=lose,
            unsent=lose,
            partial=lambda: _partial(operation, params, effect),
            patience=AWS_GIVES_UP_SECONDS,
        )
        seconds = self.slow.get(operation, AWS_SECONDS)
        return self._call(f"{service}.{operation}", subject_of(params), effect, ways, seconds)

    def _on_twilio(self, operation: str, to: str, effect: Callable[[], Response]) -> Response:
        """A call that reached Twilio."""

        def lose() -> Response:
            raise NoAnswerError("ReadTimeoutError")

        def unsent() -> Response:
            raise NeverSentError("NewConnectionError")

        ways = Ways(
            refuse=lambda: _twilio_error(429, 20429),
            crash=lambda: _twilio_error(500, None),
            lose=lose,
            unsent=unsent,
            partial=effect,
            patience=TWILIO_GIVES_UP_SECONDS,
        )
        return self._call(f"twilio.{operation}", to, effect, ways, TWILIO_SECONDS)

    def _call[Answer](
        self, operation: str, subject: str, effect: Callable[[], Answer], ways: Ways, seconds: float
    ) -> Answer:
        """Let a call happen, or whatever the plan has for it. Only what functions do is struck.

        Calls of several threads come one after the other. Of those in flight when their process dies, some still
        take effect.
        """
        if not self._stack:
            return effect()
        invocation = self._stack[-1]
        is_in_flight = not invocation.is_dead
        with self._one_by_one:
            if invocation.is_dead:
                if is_in_flight and zlib.crc32(subject.encode()) % 2:
                    effect()
                raise KilledError
            self._end_if_late(invocation)
            self._pass(seconds)
            known = _IDS.sub(r"\1", subject)
            fault = self.course.arrive(invocation.function.name, operation, known)
            answer = self._strike(fault, invocation, effect, ways)
            self._end_if_late(invocation)
        self._take_turns()
        self._end_if_late(invocation)
        return answer

    def _strike[Answer](
        self,
        fault: Fault | None,
        invocation: Invocation,
        effect: Callable[[], Answer],
        ways: Ways,
    ) -> Answer:
        self._before(fault, invocation, effect, ways)
        failing: dict[Fault | None, Callable[[], Answer]] = {
            Fault.REFUSE: ways.refuse,
            Fault.BREAK: ways.crash,
            Fault.LOSE: ways.lose,
            Fault.UNSENT: ways.unsent,
            Fault.PARTIAL: ways.partial,
        }
        if fault in failing:
            return failing[fault]()
        return self._after(fault, invocation, effect, effect(), ways)

    def _before(
        self,
        fault: Fault | None,
        invocation: Invocation,
        effect: Callable[[], object],
        ways: Ways,
    ) -> None:
        """What happens before a call takes effect, if it does."""
        match fault:
            case Fault.DELAY:
                self._pass(DELAY_SECONDS)
            case Fault.STALL:
                self._pass(STALL_SECONDS)
            case Fault.LOSE | Fault.MAKE_AND_LOSE:
                self._pass(ways.patience)
            case Fault.OVERTAKE:
                self._others(invocation)
            case Fault.LATE:
                self._later(LATE_SECONDS, effect)
                self._kill(invocation)
            case Fault.KILL_BEFORE:
                self._kill(invocation)
        if fault is not Fault.MAKE_AND_LOSE:
            self._end_if_late(invocation)

    def _after[Answer](
        self,
        fault: Fault | None,
        invocation: Invocation,
        effect: Callable[[], Answer],
        answer: Answer,
        ways: Ways,
    ) -> Answer:
        """What happens once a call took effect, and what the caller hears of it."""
        match fault:
            case Fault.KILL_AFTER:
                self._kill(invocation)
            case Fault.MAKE_AND_BREAK:
                answer = ways.crash()
            case Fault.MAKE_AND_LOSE:
                answer = ways.lose()
            case Fault.REPEAT:
                answer = effect()
            case Fault.REPEAT_LATE:
                self._pass(CLIENT_WAITS_SECONDS)
                self._others(invocation)
                self._end_if_late(invocation)
                answer = effect()
            case Fault.ECHO:
                self._later(LATE_SECONDS, effect)
            case Fault.OVERTAKE_AFTER:
                self._others(invocation)
            case Fault.INTERLEAVE:
                self._interleave(invocation)
        return answer

    def _later(self, seconds: float, effect: Callable[[], object]) -> None:
        self._late.append((self.now() + seconds, effect))
        self._late.sort(key=lambda each: each[0])

    def _kill(self, invocation: Invocation) -> None:
        invocation.is_dead = True
        raise KilledError

    def _end_if_late(self, invocation: Invocation) -> None:
        if self.now() > invocation.deadline:
            self._kill(invocation)

    def _others(self, invocation: Invocation) -> None:
        """Everybody else works for a while, in other processes; a copy of this one's own work is delivered too.

        A process with several threads does not wait for anybody: only time passes.
        """
        if self._is_busy:
            self._pass(DELAY_SECONDS)
            return
        forget()
        self._work_beside(invocation)
        forget()

    def _work_beside(self, invocation: Invocation) -> None:
        """Do what there is to do within some seconds, or part of it."""
        until = self.now() + DELAY_SECONDS
        invocation.twice()
        for _ in range(OTHERS_STEPS):
            if self._step():
                continue
            due = self._next_due()
            if due is None or due > until:
                break
            self._pass(max(0.0, due - self.now()) + 0.001)
        self._run_schedules()

    @property
    def _is_busy(self) -> bool:
        """Others are at work within this one's call already, or side by side with it."""
        return self._is_wide or len(self._stack) > 1 or self._twin is not None

    def _interleave(self, invocation: Invocation) -> None:
        """Let everybody else begin, and take turns with this process from its next call on until it is over."""
        if self._is_busy:
            self._pass(DELAY_SECONDS)
            return
        self._twin = Twin(lambda: self._work_beside(invocation))

    def _take_turns(self) -> None:
        """Change over to the other process; neither sees what the other has in its memory."""
        twin = self._twin
        if twin is None:
            return
        forget()
        if twin.is_at_work:
            twin.pause()
        else:
            self._aside(twin.go_on)
        forget()

    def _aside(self, work: Callable[[], None]) -> None:
        """Do something that is not part of what is running now."""
        mine, self._stack = self._stack, self._beside
        work()
        self._beside, self._stack = self._stack, mine

    def _end_twin(self) -> None:
        """Whoever was at work beside this process works on alone."""
        twin, self._twin = self._twin, None
        if twin:
            self._aside(twin.finish)

    # -------------------------------------------------------------------------------------------- Lambda

    def _invoke(
        self, function: Deployed, event: dict[str, Any], *, twice: Callable[[], None]
    ) -> Any:
        """Run a function in a process of its own.

        Raises FunctionFailedError when it dies or raises.
        """
        invocation = Invocation(function, self.now() + function.timeout, twice)
        environment = self._environments.take(function)
        self._stack.append(invocation)
        try:
            answer = environment.lambda_handler(event, Context(invocation, self.now))
        except KilledError:
            forget()
            raise FunctionFailedError(f"{function.name} died") from None
        except Exception as error:  # whatever a function raises is Lambda's to report
            self.errors.append(f"{function.name}: {type(error).__name__}: {error}")
            raise FunctionFailedError(f"{function.name}: {error!r}") from error
        finally:
            self._stack.pop()
            if not self._stack and self._twin and not self._twin.is_at_work:
                self._end_twin()
        if invocation.is_dead or self.now() > invocation.deadline:
            forget()
            raise FunctionFailedError(f"{function.name} outlived its end")
        self._environments.give_back(function, environment)
        return answer

    def run(self) -> None:
        """Work until nobody has anything left to do.

        Raises NoRestError when that does not come.
        """
        for _ in range(MOST_STEPS):
            if self._step():
                self._in_vain = 0
                continue
            due = self._sweep_before(self._next_due())
            if due is None:
                return
            if due > self.began + MOST_SECONDS:
                raise NoRestError(f"after {MOST_SECONDS / 86_400:.0f} days; {self.errors[-3:]}")
            self._pass(max(0.0, due - self.now()) + 0.001)
        raise NoRestError(f"after {MOST_STEPS} steps; {self.errors[-3:]}")

    def _step(self) -> bool:
        """Let one of those who have something to do now do it; the next in turn, or by the plan's order."""
        while self._late and self._late[0][0] <= self.now():
            self._late.pop(0)[1]()
        self._write_texts()
        self._follow_links()
        self.twilio.announce()
        self._read_stream()
        ready = list(self._ready())
        if not ready:
            return False
        if self.plan.order:
            work = self._luck.choice(ready)[1]
        else:
            later = [each for each in ready if each[0] > self._turn]
            self._turn, work = (later or ready)[0]
        work()
        return True

    def _ready(self) -> Iterator[tuple[int, Callable[[], None]]]:
        """What can be done now, each with a number that stays its own."""
        now = self.now()
        numbers = itertools.count(1)
        for request in self.requests:
            due = request.due_at()
            if due is not None and due <= now:
                yield 0, lambda request=request: self._ask(request)  # type: ignore[misc]
                break
        if self.twilio.webhooks:
            yield next(numbers), self._receive_webhook
        for function, trigger in _triggered("queue"):
            number, queue = next(numbers), self.sqs.queues[trigger.queue]
            visible = queue.next_visible()
            if visible is not None and visible + trigger.window <= now:
                yield (
                    number,
                    lambda f=function, t=trigger, q=queue: self._deliver(f, t, q),  # type: ignore[misc]
                )
        for function, trigger in _triggered("stream"):
            for shard in self._shards[function.name]:
                number = next(numbers)
                if shard.changes and shard.due <= now and not shard.is_read:
                    yield (
                        number,
                        lambda f=function, t=trigger, s=shard: self._follow(f, t, s),  # type: ignore[misc]
                    )

    def _next_due(self) -> float | None:
        """When something will be to do, without what is scheduled; None when nothing ever will."""
        dues = [due for each in self.requests if (due := each.due_at()) is not None]
        dues += [
            visible + trigger.window
            for _, trigger in _triggered("queue")
            if (visible := self.sqs.queues[trigger.queue].next_visible()) is not None
        ]
        shards = itertools.chain.from_iterable(self._shards.values())
        dues += [shard.due for shard in shards if shard.changes]
        dues += [due for due, _ in self._late]
        dues += [text.at for text in self.texts if not text.is_written]
        dues += [due for tap in self.taps if (due := self._tap_due(tap)) is not None]
        planned = self.twilio.clock.next_due
        if planned:
            dues.append(planned.timestamp())
        return min(dues, default=None)

    # -------------------------------------------------------------------------------------------- queues

    def _deliver(self, function: Deployed, trigger: Trigger, queue: Queue) -> None:
        """Deliver a batch from a queue, and take from the queue what was done."""
        luck = self._luck if self.plan.order else None
        taken = queue.receive(trigger.batch_size, self.now(), luck)
        if not taken:
            return

        def twice() -> None:
            queue.messages += [replace(each, visible_at=self.now()) for each in taken]

        if self.course.arrive(function.name, "lambda.deliver", queue.name) is Fault.REPEAT:
            twice()
        event = {"Records": [_record(message) for message in taken]}
        try:
            answer = self._invoke(function, event, twice=twice) or {}
        except FunctionFailedError:
            return
        if self.course.arrive(function.name, "lambda.acknowledge", queue.name) is Fault.FORGET:
            return
        failed = {each["itemIdentifier"] for each in answer.get("batchItemFailures", [])}
        for message in taken:
            if message.id not in failed:
                queue.delete(message)

    # -------------------------------------------------------------------------------------------- stream

    def _read_stream(self) -> None:
        changes, self.dynamodb.changes = self.dynamodb.changes, []
        for change in changes:
            self._note_if_too_early(change)
            key = change["dynamodb"]["Keys"]["pk"]["S"]
            for function, trigger in _triggered("stream"):
                if any(matches(pattern, change) for pattern in trigger.patterns):
                    shard = self._shards[function.name][zlib.crc32(key.encode()) % SHARDS]
                    shard.due = shard.due if shard.changes else self.now() + trigger.window
                    shard.changes.append(change)

    def _note_if_too_early(self, change: dict[str, Any]) -> None:
        """A broadcast may be called complete only when every recipient has an outcome."""
        seen = change["dynamodb"]
        is_completion = "completed_at" in seen.get("NewImage", {}) and (
            "completed_at" not in seen.get("OldImage", {})
        )
        if not is_completion:
            return
        partition = seen["Keys"]["pk"]["S"]
        total = self.dynamodb.items[partition, "META"].get("total", {"N": "-1"})["N"]
        outcomes = {
            (pk, sk.partition("#")[2])
            for (pk, sk), item in self.dynamodb.items.items()
            if pk.startswith(partition)
            and sk.startswith(("MSG#", "ST#"))
            and item["status"]["S"] not in UNDECIDED
        }
        if len(outcomes) != int(total):
            self.too_early.append(f"{partition} was complete with {len(outcomes)} of {total}")

    def _follow(self, function: Deployed, trigger: Trigger, shard: Shard) -> None:
        """Hand the stream's next batch over; what failed comes again, alone in its shard, before anything else."""
        most = trigger.batch_size
        if self.plan.order:
            most = self._luck.randint(1, min(most, len(shard.changes)))
        batch, left = shard.changes[:most], shard.changes[most:]
        shard.changes, shard.is_read = [], True
        try:
            self._invoke(function, {"Records": batch}, twice=lambda: None)
            failed = self.course.arrive(function.name, "lambda.acknowledge", "stream") is not None
        except FunctionFailedError:
            failed = True
        shard.changes, shard.is_read = left + shard.changes, False
        shard.failures = shard.failures + 1 if failed else 0
        shard.due = self.now() + 1
        if failed and shard.failures <= STREAM_RETRIES:
            shard.changes = batch + shard.changes
        elif failed:
            self.errors.append("the stream gave a batch up")

    # -------------------------------------------------------------------------------------------- schedules

    def _sweep_before(self, other: float | None) -> float | None:
        """Run what is scheduled when it may find something, and return when to look again.

        Schedules run for ever; they are asked when something open falls due, and at rest until nothing changes.
        """
        scheduled = list(_triggered("schedule"))
        opened = sorted(item["due_at"]["S"] for item in self.dynamodb.loaded() if "open" in item)
        if not scheduled or not opened:
            return other
        due = max(datetime.fromisoformat(opened[0]).timestamp(), self._minute(after=self.now()))
        if other is not None and other < due:
            return other
        if self._in_vain >= SWEEPS_IN_VAIN:
            return other
        self._pass(max(0.0, due - self.now()) + 0.001)
        before = self.dynamodb.writes, sum(len(q.messages) for q in self.sqs.queues.values())
        self._run_schedules()
        after = self.dynamodb.writes, sum(len(q.messages) for q in self.sqs.queues.values())
        self._in_vain = self._in_vain + 1 if before == after else 0
        return self.now()

    def sweep(self, *, after: float) -> None:
        """Let the schedules run so many seconds from now, whether or not anything falls due."""
        self._later(after, self._run_schedules)

    def _run_schedules(self) -> None:
        """Do what is done every minute, or hour; the schedule may also ring twice.

        What is done once a day looks at the service's settings, and at no message.
        """
        for function, trigger in _triggered("schedule"):
            if trigger.minutes >= MINUTES_OF_A_DAY:
                continue
            try:
                event = _tick_of_schedule(self.moment())
                self._invoke(function, event, twice=self._run_schedules)
            except FunctionFailedError:
                continue

    def _minute(self, *, after: float) -> float:
        return (after // 60 + 1) * 60

    # -------------------------------------------------------------------------------------------- webhooks

    def _receive_webhook(self) -> None:
        """Answer a webhook of Twilio's as API Gateway would."""
        webhook = self.twilio.webhooks.popleft()
        name = urlsplit(webhook.url).path.rsplit("/", 1)[-1]
        if self.course.arrive(name, "lambda.deliver", "webhook") is Fault.REPEAT:
            self._later(WEBHOOK_AGAIN_SECONDS, self._another(webhook))
        status = 500 if name in self.broken else self._status_of(webhook, name)
        self._note_if_stopped(webhook, status)
        if self.course.arrive(name, "lambda.acknowledge", "webhook") is Fault.FORGET:
            status = 504
        webhook.answer.set_result(status)

    def _status_of(self, webhook: Webhook, name: str) -> int:
        try:
            answer = self._invoke(
                deployment().functions[name], _webhook_event(webhook), twice=self._another(webhook)
            )
        except FunctionFailedError:
            return 500
        return int(answer["statusCode"])

    def _another(self, webhook: Webhook) -> Callable[[], None]:
        """What brings the same webhook once more, to whose answer nobody listens."""
        return lambda: self.twilio.webhooks.append(
            replace(webhook, answer=self._loop.create_future())
        )

    # -------------------------------------------------------------------------------------------- people

    def write(self, person: str, body: str, *, after: float, picture: bytes | None = None) -> Text:
        """Let a person write to us, so many seconds from now."""
        text = Text(person, body, self.now() + after, picture)
        self.texts.append(text)
        return text

    def _write_texts(self) -> None:
        for text in self.texts:
            if text.at <= self.now() and not text.is_written:
                text.is_written = True
                self.twilio.receive(text.person, text.body, text.picture)

    def tap(self, person: str, *, after: float, kind: str, user_agent: str, links: int = 1) -> None:
        """Let so many links of the message to a person be followed, so long after it is made."""
        self.taps.append(Tap(person, after, kind, user_agent, links))

    def _tap_due(self, tap: Tap) -> float | None:
        """When links are followed; None when that is over, or the message is not made yet.

        Twilio tells times by the second: what one person does is kept some seconds apart, whoever was late.
        """
        links = self.twilio.links_of(tap.person)
        if tap.followed or not links:
            return None
        before = [each.at for each in self.taps if each.person == tap.person and each.followed]
        earliest = links[0].created.timestamp() + tap.after
        return max([earliest, *(at + TAPS_APART_SECONDS for at in before)])

    def _follow_links(self) -> None:
        for tap in self.taps:
            due = self._tap_due(tap)
            if due is None or due > self.now():
                continue
            tap.followed, tap.at = self.twilio.links_of(tap.person)[: tap.links], self.now()
            event_type = EventType.PREVIEW if tap.kind == "preview" else EventType.CLICK
            for link in tap.followed:
                self.twilio.follow(link, event_type=event_type, user_agent=tap.user_agent)

    def _note_if_stopped(self, webhook: Webhook, status: int) -> None:
        """Remember when we told Twilio that a person's text has reached us."""
        fields = dict(parse_qsl(webhook.body))
        for text in self.texts:
            is_this = (text.person, text.body) == (fields.get("From"), fields.get("Body"))
            if is_this and status == 200:
                text.is_answered = True
                if text.acknowledged_at is None and self._is_kept(fields["MessageSid"]):
                    text.acknowledged_at = self.now()

    def _is_kept(self, sid: str) -> bool:
        return (f"IN#{sid}", "IN") in self.dynamodb.items

    # -------------------------------------------------------------------------------------------- callers

    def ask(self, request: Request) -> Request:
        """Let a caller ask this when its time comes."""
        request.due = self.now() + request.after
        self.requests.append(request)
        return request

    def look(self, path: str) -> dict[str, Any]:
        """Read from the API, undisturbed by what is left of the plan."""
        self.course = Course(())
        request = Request("GET", path)
        self._ask(request)
        return request.answer

    def _ask(self, request: Request) -> None:
        request.attempts += 1
        request.asked_at = request.asked_at or self.now()
        function = deployment().functions[request.function]
        headers = {"idempotency-key": request.key} if request.key else None
        event = http(request.method, request.path, request.body, headers=headers)
        request.due = float("inf")
        try:
            answer = self._invoke(function, event, twice=lambda: self._ask(request.repeated()))
            request.status, request.answer = answer["statusCode"], json.loads(answer["body"])
        except FunctionFailedError:
            request.status = 500
        retryable = request.status >= 500 or bool(request.answer.get("retryable"))
        gives_up = not request.is_patient or request.attempts >= MOST_ATTEMPTS
        request.is_over = not retryable or gives_up
        wait = request.answer.get("retry_after") or CALLER_WAITS_SECONDS
        request.due = self.now() + (0.0 if request.is_over else wait)


def _triggered(kind: str) -> Iterator[tuple[Deployed, Trigger]]:
    for function in deployment().functions.values():
        for trigger in function.triggers:
            if trigger.kind == kind:
                yield function, trigger


def _record(message: QueueMessage) -> dict[str, Any]:
    return {
        "messageId": message.id,
        "receiptHandle": "handle",
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": str(message.receives)},
        "messageAttributes": dict(message.attributes),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:queue",
        "awsRegion": "us-east-1",
    }


def _webhook_event(webhook: Webhook) -> dict[str, Any]:
    parts = urlsplit(webhook.url)
    event = http("POST", parts.path, raw=webhook.body, query=parts.query)
    event["headers"] = {
        "content-type": webhook.content_type,
        "x-twilio-signature": webhook.signature,
    }
    event["queryStringParameters"] = dict(parse_qsl(parts.query))
    return event


def _tick_of_schedule(at: datetime) -> dict[str, Any]:
    time = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "version": "0",
        "source": "aws.scheduler",
        "detail-type": "Scheduled Event",
        "time": time,
    }


def _refusal(service: str, operation: str) -> AwsError:
    """What a service says when it is asked too much; a transaction loses against a rival instead."""
    if operation == "TransactWriteItems":
        reasons = [{"Code": "TransactionConflict"}]
        return AwsError("TransactionCanceledException", CancellationReasons=reasons)
    if service == "s3":
        return AwsError("SlowDown", status=503)
    return AwsError("ThrottlingException")


def _twilio_error(status: int, code: int | None) -> Response:
    problem = {"status": status, "message": "played"}
    return Response(status, json.dumps({**problem, "code": code} if code else problem))


def _partial(
    operation: str, params: Mapping[str, Any], effect: Callable[[Mapping[str, Any]], Answered]
) -> Answered:
    """Do the first half of a batch, and say that the rest was left undone; of one, nothing."""
    if operation == "PutEvents":
        entries = params["Entries"]
        half = len(entries) // 2
        status, answer = effect({**params, "Entries": entries[:half]})
        left = [{"ErrorCode": "InternalFailure"} for _ in entries[half:]]
        return status, {"FailedEntryCount": len(left), "Entries": [*answer["Entries"], *left]}
    if operation == "SendMessageBatch":
        entries = params["Entries"]
        half = len(entries) // 2
        failed = [
            {"Id": each["Id"], "Code": "InternalError", "SenderFault": False}
            for each in entries[half:]
        ]
        if not half:
            return Http(), {"Successful": [], "Failed": failed}
        status, answer = effect({**params, "Entries": entries[:half]})
        return status, {**answer, "Failed": failed}
    [(table, asked)] = params["RequestItems"].items()
    reads = operation == "BatchGetItem"
    all_of = asked["Keys"] if reads else asked
    half = len(all_of) // 2
    left = {table: {**asked, "Keys": all_of[half:]} if reads else all_of[half:]}
    done: Any = {**asked, "Keys": all_of[:half]} if reads else all_of[:half]
    status, answer = (
        effect({"RequestItems": {table: done}}) if half else (Http(), {"Responses": {table: []}})
    )
    return status, {**answer, ("UnprocessedKeys" if reads else "UnprocessedItems"): left}
