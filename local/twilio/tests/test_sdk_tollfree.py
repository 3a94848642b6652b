"""Twilio's own Python library verifies toll-free numbers."""

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from local.twilio.account.senders import steady_sid
from local.twilio.tests.doors import Caller

pytestmark = pytest.mark.enable_socket

NUMBER_SID = steady_sid("PN", "+18885550100")
DAY = 86_400


def test_the_library_submits_edits_lists_and_deletes(client: Client, twilio: Caller) -> None:
    twilio.control("POST", "clock", {"frozen": True})
    verifications = client.messaging.v1.tollfree_verifications
    made = verifications.create(
        business_name="Owl, Inc.",
        business_website="https://owl.example.com",
        notification_email="support@owl.example.com",
        use_case_categories=["TWO_FACTOR_AUTHENTICATION", "MARKETING"],
        use_case_summary="reject:30446",
        production_message_sample="Your code is 123456",
        opt_in_image_urls=["https://owl.example.com/1.jpg", "https://owl.example.com/2.jpg"],
        opt_in_type="VERBAL",  # type: ignore[arg-type]  # its enums are classes of plain texts
        message_volume="10",
        tollfree_phone_number_sid=NUMBER_SID,
        age_gated_content=False,
        opt_in_keywords=["JOIN"],
        business_type="SOLE_PROPRIETOR",
    )
    assert (str(made.status), made.opt_in_keywords) == ("PENDING_REVIEW", ["JOIN"])
    twilio.control("POST", "clock", {"advance_seconds": 3 * DAY})
    rejected = verifications(str(made.sid)).fetch()
    assert (rejected.error_code, rejected.edit_allowed) == (30446, True)
    assert rejected.edit_expiration is not None
    edited = verifications(str(made.sid)).update(
        use_case_summary="Codes", edit_reason="Opt-in described"
    )
    assert (str(edited.status), edited.use_case_categories) == (
        "PENDING_REVIEW",
        ["TWO_FACTOR_AUTHENTICATION", "MARKETING"],
    )
    twilio.control("POST", "clock", {"advance_seconds": 3 * DAY})
    approved = verifications.list(
        status="TWILIO_APPROVED", tollfree_phone_number_sid=NUMBER_SID, include_sub_accounts=False
    )
    assert [each.sid for each in approved] == [made.sid]
    assert verifications(str(made.sid)).delete()
    with pytest.raises(TwilioRestException) as raised:
        verifications(str(made.sid)).fetch()
    assert (raised.value.status, raised.value.code) == (404, 20404)
