"""A deployment and its Messaging Service, as CloudFormation asks for it, against the whole simulated Twilio."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.provisioner.app import lambda_handler
from sendpool.adapters import aws as clients
from sendpool.adapters.cloudformation import MOST_BYTES, Answer, NotAnsweredError, encoded
from sendpool.adapters.twilio.transport import NoAnswerError
from sendpool.domain.twilio_codes import explain
from sendpool.edge import provisioning, warm
from tests.functional.aws import AUTH_TOKEN, PATH, PUBLIC_URL, SERVICE_SID, Aws, Context
from tests.functional.conftest import EVENTS, Clock
from tests.functional.simulated import OTHER_SERVICE_SID, SimulatedTwilio
from tests.functional.test_service import LOOSE, OVERRIDES, SHORT_CODE, TOLL_FREE, pool_of
from tests.functional.twilio import Answer as TwilioAnswer

NAME = "Sendpool test"
NUMBER = "+13125550100"
NOBODYS = "+13035550199"
UNKNOWN = "MG" + "f" * 32
RESPONSE_URL = "https://cloudformation.example.com/answer?signature=5ec2e7"

type Request = dict[str, Any]


class Deployment:
    """CloudFormation, as far as one resource goes: it remembers properties and physical id, and rolls back."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.properties: dict[str, str] = _event("create")["ResourceProperties"]
        self.properties |= {"Senders": ""}
        self.sid: str | None = None
        self.told: list[tuple[str, dict[str, Any]]] = []
        self._requests = count(1)

    def respond(self, url: str, body: bytes) -> None:
        assert len(body) <= MOST_BYTES
        assert AUTH_TOKEN.encode() not in body
        self.told.append((url, json.loads(body)))

    def request(self, kind: Literal["Create", "Update", "Delete"], **changes: str) -> Request:
        """The next request, with these properties changed."""
        event = copy.deepcopy(_event("create"))
        event["RequestType"] = kind
        event["ResponseURL"] = RESPONSE_URL
        event["RequestId"] = f"request-{next(self._requests)}"
        event["ResourceProperties"] = self.properties | changes
        if kind != "Create":
            event["PhysicalResourceId"] = self.sid
        if kind == "Update":
            event["OldResourceProperties"] = self.properties
        return event

    def ask(self, event: Request, context: Context | None = None) -> dict[str, Any]:
        """Let the function answer; returns what CloudFormation heard."""
        before = len(self.told)
        lambda_handler(event, context or Context(milliseconds=[300_000]))
        ((url, said),) = self.told[before:]
        assert url == RESPONSE_URL
        same = ("StackId", "RequestId", "LogicalResourceId")
        assert [said[name] for name in same] == [event[name] for name in same]
        return said

    def deploy(self, **changes: str) -> str:
        """A deployment that works; returns the SID of the service."""
        event = self.request("Update" if self.sid else "Create", **changes)
        said = self.ask(event)
        assert (said["Status"], said["Reason"]) == ("SUCCESS", "")
        assert said["Data"] == {"ServiceSid": said["PhysicalResourceId"]}
        self.properties = event["ResourceProperties"]
        self.sid = said["PhysicalResourceId"]
        return str(self.sid)

    def refused(self, **changes: str) -> str:
        """A deployment that fails; returns the reason."""
        said = self.ask(self.request("Update" if self.sid else "Create", **changes))
        assert said["Status"] == "FAILED"
        assert said["PhysicalResourceId"] == (self.sid or f"failed-{said['RequestId']}")
        return str(said["Reason"])

    def roll_back(self, *, to: dict[str, str], sid: str) -> str:
        """What CloudFormation does when something else fails after the service was changed."""
        event = self.request("Update") | {"ResourceProperties": to}
        said = self.ask(event)
        assert (said["Status"], said["PhysicalResourceId"]) == ("SUCCESS", sid)
        self.properties, self.sid = to, sid
        return sid

    def parameter_is_gone(self) -> None:
        """A stack that is deleted gives up what refers to the service first."""
        clients.ssm().delete_parameter(Name=f"{PATH}/messaging-service-sid")


def _event(name: str) -> Request:
    loaded: Request = json.loads((EVENTS / "provisioner" / f"{name}.json").read_text())
    return loaded


@pytest.fixture
def stack(aws: Aws, simulator: SimulatedTwilio) -> Iterator[Deployment]:
    deployment = Deployment(aws)
    provisioning.use_responder(lambda: deployment.respond)
    yield deployment
    provisioning.use_responder()


def services(simulator: SimulatedTwilio) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = simulator.api("GET", "/v1/Services")["services"]
    return found


def named(simulator: SimulatedTwilio, name: str = NAME) -> list[str]:
    return [each["sid"] for each in services(simulator) if each["friendly_name"] == name]


def live(simulator: SimulatedTwilio, sid: str) -> dict[str, Any]:
    """What can be set of a service; the rest changes by itself."""
    found = simulator.api("GET", f"/v1/Services/{sid}")
    return {name: found[name] for name in found if name != "date_updated"}


# ------------------------------------------------------------------------------------------------ found or made


def test_a_service_is_made_with_urls_features_and_senders(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    sid = stack.deploy(
        Senders=f"{NUMBER},{TOLL_FREE},55501", StickySender="off", ServiceValidityPeriod="14400"
    )
    assert named(simulator) == [sid]
    made = live(simulator, sid)
    assert made["inbound_request_url"] == f"{PUBLIC_URL}/webhooks/inbound{OVERRIDES}"
    assert made["fallback_url"] == f"{PUBLIC_URL}/webhooks/fallback{OVERRIDES}"
    assert (made["inbound_method"], made["fallback_method"]) == ("POST", "POST")
    assert made["use_inbound_webhook_on_number"] is False
    assert (made["sticky_sender"], made["validity_period"]) == (False, 14_400)
    assert made["mms_converter"] is True
    assert sorted(pool_of(simulator, f"/v1/Services/{sid}")) == sorted((LOOSE, TOLL_FREE))
    codes = simulator.api("GET", f"/v1/Services/{sid}/ShortCodes")["short_codes"]
    assert [each["sid"] for each in codes] == [SHORT_CODE]


def test_the_same_request_again_makes_and_changes_nothing(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    event = stack.request("Create", Senders=NUMBER)
    first = stack.ask(event)
    simulator.requests.clear()
    assert stack.ask(event) == first
    assert simulator.changes == []


def test_a_service_of_the_name_is_adopted_and_set_to_this_stack(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    there = simulator.api("POST", "/v1/Services", FriendlyName=NAME, StickySender="false")
    assert stack.deploy() == there["sid"]
    adopted = live(simulator, there["sid"])
    assert adopted["inbound_request_url"] == f"{PUBLIC_URL}/webhooks/inbound{OVERRIDES}"
    # what is not declared stays
    assert adopted["sticky_sender"] is False


def test_of_several_services_of_the_name_none_is_guessed(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    both = [simulator.api("POST", "/v1/Services", FriendlyName=NAME)["sid"] for _ in range(2)]
    simulator.requests.clear()
    reason = stack.refused()
    assert all(each in reason for each in both)
    assert "MessagingServiceSid" in reason
    assert simulator.changes == []


def test_a_service_is_adopted_by_its_sid_and_keeps_its_name_and_senders(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    pool = pool_of(simulator)
    assert stack.deploy(MessagingServiceSid=SERVICE_SID) == SERVICE_SID
    adopted = live(simulator, SERVICE_SID)
    assert adopted["friendly_name"] == "default"
    assert adopted["inbound_request_url"] == f"{PUBLIC_URL}/webhooks/inbound{OVERRIDES}"
    assert pool_of(simulator) == pool
    assert named(simulator) == []


def test_a_service_that_is_not_there_fails_the_deployment_with_twilios_code(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    reason = stack.refused(MessagingServiceSid=UNKNOWN)
    assert "21701" in reason
    assert (explain(21701).remedy or "") in reason
    assert simulator.changes == []


# ------------------------------------------------------------------------------------------------ changed


def test_a_new_public_url_and_new_features_change_the_same_service(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    sid = stack.deploy()
    assert stack.deploy(PublicUrl="https://new.example.com", SmartEncoding="off") == sid
    assert live(simulator, sid)["inbound_request_url"].startswith("https://new.example.com/")
    assert live(simulator, sid)["smart_encoding"] is False


def test_another_name_renames_the_service(stack: Deployment, simulator: SimulatedTwilio) -> None:
    sid = stack.deploy()
    assert stack.deploy(ServiceName="Owl Shop") == sid
    assert (named(simulator), named(simulator, "Owl Shop")) == ([], [sid])


def test_the_name_of_another_service_asks_for_that_one(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    stack.deploy()
    other = simulator.api("POST", "/v1/Services", FriendlyName="Owl Shop")["sid"]
    assert stack.deploy(ServiceName="Owl Shop") == other


def test_a_service_that_somebody_deleted_is_made_anew(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    sid = stack.deploy(Senders=NUMBER)
    simulator.api("DELETE", f"/v1/Services/{sid}")
    again = stack.deploy(PublicUrl="https://new.example.com")
    assert again != sid
    assert pool_of(simulator, f"/v1/Services/{again}") == [LOOSE]


def test_without_a_sid_any_more_the_stack_keeps_its_service(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    stack.deploy(MessagingServiceSid=SERVICE_SID)
    assert stack.deploy(MessagingServiceSid="") == SERVICE_SID
    assert named(simulator) == [SERVICE_SID]


def test_another_account_gets_a_service_of_its_own(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    sid = stack.deploy()
    simulator.api("POST", f"/v1/Services/{sid}", FriendlyName="of the other account")
    assert stack.deploy(AccountSid="AC" + "2" * 32) != sid


@pytest.mark.parametrize(
    "changes",
    [
        {"PublicUrl": "https://new.example.com"},
        {"ServiceName": "Owl Shop"},
        {"ServiceName": "another", "Senders": ""},
        {"MessagingServiceSid": OTHER_SERVICE_SID, "Senders": "55501"},
        {"Senders": ""},
        {"Senders": "55501,+18885550100", "ServiceName": "Owl Shop"},
        {"Senders": LOOSE, "StickySender": "off"},
    ],
)
def test_a_rollback_puts_everything_back(
    stack: Deployment, simulator: SimulatedTwilio, changes: dict[str, str]
) -> None:
    simulator.api("POST", "/v1/Services", FriendlyName="another")
    sid = stack.deploy(Senders=NUMBER, StickySender="on")
    properties, before = stack.properties, live(simulator, sid)
    stack.deploy(**changes)
    stack.roll_back(to=properties, sid=sid)
    assert live(simulator, sid) == before
    assert pool_of(simulator, f"/v1/Services/{sid}") == [LOOSE]


def test_a_rollback_of_an_update_that_failed_half_way_puts_that_half_back(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    sid = stack.deploy()
    properties, before = stack.properties, live(simulator, sid)
    wanted = {"Senders": f"{NUMBER},{NOBODYS}", "ServiceName": "Owl Shop"}
    assert NOBODYS in stack.refused(**wanted)
    assert pool_of(simulator, f"/v1/Services/{sid}") == [LOOSE]
    stack.properties = properties | wanted
    stack.roll_back(to=properties, sid=sid)
    assert live(simulator, sid) == before
    assert pool_of(simulator, f"/v1/Services/{sid}") == []


PROPERTIES = sorted(_event("create")["ResourceProperties"])


@pytest.mark.parametrize("name", PROPERTIES)
def test_a_stack_of_a_version_that_lacks_a_property_is_updated_and_can_be_rolled_back(
    stack: Deployment, simulator: SimulatedTwilio, name: str
) -> None:
    # GIVEN a stack that an older version deployed, which did not know of this property
    sid = stack.deploy(ServiceName="Sendpool test", Senders=NUMBER)
    older = {key: value for key, value in stack.properties.items() if key != name}
    stack.properties = older
    newer = _event("create")["ResourceProperties"] | {"Senders": NUMBER, "StickySender": "off"}
    # WHEN it is updated, and something else fails
    assert stack.deploy(**newer) == sid
    # THEN there is the way back, to the same service
    stack.roll_back(to=older, sid=sid)
    kept = [] if name == "Senders" else [LOOSE]
    assert pool_of(simulator, f"/v1/Services/{sid}") == kept
    assert live(simulator, sid)["inbound_request_url"].startswith(f"{PUBLIC_URL}/")
    # and out
    assert stack.ask(stack.request("Delete"))["Status"] == "SUCCESS"
    assert named(simulator) == [sid]


# ------------------------------------------------------------------------------------------------ senders


def test_senders_that_leave_the_list_leave_the_pool_and_those_of_others_stay(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    path = f"/v1/Services/{stack.deploy(Senders=f'{NUMBER},+18885550100')}"
    simulator.api("POST", f"{path}/ShortCodes", ShortCodeSid=SHORT_CODE)
    stack.deploy(Senders=LOOSE)  # the same number by its SID
    assert pool_of(simulator, path) == [LOOSE]
    stack.deploy(Senders="")
    assert pool_of(simulator, path) == []
    assert len(simulator.api("GET", f"{path}/ShortCodes")["short_codes"]) == 1


def test_a_number_in_another_service_fails_the_deployment_and_is_said_to_be_there(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    other = f"/v1/Services/{OTHER_SERVICE_SID}"
    simulator.api("POST", f"{other}/PhoneNumbers", PhoneNumberSid=LOOSE)
    reason = stack.refused(Senders=NUMBER)
    assert f"{NUMBER}: It is in the Messaging Service {OTHER_SERVICE_SID} (Twilio 21712)." in reason
    assert (explain(21712).remedy or "") in reason
    assert pool_of(simulator, other) == [LOOSE]


@pytest.mark.parametrize("sender", [NOBODYS, "55599", "PN" + "b" * 32, "+1312555010"])
def test_a_sender_that_the_account_does_not_have_fails_the_deployment(
    stack: Deployment, sender: str
) -> None:
    assert stack.refused(Senders=sender) == (f"{sender} is no number or short code of this account")


# ------------------------------------------------------------------------------------------------ deleted


@pytest.mark.parametrize(
    ("properties", "is_stack_gone", "stays"),
    [
        ({}, True, True),
        ({"DeleteService": "with-the-stack"}, True, False),
        # the service was exchanged, or is somebody else's to set now
        ({"DeleteService": "with-the-stack"}, False, True),
    ],
)
def test_a_service_with_numbers_is_deleted_only_if_the_stack_says_so_and_goes(
    stack: Deployment,
    simulator: SimulatedTwilio,
    properties: dict[str, str],
    is_stack_gone: bool,
    stays: bool,
) -> None:
    sid = stack.deploy(Senders=NUMBER, **properties)
    if is_stack_gone:
        stack.parameter_is_gone()
    event = stack.request("Delete")
    said = stack.ask(event)
    assert (said["Status"], said["PhysicalResourceId"]) == ("SUCCESS", sid)
    assert (sid in named(simulator)) is stays
    # again is the same
    assert stack.ask(event)["Status"] == "SUCCESS"


def test_a_service_that_was_given_by_its_sid_is_never_deleted(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    stack.deploy(MessagingServiceSid=SERVICE_SID, DeleteService="with-the-stack")
    stack.parameter_is_gone()
    assert stack.ask(stack.request("Delete"))["Status"] == "SUCCESS"
    assert SERVICE_SID in {each["sid"] for each in services(simulator)}


def test_a_service_whose_campaign_is_approved_outlives_the_stack(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    # GIVEN a first deployment that adopts a service by its name, and fails of something else
    sid = stack.deploy(ServiceName="default", DeleteService="with-the-stack")
    assert sid == SERVICE_SID
    stack.parameter_is_gone()
    # WHEN it is rolled back
    assert stack.ask(stack.request("Delete"))["Status"] == "SUCCESS"
    # THEN a campaign that took weeks is still there
    assert SERVICE_SID in {each["sid"] for each in services(simulator)}


def test_cleaning_up_after_a_create_that_failed_touches_no_service(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    there = simulator.api("POST", "/v1/Services", FriendlyName=NAME)["sid"]
    stack.properties |= {"DeleteService": "with-the-stack", "Senders": NOBODYS}
    failed = stack.ask(stack.request("Create"))
    assert failed["Status"] == "FAILED"
    stack.parameter_is_gone()
    stack.sid = failed["PhysicalResourceId"]
    assert stack.ask(stack.request("Delete"))["Status"] == "SUCCESS"
    assert named(simulator) == [there]


def test_nothing_of_twilios_is_needed_to_leave_a_service(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    stack.deploy()
    clients.ssm().delete_parameter(Name=f"{PATH}/twilio/auth-token")
    simulator.requests.clear()
    assert stack.ask(stack.request("Delete"))["Status"] == "SUCCESS"
    assert simulator.requests == []


# ------------------------------------------------------------------------------------------------ dying


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_call_it_is_made_once_and_complete_after_a_repeat(
    stack: Deployment, simulator: SimulatedTwilio, when: Literal["before", "after"]
) -> None:
    for call in count(1):
        event = stack.request("Create", Senders=f"{NUMBER},55501")
        with simulator.killed_at(call, when) as was_killed:
            stack.ask(event)
        said = stack.ask(event)
        assert said["Status"] == "SUCCESS"
        assert named(simulator) == [said["PhysicalResourceId"]]
        path = f"/v1/Services/{said['PhysicalResourceId']}"
        assert pool_of(simulator, path) == [LOOSE]
        assert len(simulator.api("GET", f"{path}/ShortCodes")["short_codes"]) == 1
        simulator.api("DELETE", path)
        if not was_killed():
            break
    assert call > 5


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_update_that_is_killed_at_any_call_is_complete_after_a_repeat(
    stack: Deployment, simulator: SimulatedTwilio, when: Literal["before", "after"]
) -> None:
    path = f"/v1/Services/{stack.deploy(Senders=NUMBER)}"
    first = stack.properties
    for call in count(1):
        event = stack.request("Update", Senders="+18885550100", ServiceName="Owl Shop")
        with simulator.killed_at(call, when) as was_killed:
            stack.ask(event)
        assert stack.ask(event)["PhysicalResourceId"] == stack.sid
        assert named(simulator, "Owl Shop") == [stack.sid]
        assert pool_of(simulator, path) == [TOLL_FREE]
        stack.properties = event["ResourceProperties"]
        stack.roll_back(to=first, sid=str(stack.sid))
        assert pool_of(simulator, path) == [LOOSE]
        if not was_killed():
            break
    assert call > 5


def test_a_service_that_was_made_without_an_answer_is_found_by_the_next_deployment(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    with simulator.answer_lost():
        assert "Twilio does not answer" in stack.refused()
    (made,) = named(simulator)
    assert stack.deploy() == made


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (TwilioAnswer(401, 20003), "20003"),
        (TwilioAnswer(429, 20429), "20429"),
        (TwilioAnswer(500), "Twilio does not answer"),
        (TwilioAnswer(400, 21102), "21102"),
        (TwilioAnswer(error=NoAnswerError("late")), "Twilio does not answer"),
    ],
)
def test_whatever_twilio_refuses_is_the_reason(
    stack: Deployment, simulator: SimulatedTwilio, answer: TwilioAnswer, said: str
) -> None:
    simulator.answers = [answer]
    assert said in stack.refused()
    assert named(simulator) == []


# ------------------------------------------------------------------------------------------------ answering


def test_a_missing_token_is_answered_with_the_command_and_seen_at_once_when_it_is_there(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    name = f"{PATH}/twilio/auth-token"
    clients.ssm().delete_parameter(Name=name)
    reason = stack.refused()
    assert f"aws ssm put-parameter --type SecureString --name {name} --value" in reason
    clients.ssm().put_parameter(Name=name, Value=AUTH_TOKEN, Type="SecureString")
    stack.deploy()


def test_a_missing_secret_is_answered_with_the_command(
    stack: Deployment, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("CREDENTIALS_STORE", "secretsmanager")
    warm.start_over(clock=clock)
    assert f"aws secretsmanager create-secret --name {PATH}/twilio " in stack.refused()


def test_when_time_is_nearly_over_no_call_begins_and_that_is_answered(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    said = stack.ask(stack.request("Create"), Context(milliseconds=[84_000]))
    assert said["Status"] == "FAILED"
    assert "Deploy again" in said["Reason"]
    assert simulator.requests == []


def test_what_time_was_left_for_is_done_and_the_next_deployment_goes_on(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    # GIVEN time for the service, its pool, and one sender
    left = Context(milliseconds=[300_000] * 5 + [84_000])
    said = stack.ask(stack.request("Create", Senders=f"{LOOSE},{TOLL_FREE},55501"), left)
    assert said["Status"] == "FAILED"
    (made,) = named(simulator)
    path = f"/v1/Services/{made}"
    assert 0 < len(pool_of(simulator, path)) < 3
    assert stack.deploy(Senders=f"{LOOSE},{TOLL_FREE},55501") == made
    assert len(pool_of(simulator, path)) == 2


@pytest.mark.parametrize("fault", [KeyError("token=5ec2e7"), RuntimeError(AUTH_TOKEN)])
def test_what_nobody_foresaw_is_answered_by_its_name_and_where_to_look(
    stack: Deployment, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(**_: object) -> str:
        raise fault

    monkeypatch.setattr(provisioning, "Provisioning", fail)
    reason = stack.refused()
    assert reason == (f"{type(fault).__name__}. The log group /sendpool/test/provisioner has more.")


def test_what_aws_refuses_is_answered_with_operation_and_code(
    stack: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = clients.ssm().meta.events
    handler = _refusing("AccessDeniedException")
    refuse.register("before-call.ssm", handler)
    try:
        reason = stack.refused()
    finally:
        refuse.unregister("before-call.ssm", handler)
    assert "AWS refused GetParametersByPath: AccessDeniedException" in reason


def _refusing(code: str) -> Callable[..., Any]:
    class Refusal:
        status_code = 400

    def refuse(**_: object) -> Any:
        return Refusal(), {"Error": {"Code": code, "Message": "no"}}

    return refuse


def test_an_answer_that_nobody_takes_makes_lambda_ask_again(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    def nobody(_url: str, _body: bytes) -> None:
        raise NotAnsweredError("http_403")

    provisioning.use_responder(lambda: nobody)
    event = stack.request("Create")
    with pytest.raises(NotAnsweredError):
        lambda_handler(event, Context(milliseconds=[300_000]))
    provisioning.use_responder(lambda: stack.respond)
    assert named(simulator) == [stack.ask(event)["PhysicalResourceId"]]


def test_a_request_made_by_hand_is_answered_by_what_is_returned(
    stack: Deployment, simulator: SimulatedTwilio
) -> None:
    answer = lambda_handler(_event("create"), Context(milliseconds=[300_000]))
    assert answer["Status"] == "SUCCESS"
    assert stack.told == []


@given(st.text(max_size=9000))
def test_a_reason_is_cut_to_what_cloudformation_takes(reason: str) -> None:
    request = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "l"}
    said = Answer(status="FAILED", resource_id="failed-r", reason=reason).to(request)
    assert len(encoded(said)) <= MOST_BYTES
    assert reason.startswith(said["Reason"])
    if len(encoded(said | {"Reason": reason})) <= MOST_BYTES:
        assert said["Reason"] == reason
