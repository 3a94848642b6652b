"""Random lives of messages and random faults of the webhook: what arrives is what the fault plan says.

Each message gets a fate, its callback URL gets connection overrides, and the webhook fails the first tries of some
statuses. From those alone the test knows the multiset of (message, status) that must arrive.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.twilio.tests.doors import Caller, Received, Webhook, eventually, open_webhook

pytestmark = pytest.mark.enable_socket

NOWHERE = "http://127.0.0.1:1/"
FINALS = {
    "delivered": ("queued", "sent", "delivered"),
    "undelivered": ("queued", "sent", "undelivered"),
    "failed": ("failed",),
    "sent": ("queued", "sent"),
    "queued": ("queued",),
}


@dataclass(frozen=True)
class Life:
    """One message: its fate, how its callbacks travel, and which tries the webhook fails."""

    final: str
    style: str
    retries: int
    retries_errors: bool
    reachable: bool
    failures: dict[str, int]

    @property
    def statuses(self) -> list[str]:
        """Statuses announced, in their order, doubled ones twice."""
        told = list(FINALS[self.final])
        is_final = self.final in {"delivered", "undelivered", "failed"}
        if self.style == "lost" or (self.style == "reversed" and not is_final):
            return []
        if self.style == "last_lost" and is_final:
            return told[:-1]
        return [status for status in told for _ in range(2 if self.style == "doubled" else 1)]

    @property
    def arrivals(self) -> Counter[str]:
        """How often each status must arrive at the webhook."""
        left = dict(self.failures)
        arrivals: Counter[str] = Counter()
        for status in self.statuses if self.reachable else []:
            tries = 1 + (self.retries if self.retries_errors else 0)
            for _ in range(tries):
                arrivals[status] += 1
                if not left.get(status):
                    break
                left[status] -= 1
        return arrivals

    @property
    def tries(self) -> int:
        """How often the simulator must try, also where nobody listens."""
        if self.reachable:
            return self.arrivals.total()
        return len(self.statuses) * (1 + self.retries)

    def callback(self, webhook: Webhook) -> str:
        """The callback URL with its overrides."""
        policy = "ct,5xx" if self.retries_errors else "ct"
        return f"{webhook.url if self.reachable else NOWHERE}#rc={self.retries}&rp={policy}"


LIVES = st.builds(
    Life,
    final=st.sampled_from(sorted(FINALS)),
    style=st.sampled_from(["prompt", "doubled", "reversed", "lost", "last_lost"]),
    retries=st.integers(0, 3),
    retries_errors=st.booleans(),
    reachable=st.booleans() | st.just(True),
    failures=st.dictionaries(
        st.sampled_from(["queued", "sent", "delivered", "undelivered", "failed"]),
        st.integers(1, 4),
        max_size=3,
    ),
)


@pytest.fixture(scope="module")
def listener() -> Iterator[Webhook]:
    with open_webhook() as opened:
        yield opened


def is_quiet(twilio: Caller) -> bool:
    health = twilio.control("GET", "health")["callbacks"]
    return not health["pending"] and not health["in_flight"]


@given(lives=st.lists(LIVES, min_size=1, max_size=8))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_arrives_is_what_the_faults_let_through(
    running_simulator: Caller, listener: Webhook, lives: list[Life]
) -> None:
    # GIVEN fates for as many recipients, and a webhook that fails the first tries of some
    twilio = running_simulator
    twilio.control("POST", "reset", {"services": True, "settings": True})
    twilio.control("POST", "clock", {"frozen": True})
    listener.received.clear()
    recipients = [f"+1202555{number:04}" for number in range(len(lives))]
    left = {
        (to, status): count
        for to, life in zip(recipients, lives, strict=True)
        for status, count in life.failures.items()
    }

    def decide(received: Received) -> tuple[int, str]:
        key = (received.params["To"], received.params["MessageStatus"])
        if not left.get(key):
            return 204, ""
        left[key] -= 1
        return 503, ""

    listener.decide = decide
    for to, life in zip(recipients, lives, strict=True):
        error = {"undelivered": 30003, "failed": 30001}.get(life.final)
        fate = {"final": life.final, "callbacks": life.style, "error_code": error}
        twilio.control("POST", "fates", {"to": to, **fate})
    # WHEN the messages have lived
    for to, life in zip(recipients, lives, strict=True):
        twilio.make(To=to, StatusCallback=life.callback(listener))
    twilio.control("POST", "clock", {"until_idle": True})
    eventually(lambda: is_quiet(twilio))
    # THEN the webhook got neither more nor less
    arrived = Counter(
        (each.params["To"], each.params["MessageStatus"]) for each in listener.received
    )
    expected = Counter(
        {
            (to, status): count
            for to, life in zip(recipients, lives, strict=True)
            for status, count in life.arrivals.items()
        }
    )
    assert arrived == expected
    # AND the simulator's record of tries says the same
    tried = twilio.control("GET", "callbacks")["attempts"]
    assert len(tried) == sum(life.tries for life in lives)
