"""Link shortening: domains, their certificates, configuration and services."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from local.twilio.tests.doors import Caller
from local.twilio.tests.pem import authority, certificate, pem, valid_pem

pytestmark = pytest.mark.enable_socket

HOST = "go.example.com"
DOMAIN = "DN" + "d0" * 16
OTHER = "DN" + "0d" * 16
ROOT = "/v1/LinkShortening"
CERTIFICATE = f"{ROOT}/Domains/{DOMAIN}/Certificate"
REQUEST = f"{ROOT}/Domains/{DOMAIN}/RequestManagedCert"
CONFIG = f"{ROOT}/Domains/{DOMAIN}/Config"
DAY = 86_400


@pytest.fixture
def twilio(twilio: Caller) -> Caller:
    """A simulator whose time stands still, with one domain."""
    twilio.control("POST", "clock", {"frozen": True})
    put_domain(twilio)
    return twilio


def put_domain(twilio: Caller, sid: str = DOMAIN, domain: str = HOST, **fields: Any) -> Any:
    return twilio.control("POST", "domains", {"sid": sid, "domain": domain, **fields})


def now(twilio: Caller) -> datetime:
    return datetime.fromisoformat(twilio.control("GET", "clock")["now"])


def advance(twilio: Caller, seconds: float) -> None:
    twilio.control("POST", "clock", {"advance_seconds": seconds})


def alerts(twilio: Caller) -> list[int]:
    return [alert["code"] for alert in twilio.control("GET", "debugger")]


def association(service_sid: str, domain: str = DOMAIN) -> str:
    return f"{ROOT}/Domains/{domain}/MessagingServices/{service_sid}"


def test_a_domain_of_the_console_keeps_its_sid_and_can_be_changed(twilio: Caller) -> None:
    assert put_domain(twilio, dns_valid=False) == {
        "sid": DOMAIN,
        "domain": HOST,
        "dns_valid": False,
        "verified": True,
        "failing": False,
        "certified": False,
        "services": [],
    }
    made = twilio.control("POST", "domains", {"domain": "s.example.org"})
    assert made["sid"].startswith("DN")
    assert [each["domain"] for each in twilio.control("GET", "domains")] == [HOST, "s.example.org"]


@pytest.mark.parametrize(
    "given",
    [
        {"domain": "no host"},
        {"domain": "s.example.org", "sid": "DN1"},
        {"domain": HOST, "sid": OTHER},
        {"domain": "s.example.org", "sid": DOMAIN},
        {"sid": OTHER},
    ],
)
def test_a_domain_that_makes_no_sense_is_refused(twilio: Caller, given: dict[str, str]) -> None:
    response = requests.post(f"{twilio.base_url}/_control/domains", json=given, timeout=30)
    assert response.status_code == 400
    assert len(twilio.control("GET", "domains")) == 1


def test_dns_is_as_the_control_api_says(twilio: Caller) -> None:
    path = f"{ROOT}/Domains/{DOMAIN}/ValidateDns"
    fine = twilio.api("GET", path).json()
    put_domain(twilio, dns_valid=False)
    wrong = twilio.api("GET", path).json()
    assert fine == {
        "domain_sid": DOMAIN,
        "is_valid": True,
        "reason": "",
        "url": twilio.base_url + path,
    }
    assert (wrong["is_valid"], "lsct.ashburn.us1.twilio.com" in wrong["reason"]) == (False, True)


def test_an_upload_is_validated_for_a_while_and_then_in_force(twilio: Caller) -> None:
    ends = now(twilio).replace(microsecond=0) + timedelta(days=365)
    created = twilio.api("POST", CERTIFICATE, TlsCert=valid_pem(HOST, ends=ends))
    assert created.status_code == 201
    expires = ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert created.json()["date_expires"] is None
    assert created.json()["domain_name"] == f"https://{HOST}"
    assert created.json()["cert_in_validation"] == {"date_expires": expires, "status": "pending"}
    advance(twilio, 600)
    fetched = twilio.api("GET", CERTIFICATE).json()
    assert fetched["certificate_sid"] == created.json()["certificate_sid"]
    assert (fetched["date_expires"], fetched["cert_in_validation"]) == (expires, None)
    v2 = twilio.api("GET", CERTIFICATE.replace("v1", "v2")).json()
    assert (v2["managed"], v2["requesting"]) == (False, False)
    again = twilio.api("POST", CERTIFICATE, TlsCert=valid_pem(HOST))
    assert (again.status_code, again.json()["date_expires"]) == (200, expires)


def test_an_upload_can_fail_its_validation(twilio: Caller) -> None:
    twilio.api("POST", CERTIFICATE, TlsCert=valid_pem(HOST))
    assert {"key": DOMAIN, "kind": "certificate"} in twilio.control("GET", "reviews")
    twilio.control("POST", f"reviews/{DOMAIN}", {"approved": False})
    assert alerts(twilio) == [30132]
    assert twilio.api("GET", CERTIFICATE).json()["code"] == 30107


def chain_of(*names: str, **given: Any) -> list[Any]:
    signer = authority("Test CA")
    return [certificate(*names, signer=signer, **given), signer.certificate]


WRONG_UPLOADS: dict[str, tuple[int, Callable[[], str]]] = {
    "no PEM at all": (30116, lambda: "certificate"),
    "no key": (30116, lambda: valid_pem(HOST).partition("-----BEGIN PRIVATE")[0]),
    "no certificate": (30116, lambda: pem([], HOST)),
    "a broken certificate": (30117, lambda: valid_pem(HOST).replace("MII", "XXX", 1)),
    "a broken key": (30118, lambda: valid_pem(HOST).replace("KEY-----\nM", "KEY-----\nX", 1)),
    "a locked key": (
        30118,
        lambda: pem(chain_of(HOST), HOST, b"secret").replace("ENCRYPTED PRIVATE", "PRIVATE"),
    ),
    "the key of another": (30119, lambda: pem(chain_of(HOST), "other.example.com")),
    "self-signed": (30129, lambda: pem([certificate(HOST, signer=None)], HOST)),
    "expired": (30102, lambda: valid_pem(HOST, ends=datetime(2024, 1, 1, tzinfo=UTC))),
    "not valid yet": (
        30132,
        lambda: pem(chain_of(HOST, starts=datetime(2119, 1, 1, tzinfo=UTC)), HOST),
    ),
    "for another host": (30132, lambda: valid_pem("www.example.com")),
    "without its chain": (30132, lambda: pem(chain_of(HOST)[:1], HOST)),
    "with the chain of another": (
        30132,
        lambda: pem([chain_of(HOST)[0], authority("Other CA").certificate], HOST),
    ),
    "must staple": (30140, lambda: pem(chain_of(HOST, must_staple=True), HOST)),
}


@pytest.mark.parametrize(("code", "make"), WRONG_UPLOADS.values(), ids=WRONG_UPLOADS)
def test_a_wrong_upload_is_refused_with_its_code(
    twilio: Caller, code: int, make: Callable[[], str]
) -> None:
    response = twilio.api("POST", CERTIFICATE, TlsCert=make())
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert twilio.api("GET", CERTIFICATE).status_code == 404


def test_a_wildcard_certificate_will_do(twilio: Caller) -> None:
    upload = pem(chain_of("*.example.com"), "*.example.com")
    assert twilio.api("POST", CERTIFICATE, TlsCert=upload).status_code == 201


@pytest.mark.undocumented_requests
def test_the_certificate_is_required(twilio: Caller) -> None:
    assert twilio.api("POST", CERTIFICATE).json()["code"] == 20001


def test_a_managed_certificate_takes_its_time(twilio: Caller) -> None:
    requested = twilio.api("POST", REQUEST)
    assert requested.status_code == 201
    first = requested.json()
    assert (first["managed"], first["requesting"], first["date_expires"]) == (True, True, None)
    assert twilio.api("POST", REQUEST).status_code == 200
    assert twilio.api("POST", CERTIFICATE, TlsCert=valid_pem(HOST)).json()["code"] == 30133
    advance(twilio, 599)
    assert twilio.api("GET", CERTIFICATE).json()["date_expires"] is None
    advance(twilio, 1)
    issued = twilio.api("GET", CERTIFICATE.replace("v1", "v2")).json()
    assert (issued["managed"], issued["requesting"]) == (True, False)
    expires = datetime.fromisoformat(issued["date_expires"])
    assert expires == (now(twilio) + timedelta(days=90)).replace(microsecond=0)


def test_a_managed_certificate_needs_the_right_dns_setup_to_be_asked_for_and_to_be_issued(
    twilio: Caller,
) -> None:
    put_domain(twilio, dns_valid=False)
    assert twilio.api("POST", REQUEST).json()["code"] == 30134
    put_domain(twilio, dns_valid=True)
    twilio.api("POST", REQUEST)
    put_domain(twilio, dns_valid=False)
    advance(twilio, 600)
    assert alerts(twilio) == [30135]
    assert twilio.api("GET", CERTIFICATE).json()["code"] == 30107


def test_a_managed_certificate_is_renewed_while_the_dns_setup_is_right(twilio: Caller) -> None:
    put_domain(twilio, certified=True)
    advance(twilio, 61 * DAY)
    renewed = twilio.api("GET", CERTIFICATE).json()
    expires = datetime.fromisoformat(renewed["date_expires"])
    assert expires == (now(twilio) + timedelta(days=90)).replace(microsecond=0)
    put_domain(twilio, dns_valid=False)
    advance(twilio, 61 * DAY)
    assert twilio.api("GET", CERTIFICATE).json()["date_expires"] == renewed["date_expires"]
    assert alerts(twilio) == [30136]
    advance(twilio, 30 * DAY)
    assert put_domain(twilio)["certified"] is False
    assert alerts(twilio) == [30136, 30102]


def test_an_uploaded_certificate_warns_once_before_it_expires(twilio: Caller) -> None:
    ends = now(twilio) + timedelta(days=40)
    twilio.api("POST", CERTIFICATE, TlsCert=valid_pem(HOST, ends=ends))
    advance(twilio, 600)
    assert put_domain(twilio)["certified"] is True
    advance(twilio, 20 * DAY)
    assert put_domain(twilio)["certified"] is True
    assert put_domain(twilio)["certified"] is True
    assert alerts(twilio) == [30131]
    advance(twilio, 20 * DAY)
    assert put_domain(twilio)["certified"] is False


def test_a_certificate_can_be_deleted(twilio: Caller) -> None:
    put_domain(twilio, certified=True)
    assert twilio.api("DELETE", CERTIFICATE).status_code == 204
    assert twilio.api("DELETE", CERTIFICATE).json()["code"] == 30107
    twilio.api("POST", REQUEST)
    assert twilio.api("DELETE", CERTIFICATE).status_code == 204
    assert twilio.control("GET", "reviews") == []


def test_a_configuration_starts_with_defaults_and_changes_by_field(twilio: Caller) -> None:
    assert twilio.api("GET", CONFIG).json()["code"] == 20404
    created = twilio.api("POST", CONFIG, CallbackUrl="https://example.com/clicks")
    assert created.status_code == 201
    config = created.json()
    assert config["config_sid"].startswith("ZK")
    assert (config["fallback_url"], config["callback_url"]) == (None, "https://example.com/clicks")
    assert (config["continue_on_failure"], config["disable_https"]) == (True, False)
    updated = twilio.api(
        "POST",
        CONFIG,
        FallbackUrl="https://example.com/gone",
        ContinueOnFailure="false",
        DisableHttps="true",
    )
    assert updated.status_code == 200
    changed = {name for name in config if config[name] != updated.json()[name]} - {"date_updated"}
    assert changed == {"fallback_url", "continue_on_failure", "disable_https"}
    assert twilio.api("GET", CONFIG).json() == updated.json()


@pytest.mark.undocumented_requests
def test_a_url_of_the_configuration_can_be_taken_away(twilio: Caller) -> None:
    twilio.api("POST", CONFIG, CallbackUrl="https://example.com/clicks")
    assert twilio.api("POST", CONFIG, CallbackUrl="").json()["callback_url"] is None


@pytest.mark.undocumented_requests
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"FallbackUrl": "example.com"}, 30122),
        ({"FallbackUrl": "https://example.com/\u00e9"}, 30122),
        ({"FallbackUrl": "https://example.com:x/"}, 30122),
        ({"CallbackUrl": "ftp://example.com"}, 30109),
        ({"ContinueOnFailure": "perhaps"}, 20001),
        ({"DisableHttps": "perhaps"}, 20001),
    ],
)
def test_a_wrong_field_changes_nothing(twilio: Caller, fields: dict[str, str], code: int) -> None:
    before = twilio.api("POST", CONFIG, CallbackUrl="https://example.com/clicks").json()
    response = twilio.api("POST", CONFIG, **fields)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert twilio.api("GET", CONFIG).json() == before


def test_a_service_has_one_domain_and_a_domain_many_services(twilio: Caller) -> None:
    put_domain(twilio, OTHER, "s.example.org")
    path = association(twilio.service_sid)
    reverse = f"{ROOT}/MessagingServices/{twilio.service_sid}/Domain"
    assert twilio.api("GET", reverse).json()["code"] == 30137
    created = twilio.api("POST", path)
    assert (created.status_code, created.json()["url"]) == (201, twilio.base_url + path)
    assert twilio.api("POST", path).status_code == 201
    found = twilio.api("GET", reverse).json()
    assert (found["domain_sid"], found["messaging_service_sid"]) == (DOMAIN, twilio.service_sid)
    assert put_domain(twilio)["services"] == [twilio.service_sid]
    refused = twilio.api("POST", association(twilio.service_sid, OTHER))
    assert (refused.status_code, refused.json()["code"]) == (400, 30130)
    wrong = twilio.api("DELETE", association(twilio.service_sid, OTHER))
    assert (wrong.status_code, wrong.json()["code"]) == (404, 30137)
    assert twilio.api("DELETE", path).status_code == 204
    assert twilio.api("POST", association(twilio.service_sid, OTHER)).status_code == 201


def test_the_configuration_is_found_by_service(twilio: Caller) -> None:
    path = f"{ROOT}/MessagingService/{twilio.service_sid}/DomainConfig"
    assert twilio.api("GET", path).json()["code"] == 30137
    twilio.api("POST", association(twilio.service_sid))
    assert twilio.api("GET", path).json()["code"] == 20404
    config = twilio.api("POST", CONFIG, FallbackUrl="https://example.com/gone").json()
    found = twilio.api("GET", path).json()
    assert found["messaging_service_sid"] == twilio.service_sid
    assert found["config_sid"] == config["config_sid"]
    assert found["fallback_url"] == "https://example.com/gone"


def test_a_service_without_senders_takes_no_domain(twilio: Caller) -> None:
    response = twilio.api("POST", association(twilio.empty_service_sid))
    assert (response.status_code, response.json()["code"]) == (400, 21704)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", association("MG" + "5e0d" * 8)), ("POST", REQUEST), ("POST", CERTIFICATE)],
)
def test_an_unverified_domain_is_of_no_use(twilio: Caller, method: str, path: str) -> None:
    put_domain(twilio, verified=False)
    fields = {"TlsCert": valid_pem(HOST)} if path == CERTIFICATE else {}
    assert twilio.api(method, path, **fields).json()["code"] == 30101


@pytest.mark.undocumented_requests
@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"Domains/{OTHER}/Config", 404, 20404),
        ("Domains/DN1/Config", 400, 30100),
        (f"MessagingServices/MG{'0' * 32}/Domain", 404, 20404),
        ("MessagingServices/MG1/Domain", 400, 30127),
    ],
)
def test_a_wrong_sid_is_refused(twilio: Caller, path: str, status: int, code: int) -> None:
    response = twilio.api("GET", f"{ROOT}/{path}")
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_reset_keeps_domains_and_asks_again_for_what_was_on_its_way(twilio: Caller) -> None:
    twilio.api("POST", REQUEST)
    twilio.control("POST", "reset")
    assert {"key": DOMAIN, "kind": "certificate"} in twilio.control("GET", "reviews")
    advance(twilio, 601)
    assert put_domain(twilio)["certified"] is True
    twilio.control("POST", "reset", {"services": True})
    assert twilio.control("GET", "domains") == []
