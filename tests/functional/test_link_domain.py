"""The domain of short links by our API, against the whole simulated Twilio: each step in its turn, and again."""

from __future__ import annotations

import json
from itertools import count
from typing import Any, Literal

import pytest

from functions.service.app import lambda_handler
from local.twilio.tests.pem import valid_pem
from sendpool.adapters.twilio.transport import NoAnswerError
from sendpool.domain.twilio_codes import TABLE, explain
from tests.functional.aws import PUBLIC_URL, SERVICE_SID, Context
from tests.functional.conftest import Clock
from tests.functional.requests import http
from tests.functional.simulated import SimulatedTwilio
from tests.functional.twilio import Answer

DOMAIN, OTHER = "DN" + "a" * 32, "DN" + "b" * 32
CLICKS = f"{PUBLIC_URL}/webhooks/clicks#rc=3&rp=ct,rt,5xx&ct=2000&rt=5000"
PATH = "/service/link-domain"
PEM = valid_pem("goa.example.com")


def ask(method: str, body: object = None) -> tuple[int, dict[str, Any]]:
    answer = lambda_handler(http(method, PATH, body), Context())
    return answer["statusCode"], json.loads(answer["body"])


def good(method: str, body: object = None) -> dict[str, Any]:
    status, answered = ask(method, body)
    assert status == 200, answered
    return answered


def use(sid: str = DOMAIN) -> dict[str, Any]:
    return good("PUT", {"domain_sid": sid})


def step(shown: dict[str, Any]) -> str:
    assert shown["ready"] is (shown["next_step"]["name"] == "none")
    assert shown["next_step"]["what"]
    return str(shown["next_step"]["name"])


def own(simulator: SimulatedTwilio, sid: str = DOMAIN, **more: bool) -> None:
    """Bring a domain into the organization, or change it, as somebody does in the console or at its DNS."""
    name = f"go{sid[-1]}.example.com"
    simulator.control("POST", "domains", {"domain": name, "sid": sid, **more})


def services_of(simulator: SimulatedTwilio) -> list[str]:
    shown: list[dict[str, Any]] = simulator.control("GET", "domains")
    return [service for each in shown for service in each["services"]]


def test_a_domain_is_set_up_step_by_step_and_says_which_comes_next(
    simulator: SimulatedTwilio,
) -> None:
    own(simulator, dns_valid=False)
    assert step(good("GET")) == "associate"
    # WHEN it is associated while its DNS points elsewhere
    shown = use()
    assert (step(shown), shown["domain_sid"]) == ("dns", DOMAIN)
    assert "CNAME" in shown["dns_problem"]
    assert services_of(simulator) == [SERVICE_SID]
    # AND the DNS is right
    own(simulator, dns_valid=True)
    assert step(good("GET")) == "certificate"
    assert simulator.changes[1:] == []
    # THEN Twilio is asked for a certificate
    shown = use()
    assert step(shown) == "wait_for_certificate"
    assert shown["certificate"] == {"managed": True, "requested": True, "expires_at": None}
    assert step(use()) == "wait_for_certificate"
    # AND once that is there, told where to report clicks
    own(simulator, certified=True)
    assert step(good("GET")) == "callback"
    shown = use()
    assert step(shown) == "none"
    assert (shown["domain"], shown["callback_url"]) == ("goa.example.com", CLICKS)
    # AND again changes nothing
    changes = len(simulator.changes)
    assert use() == shown == good("GET")
    assert len(simulator.changes) == changes


def test_what_else_the_domain_is_configured_with_stays(simulator: SimulatedTwilio) -> None:
    own(simulator, certified=True)
    simulator.api(
        "POST",
        f"/v1/LinkShortening/Domains/{DOMAIN}/Config",
        FallbackUrl="https://example.com/gone",
        CallbackUrl="https://elsewhere.example.com/",
        ContinueOnFailure="false",
    )
    shown = use()
    assert (shown["fallback_url"], shown["callback_url"]) == ("https://example.com/gone", CLICKS)
    assert shown["continue_on_failure"] is False


def test_an_expired_certificate_is_asked_for_again(
    simulator: SimulatedTwilio, clock: Clock
) -> None:
    own(simulator, certified=True)
    assert step(use()) == "none"
    clock.pass_by(days=120)
    assert step(good("GET")) == "certificate"


def test_leaving_a_domain_takes_it_from_the_service_and_again_changes_nothing(
    simulator: SimulatedTwilio,
) -> None:
    own(simulator)
    use()
    assert step(good("DELETE")) == "associate"
    assert services_of(simulator) == []
    changes = len(simulator.changes)
    assert good("DELETE")["domain_sid"] is None
    assert len(simulator.changes) == changes


def test_where_forgotten_links_lead_is_set_kept_and_unset(simulator: SimulatedTwilio) -> None:
    own(simulator, certified=True)
    page = {"fallback_url": "https://example.com/gone", "continue_on_failure": False}
    shown = good("PUT", {"domain_sid": DOMAIN, **page})
    assert {name: shown[name] for name in page} == page
    assert (shown["ready"], shown["callback_url"]) == (True, CLICKS)
    # what is not said stays, and nothing is written for it
    changes = len(simulator.changes)
    assert use() == shown
    assert len(simulator.changes) == changes
    assert good("PUT", {"domain_sid": DOMAIN, "fallback_url": None})["fallback_url"] is None
    assert good("GET")["continue_on_failure"] is False


def test_a_certificate_of_ones_own_is_handed_to_twilio_and_written_nowhere(
    simulator: SimulatedTwilio,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own(simulator)
    shown = good("PUT", {"domain_sid": DOMAIN, "tls_certificate": PEM})
    assert step(shown) == "wait_for_certificate"
    assert shown["certificate"] == {"managed": False, "requested": False, "expires_at": None}
    assert [each for each in simulator.changes if each.endswith("/RequestManagedCert")] == []
    own(simulator, certified=True)
    assert step(use()) == "none"
    assert "PRIVATE KEY" not in caplog.text + capsys.readouterr().out + json.dumps(shown)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"fallback_url": "example.com"}, "invalid_url"),
        ({"fallback_url": 7}, "wrong_type"),
        ({"continue_on_failure": "no"}, "wrong_type"),
        ({"tls_certificate": "-----BEGIN CERTIFICATE-----"}, "invalid_certificate"),
        ({"tls_certificate": ""}, "invalid_certificate"),
    ],
)
def test_what_is_no_setting_of_a_domain_is_refused_by_field(
    simulator: SimulatedTwilio, said: dict[str, Any], code: str
) -> None:
    own(simulator)
    status, answered = ask("PUT", {"domain_sid": DOMAIN, **said})
    (error,) = answered["errors"]
    assert (status, error["field"], error["code"]) == (422, next(iter(said)), code)
    assert simulator.changes == []


OF_DOMAINS = [
    code for code in (*range(30100, 30112), *range(30116, 30141)) if code in TABLE
]  # what 30107 and 30137 say when something is read is that it is not there


@pytest.mark.parametrize("code", OF_DOMAINS)
def test_each_refusal_of_twilio_has_its_status_code_and_remedy(
    simulator: SimulatedTwilio, code: int
) -> None:
    own(simulator)
    use()
    simulator.refused_at = {
        f"POST /v1/LinkShortening/Domains/{DOMAIN}/Certificate": Answer(400, code)
    }
    status, answered = ask("PUT", {"domain_sid": DOMAIN, "tls_certificate": PEM})
    row = explain(code)
    assert (status, answered["code"]) == (row.http_status, f"twilio_{row.error_class}")
    assert (answered["twilio_code"], answered["remedy"]) == (code, row.remedy)


def test_a_service_has_one_domain(simulator: SimulatedTwilio) -> None:
    own(simulator)
    own(simulator, OTHER)
    use()
    status, answered = ask("PUT", {"domain_sid": OTHER})
    assert (status, answered["code"]) == (409, "other_link_domain")
    assert DOMAIN in answered["detail"]
    assert services_of(simulator) == [SERVICE_SID]


def test_another_domain_takes_its_place_when_somebody_says_so_and_it_is_there(
    simulator: SimulatedTwilio,
) -> None:
    own(simulator)
    use()
    status, answered = ask("PUT", {"domain_sid": OTHER, "replace": True})
    assert (status, answered["code"]) == (422, "unknown_domain")
    assert good("GET")["domain_sid"] == DOMAIN
    own(simulator, OTHER)
    assert good("PUT", {"domain_sid": OTHER, "replace": True})["domain_sid"] == OTHER


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_dies_while_exchanging_domains_goes_on_with_the_same_request(
    simulator: SimulatedTwilio, when: Literal["before", "after"]
) -> None:
    own(simulator, certified=True)
    own(simulator, OTHER, certified=True)
    for call in count(1):
        good("PUT", {"domain_sid": DOMAIN, "replace": True})
        with simulator.killed_at(call, when) as was_killed:
            good("PUT", {"domain_sid": OTHER, "replace": True})
        assert good("PUT", {"domain_sid": OTHER, "replace": True})["domain_sid"] == OTHER
        if not was_killed():
            assert call > 6
            return


@pytest.mark.parametrize("sid", [OTHER, "DN1", "MG" + "0" * 32])
def test_a_domain_that_nobody_has_is_unknown(simulator: SimulatedTwilio, sid: str) -> None:
    status, answered = ask("PUT", {"domain_sid": sid})
    assert (status, answered["code"]) == (422, "unknown_domain")


def test_a_domain_that_is_not_verified_is_refused_with_what_to_do(
    simulator: SimulatedTwilio,
) -> None:
    own(simulator, verified=False)
    status, answered = ask("PUT", {"domain_sid": DOMAIN})
    assert (status, answered["twilio_code"]) == (409, 30101)
    assert "console" in answered["remedy"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (Answer(error=NoAnswerError("late")), 503, "twilio_unavailable"),
        (Answer(429, 20429), 429, "twilio_busy"),
        (Answer(403, 20006), 502, "twilio_auth"),
    ],
)
def test_what_twilio_does_not_answer_is_a_problem(
    simulator: SimulatedTwilio, method: str, answer: Answer, status: int, code: str
) -> None:
    simulator.answers = [answer]
    body = {"domain_sid": DOMAIN} if method == "PUT" else None
    found, answered = ask(method, body)
    assert (found, answered["code"]) == (status, code)


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_dies_at_any_call_goes_on_where_it_was(
    simulator: SimulatedTwilio, when: Literal["before", "after"]
) -> None:
    own(simulator, certified=True)
    for call in count(1):
        good("DELETE")
        simulator.api("POST", f"/v1/LinkShortening/Domains/{DOMAIN}/Config", CallbackUrl="")
        with simulator.killed_at(call, when) as was_killed:
            use()
        assert step(use()) == "none"
        if not was_killed():
            assert call > 5
            return


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_dies_while_handing_over_a_certificate_hands_it_over_again(
    simulator: SimulatedTwilio, when: Literal["before", "after"]
) -> None:
    own(simulator, certified=True)
    wanted = {"domain_sid": DOMAIN, "tls_certificate": PEM, "fallback_url": "https://example.com/"}
    for call in count(1):
        good("DELETE")
        simulator.api("POST", f"/v1/LinkShortening/Domains/{DOMAIN}/Config", FallbackUrl="")
        with simulator.killed_at(call, when) as was_killed:
            good("PUT", wanted)
        assert good("PUT", wanted)["fallback_url"] == "https://example.com/"
        if not was_killed():
            assert call > 6
            return


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_dies_while_leaving_leaves_when_asked_again(
    simulator: SimulatedTwilio, when: Literal["before", "after"]
) -> None:
    own(simulator)
    for call in count(1):
        use()
        with simulator.killed_at(call, when) as was_killed:
            good("DELETE")
        good("DELETE")
        assert services_of(simulator) == []
        if not was_killed():
            assert call > 2
            return


def test_a_step_whose_answer_got_lost_may_be_repeated(simulator: SimulatedTwilio) -> None:
    own(simulator)
    with simulator.answer_lost():
        assert ask("PUT", {"domain_sid": DOMAIN})[0] == 503
        assert ask("PUT", {"domain_sid": DOMAIN})[0] == 503
    assert step(use()) == "wait_for_certificate"
