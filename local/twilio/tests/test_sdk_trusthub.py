"""Twilio's own Python library makes, evaluates and submits customer profiles and trust products."""

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from local.twilio.account.senders import steady_sid
from local.twilio.tests.doors import Caller
from local.twilio.tests.trust_doors import (
    A2P_PRODUCT,
    BUSINESS,
    DAY,
    PRIMARY_SID,
    SECONDARY,
    advance,
    freeze,
    make_parts,
)

pytestmark = pytest.mark.enable_socket

NUMBER_SID = steady_sid("PN", "+12025550100")


@pytest.fixture
def twilio(twilio: Caller) -> Caller:
    """A simulator whose time stands still."""
    freeze(twilio)
    return twilio


def test_the_library_takes_a_profile_from_draft_to_approved(client: Client, twilio: Caller) -> None:
    profiles = client.trusthub.v1.customer_profiles
    made = profiles.create(friendly_name="Owl", email="ann@example.com", policy_sid=SECONDARY)
    profile = profiles(str(made.sid))
    before = profile.customer_profiles_evaluations.create(policy_sid=SECONDARY)
    assert str(before.status) == "noncompliant"
    with pytest.raises(TwilioRestException) as raised:
        profile.update(status="pending-review")
    assert (raised.value.status, raised.value.code) == (400, 20001)
    for sid in make_parts(client):
        profile.customer_profiles_entity_assignments.create(object_sid=sid)
    after = profile.customer_profiles_evaluations.create(policy_sid=SECONDARY)
    assert str(after.status) == "compliant"
    assert len(profile.customer_profiles_evaluations.list()) == 2
    assert profile.customer_profiles_evaluations(str(after.sid)).fetch().sid == after.sid
    submitted = profile.update(status="pending-review")
    assert str(submitted.status) == "pending-review"
    advance(twilio, DAY)
    approved = profiles.list(status="twilio-approved", policy_sid=SECONDARY)
    assert [each.sid for each in approved] == [made.sid]


def test_the_library_moves_parts_and_numbers(client: Client, twilio: Caller) -> None:
    hub = client.trusthub.v1
    made = hub.customer_profiles.create(
        friendly_name="Owl", email="ann@example.com", policy_sid=SECONDARY
    )
    profile = hub.customer_profiles(str(made.sid))
    parts = profile.customer_profiles_entity_assignments
    assigned = [parts.create(object_sid=sid) for sid in make_parts(client)]
    assert len(parts.list(page_size=2)) == 4
    listed = parts.list(object_type="customer_profile_address")
    assert [each.object_sid for each in listed] == [assigned[2].object_sid]
    assert parts(str(assigned[0].sid)).fetch().object_sid == assigned[0].object_sid
    assert all(parts(str(each.sid)).delete() for each in assigned)
    numbers = profile.customer_profiles_channel_endpoint_assignment
    number = numbers.create(channel_endpoint_type="phone-number", channel_endpoint_sid=NUMBER_SID)
    assert numbers(str(number.sid)).fetch().channel_endpoint_sid == NUMBER_SID
    assert len(numbers.list(channel_endpoint_sid=NUMBER_SID)) == 1
    assert numbers(str(number.sid)).delete()
    end_user = hub.end_users(str(assigned[0].object_sid))
    assert end_user.update(friendly_name="Owl & Co").friendly_name == "Owl & Co"
    assert end_user.fetch().attributes == BUSINESS
    document = hub.supporting_documents(str(assigned[2].object_sid))
    assert document.update(friendly_name="Tree").friendly_name == "Tree"
    assert str(document.fetch().status) == "DRAFT"
    assert (len(hub.end_users.list()), len(hub.supporting_documents.list())) == (5, 2)
    assert end_user.delete()
    assert document.delete()
    assert profile.delete()
    assert twilio.api("GET", f"/v1/CustomerProfiles/{made.sid}").status_code == 404


def test_the_library_makes_a_trust_product(client: Client, twilio: Caller) -> None:
    hub = client.trusthub.v1
    made = hub.trust_products.create(
        friendly_name="Owl", email="ann@example.com", policy_sid=A2P_PRODUCT
    )
    product = hub.trust_products(str(made.sid))
    information = hub.end_users.create(
        friendly_name="Owl",
        type="us_a2p_messaging_profile_information",
        attributes={"company_type": "private"},
    )
    parts = product.trust_products_entity_assignments
    for sid in (str(information.sid), PRIMARY_SID):
        assigned = parts.create(object_sid=sid)
        assert parts(str(assigned.sid)).fetch().object_sid == sid
    assert len(parts.list()) == 2
    evaluation = product.trust_products_evaluations.create(policy_sid=A2P_PRODUCT)
    assert str(product.trust_products_evaluations(str(evaluation.sid)).fetch().status) == (
        "compliant"
    )
    assert len(product.trust_products_evaluations.list()) == 1
    numbers = product.trust_products_channel_endpoint_assignment
    number = numbers.create(channel_endpoint_type="phone-number", channel_endpoint_sid=NUMBER_SID)
    assert numbers(str(number.sid)).fetch().sid == number.sid
    assert len(numbers.list()) == 1
    assert numbers(str(number.sid)).delete()
    assert parts(str(assigned.sid)).delete()
    parts.create(object_sid=PRIMARY_SID)
    product.update(status="pending-review")
    advance(twilio, DAY)
    assert str(product.fetch().status) == "twilio-approved"
    assert len(hub.trust_products.list(status="twilio-approved")) == 2
    assert product.delete()


def test_the_library_reads_types_and_policies(client: Client) -> None:
    hub = client.trusthub.v1
    assert all(each.fields for each in hub.end_user_types.list())
    assert all(each.fields for each in hub.supporting_document_types.list())
    first = hub.end_user_types.list()[0]
    assert hub.end_user_types(str(first.sid)).fetch().machine_name == first.machine_name
    document = hub.supporting_document_types.list()[0]
    assert hub.supporting_document_types(str(document.sid)).fetch().sid == document.sid
    assert len(hub.policies.list()) == 5
    assert hub.policies(SECONDARY).fetch().friendly_name == (
        "Secondary Customer Profile of type Business"
    )
