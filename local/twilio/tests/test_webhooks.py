"""How webhooks are called: overrides in the fragment, retries, pausing, records."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.twilio.tests.doors import Caller, Webhook, eventually
from local.twilio.tests.sites import Page, Site, open_site
from local.twilio.webhooks.client import MAX_REDIRECTS
from local.twilio.webhooks.overrides import Overrides, parse_overrides
from local.twilio.webhooks.signing import sign

pytestmark = pytest.mark.enable_socket

DEFAULT = Overrides()


@pytest.fixture
def site() -> Iterator[Site]:
    with open_site() as opened:
        yield opened


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("", DEFAULT),
        (
            "rc=3&rp=ct,rt,5xx&ct=2000&rt=5000",
            Overrides(
                retries=3, policy=frozenset({"ct", "rt", "5xx"}), connect_ms=2000, read_ms=5000
            ),
        ),
        ("rc=9&ct=1&rt=99999&tt=99999", Overrides(retries=5, connect_ms=100)),
        ("rc=x&ct=&e=atlantis&unknown", DEFAULT),
        ("rc=0&e=dublin,atlantis,tokyo", Overrides(retries=0, edges=("dublin", "tokyo"))),
        ("sni=n", Overrides(sni=False)),
    ],
)
def test_overrides_are_read_and_bounded(fragment: str, expected: Overrides) -> None:
    assert parse_overrides(fragment) == expected


@pytest.mark.parametrize(
    ("policy", "outcome", "is_retried"),
    [
        ("ct", "ct", True),
        ("ct", "rt", False),
        ("ct", "503", False),
        ("5xx", "503", True),
        ("5xx", "404", False),
        ("4xx", "404", True),
        ("all", "rt", True),
        ("all", "302", False),
        ("all", "204", False),
    ],
)
def test_the_policy_says_what_is_tried_again(
    policy: str, outcome: str, *, is_retried: bool
) -> None:
    assert Overrides(policy=frozenset({policy})).wants_retry(outcome) is is_retried


def test_edges_take_turns() -> None:
    overrides = parse_overrides("e=dublin,tokyo")
    assert [overrides.edge_of(earlier) for earlier in range(3)] == ["dublin", "tokyo", "dublin"]


def tries_of(twilio: Caller, sid: str, *, status: str, count: int) -> list[dict[str, Any]]:
    """The recorded tries of one event, once there are that many."""

    def probe() -> list[dict[str, Any]] | None:
        records = twilio.control("GET", f"callbacks?sid={sid}")["attempts"]
        tries = [record for record in records if record["status"] == status]
        return tries if len(tries) >= count else None

    return eventually(probe)


def make_failing(twilio: Caller, callback: str) -> str:
    """A message whose only callback is `failed`."""
    return str(twilio.make(To="+12025550190", StatusCallback=callback)["sid"])


def test_a_5xx_is_tried_again_if_the_fragment_asks_and_the_fragment_is_not_signed(
    twilio: Caller, webhook: Webhook
) -> None:
    webhook.answers = [(503, ""), (500, "")]
    sid = make_failing(twilio, f"{webhook.url}/$default/s?m=%27a#rc=3&rp=5xx")
    tries = tries_of(twilio, sid, status="failed", count=3)
    assert [each["outcome"] for each in tries] == ["503", "500", "204"]
    assert [each["attempt"] for each in tries] == [1, 2, 3]
    tokens = {each.headers["I-Twilio-Idempotency-Token"] for each in webhook.received}
    assert len(tokens) == 1
    assert {each.target for each in webhook.received} == {"/$default/s?m=%27a"}
    assert webhook.received[0].headers["X-Twilio-Signature"] == sign(
        auth_token=twilio.account.auth_token,
        url=f"{webhook.url}/$default/s?m=%27a",
        params=webhook.received[0].params,
    )


def test_a_5xx_is_not_tried_again_by_default(twilio: Caller, webhook: Webhook) -> None:
    webhook.answers = [(503, "")]
    sid = make_failing(twilio, webhook.url)
    tries = tries_of(twilio, sid, status="failed", count=1)
    assert [each["outcome"] for each in tries] == ["503"]
    totals = twilio.control("GET", "callbacks")
    assert (totals["posted"], totals["succeeded"], totals["failed"]) == (1, 0, 1)


def test_a_closed_port_is_tried_again_once_by_default(twilio: Caller, webhook: Webhook) -> None:
    sid = make_failing(twilio, "http://127.0.0.1:1/status")
    tries = tries_of(twilio, sid, status="failed", count=2)
    assert [each["outcome"] for each in tries] == ["ct", "ct"]
    assert webhook.received == []


def test_a_silent_webhook_is_given_up_after_the_read_time(twilio: Caller, webhook: Webhook) -> None:
    webhook.stalled.clear()
    sid = make_failing(twilio, f"{webhook.url}/#rt=100&rp=rt&rc=1")
    tries = tries_of(twilio, sid, status="failed", count=2)
    assert [each["outcome"] for each in tries] == ["rt", "rt"]


def test_the_total_time_ends_the_tries(twilio: Caller, webhook: Webhook) -> None:
    webhook.stalled.clear()
    sid = make_failing(twilio, f"{webhook.url}/#tt=100&rp=all&rc=5")
    tries_of(twilio, sid, status="failed", count=1)
    eventually(lambda: twilio.control("GET", "health")["callbacks"]["in_flight"] == 0)
    assert len(tries_of(twilio, sid, status="failed", count=1)) == 1


def test_no_more_callbacks_are_under_way_than_allowed(twilio: Caller, webhook: Webhook) -> None:
    webhook.stalled.clear()
    twilio.control("PATCH", "settings", {"callback_concurrency": 2})
    for _ in range(5):
        make_failing(twilio, webhook.url)

    def busy() -> dict[str, Any] | None:
        health = twilio.control("GET", "health")
        return None if health["timers"] else health["callbacks"]

    assert eventually(busy) == {"pending": 3, "in_flight": 2, "paused": False}
    webhook.stalled.set()
    eventually(lambda: len(webhook.received) == 5)


def test_credentials_in_the_url_are_used_and_signed(twilio: Caller, webhook: Webhook) -> None:
    url = webhook.url.replace("http://", "http://ann:pw@")
    make_failing(twilio, f"{url}/status")
    eventually(lambda: webhook.received)
    received = webhook.received[0]
    assert received.headers["Authorization"] == "Basic YW5uOnB3"
    assert received.headers["X-Twilio-Signature"] == sign(
        auth_token=twilio.account.auth_token, url=f"{url}/status", params=received.params
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_turns_a_post_into_a_get_without_the_fields(
    twilio: Caller, site: Site, status: int
) -> None:
    site.at("/old", Page(status=status, location="new?a=1"))
    sid = make_failing(twilio, f"{site.url}/old")
    tries = tries_of(twilio, sid, status="failed", count=1)
    assert [each["outcome"] for each in tries] == ["204"]
    assert [(each.method, each.target) for each in site.visits] == [
        ("POST", "/old"),
        ("GET", "/new?a=1"),
    ]
    assert site.visits[1].headers["X-Twilio-Signature"] == sign(
        auth_token=twilio.account.auth_token, url=f"{site.url}/new?a=1", params={}
    )


def test_a_redirect_in_a_circle_ends_and_counts_as_failed(twilio: Caller, site: Site) -> None:
    site.at("/round", Page(status=302, location="/round"))
    sid = make_failing(twilio, f"{site.url}/round")
    tries = tries_of(twilio, sid, status="failed", count=1)
    assert [each["outcome"] for each in tries] == ["302"]
    assert len(site.visits) == MAX_REDIRECTS


def test_without_retries_a_closed_port_is_tried_once(twilio: Caller) -> None:
    sid = make_failing(twilio, "http://127.0.0.1:1/status#rc=0")
    eventually(lambda: twilio.control("GET", "health")["callbacks"]["in_flight"] == 0)
    assert len(tries_of(twilio, sid, status="failed", count=1)) == 1


def test_paused_callbacks_wait_and_resume_in_order(twilio: Caller, webhook: Webhook) -> None:
    # GIVEN callbacks held back, one at a time when they go
    twilio.control("PATCH", "settings", {"callback_concurrency": 1})
    twilio.control("POST", "callbacks/pause")
    sid = twilio.make(StatusCallback=webhook.url)["sid"]
    twilio.wait_for(sid, "delivered")
    held = twilio.control("GET", "health")["callbacks"]
    assert held == {"pending": 3, "in_flight": 0, "paused": True}
    assert webhook.received == []
    # WHEN they may go
    twilio.control("POST", "callbacks/resume")
    # THEN they come in the order of their making
    eventually(lambda: len(webhook.statuses_of(sid)) == 3)
    assert webhook.statuses_of(sid) == ["queued", "sent", "delivered"]
