"""The Messaging Service by our API, against the whole simulated Twilio: settings, drift, the pool, dying in between."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from itertools import count
from typing import Any, Literal
from urllib.parse import parse_qsl, quote
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from functions.service.app import lambda_handler
from sendpool.adapters import aws as clients
from sendpool.adapters.parameters import Credentials
from sendpool.adapters.twilio.services import Services
from sendpool.adapters.twilio.transport import NeverSentError, NoAnswerError
from sendpool.domain.errors import TwilioUnavailableError
from sendpool.domain.messaging_service import (
    SETTINGS,
    USE_CASES,
    ServiceSettings,
    changed,
    differences,
)
from sendpool.domain.twilio_codes import explain
from sendpool.edge import warm
from sendpool.edge.settings import MissingSettingError
from tests.functional.aws import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    PATH,
    PUBLIC_URL,
    SERVICE_SID,
    Aws,
    Context,
)
from tests.functional.conftest import Clock
from tests.functional.listening import Listener
from tests.functional.requests import http
from tests.functional.rest import killed_at as aws_killed_at
from tests.functional.simulated import OTHER_SERVICE_SID, SimulatedTwilio
from tests.functional.twilio import Answer

SERVICE = f"/v1/Services/{SERVICE_SID}"
OTHER = f"/v1/Services/{OTHER_SERVICE_SID}"
OVERRIDES = "#rc=3&rp=ct,rt,5xx&ct=2000&rt=5000"


def sid_of(address: str, kind: str = "PN") -> str:
    """The SID that the simulator gives a number or short code."""
    return f"{kind}{crc32(address.encode()):032x}"


POOLED, LOOSE, TOLL_FREE = map(sid_of, ("+12025550100", "+13125550100", "+18885550100"))
SHORT_CODE = sid_of("55501", "SC")


@pytest.fixture
def services(simulator: SimulatedTwilio) -> Services:
    credentials = Credentials(account_sid=ACCOUNT_SID, auth_tokens=(AUTH_TOKEN,))
    return Services(credentials=credentials, http_client=simulator)


def ask(method: str, path: str, body: object = None, query: str = "") -> tuple[int, dict[str, Any]]:
    event = http(method, path, body, query=query)
    if query:
        event["queryStringParameters"] = dict(parse_qsl(query))
    answer = lambda_handler(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


def good(method: str, path: str, body: object = None, query: str = "") -> dict[str, Any]:
    status, answered = ask(method, path, body, query)
    assert status == 200, answered
    return answered


def live(simulator: SimulatedTwilio) -> dict[str, Any]:
    found: dict[str, Any] = simulator.api("GET", SERVICE)
    return found


def pool_of(simulator: SimulatedTwilio, service: str = SERVICE) -> list[str]:
    listed = simulator.api("GET", f"{service}/PhoneNumbers")["phone_numbers"]
    return [each["sid"] for each in listed]


# ------------------------------------------------------------------------------------------------ settings


def test_the_service_is_shown_with_what_this_stack_declares_and_what_differs(
    simulator: SimulatedTwilio,
) -> None:
    shown = good("GET", "/service")
    assert shown["sid"] == SERVICE_SID
    assert shown["settings"]["name"] == "default"
    assert shown["declared"] == {
        "inbound_url": f"{PUBLIC_URL}/webhooks/inbound{OVERRIDES}",
        "inbound_method": "POST",
        "fallback_url": f"{PUBLIC_URL}/webhooks/fallback{OVERRIDES}",
        "fallback_method": "POST",
        "inbound_webhook_on_number": False,
    }
    assert [each["setting"] for each in shown["differences"]] == ["inbound_url", "fallback_url"]
    assert simulator.changes == []


def test_settings_are_changed_with_one_call_that_leaves_all_others(
    simulator: SimulatedTwilio,
) -> None:
    before = live(simulator)
    simulator.requests.clear()
    shown = good("PATCH", "/service", {"smart_encoding": False, "use_case": "marketing"})
    assert simulator.requests == [f"POST {SERVICE}"]
    assert shown["settings"]["smart_encoding"] is False
    after = live(simulator)
    assert {name for name in after if after[name] != before[name]} - {"date_updated"} == {
        "smart_encoding",
        "usecase",
    }


def test_a_callback_is_taken_away_by_null(simulator: SimulatedTwilio) -> None:
    good("PATCH", "/service", {"status_callback": "https://example.com/status"})
    assert live(simulator)["status_callback"] == "https://example.com/status"
    assert (
        good("PATCH", "/service", {"status_callback": None})["settings"]["status_callback"] is None
    )
    assert live(simulator)["status_callback"] is None


def test_changing_nothing_writes_nothing(simulator: SimulatedTwilio) -> None:
    good("PATCH", "/service", {})
    assert simulator.changes == []


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"fallback_to_long_code": True}, "fallback_to_long_code", "setting_obsolete"),
        ({"scan_message_content": "enable"}, "scan_message_content", "setting_reserved"),
        ({"synchronous_validation": True}, "synchronous_validation", "setting_reserved"),
        ({"shorten_urls": True}, "shorten_urls", "setting_of_messages"),
        ({"inbound_url": "https://example.com"}, "inbound_url", "setting_declared"),
        ({"inbound_webhook_on_number": True}, "inbound_webhook_on_number", "setting_declared"),
        ({"validity_period": 36_001}, "validity_period", "validity_period_out_of_range"),
        ({"validity_period": "600"}, "validity_period", "wrong_type"),
        ({"sticky_sender": "on"}, "sticky_sender", "wrong_type"),
        ({"sticky_sender": None}, "sticky_sender", "wrong_type"),
        ({"use_case": "2FA"}, "use_case", "unknown_use_case"),
        ({"status_callback": "example.com"}, "status_callback", "invalid_url"),
        ({"name": ""}, "name", "invalid_name"),
        ({"colour": "red"}, "colour", "unknown_field"),
    ],
)
def test_what_cannot_be_changed_is_refused_with_the_reason_and_nothing_is_written(
    simulator: SimulatedTwilio, body: dict[str, Any], field: str, code: str
) -> None:
    status, answered = ask("PATCH", "/service", body | {"mms_converter": False})
    assert (status, answered["code"]) == (422, code)
    assert [each["field"] for each in answered["errors"]] == [field]
    assert simulator.changes == []


# ------------------------------------------------------------------------------------------------ drift


def test_each_difference_says_what_follows_and_how_to_put_it_back(
    simulator: SimulatedTwilio,
) -> None:
    good("POST", "/service/drift/apply")
    assert good("GET", "/service/drift") == {
        "sid": SERVICE_SID,
        "in_sync": True,
        "differences": [],
    }
    # WHEN somebody lets the numbers' own webhooks win
    simulator.api("POST", SERVICE, UseInboundWebhookOnNumber="true")
    drift = good("GET", "/service/drift")
    assert drift["in_sync"] is False
    (found,) = drift["differences"]
    assert (found["setting"], found["declared"], found["live"]) == (
        "inbound_webhook_on_number",
        False,
        True,
    )
    assert found["declared_by"] == "PublicUrl"
    assert '{"settings": ["inbound_webhook_on_number"]}' in found["put_back"]
    assert found["consequence"]


def test_features_are_declared_by_parameters(
    simulator: SimulatedTwilio, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("STICKY_SENDER", "off")
    monkeypatch.setenv("MMS_CONVERTER", "on")
    monkeypatch.setenv("SERVICE_VALIDITY_PERIOD", "14400")
    monkeypatch.setenv("SERVICE_USE_CASE", "notifications")
    warm.start_over(clock=clock)
    found = {each["setting"]: each for each in good("GET", "/service/drift")["differences"]}
    assert {"sticky_sender", "validity_period", "use_case"} < set(found)
    assert "mms_converter" not in found
    assert found["validity_period"]["declared_by"] == "ServiceValidityPeriod"
    # AND are put back with the rest
    good("POST", "/service/drift/apply")
    after = live(simulator)
    assert (after["sticky_sender"], after["validity_period"], after["usecase"]) == (
        False,
        14_400,
        "notifications",
    )
    assert after["area_code_geomatch"] is True


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("STICKY_SENDER", "yes"),
        ("SERVICE_VALIDITY_PERIOD", "36001"),
        ("SERVICE_VALIDITY_PERIOD", "long"),
        ("SERVICE_USE_CASE", "2FA"),
    ],
)
def test_what_declares_nothing_that_can_be_fails_at_cold_start(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, clock: Clock, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    warm.start_over(clock=clock)
    with pytest.raises(MissingSettingError):
        warm.settings()


def test_putting_back_tells_what_was_changed_and_again_changes_nothing(
    simulator: SimulatedTwilio,
) -> None:
    simulator.api("POST", SERVICE, InboundRequestUrl="https://elsewhere.example.com/")
    done = good("POST", "/service/drift/apply", {"settings": ["inbound_url"]})
    assert done["changed"] == [
        {
            "setting": "inbound_url",
            "was": "https://elsewhere.example.com/",
            "now": f"{PUBLIC_URL}/webhooks/inbound{OVERRIDES}",
        }
    ]
    assert [each["setting"] for each in done["differences"]] == ["fallback_url"]
    assert good("POST", "/service/drift/apply")["in_sync"] is True
    simulator.requests.clear()
    assert good("POST", "/service/drift/apply")["changed"] == []
    assert simulator.changes == []


def test_a_warm_environment_puts_no_url_back_that_a_deployment_has_changed(
    simulator: SimulatedTwilio,
) -> None:
    # GIVEN an environment that knows the URL, and a deployment that gives the stack another
    good("POST", "/service/drift/apply")
    new = "https://new.example.com"
    clients.ssm().put_parameter(Name=f"{PATH}/public-url", Value=new, Type="String", Overwrite=True)
    simulator.api("POST", SERVICE, InboundRequestUrl=f"{new}/webhooks/inbound{OVERRIDES}")
    # WHEN the service is put back
    done = good("POST", "/service/drift/apply")
    # THEN it is put to where the stack is now
    assert [each["setting"] for each in done["changed"]] == ["fallback_url"]
    assert live(simulator)["fallback_url"] == f"{new}/webhooks/fallback{OVERRIDES}"


def test_only_known_settings_can_be_put_back(simulator: SimulatedTwilio) -> None:
    for settings in (["colour"], []):
        status, _ = ask("POST", "/service/drift/apply", {"settings": settings})
        assert status == 422
    assert simulator.requests == []


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": st.from_regex("[a-z]{1,64}", fullmatch=True),
    **dict.fromkeys(
        ("inbound_url", "fallback_url", "status_callback"),
        st.sampled_from([None, "https://a.example.com/#rc=3", "https://b.example.com/?x=1#ct=9"]),
    ),
    **dict.fromkeys(("inbound_method", "fallback_method"), st.sampled_from(["GET", "POST"])),
    **dict.fromkeys(
        (
            "inbound_webhook_on_number",
            "sticky_sender",
            "mms_converter",
            "smart_encoding",
            "area_code_geomatch",
        ),
        st.booleans(),
    ),
    "validity_period": st.integers(1, 36_000),
    "use_case": st.sampled_from(USE_CASES),
}


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.builds(ServiceSettings, **VALUES), st.fixed_dictionaries({}, optional=VALUES))
def test_what_was_written_is_what_is_read_for_any_settings(
    services: Services, made: ServiceSettings, changes: dict[str, Any]
) -> None:
    sid = services.create(made).sid
    assert services.read(sid).settings == made
    after = services.update(sid, changes).settings
    assert after == services.read(sid).settings == changed(made, changes)
    assert differences(changes, after) == ()


def test_an_attempt_to_make_a_service_whose_answer_got_lost_is_found_by_name(
    services: Services, simulator: SimulatedTwilio
) -> None:
    assert services.named("sendpool") == []
    with simulator.answer_lost(), pytest.raises(TwilioUnavailableError):
        services.create(ServiceSettings(name="sendpool"))
    (found,) = services.named("sendpool")
    assert found.settings == ServiceSettings(name="sendpool")


def test_a_new_service_says_every_setting(services: Services, simulator: SimulatedTwilio) -> None:
    made: list[str] = []
    request = simulator._handle

    async def remember(method: str, target: str, body: bytes, headers: dict[str, str]) -> Any:
        made.append(body.decode())
        return await request(method, target, body, headers)

    simulator._handle = remember  # type: ignore[method-assign]
    services.create(ServiceSettings(name="sendpool"))
    assert len(made[0].split("&")) == len(SETTINGS)


# ------------------------------------------------------------------------------------------------ told


def look_for_drift(event: Callable[[str], dict[str, Any]]) -> None:
    assert lambda_handler(event("service/schedule"), Context()) is None


def counted(capsys: pytest.CaptureFixture[str], metric: str) -> list[float]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line[metric][0] for line in lines if metric in line]


def test_drift_is_told_daily_as_the_same_event_until_somebody_changes_the_service(
    simulator: SimulatedTwilio,
    aws: Aws,
    clock: Clock,
    event: Callable[[str], dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    listener = Listener(aws)
    good("POST", "/service/drift/apply")
    capsys.readouterr()
    look_for_drift(event)
    assert (counted(capsys, "ServiceDrift"), listener.heard()) == ([0], [])
    # WHEN somebody changes two settings
    simulator.api("POST", SERVICE, InboundRequestUrl="", UseInboundWebhookOnNumber="true")
    look_for_drift(event)
    assert counted(capsys, "ServiceDrift") == [2]
    first = listener.heard()
    assert {each["type"] for each in first} == {"service.drifted"}
    told = {each["data"]["setting"]: each["data"] for each in first}
    assert set(told) == {"inbound_url", "inbound_webhook_on_number"}
    number = told["inbound_webhook_on_number"]
    assert (number["declared"], number["live"]) == (False, True)
    assert "live" not in told["inbound_url"]
    # THEN the next day tells the same
    clock.pass_by(days=1)
    look_for_drift(event)
    assert by_id(listener.heard()) == by_id(first)
    # AND once it was put back, and changed the same way again, that is news
    good("POST", "/service/drift/apply")
    simulator.control("POST", "clock", {"advance_seconds": 86_400})
    simulator.api("POST", SERVICE, InboundRequestUrl="", UseInboundWebhookOnNumber="true")
    look_for_drift(event)
    again = listener.heard()
    assert len(again) == 2
    assert not set(by_id(again)) & set(by_id(first))


def by_id(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in events}


def test_a_sender_that_comes_or_goes_is_told_and_again_the_same_event_or_none(
    simulator: SimulatedTwilio, aws: Aws
) -> None:
    listener = Listener(aws)
    good("POST", "/service/senders", {"sid": LOOSE})
    (added,) = listener.heard()
    assert added["type"] == "sender.added"
    assert added["data"] == {
        "service_sid": SERVICE_SID,
        "sid": LOOSE,
        "kind": "long_code",
        "address": "+13125550100",
        "country": "US",
    }
    # the first request may have died before it told
    good("POST", "/service/senders", {"sid": LOOSE})
    assert listener.heard() == [added]
    good("DELETE", f"/service/senders/{LOOSE}")
    (removed,) = listener.heard()
    assert (removed["type"], removed["data"]["sid"]) == ("sender.removed", LOOSE)
    good("DELETE", f"/service/senders/{LOOSE}")
    assert listener.heard() == []


# ------------------------------------------------------------------------------------------------ senders


def test_senders_are_listed_with_their_rates_and_the_pool_with_its_own(
    simulator: SimulatedTwilio,
) -> None:
    for path, form in (
        ("ShortCodes", {"ShortCodeSid": SHORT_CODE}),
        ("PhoneNumbers", {"PhoneNumberSid": TOLL_FREE}),
        ("AlphaSenders", {"AlphaSender": "OWL"}),
        ("DestinationAlphaSenders", {"AlphaSender": "HIBOU", "IsoCountryCode": "FR"}),
    ):
        simulator.api("POST", f"{SERVICE}/{path}", **form)
    whatsapp = simulator.control("POST", "channel-senders", {"sender": "whatsapp:+12025550190"})
    simulator.api("POST", f"{SERVICE}/ChannelSenders", Sid=whatsapp["sid"])
    listed = good("GET", "/service/senders")
    by_address = {each["address"]: each for each in listed["senders"]}
    assert len(by_address) == len(listed["senders"]) == 8
    assert [each["kind"] for each in listed["senders"]] == [
        "short_code",
        "alphanumeric",
        "alphanumeric",
        "long_code",
        "long_code",
        "long_code",
        "toll_free",
        "whatsapp",
    ]
    long_code, toll_free = by_address["+12025550100"], by_address["+18885550100"]
    assert (long_code["registered"], long_code["segments_per_second"]) == ("registered", 225)
    assert long_code["capabilities"] == ["SMS", "MMS"]
    assert (toll_free["registered"], toll_free["segments_per_second"]) == ("not_registered", 0)
    assert by_address["HIBOU"]["country"] == "FR"
    assert by_address["OWL"]["country"] is None
    pool = listed["pool"]
    # 225 of the campaign, 100 of the short code, 10 of each alphanumeric sender; WhatsApp is no SMS
    assert (pool["senders"], pool["segments_per_second"]) == (8, 345)
    assert [each["code"] for each in pool["warnings"]] == ["toll_free_not_verified"]
    assert simulator.changes == []


def test_an_approved_campaign_gives_its_numbers_the_rate_that_carriers_grant(
    simulator: SimulatedTwilio,
) -> None:
    campaign = {
        "sid": "QE2c6890da8086d771620e9b13fadeba0b",
        "campaign_status": "VERIFIED",
        "us_app_to_person_usecase": "MARKETING",
        "campaign_id": "CABC123",
        "brand_registration_sid": "BN" + "1" * 32,
        "rate_limits": {"att": {"mps": 4, "msg_class": "F"}, "tmobile": {"brand_tier": "LOW"}},
    }
    simulator.instead[f"GET {SERVICE}/Compliance/Usa2p"] = {
        "compliance": [campaign],
        "meta": {"key": "compliance", "next_page_url": None},
    }
    listed = good("GET", "/service/senders")
    assert {(each["segments_per_second"], each["shared"]) for each in listed["senders"]} == {
        (12, True)
    }
    pool = listed["pool"]
    assert pool["segments_per_second"] == 12
    assert pool["kinds"] == [{"kind": "long_code", "senders": 3, "segments_per_second": 12}]
    assert pool["campaign"] == {
        "status": "VERIFIED",
        "registered": "registered",
        "use_case": "MARKETING",
        "campaign_id": "CABC123",
        "brand_sid": "BN" + "1" * 32,
        "segments_per_second": 12,
        "att_class": "F",
        "tmobile_tier": "LOW",
        "tmobile_daily": 2000,
        "mock": False,
    }
    assert pool["warnings"] == []


def test_an_approved_campaign_counts_wherever_it_stands_in_the_list(
    simulator: SimulatedTwilio,
) -> None:
    simulator.instead[f"GET {SERVICE}/Compliance/Usa2p"] = {
        "compliance": [{"campaign_status": "FAILED"}, {"campaign_status": "VERIFIED"}],
        "meta": {"key": "compliance", "next_page_url": None},
    }
    assert good("GET", "/service/senders")["pool"]["campaign"]["registered"] == "registered"


@pytest.mark.parametrize("bought", [(), ("+18885550101",)])
def test_a_toll_free_number_is_as_its_own_verifications_say(
    simulator: SimulatedTwilio, bought: tuple[str, ...]
) -> None:
    account = f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers.json"
    numbers = [TOLL_FREE]
    numbers += [simulator.api("POST", account, PhoneNumber=number)["sid"] for number in bought]
    for number in numbers:
        good("POST", "/service/senders", {"sid": number})
    simulator.instead["GET /v1/Tollfree/Verifications"] = {
        "verifications": [
            {"tollfree_phone_number_sid": sid, "status": status}
            for sid, status in (
                ("PN" + "f" * 32, "TWILIO_REJECTED"),
                (TOLL_FREE, "TWILIO_REJECTED"),
                (TOLL_FREE, "TWILIO_APPROVED"),
            )
        ],
        "meta": {"key": "verifications", "next_page_url": None},
    }
    listed = good("GET", "/service/senders")["senders"]
    found = {each["sid"]: each["registered"] for each in listed if each["kind"] == "toll_free"}
    assert found == dict.fromkeys(numbers, "not_registered") | {TOLL_FREE: "registered"}


def test_without_a_campaign_us_long_codes_are_blocked(simulator: SimulatedTwilio) -> None:
    campaign = "QE2c6890da8086d771620e9b13fadeba0b"
    simulator.api("DELETE", f"{SERVICE}/Compliance/Usa2p/{campaign}")
    listed = good("GET", "/service/senders")
    assert {(each["registered"], each["segments_per_second"]) for each in listed["senders"]} == {
        ("not_registered", 0)
    }
    assert (listed["pool"]["segments_per_second"], listed["pool"]["campaign"]) == (0, None)
    assert [each["code"] for each in listed["pool"]["warnings"]] == ["campaign_not_approved"]


def test_pages_of_senders_show_all_of_them_once_and_each_the_whole_pool(
    simulator: SimulatedTwilio,
) -> None:
    for name, country in (("OWL", ""), ("HIBOU", "FR"), ("EULE", "DE"), ("BUHO", "ES")):
        simulator.api(
            "POST", f"{SERVICE}/DestinationAlphaSenders", AlphaSender=name, IsoCountryCode=country
        )
    shown: list[str] = []
    query = "limit=2"
    for _ in range(4):
        page = good("GET", "/service/senders", query=query)
        shown += [each["sid"] for each in page["senders"]]
        assert page["pool"]["senders"] == 7
        query = f"limit=2&cursor={quote(page['next_cursor'] or '')}"
    assert page["next_cursor"] is None
    assert len(shown) == len(set(shown)) == 7


def test_all_pages_of_twilios_lists_are_read(
    simulator: SimulatedTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sendpool.adapters.twilio.services._PAGE", 1)
    assert good("GET", "/service/senders")["pool"]["senders"] == 3


@pytest.mark.parametrize("cursor", ["tomorrow", "%C3%A4", quote("OC5QTg=="), "Mi5QTg"])
def test_a_cursor_of_nobody_is_refused(simulator: SimulatedTwilio, cursor: str) -> None:
    status, answered = ask("GET", "/service/senders", query=f"cursor={cursor}")
    assert (status, answered["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize(
    ("body", "address", "kind"),
    [
        ({"sid": LOOSE}, "+13125550100", "long_code"),
        ({"sid": TOLL_FREE}, "+18885550100", "toll_free"),
        ({"sid": SHORT_CODE}, "55501", "short_code"),
        ({"alphanumeric": "OWL"}, "OWL", "alphanumeric"),
        ({"alphanumeric": "HIBOU", "country": "FR"}, "HIBOU", "alphanumeric"),
    ],
)
def test_a_sender_is_added_and_removed_and_again_changes_nothing(
    simulator: SimulatedTwilio, body: dict[str, str], address: str, kind: str
) -> None:
    added = good("POST", "/service/senders", body)
    assert added["added"] is True
    assert (added["sender"]["address"], added["sender"]["kind"]) == (address, kind)
    again = good("POST", "/service/senders", body)
    assert again == added | {"added": False}
    sid = added["sender"]["sid"]
    assert good("DELETE", f"/service/senders/{sid}") == {"sid": sid, "removed": True}
    assert good("DELETE", f"/service/senders/{sid}") == {"sid": sid, "removed": False}
    assert address not in {each["address"] for each in good("GET", "/service/senders")["senders"]}


def test_a_channel_sender_is_added_and_removed(simulator: SimulatedTwilio) -> None:
    owned = simulator.control("POST", "channel-senders", {"sender": "rcs:owl_shop_agent"})
    added = good("POST", "/service/senders", {"sid": owned["sid"]})
    assert (added["sender"]["kind"], added["sender"]["segments_per_second"]) == ("rcs", None)
    assert good("DELETE", f"/service/senders/{owned['sid']}")["removed"] is True


def test_a_number_that_sits_in_another_service_is_said_so_and_in_which(
    simulator: SimulatedTwilio,
) -> None:
    simulator.api("POST", f"{OTHER}/PhoneNumbers", PhoneNumberSid=LOOSE)
    status, answered = ask("POST", "/service/senders", {"sid": LOOSE})
    assert (status, answered["twilio_code"]) == (409, 21712)
    assert OTHER_SERVICE_SID in answered["detail"]
    assert answered["remedy"] == explain(21712).remedy
    assert pool_of(simulator, OTHER) == [LOOSE]


@pytest.mark.parametrize(
    "answer",
    [Answer(error=NoAnswerError("late")), Answer(500), Answer(429, 20429), Answer(403, 20006)],
)
def test_a_number_in_another_service_is_refused_also_when_nobody_can_tell_in_which(
    simulator: SimulatedTwilio, answer: Answer
) -> None:
    simulator.answers = [Answer(409, 21712), answer]
    status, answered = ask("POST", "/service/senders", {"sid": LOOSE})
    assert (status, answered["twilio_code"]) == (409, 21712)


def test_nobody_looks_through_services_while_the_time_runs_out(simulator: SimulatedTwilio) -> None:
    simulator.api("POST", f"{OTHER}/PhoneNumbers", PhoneNumberSid=LOOSE)
    simulator.requests.clear()
    request = http("POST", "/service/senders", {"sid": LOOSE})
    answer = lambda_handler(request, Context(milliseconds=[14_000]))
    assert json.loads(answer["body"])["twilio_code"] == 21712
    assert OTHER_SERVICE_SID not in answer["body"]
    assert len(simulator.requests) == 2  # the attempt, and the list


def test_another_alphanumeric_sender_for_the_same_country_is_refused(
    simulator: SimulatedTwilio,
) -> None:
    good("POST", "/service/senders", {"alphanumeric": "HIBOU", "country": "FR"})
    status, answered = ask("POST", "/service/senders", {"alphanumeric": "OWL", "country": "FR"})
    assert (status, answered["twilio_code"]) == (409, 21710)
    assert "FR" in answered["detail"]


def test_a_sender_that_the_account_has_not_is_unknown(simulator: SimulatedTwilio) -> None:
    for sid in ("PN" + "b" * 32, "SC" + "b" * 32, "XE" + "b" * 32):
        status, answered = ask("POST", "/service/senders", {"sid": sid})
        assert (status, answered["code"]) == (422, "unknown_sender")


@pytest.mark.parametrize("sid", ["PN1", "MG" + "0" * 32, "+12025550100"])
def test_what_is_no_sid_of_a_sender_cannot_be_removed(simulator: SimulatedTwilio, sid: str) -> None:
    status, _ = ask("DELETE", f"/service/senders/{quote(sid)}")
    assert status == 404
    assert simulator.requests == []


# ------------------------------------------------------------------------------------------------ refusals


OF_SENDERS = (21705, 21708, 21709, 21711, 21712, 21714, 21715)
OF_SERVICES = (21102, 21713, 21719, 20001)


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        *((code, ("POST", "/service/senders", {"sid": LOOSE})) for code in OF_SENDERS),
        *((code, ("PATCH", "/service", {"use_case": "poll"})) for code in OF_SERVICES),
    ],
)
def test_each_refusal_of_twilio_has_its_status_code_and_remedy(
    simulator: SimulatedTwilio, code: int, request_: tuple[str, str, dict[str, Any]]
) -> None:
    simulator.answers = [Answer(400, code)]
    status, answered = ask(*request_)
    row = explain(code)
    assert status == row.http_status
    assert answered["code"] == f"twilio_{row.error_class}"
    assert (answered["twilio_code"], answered["remedy"]) == (code, row.remedy)
    assert answered["retryable"] is False


@pytest.mark.parametrize("status", [400, 404, 409])
def test_what_was_done_already_is_told_by_the_code_not_by_the_status(
    simulator: SimulatedTwilio, status: int
) -> None:
    """Twilio's documents do not confirm the statuses of these codes."""
    simulator.answers = [Answer(status, 21710)]
    assert good("POST", "/service/senders", {"sid": POOLED})["added"] is False
    simulator.answers = [Answer(status, 21711)]
    assert good("DELETE", f"/service/senders/{LOOSE}")["removed"] is False
    simulator.answers = [Answer(status, 21712)]
    found, answered = ask("POST", "/service/senders", {"sid": LOOSE})
    assert (found, answered["twilio_code"]) == (409, 21712)


REQUESTS = [
    ("GET", "/service", None),
    ("PATCH", "/service", {"sticky_sender": False}),
    ("GET", "/service/drift", None),
    ("POST", "/service/drift/apply", None),
    ("GET", "/service/senders", None),
    ("POST", "/service/senders", {"sid": LOOSE}),
    ("DELETE", f"/service/senders/{POOLED}", None),
]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (Answer(error=NoAnswerError("late")), 503, "twilio_unavailable"),
        (Answer(error=NeverSentError("refused")), 503, "twilio_unavailable"),
        (Answer(500), 503, "twilio_unavailable"),
        (Answer(429, 20429), 429, "twilio_busy"),
        (Answer(401, 20003), 502, "twilio_busy"),
        (Answer(403, 20006), 502, "twilio_auth"),
    ],
)
def test_what_twilio_does_not_answer_is_a_problem_that_says_whether_to_repeat(
    simulator: SimulatedTwilio,
    method: str,
    path: str,
    body: Any,
    answer: Answer,
    status: int,
    code: str,
) -> None:
    simulator.answers = [answer]
    found, answered = ask(method, path, body)
    assert (found, answered["code"]) == (status, code)
    assert answered["retryable"] is (code != "twilio_auth")
    assert answered["remedy"]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_a_service_that_is_not_there_is_the_operators_to_mend(
    simulator: SimulatedTwilio, method: str, path: str, body: Any
) -> None:
    simulator.api("DELETE", SERVICE)
    status, answered = ask(method, path, body)
    assert (status, answered["twilio_code"]) == (502, 21701)


def test_a_wait_that_twilio_asks_for_is_passed_on(simulator: SimulatedTwilio) -> None:
    simulator.answers, simulator.headers = [Answer(429, 20429)], {"Retry-After": "17"}
    assert ask("GET", "/service")[1]["retry_after"] == 17


def test_half_an_answer_is_none(simulator: SimulatedTwilio) -> None:
    simulator.instead[f"GET {SERVICE}"] = None
    status, answered = ask("GET", "/service")
    assert (status, answered["code"]) == (503, "twilio_unavailable")


# ------------------------------------------------------------------------------------------------ dying

CHANGES = [each for each in REQUESTS if each[0] != "GET"]


def everything(simulator: SimulatedTwilio) -> tuple[Any, ...]:
    """All that can be changed, without times."""
    settings = {name: value for name, value in live(simulator).items() if "date" not in name}
    return settings, sorted(pool_of(simulator)), sorted(pool_of(simulator, OTHER))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_who_dies_at_any_call_leaves_it_done_or_not_done_and_a_repeat_does_it(
    simulator: SimulatedTwilio, method: str, path: str, body: Any, when: Literal["before", "after"]
) -> None:
    undone = everything(simulator)
    good(method, path, body)
    done = everything(simulator)
    assert undone != done
    for call in count(1):
        # GIVEN everything as it was before
        simulator.api("POST", SERVICE, InboundRequestUrl="", FallbackUrl="", StickySender="true")
        restore_pool(simulator)
        assert everything(simulator) == undone
        # WHEN the function dies at this call
        with simulator.killed_at(call, when) as was_killed:
            good(method, path, body)
        # THEN all or nothing was done, and whoever asks again gets all
        assert everything(simulator) in (undone, done)
        good(method, path, body)
        assert everything(simulator) == done
        if not was_killed():
            assert call > 1
            return


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_a_change_whose_answer_got_lost_may_be_repeated(
    simulator: SimulatedTwilio, method: str, path: str, body: Any
) -> None:
    with simulator.answer_lost():
        status, answered = ask(method, path, body)
    assert (status, answered["retryable"]) == (503, True)
    done = everything(simulator)
    good(method, path, body)
    assert everything(simulator) == done


def restore_pool(simulator: SimulatedTwilio) -> None:
    """Put back what a test moved."""
    there = pool_of(simulator)
    if POOLED not in there:
        simulator.api("POST", f"{SERVICE}/PhoneNumbers", PhoneNumberSid=POOLED)
    if LOOSE in there:
        simulator.api("DELETE", f"{SERVICE}/PhoneNumbers/{LOOSE}")


@pytest.mark.parametrize(
    "body",
    [
        f'{{"validity_period": 1{"0" * 5_000}}}',
        f'{{"name": {"[" * 30_000}{"]" * 30_000}}}',
        '{"name": "\\ud800"}',
    ],
)
def test_a_body_that_no_reader_of_json_has_to_take_is_not_our_failure(
    simulator: SimulatedTwilio, body: str
) -> None:
    event = http("PATCH", "/service", {}) | {"body": body}
    answer = lambda_handler(event, Context())
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (400, "invalid_json")
    assert simulator.requests == []


@pytest.mark.parametrize("body", [b64encode(b"\xff\xfe").decode(), "no base64"])
def test_a_body_of_bytes_that_are_no_text_is_not_our_failure(
    simulator: SimulatedTwilio, body: str
) -> None:
    event = http("PATCH", "/service", {}) | {"body": body, "isBase64Encoded": True}
    answer = lambda_handler(event, Context())
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (400, "invalid_json")
    assert simulator.requests == []


# ------------------------------------------------------------------------------------------------ what a file declares


def declared(**said: object) -> dict[str, Any]:
    return good("PUT", "/service/declared", said)


def test_what_a_file_declares_is_kept_and_held_against_the_service(
    simulator: SimulatedTwilio, clock: Clock
) -> None:
    assert good("GET", "/service/declared") == {
        "settings": {},
        "senders": [],
        "declared_at": None,
    }
    kept = declared(settings={"sticky_sender": False, "status_callback": None})
    assert simulator.changes == []
    assert good("GET", "/service/declared") == kept
    shown = good("GET", "/service")
    assert shown["declared_by"]["sticky_sender"] == "messaging.yaml"
    (found,) = [each for each in shown["differences"] if each["setting"] == "sticky_sender"]
    assert (found["declared"], found["live"]) == (False, True)
    assert found["put_back"].endswith("or apply another messaging.yaml.")
    good("POST", "/service/drift/apply")
    assert live(simulator)["sticky_sender"] is False
    assert good("GET", "/service/drift")["in_sync"]


def test_a_new_declaration_takes_the_place_of_the_one_before(simulator: SimulatedTwilio) -> None:
    declared(settings={"sticky_sender": False}, senders=[{"number": "+13125550100"}])
    declared(settings={"mms_converter": False})
    assert good("GET", "/service")["declared_by"].keys() & {"sticky_sender", "mms_converter"} == {
        "mms_converter"
    }
    assert good("GET", "/service/declared")["senders"] == []


def test_a_file_cannot_say_other_than_the_parameters_of_the_stack(
    simulator: SimulatedTwilio, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("STICKY_SENDER", "on")
    warm.start_over(clock=clock)
    status, refused = ask("PUT", "/service/declared", {"settings": {"sticky_sender": False}})
    assert status == 422
    (error,) = refused["errors"]
    assert (error["field"], error["code"]) == ("settings.sticky_sender", "declared_by_stack")
    assert "StickySender" in error["message"]
    # the same is no contradiction, and stays the parameter's
    declared(settings={"sticky_sender": True})
    assert good("GET", "/service")["declared_by"]["sticky_sender"] == "StickySender"


def test_a_deployment_that_comes_later_counts_more_than_the_file(
    simulator: SimulatedTwilio, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    declared(settings={"sticky_sender": False})
    monkeypatch.setenv("STICKY_SENDER", "on")
    warm.start_over(clock=clock)
    shown = good("GET", "/service")
    assert shown["declared"]["sticky_sender"] is True
    assert shown["declared_by"]["sticky_sender"] == "StickySender"


@pytest.mark.parametrize(
    ("said", "field", "code"),
    [
        (
            {"settings": {"inbound_url": "https://e.com"}},
            "settings.inbound_url",
            "setting_declared",
        ),
        ({"settings": {"name": "Owl"}}, "settings.name", "setting_declared"),
        ({"settings": {"shorten_urls": True}}, "settings.shorten_urls", "setting_of_messages"),
        ({"settings": {"sticky": True}}, "settings.sticky", "unknown_field"),
        ({"settings": {"sticky_sender": "on"}}, "settings.sticky_sender", "wrong_type"),
        (
            {"settings": {"validity_period": 0}},
            "settings.validity_period",
            "validity_period_out_of_range",
        ),
        ({"senders": [{"number": "202 555"}]}, "senders.0.number", "invalid_number"),
        ({"senders": [{}]}, "senders.0.sid", "sender_conflict"),
        (
            {"senders": [{"number": "55501"}, {"number": "55501", "alphanumeric": "OWL"}]},
            "senders.1.sid",
            "sender_conflict",
        ),
    ],
)
def test_a_declaration_that_cannot_be_made_so_is_refused_whole(
    simulator: SimulatedTwilio, said: dict[str, Any], field: str, code: str
) -> None:
    status, refused = ask("PUT", "/service/declared", said)
    assert status == 422
    assert (field, code) in {(each["field"], each["code"]) for each in refused["errors"]}
    assert good("GET", "/service/declared")["declared_at"] is None


def test_a_declared_sender_that_the_pool_lacks_is_found_told_and_put_back(
    simulator: SimulatedTwilio, aws: Aws
) -> None:
    listener = Listener(aws)
    declared(senders=[{"number": "+12025550100"}, {"number": "+13125550100"}])
    found = good("GET", "/service/drift")["differences"]
    (lacking,) = [each for each in found if each["setting"] == "senders"]
    assert (lacking["declared"], lacking["live"]) == ("+13125550100", None)
    lambda_handler({"source": "aws.events"}, Context())
    told = [each["data"].get("declared") for each in listener.heard()]
    assert told.count("+13125550100") == 1
    # only the senders, not the URLs that differ as well
    after = good("POST", "/service/drift/apply", {"settings": ["senders"]})
    assert [each["now"] for each in after["changed"]] == ["+13125550100"]
    assert LOOSE in pool_of(simulator)
    assert {each["setting"] for each in after["differences"]} == {"inbound_url", "fallback_url"}


def test_a_declared_sender_that_is_lost_keeps_no_other_from_being_put_back(
    simulator: SimulatedTwilio,
) -> None:
    simulator.api("POST", f"{OTHER}/PhoneNumbers", PhoneNumberSid=TOLL_FREE)
    gone, elsewhere = "+13125550199", "+18885550100"
    declared(
        settings={"sticky_sender": False},
        senders=[{"number": each} for each in (gone, elsewhere, "+13125550100")],
    )
    for _ in range(2):
        status, refused = ask("POST", "/service/drift/apply")
        assert (status, refused["code"]) == (409, "senders_not_put_back")
        assert f"{gone} is no sender of this account" in refused["detail"]
        assert (
            f"{elsewhere}: It is in the Messaging Service {OTHER_SERVICE_SID}" in refused["detail"]
        )
        assert LOOSE in pool_of(simulator)
        assert live(simulator)["sticky_sender"] is False
    lacking = [each["declared"] for each in good("GET", "/service/drift")["differences"]]
    assert lacking == [gone, elsewhere]


def test_a_number_is_added_by_what_people_call_it(simulator: SimulatedTwilio) -> None:
    added = good("POST", "/service/senders", {"number": "+13125550100"})
    assert (added["added"], added["sender"]["sid"]) == (True, LOOSE)
    assert good("POST", "/service/senders", {"number": "55501"})["sender"]["sid"] == SHORT_CODE
    status, refused = ask("POST", "/service/senders", {"number": "+13125550199"})
    assert (status, refused["errors"][0]["field"]) == (422, "number")
    assert refused["code"] == "unknown_sender"


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_dies_while_keeping_a_declaration_leaves_one_of_both_and_repeats_it(
    simulator: SimulatedTwilio, when: Literal["before", "after"]
) -> None:
    first, then = {"sticky_sender": False}, {"mms_converter": False}
    for call in count(1):
        declared(settings=first)
        with aws_killed_at(call, when) as was_killed:
            declared(settings=then)
        assert good("GET", "/service/declared")["settings"] in (first, then)
        assert declared(settings=then)["settings"] == then
        if not was_killed():
            assert call > 1
            return


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_dies_while_putting_back_what_a_file_declares_goes_on_with_the_same_request(
    simulator: SimulatedTwilio, when: Literal["before", "after"]
) -> None:
    declared(settings={"sticky_sender": False}, senders=[{"number": "+13125550100"}])
    for call in count(1):
        simulator.api("POST", SERVICE, StickySender="true")
        good("DELETE", f"/service/senders/{LOOSE}")
        with simulator.killed_at(call, when) as was_killed:
            good("POST", "/service/drift/apply")
        assert good("POST", "/service/drift/apply")["in_sync"]
        assert LOOSE in pool_of(simulator)
        if not was_killed():
            assert call > 8
            return
