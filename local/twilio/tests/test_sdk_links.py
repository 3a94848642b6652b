"""Twilio's own Python library sets link shortening up and uses it."""

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from local.twilio.tests.doors import ORDINARY, Caller
from local.twilio.tests.pem import valid_pem

pytestmark = pytest.mark.enable_socket

HOST = "go.example.com"
DOMAIN = "DN" + "d0" * 16


@pytest.fixture
def domain(twilio: Caller) -> str:
    """A domain that the Console brought in; time stands still."""
    twilio.control("POST", "clock", {"frozen": True})
    twilio.control("POST", "domains", {"sid": DOMAIN, "domain": HOST})
    return DOMAIN


def test_the_library_associates_configures_and_sends(
    client: Client, twilio: Caller, domain: str
) -> None:
    v1 = client.messaging.v1
    assert v1.domain_validate_dns(domain).fetch().is_valid is True
    association = v1.linkshortening_messaging_service(domain, twilio.service_sid)
    assert association.create().messaging_service_sid == twilio.service_sid
    found = v1.linkshortening_messaging_service_domain_association(twilio.service_sid).fetch()
    assert found.domain_sid == domain
    requested = v1.request_managed_cert(domain).update()
    assert (requested.managed, requested.requesting) == (True, True)
    twilio.control("POST", "clock", {"advance_seconds": 600})
    config = v1.domain_config(domain).update(
        fallback_url="https://example.com/gone",
        callback_url="https://example.com/clicks",
        continue_on_failure=False,
    )
    assert (config.continue_on_failure, config.disable_https) == (False, False)
    assert v1.domain_config(domain).fetch().config_sid == config.config_sid
    of_service = v1.domain_config_messaging_service(twilio.service_sid).fetch()
    assert (of_service.domain_sid, of_service.callback_url) == (domain, config.callback_url)
    client.messages.create(
        to=ORDINARY,
        messaging_service_sid=twilio.service_sid,
        body="https://example.com/a/long/way",
        shorten_urls=True,
    )
    twilio.control("POST", "clock", {"advance_seconds": 60})
    (link,) = twilio.control("GET", "links")
    assert link["short"].startswith(f"https://{HOST}/")
    assert association.delete()


def test_the_library_uploads_reads_and_deletes_a_certificate(
    client: Client, twilio: Caller, domain: str
) -> None:
    certificates = client.messaging.v1.domain_certs(domain)
    uploaded = certificates.update(tls_cert=valid_pem(HOST))
    assert uploaded.cert_in_validation is not None
    twilio.control("POST", "clock", {"advance_seconds": 600})
    fetched = certificates.fetch()
    assert fetched.certificate_sid == uploaded.certificate_sid
    assert fetched.date_expires is not None
    v2 = client.messaging.v2.domain_certs(domain).fetch()
    assert (v2.managed, v2.requesting, v2.date_expires) == (False, False, fetched.date_expires)
    assert certificates.delete()
    with pytest.raises(TwilioRestException) as raised:
        certificates.fetch()
    assert (raised.value.status, raised.value.code) == (404, 30107)
