"""messaging.yaml by its commands, plan and apply, against our API and the whole simulated Twilio."""

from __future__ import annotations

import io
import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from zlib import crc32

import boto3
import pytest
import urllib3
import yaml
from botocore.credentials import Credentials
from botocore.exceptions import TokenRetrievalError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rich.console import Console

from functions.compliance.app import lambda_handler as compliance
from functions.service.app import lambda_handler as service
from local.client import Answer, ApiError, Sendpool
from local.contracts import messaging_file
from local.declared.file import load
from local.declared.text import BrokenFileError, Problem, read
from local.operate import __main__ as operate
from local.operate.target import Target
from sendpool.edge import warm
from tests.functional.aws import SERVICE_SID, Aws, Context
from tests.functional.conftest import Clock
from tests.functional.registration import FORM, STANDARD, Time
from tests.functional.requests import http
from tests.functional.simulated import OTHER_SERVICE_SID, SimulatedTwilio

SERVICE = f"/v1/Services/{SERVICE_SID}"


def sid_of(address: str, kind: str = "PN") -> str:
    """The SID that the simulator gives a number or short code."""
    return f"{kind}{crc32(address.encode()):032x}"


DOCS = Path(__file__).parents[2] / "docs"
DOMAIN, OTHER_DOMAIN = "DN" + "a" * 32, "DN" + "b" * 32


class CutOffError(ApiError):
    """Whoever applied a file died, or its connection did."""


@dataclass(repr=False)
class Api:
    """Our API in this process. `before` and `after` are told of each request that may change something."""

    before: Callable[[str], None] = lambda _request: None
    after: Callable[[str], None] = lambda _request: None
    instead: list[Answer] | None = None

    def __post_init__(self) -> None:
        self.changes: list[str] = []

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        path, _, query = path.partition("?")
        event = http(method, path, body, query=query)
        if query:
            event["queryStringParameters"] = dict(parse_qsl(query))
        changes = method != "GET" and not path.endswith("/preflight")
        if changes:
            self.before(f"{method} {path}")
            self.changes.append(f"{method} {path}")
            if self.instead:
                return self.instead.pop(0)
        handler = service if path.startswith("/service") else compliance
        answer = handler(event, Context())
        if changes:
            self.after(f"{method} {path}")
        assert answer is not None
        return Answer(answer["statusCode"], json.loads(answer["body"]))


@dataclass(repr=False)
class Operator:
    """Somebody at a shell, with a file."""

    api: Api
    file: Path
    capsys: pytest.CaptureFixture[str]
    said: str = ""

    def writes(self, wanted: object) -> None:
        self.file.write_text(wanted if isinstance(wanted, str) else yaml.safe_dump(wanted))

    def runs(self, command: str, *options: str) -> int:
        self.capsys.readouterr()
        code = operate.main([command, str(self.file), *options])
        printed = self.capsys.readouterr()
        self.said = printed.out + printed.err
        return code

    def applies(self, wanted: object, *options: str) -> list[str]:
        """Apply a file, and return the requests that changed something."""
        self.writes(wanted)
        self.api.changes.clear()
        assert self.runs("apply", "--yes", *options) == 0, self.said
        return list(self.api.changes)


@pytest.fixture
def operator(
    aws: Aws,
    simulator: SimulatedTwilio,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Operator]:
    api = Api()
    target: Any = Target("the local stack", "python -m local.operate", {}, "", None, None, api)  # type: ignore[arg-type]
    monkeypatch.setattr(operate, "local", lambda: target)
    monkeypatch.setattr(operate, "Console", lambda **_: Console(width=200, highlight=False))
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _seconds: None)
    simulator.control("POST", "clock", {"frozen": True})
    yield Operator(api, tmp_path / "messaging.yaml", capsys)
    assert simulator.violations == []


def live(simulator: SimulatedTwilio) -> dict[str, Any]:
    found: dict[str, Any] = simulator.api("GET", SERVICE)
    return found


def own(simulator: SimulatedTwilio, sid: str, **more: bool) -> None:
    """Bring a domain into the organization, or change it at its DNS."""
    simulator.control("POST", "domains", {"domain": f"go{sid[-1]}.example.com", "sid": sid, **more})


def pool_of(simulator: SimulatedTwilio) -> set[str]:
    listed = simulator.api("GET", f"{SERVICE}/PhoneNumbers")["phone_numbers"]
    return {each["phone_number"] for each in listed}


WANTED = {
    "service": {"sticky_sender": False, "validity_period": 14400, "use_case": "marketing"},
    "senders": ["+12025550100", "+13125550100", {"alphanumeric": "OWLSHOP", "country": "FR"}],
}


# ------------------------------------------------------------------------------------------------ plan and apply


def test_a_plan_shows_the_difference_and_changes_nothing(
    operator: Operator, simulator: SimulatedTwilio
) -> None:
    operator.writes(WANTED)
    simulator.requests.clear()
    assert operator.runs("plan") == 0
    assert simulator.changes == operator.api.changes == []
    assert "~ sticky_sender  true -> false" in operator.said
    assert "~ validity_period  36000 -> 14400" in operator.said
    assert "+ +13125550100" in operator.said
    assert "+ OWLSHOP in FR" in operator.said
    assert "+14155550100 is in the pool and was never in the file: it stays" in operator.said
    assert "2 to add, 3 to change, 0 to remove" in operator.said
    assert operator.runs("plan", "--detailed-exitcode") == 2


def test_what_is_applied_is_so_and_a_second_apply_changes_nothing(
    operator: Operator, simulator: SimulatedTwilio
) -> None:
    changes = operator.applies(WANTED)
    assert changes == [
        "PATCH /service",
        "POST /service/senders",
        "POST /service/senders",
        "PUT /service/declared",
    ]
    after = live(simulator)
    assert (after["sticky_sender"], after["validity_period"]) == (False, 14400)
    assert {"+12025550100", "+14155550100", "+13125550100"} <= pool_of(simulator)
    simulator.requests.clear()
    assert operator.applies(WANTED) == []
    assert simulator.changes == []
    assert "Nothing is to be changed." in operator.said
    assert operator.runs("plan", "--detailed-exitcode") == 0


def test_what_somebody_changed_elsewhere_is_found_by_the_next_plan_and_by_the_daily_look(
    operator: Operator, simulator: SimulatedTwilio
) -> None:
    operator.applies(WANTED)
    simulator.api("POST", SERVICE, StickySender="true")
    assert operator.runs("plan", "--detailed-exitcode") == 2
    assert "~ sticky_sender  true -> false" in operator.said
    drift = operator.api.ask("GET", "/service/drift").body["differences"]
    assert "messaging.yaml" in {each["declared_by"] for each in drift}
    assert operator.applies(WANTED) == ["PATCH /service"]


def test_what_leaves_the_file_leaves_the_pool_and_what_was_never_in_it_stays(
    operator: Operator, simulator: SimulatedTwilio
) -> None:
    operator.applies(WANTED)
    changes = operator.applies({"senders": ["+12025550100"]})
    assert [each.partition(" ")[0] for each in changes] == ["DELETE", "DELETE", "PUT"]
    assert "+13125550100" not in pool_of(simulator)
    assert {"+12025550100", "+14155550100"} <= pool_of(simulator)
    # settings were not spoken of: they are declared as before
    assert operator.api.ask("GET", "/service/declared").body["settings"] == WANTED["service"]


@pytest.mark.parametrize("country", ["FR", None])
def test_an_alphanumeric_sender_takes_the_place_of_another_as_a_country_has_one(
    operator: Operator, simulator: SimulatedTwilio, country: str | None
) -> None:
    def sender(name: str) -> dict[str, Any]:
        return {"alphanumeric": name} | ({"country": country} if country else {})

    operator.applies({"senders": [sender("OWLSHOP"), "+12025550100"]})
    wanted = {"senders": [sender("OWLCOURIER"), "+12025550100"]}
    assert [each.partition(" ")[0] for each in operator.applies(wanted)] == [
        "DELETE",
        "POST",
        "PUT",
    ]
    assert operator.applies(wanted) == []
    pool = operator.api.ask("GET", "/service/senders").body["senders"]
    (found,) = [each for each in pool if each["kind"] == "alphanumeric"]
    assert (found["address"], found["country"]) == ("OWLCOURIER", country)


def test_an_alphanumeric_sender_that_was_never_in_the_file_is_in_the_way_of_another(
    operator: Operator,
) -> None:
    body = {"alphanumeric": "ELSE", "country": "FR"}
    assert operator.api.ask("POST", "/service/senders", body).is_good
    operator.api.changes.clear()
    operator.writes("senders:\n  - {alphanumeric: OWLSHOP, country: FR}\n")
    assert operator.runs("apply", "--yes") == 1
    assert operator.api.changes == []
    assert "messaging.yaml:2: senders.0 " in operator.said
    assert "ELSE" in operator.said


def test_what_leaves_the_file_stays_while_the_stacks_parameter_wants_it(
    operator: Operator, simulator: SimulatedTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.applies({"senders": ["+13125550100", "+14155550100"]})
    made = replace(operate.local(), senders=("55501", "+13125550100"))
    monkeypatch.setattr(operate, "local", lambda: made)
    assert [each.partition(" ")[0] for each in operator.applies({"senders": []})] == [
        "DELETE",
        "PUT",
    ]
    assert "+13125550100 is in the stack's parameter Senders: it stays" in operator.said
    assert "+13125550100" in pool_of(simulator)
    assert operator.applies({"senders": []}) == []


def test_a_setting_that_leaves_the_file_stays_as_it_is(
    operator: Operator, simulator: SimulatedTwilio
) -> None:
    operator.applies(WANTED)
    assert operator.applies({"service": {"use_case": "marketing"}}) == ["PUT /service/declared"]
    assert "sticky_sender is not declared any more, and stays false" in operator.said
    assert live(simulator)["sticky_sender"] is False


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(7))
def test_whoever_dies_while_applying_goes_on_with_the_same_command(
    operator: Operator, simulator: SimulatedTwilio, call: int, when: str
) -> None:
    operator.applies({"senders": ["+14155550100"]})
    own(simulator, DOMAIN)
    wanted = WANTED | {"link_domain": DOMAIN}
    operator.writes(wanted)
    calls: list[str] = []

    def strike(request: str) -> None:
        calls.append(request)
        if len(calls) == call + 1:
            raise CutOffError(f"{request} was not answered")

    setattr(operator.api, when, strike)
    code = operator.runs("apply", "--yes")
    assert code == (1 if len(calls) > call else 0)
    if code:
        assert f"{call} of" in operator.said
        assert "plan" in operator.said
    setattr(operator.api, when, lambda _request: None)
    operator.applies(wanted)
    assert operator.applies(wanted) == []
    assert "+14155550100" not in pool_of(simulator)
    assert {"+12025550100", "+13125550100"} <= pool_of(simulator)
    listed = simulator.api("GET", f"{SERVICE}/DestinationAlphaSenders")["alpha_senders"]
    assert [each["alpha_sender"] for each in listed] == ["OWLSHOP"]
    assert (
        operator.api.ask("GET", "/service/link-domain").body["domain_sid"] == wanted["link_domain"]
    )


def test_link_domains_are_set_gone_on_with_exchanged_and_left(
    operator: Operator, simulator: SimulatedTwilio
) -> None:
    own(simulator, DOMAIN, dns_valid=False)
    own(simulator, OTHER_DOMAIN)
    assert operator.applies({"link_domain": DOMAIN}) == ["PUT /service/link-domain"]
    # somebody else's step is told, and not tried again and again
    assert operator.applies({"link_domain": DOMAIN}) == []
    assert "CNAME" in operator.said
    own(simulator, DOMAIN, dns_valid=True)
    assert operator.applies({"link_domain": DOMAIN}) == ["PUT /service/link-domain"]
    simulator.control("POST", "clock", {"advance_seconds": 3_600})
    assert operator.applies({"link_domain": DOMAIN}) == ["PUT /service/link-domain"]
    assert operator.api.ask("GET", "/service/link-domain").body["ready"]
    assert operator.applies({"link_domain": DOMAIN}) == operator.applies({}) == []
    # a domain that nobody has takes the place of none
    operator.writes({"link_domain": "DN" + "c" * 32})
    assert operator.runs("apply", "--yes") == 1
    assert "is no domain of this account's organization" in operator.said
    assert operator.api.ask("GET", "/service/link-domain").body["domain_sid"] == DOMAIN
    assert operator.applies({"link_domain": OTHER_DOMAIN}) == ["PUT /service/link-domain"]
    assert f"- {DOMAIN}" in operator.said
    assert operator.applies({"link_domain": None}) == ["DELETE /service/link-domain"]
    assert operator.applies({"link_domain": None}) == []
    assert operator.api.ask("GET", "/service/link-domain").body["domain_sid"] is None


def test_what_a_file_says_of_its_link_domain_is_so_once_there_is_a_certificate(
    operator: Operator, simulator: SimulatedTwilio
) -> None:
    own(simulator, DOMAIN, dns_valid=False)
    page = {"fallback_url": "https://example.com/gone", "continue_on_failure": False}
    wanted = {"link_domain": {"sid": DOMAIN, **page}}
    assert operator.applies(wanted) == ["PUT /service/link-domain"]
    assert operator.applies(wanted) == []
    assert "then: fallback_url  nothing -> https://example.com/gone" in operator.said
    own(simulator, DOMAIN, dns_valid=True, certified=True)
    assert operator.applies(wanted) == ["PUT /service/link-domain"]
    assert operator.applies(wanted) == []
    shown = operator.api.ask("GET", "/service/link-domain").body
    assert (shown["ready"], page.items() <= shown.items()) == (True, True)
    # what is not said stays; what is taken back is taken back
    assert operator.applies({"link_domain": DOMAIN}) == []
    wanted = {"link_domain": {"sid": DOMAIN, "fallback_url": None}}
    assert operator.applies(wanted) == ["PUT /service/link-domain"]
    assert "fallback_url  https://example.com/gone -> nothing" in operator.said
    assert operator.applies(wanted) == []


def test_a_file_that_contradicts_the_stack_is_refused_before_anything_is_done(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("STICKY_SENDER", "on")
    warm.start_over(clock=clock)
    operator.writes(WANTED)
    for command in ("plan", "apply"):
        assert operator.runs(command) == 1
        assert (
            "service.sticky_sender is true by the stack's parameter StickySender" in operator.said
        )
    assert operator.api.changes == []


def test_a_file_of_senders_alone_is_not_refused_for_what_an_older_one_said_of_the_service(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    operator.applies({"service": {"sticky_sender": False, "smart_encoding": False}})
    monkeypatch.setenv("STICKY_SENDER", "on")
    warm.start_over(clock=clock)
    wanted = {"senders": ["+12025550100"]}
    assert operator.applies(wanted) == ["PUT /service/declared"]
    assert operator.applies(wanted) == []
    kept = operator.api.ask("GET", "/service/declared").body
    assert kept["settings"] == {"smart_encoding": False}


def test_a_plan_shows_no_secret_of_a_url(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "hush")
    for text in ("https://ann:${TOKEN}@e.com/status", "https://e.com/status?key=${TOKEN}&a=1#b"):
        operator.writes({"service": {"status_callback": text}})
        assert operator.runs("apply", "--yes") == 0
        assert "e.com/status" in operator.said
        assert "hush" not in operator.said
    operator.writes({"service": {"status_callback": None}})
    assert operator.runs("plan") == 0
    assert "~ status_callback  https://e.com/status?… -> nothing" in operator.said


def test_without_yes_nobody_who_cannot_be_asked_changes_anything(operator: Operator) -> None:
    operator.writes(WANTED)
    assert operator.runs("apply") == 1
    assert "--yes" in operator.said
    assert operator.api.changes == []


@pytest.mark.parametrize("answer", ["", "no\n", "y\n"])
def test_whoever_does_not_say_yes_changes_nothing(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("sys.stdin", at_a_terminal(answer))
    operator.writes(WANTED)
    assert operator.runs("apply") == 1
    assert "Nothing was done." in operator.said
    assert operator.api.changes == []
    monkeypatch.setattr("sys.stdin", at_a_terminal("yes\n"))
    assert operator.runs("apply") == 0
    assert operator.api.changes


def at_a_terminal(answer: str) -> io.StringIO:
    """Let somebody type this; nothing is the end of input."""
    typed = io.StringIO(answer)
    typed.isatty = lambda: True  # type: ignore[method-assign]
    return typed


def test_whoever_interrupts_is_told_what_is_done(operator: Operator) -> None:
    def interrupt(request: str) -> None:
        if request == "POST /service/senders":
            raise KeyboardInterrupt

    operator.api.before = interrupt
    operator.writes(WANTED)
    assert operator.runs("apply", "--yes") == 1
    assert "1 of 4 calls are done and stay" in operator.said


@pytest.mark.parametrize("name", ["[bold]owl.yaml", "a[/b].yaml", "owl [prod].yaml"])
def test_a_file_may_have_any_name(operator: Operator, tmp_path: Path, name: str) -> None:
    operator.file = tmp_path / name
    operator.file.parent.mkdir(exist_ok=True)
    operator.writes(WANTED)
    assert operator.runs("plan", "--accept-fees", "--force") == 0
    assert f"{tmp_path}/{name} and the local stack" in operator.said
    assert f"apply {shlex.quote(str(operator.file))} --accept-fees --force" in operator.said
    assert operator.runs("apply", "--yes") == 0
    assert f"{name} is applied" in operator.said


def test_an_option_that_there_is_not_is_no_difference(operator: Operator) -> None:
    # 2 says that something would change
    with pytest.raises(SystemExit) as exited:
        operator.runs("plan", "--detailed-exitcod-e")
    assert exited.value.code == 1


def test_a_refusal_is_told_with_its_reason_and_what_was_done_stays(
    operator: Operator, simulator: SimulatedTwilio
) -> None:
    operator.writes({"service": {"sticky_sender": False}, "senders": ["+13125550199"]})
    assert operator.runs("apply", "--yes") == 1
    assert "is no sender of this account" in operator.said
    assert "1 of 3 calls are done and stay" in operator.said
    assert live(simulator)["sticky_sender"] is False


def test_what_may_be_repeated_is_repeated_and_what_stays_refused_is_told(
    operator: Operator,
) -> None:
    busy = Answer(
        503, {"code": "twilio_unavailable", "detail": "Twilio is away.", "retryable": True}
    )
    operator.api.instead = [busy, busy]
    assert operator.applies({"service": {"sticky_sender": False}})[0:3] == ["PATCH /service"] * 3
    operator.api.instead = [busy] * 4
    operator.writes({"service": {"sticky_sender": True}})
    assert operator.runs("apply", "--yes") == 1
    assert "Twilio is away." in operator.said
    assert "0 of 2 calls are done" in operator.said


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_the_gateway_could_not_pass_on_in_time_is_repeated_as_every_step_may_be(
    operator: Operator, status: int
) -> None:
    operator.api.instead = [Answer(status, {"message": "Service Unavailable"})] * 2
    assert operator.applies({"service": {"sticky_sender": False}})[:3] == ["PATCH /service"] * 3
    operator.api.instead = [Answer(status, {"message": "Service Unavailable"})] * 4
    operator.writes({"service": {"sticky_sender": True}})
    assert operator.runs("apply", "--yes") == 1
    assert "Service Unavailable" in operator.said
    assert f"answered {status}" in operator.said


def test_a_refusal_that_says_it_will_not_pass_is_not_repeated(operator: Operator) -> None:
    refused = Answer(502, {"code": "twilio_refused", "detail": "No.", "retryable": False})
    operator.api.instead = [refused]
    operator.writes({"service": {"sticky_sender": False}})
    assert operator.runs("apply", "--yes") == 1
    assert operator.api.changes == ["PATCH /service"]


class Expired(Credentials):
    """Those of a session that is over."""

    def __getattribute__(self, name: str) -> Any:
        if name in {"access_key", "secret_key"}:
            raise TokenRetrievalError(provider="sso", error_msg="Token has expired")
        return super().__getattribute__(name)

    def __init__(self) -> None:
        self.token = None


GATEWAY = [
    (403, b'{"message":"Forbidden"}', "Forbidden", "credentials"),
    (403, b'{"Message":"User: x is not authorized"}', "User: x is not authorized", "credentials"),
    (404, b'{"message":"Not Found"}', "Not Found", "GET /service"),
    (200, b"<html>Please log in</html>", "Please log in", "answered 200"),
    (200, b"[]", "answered 200", "[]"),
    (200, b"null", "answered 200", "null"),
    (200, b'{"ok": true}', "GET /service", "Sendpool"),
]


@pytest.mark.parametrize(("status", "body", "why", "what"), GATEWAY)
def test_whoever_else_answers_is_told_with_what_was_said(
    operator: Operator,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    body: bytes,
    why: str,
    what: str,
) -> None:
    over_http(operator, monkeypatch, Credentials("a", "b"), status, body)
    operator.writes(WANTED)
    for command in ("plan", "apply"):
        assert operator.runs(command, *(["--yes"] if command == "apply" else [])) == 1
        assert why in operator.said
        assert what in operator.said
        # a look changes nothing, so there is nothing to be unsure of
        assert "is not known" not in operator.said


def test_credentials_that_expire_are_told_as_such(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    over_http(operator, monkeypatch, Expired(), 200, b"{}")
    operator.writes(WANTED)
    assert operator.runs("plan") == 1
    assert "Token has expired" in operator.said
    assert "letters" not in operator.said


def over_http(
    operator: Operator,
    monkeypatch: pytest.MonkeyPatch,
    credentials: Credentials,
    status: int,
    body: bytes,
) -> None:
    """Let the API be asked by HTTP, where somebody answers always the same."""

    class Http:
        def request(self, *_asked: object, **_how: object) -> urllib3.HTTPResponse:
            return urllib3.HTTPResponse(body, status=status)

    monkeypatch.setattr("local.client._HTTP", Http())
    api = Sendpool("https://api.test", credentials, "us-east-1")
    target: Any = Target("the local stack", "python -m local.operate", {}, "", None, None, api)
    monkeypatch.setattr(operate, "local", lambda: target)


NUMBERS = ["+12025550100", "+14155550100", "+13125550100", "+18885550100", "55501"]
# what a file may call a sender, and how the pool shows it
CALLED = (
    {each: (each, None) for each in NUMBERS}
    | {sid_of(each, "PN" if each[0] == "+" else "SC"): (each, None) for each in NUMBERS}
    | {"OWL": ("OWL", None), "OWLS": ("OWLS", None), "OWL in FR": ("OWL", "FR")}
    | {"OWLS in FR": ("OWLS", "FR"), "OWL in DE": ("OWL", "DE")}
)


def senders_of(names: list[str]) -> list[Any]:
    """Write senders as a file has them; of alphanumeric ones the first of each country."""
    written: dict[Any, Any] = {}
    for name in names:
        alphanumeric, _, country = name.partition(" in ")
        if alphanumeric.startswith("OWL"):
            said = {"alphanumeric": alphanumeric} | ({"country": country} if country else {})
            written.setdefault(country, said)
        else:
            written[name] = name
    return list(written.values())


def as_shown(senders: list[Any]) -> set[tuple[str, str | None]]:
    return {
        (each["alphanumeric"], each.get("country")) if isinstance(each, dict) else CALLED[each]
        for each in senders
    }


files = st.fixed_dictionaries(
    {},
    optional={
        "service": st.fixed_dictionaries(
            {},
            optional={
                "sticky_sender": st.booleans(),
                "smart_encoding": st.booleans(),
                "validity_period": st.sampled_from([60, 14400]),
                "status_callback": st.sampled_from([None, "https://example.com/status"]),
            },
        ),
        "senders": st.lists(st.sampled_from(list(CALLED)), unique=True).map(senders_of),
    },
)


@given(sequence=st.lists(files, min_size=2, max_size=3))
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_files_come_one_after_another_each_is_so_at_once_and_then_for_good(
    operator: Operator, simulator: SimulatedTwilio, sequence: list[dict[str, Any]]
) -> None:
    for wanted in [{"senders": []}, *sequence]:
        before, declared = shown_senders(operator), operator.api.ask("GET", "/service/declared")
        operator.applies(wanted)
        assert operator.applies(wanted) == []
        shown = operator.api.ask("GET", "/service").body["settings"]
        assert wanted.get("service", {}).items() <= shown.items()
        if "senders" in wanted:
            said = [
                each["number"] or each["sid"] or {n: v for n, v in each.items() if v is not None}
                for each in declared.body["senders"]
            ]
            assert shown_senders(operator) == before - as_shown(said) | as_shown(wanted["senders"])
        else:
            assert shown_senders(operator) == before


def shown_senders(operator: Operator) -> set[tuple[str, str | None]]:
    """The senders of the pool, alphanumeric ones with their country."""
    return {
        (each["address"], each["country"] if each["kind"] == "alphanumeric" else None)
        for each in operator.api.ask("GET", "/service/senders").body["senders"]
    }


# ------------------------------------------------------------------------------------------------ registration


@pytest.fixture
def elsewhere(aws: Aws, clock: Clock) -> None:
    """The stack sends through a service without a campaign."""
    boto3.client("ssm").put_parameter(
        Name="/sendpool/test/messaging-service-sid",
        Value=OTHER_SERVICE_SID,
        Type="String",
        Overwrite=True,
    )
    warm.start_over(clock=clock)


def registration(**campaign: object) -> dict[str, Any]:
    form = {name: value for name, value in FORM.items() if name != "brand"} | campaign
    return {"senders": ["+13125550100"], "brand": {"name": "owl", **STANDARD}, "campaign": form}


@pytest.mark.usefixtures("elsewhere")
def test_brand_and_campaign_come_from_a_file_to_approved_through_a_rejection(
    operator: Operator, simulator: SimulatedTwilio, clock: Clock
) -> None:
    time = Time(simulator, clock)
    wanted = registration(description=f"{FORM['description']} reject:30909")
    # GIVEN a plan that names the fees, and shows nobody's data
    operator.writes(wanted)
    assert operator.runs("plan") == 0
    assert "fees, about: brand registration with secondary vetting 46.00 USD" in operator.said
    assert "not accepted" in operator.said
    assert STANDARD["business"]["registration_number"] not in operator.said
    # WHEN it is applied, and the fees are accepted later
    assert operator.applies(wanted)[-2:] == [
        "PUT /compliance/brands/owl",
        f"PUT /compliance/campaigns/{OTHER_SERVICE_SID}",
    ]
    assert "customer_profile: in_review, up to twilio" in operator.said
    assert operator.applies(wanted) == []
    time.passes(days=1, minutes=20)
    time.passes(days=1, minutes=20)
    assert operator.applies(wanted) == []
    assert "not accepted" in operator.said
    assert operator.applies(wanted, "--accept-fees") == [
        "POST /compliance/brands/owl/advance",
        f"POST /compliance/campaigns/{OTHER_SERVICE_SID}/advance",
    ]
    assert operator.applies(wanted, "--accept-fees") == []
    time.passes(minutes=6)
    time.passes(hours=1, minutes=1)
    # THEN what was rejected is told with what to change
    time.passes(hours=2)
    time.passes(days=11)
    assert operator.runs("plan") == 0
    assert "30909" in operator.said
    # AND handed in again once the file is changed
    mended = registration()
    assert operator.applies(mended) == [f"PUT /compliance/campaigns/{OTHER_SERVICE_SID}"]
    assert "~ description" in operator.said
    time.passes(days=11)
    assert operator.applies(mended) == []
    page = operator.api.ask("GET", "/compliance").body
    assert (page["ready"], page["campaigns"][0]["status"]) == (True, "VERIFIED")
    made = [each for each in simulator.changes if each.endswith(("/BrandRegistrations", "/Usa2p"))]
    assert len(made) == 2
    # an approved one is not changed by a file
    operator.writes(registration(message_flow=f"{FORM['message_flow']} Or by phone."))
    assert operator.runs("apply", "--yes") == 1
    assert "it is VERIFIED" in operator.said


ODD = "  Zoë \U0001f989 Owl,\tInc.\n\n & Söhne \n"
FULL = {
    "brand": {
        "name": "owl-2",
        "kind": "low_volume",
        "email": "Ann@OwlCouriers.COM",
        "business": {
            "name": ODD,
            "identity": "isv_reseller_or_partner",
            "type": "Co-operative",
            "industry": "RETAIL",
            "registration_identifier": "EIN",
            "registration_number": "00-1234567",
            "regions_of_operation": "EUROPE",
            "website_url": "HTTPS://OWL.example.com/?a=1#x",
            "social_media_profile_urls": "https://x.com/owl, https://y.com/owl",
        },
        "representatives": [{"first_name": ODD}, {"job_position": "General Counsel"}],
        "address": {
            "street": ODD,
            "street_secondary": "0",
            "postal_code": "00000",
            "country": "NO",
        },
        "company": {
            "company_type": "public",
            "stock_exchange": "NYSE",
            "stock_ticker": "OWL",
            "brand_contact_email": "x@y.z",
        },
        "proprietor": {"first_name": ODD, "mobile_phone_number": "1"},
        "mock": True,
    },
    "campaign": FORM
    | {
        "brand": "owl-2",
        "description": f"{FORM['description']} {ODD}",
        "opt_in_message": ODD,
        "opt_in_keywords": ["START", "start", " yes "],
        "opt_out_message": ODD,
        "opt_out_keywords": [],
        "help_message": ODD,
        "help_keywords": ["HELP"],
        "age_gated": True,
        "direct_lending": True,
        "brand_name": "Someone",
        "brand_website": "https://example.com",
        "brand_type": "STANDARD",
    },
}


@pytest.mark.usefixtures("elsewhere")
def test_whatever_a_brand_and_a_campaign_say_comes_to_rest_field_by_field(
    operator: Operator,
) -> None:
    operator.applies(FULL, "--force")
    assert operator.applies(FULL, "--force") == []
    text = yaml.safe_dump(FULL, allow_unicode=True, sort_keys=True, width=30)
    assert operator.applies(text.replace("\n", "\r\n"), "--force") == []
    # AND what is left out is not there any more
    few = {"brand": {"name": "owl-2", "mock": True}, "campaign": {"brand": "owl-2"}}
    assert len(operator.applies(few, "--force")) == 2
    assert operator.applies(few, "--force") == []


@pytest.mark.usefixtures("elsewhere")
def test_a_plan_shows_nobodys_address(operator: Operator) -> None:
    operator.applies({"brand": {"name": "owl", **STANDARD}})
    company = STANDARD["company"] | {"brand_contact_email": "bea@owlcouriers.com"}
    operator.writes({"brand": {"name": "owl", **STANDARD, "company": company}})
    assert operator.runs("plan") == 0
    assert "brand_contact_email" in operator.said
    assert "bea@" not in operator.said


@pytest.mark.usefixtures("elsewhere")
def test_a_campaign_that_reviewers_would_reject_stands_in_the_way_unless_it_is_forced(
    operator: Operator,
) -> None:
    bad = registration(
        message_samples=["Owl Couriers: see https://bit.ly/2Fhx for your parcel", "Hi"]
    )
    operator.writes(bad)
    assert operator.runs("apply", "--yes") == 1
    assert operator.api.changes == []
    assert "campaign.message_samples.0" in operator.said
    assert operator.applies(bad, "--force")[-1].startswith("PUT /compliance/campaigns/")
    assert operator.applies(bad, "--force") == []


@pytest.mark.usefixtures("elsewhere")
def test_a_campaign_is_held_against_its_own_brand_also_if_another_file_has_that(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("BRAND_NAME", "Sparrow Post")
    warm.start_over(clock=clock)
    operator.applies({"brand": {"name": "owl", **STANDARD}})
    alone = {"campaign": registration(brand="owl")["campaign"]}
    assert operator.applies(alone) == [f"PUT /compliance/campaigns/{OTHER_SERVICE_SID}"]


# ------------------------------------------------------------------------------------------------ the file


BROKEN = [
    ("service: [", 1, "", "is no YAML"),
    (
        "service:\n  sticky_sender: true\n  sticky_sender: false",
        3,
        "service.sticky_sender",
        "comes twice",
    ),
    ("service:\n  sticky_sender: on", 2, "service.sticky_sender", "must be true or false"),
    ("service:\n  inbound_url: https://e.com", 2, "service.inbound_url", "PublicUrl"),
    ("service:\n  name: Owl", 2, "service.name", "ServiceName"),
    ("service:\n  fallback_to_long_code: true", 2, "service.fallback_to_long_code", "no effect"),
    ("service:\n  validity_period: 4h", 2, "service.validity_period", "1 to 36000 seconds"),
    ("senders:\n  - 202-555-0100", 2, "senders.0", "E.164"),
    ("senders:\n  - '55501'\n  - '55501'", 3, "senders.1", "stands in the list before"),
    ("senders:\n  - {alphanumeric: OWL, country: US}", 2, "senders.0", "no alphanumeric"),
    (
        "senders:\n  - {alphanumeric: OWL, country: FR}\n  - {alphanumeric: OWLS, country: FR}",
        3,
        "senders.1",
        "second alphanumeric sender for FR",
    ),
    ("link_domain: example.com", 1, "link_domain", "DN"),
    ("link_domain: {fallback_url: null}", 1, "link_domain.sid", "is missing"),
    (f"link_domain:\n  sid: {DOMAIN}\n  fallback: x", 3, "link_domain.fallback", "not known"),
    (f"link_domain:\n  sid: {DOMAIN}\n  fallback_url: x", 3, "link_domain.fallback_url", "URL"),
    ("brand:\n  name: owl\n  busines: {}", 3, "brand.busines", "is not known here"),
    (
        "campaign:\n  brand: owl\n  age_gated: nope",
        3,
        "campaign.age_gated",
        "must be true or false",
    ),
    ("campaign:\n  description: x", 1, "campaign.brand", "must name a brand"),
    ("brand:\n  name: ${NOBODY}", 2, "brand.name", "needs NOBODY"),
    ("a: &x 1\nb: *x", 2, "", "aliases"),
    ("[a]: b", 1, "", "a key that is no name"),
    ("service:\n  validity_period: !!int 4h", 2, "", "tags are not taken"),
    ("campaign:\n  description: !!timestamp today", 2, "", "tags are not taken"),
    ("service: !owl {}", 1, "", "tags are not taken"),
    (f"senders: {'[' * 3000}", 1, "", "nested too deeply"),
    (f"senders:\n  - {'{a: ' * 400}{'}' * 400}", 2, "", "nested too deeply"),
    ("service:\n  true: false", 2, "service.true", "is no setting"),
    ("- service", 1, "", "parts of its own"),
]


@pytest.mark.parametrize(("text", "line", "where", "why"), BROKEN)
def test_a_broken_file_is_refused_by_line_place_and_reason_and_nobody_is_asked(
    operator: Operator, simulator: SimulatedTwilio, text: str, line: int, where: str, why: str
) -> None:
    operator.writes(text)
    simulator.requests.clear()
    assert operator.runs("plan") == 1
    said = operator.said.replace("\n", " ")
    assert f"messaging.yaml:{line}:{f' {where}' if where else ''} " in said
    assert why in said
    assert simulator.requests == []


def test_a_file_that_is_not_there_is_told(operator: Operator) -> None:
    assert operator.runs("plan") == 1
    assert "cannot read" in operator.said


def test_what_is_no_file_of_ours_is_told(operator: Operator) -> None:
    operator.file.write_bytes("senders: [ü]".encode("utf-16"))
    assert operator.runs("plan") == 1
    assert "is not UTF-8" in operator.said
    operator.writes("# all of it\n" * 200_000)
    assert operator.runs("plan") == 1
    assert "more than 1,000,000 characters" in operator.said
    operator.file = operator.file.parent
    assert operator.runs("plan") == 1
    assert "cannot read" in operator.said


def test_yaml_reads_nothing_as_something_else() -> None:
    text = "a: NO\nb: 02101\nc: +12025550100\nd: 1_000\ne: 2026-11-26\nf: 12:30\ng: true\nh: null\ni: 'true'"
    said = read(text, {}).said
    assert list(said.values()) == [
        "NO", "02101", "+12025550100", "1_000", "2026-11-26", "12:30", True, None, "true",
    ]  # fmt: skip


def test_the_environment_fills_in_what_does_not_belong_in_a_repository() -> None:
    said = read(
        "a: ${EIN}\nb: x-$${EIN}-${EIN}\nc: '${EMPTY}'", {"EIN": "12-3456789", "EMPTY": ""}
    ).said
    assert said == {"a": "12-3456789", "b": "x-${EIN}-12-3456789", "c": ""}


scalars = st.one_of(st.text(max_size=8), st.booleans(), st.none(), st.integers(), st.floats())
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(
    said=trees
    | st.fixed_dictionaries({}, optional={"service": trees, "senders": trees, "campaign": trees})
)
def test_any_file_is_read_or_refused_with_lines_that_are_there(said: object) -> None:
    text = yaml.safe_dump(said, allow_unicode=True)
    lines = range(1, max(len(text.splitlines()), 1) + 1)
    assert {each.line for each in problems_of(text)} <= set(lines)


def problems_of(text: str) -> tuple[Problem, ...]:
    try:
        load(text, {})
    except BrokenFileError as error:
        return error.problems
    return ()


def test_the_published_schema_takes_what_is_taken_and_refuses_what_is_not() -> None:
    validator = Draft202012Validator(messaging_file.schema())
    assert validator.is_valid(WANTED | registration() | {"link_domain": None})
    for bad in (
        {"service": {"inbound_url": "https://e.com"}},
        {"service": {"sticky_sender": "on"}},
        {"sender": []},
        {"senders": [{"alphanumeric": 1}]},
        {"link_domain": "x"},
        {"brand": {}},
    ):
        assert not validator.is_valid(bad), bad


class Editor(yaml.SafeLoader):
    """Reads scalars as YAML 1.2 does, whose numbers need no quotes here."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


for tag, of, first in (
    ("bool", "true|false", "tf"),
    ("null", "null|~|", ["n", "~", ""]),
    ("int", "[-+]?[0-9]+", "-+0123456789"),
):
    Editor.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"({of})$"), list(first))


def is_valid(text: str) -> bool:
    """Tell whether an editor that knows the published schema finds nothing."""
    published = json.loads((DOCS / "messaging.schema.json").read_text())
    return Draft202012Validator(published).is_valid(yaml.load(text, Editor))  # noqa: S506


# what is wrong with the text itself, or with two parts of it together
_NOT_BY_SCHEMA = (
    "comes twice", "no YAML", "not taken", "nested", "no name", "NOBODY", "name a brand", "second"
)  # fmt: skip


@pytest.mark.parametrize(
    "text", [text for text, *_, why in BROKEN if not any(each in why for each in _NOT_BY_SCHEMA)]
)
def test_an_editor_finds_what_the_reader_refuses(text: str) -> None:
    assert not is_valid(text)


@pytest.mark.parametrize(
    "text",
    [
        "senders: [+12025550100, '+12025550101', 55501, '55502', PN00000000000000000000000000000001]",
        "senders: [{alphanumeric: OWL_SHOP &1, country: FR}, {alphanumeric: OWL}]",
        "senders: []\nlink_domain: null\nservice: {status_callback: null, validity_period: 60}",
        "brand: {name: owl, address: {postal_code: 02101, street: 1}, business: {registration_number: 123456789}}",
        "campaign: {brand: owl, message_samples: [12345], opt_in_keywords: [1]}",
    ],
)
def test_an_editor_finds_nothing_in_what_the_reader_takes(text: str) -> None:
    assert problems_of(text) == ()
    assert is_valid(text)


def test_the_example_is_a_file_that_is_taken() -> None:
    example = DOCS / "messaging.example.yaml"
    assert is_valid(example.read_text())
    wanted = load(example.read_text(), {"EIN": "12-3456789"})
    assert wanted.settings
    assert wanted.senders
    assert wanted.brand
    assert wanted.campaign
