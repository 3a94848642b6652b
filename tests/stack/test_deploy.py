"""`sam deploy` of the real template against an account of Twilio's that has numbers and nothing else.

Each test deploys what it needs, unless it stands so. The first ones need that nothing is deployed yet, the last one
takes everything down.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from local.stack import ports
from local.stack.aws import api_url
from local.stack.deploy import STACK_NAME, prepare, sam_deploy
from local.stack.failure import StackError
from local.stack.stack import ACCESS_KEY, REGION, client
from local.twilio.core.settings import Account
from tests.e2e.conftest import Answer, Caller, send
from tests.stack.emulators import FILLED, serving, wait_for

TWILIO = Account()
NUMBER, SECOND, THIRD = "+12025550100", "+14155550100", "+12125550100"
NAME = "Sendpool local"
NOBODYS = "+13035550199"
# the account has no campaign, and what is looked at here is not that
PARAMETERS = {"TwilioAccountSid": TWILIO.account_sid, "RegistrationCheck": "off", "Senders": NUMBER}


@dataclass(frozen=True)
class World:
    """The emulated AWS, the simulated account, and whoever deploys."""

    aws_url: str
    twilio_url: str
    logs: Path
    deployed: list[dict[str, str]] = field(default_factory=list)

    def deploy(self, **parameters: str) -> None:
        self.deployed.clear()
        sam_deploy(self.aws_url, {**PARAMETERS, "TwilioApiUrl": self.twilio_url, **parameters})
        self.deployed.append(parameters)

    def stand(self, **parameters: str) -> None:
        """Have this deployed; the test before may have left it so."""
        if self.deployed != [parameters]:
            self.deploy(**parameters)

    def refused(self, **parameters: str) -> str:
        """Deploy what is refused; returns the reason that CloudFormation shows for it."""
        with pytest.raises(StackError):
            self.deploy(**parameters)
        pages = self.client("cloudformation").get_paginator("describe_stack_events")
        return next(  # the newest comes first
            str(each["ResourceStatusReason"])
            for page in pages.paginate(StackName=STACK_NAME)
            for each in page["StackEvents"]
            if each["LogicalResourceId"] == "MessagingService"
            and each["ResourceStatus"].endswith("_FAILED")
        )

    @property
    def status(self) -> str:
        stacks = self.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
        return str(stacks[0]["StackStatus"])

    def delete(self) -> None:
        self.client("cloudformation").delete_stack(StackName=STACK_NAME)
        wait_for(lambda: not self._is_there())

    def _is_there(self) -> bool:
        stacks = self.client("cloudformation").list_stacks()["StackSummaries"]
        return any(each["StackStatus"] != "DELETE_COMPLETE" for each in stacks)

    def client(self, service: str) -> Any:
        return client(service, self.aws_url)

    @property
    def public_url(self) -> str:
        return api_url(self.aws_url, STACK_NAME, "HttpApi")

    def call(self, method: str, path: str, body: object = None) -> Answer:
        return Caller(_Api(self.public_url))(method, path, body)  # type: ignore[arg-type]

    def function(self, logical_id: str) -> str:
        found = self.client("cloudformation").describe_stack_resource(
            StackName=STACK_NAME, LogicalResourceId=logical_id
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def twilio(self, method: str, path: str, **form: str) -> Any:
        """Do something at Twilio, as somebody in its Console does."""
        pair = base64.b64encode(f"{TWILIO.account_sid}:{TWILIO.auth_token}".encode()).decode()
        headers = {
            "Authorization": f"Basic {pair}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = urlencode(form).encode() if form else None
        answer = send(method, self.twilio_url + path, body, headers)
        assert answer.status < 300, answer.text
        return json.loads(answer.text or "null")

    @property
    def services(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.twilio("GET", "/v1/Services")["services"]
        return found

    def pool(self, service_sid: str) -> list[str]:
        listed = self.twilio("GET", f"/v1/Services/{service_sid}/PhoneNumbers")["phone_numbers"]
        return sorted(each["phone_number"] for each in listed)

    def sid_of(self, number: str) -> str:
        path = f"/2010-04-01/Accounts/{TWILIO.account_sid}/IncomingPhoneNumbers.json"
        found = self.twilio("GET", f"{path}?PhoneNumber={quote(number)}")
        return str(found["incoming_phone_numbers"][0]["sid"])

    @property
    def provided(self) -> int:
        """How often a deployment asked for the service."""
        logs = [path.read_text() for path in self.logs.glob("*ProvisionerFunction*.log")]
        return sum(text.count('"messaging service provided"') for text in logs)


@dataclass(frozen=True)
class _Api:
    """As much of a stack as calling its API needs."""

    api_url: str
    region: str = REGION
    aws_access_key_id: str = ACCESS_KEY
    aws_secret_access_key: str = ACCESS_KEY


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    scratch = tmp_path_factory.mktemp("deploy")
    port = ports.any_free()
    options = {
        "--port": str(port),
        "--numbers": "",
        "--loose-numbers": f"{NUMBER},{SECOND},{THIRD}",
        "--enforce-registration": "false",
    }
    command = [sys.executable, "-m", "local.twilio"]
    with (scratch / "twilio").open("wb") as log, serving(FILLED, scratch) as url:
        twilio = subprocess.Popen(  # noqa: S603
            [*command, *(word for pair in options.items() for word in pair)], stdout=log, stderr=log
        )
        try:
            wait_for(lambda: "local.twilio ready" in (scratch / "twilio").read_text())
            made = World(url, f"http://{ports.HOST}:{port}", scratch)
            for each in made.services:
                made.twilio("DELETE", f"/v1/Services/{each['sid']}")
            yield made
        finally:
            twilio.terminate()
            twilio.wait()


def test_a_first_deploy_without_the_token_fails_with_the_command_that_puts_it_there(
    world: World,
) -> None:
    prepare(world.aws_url, TWILIO.auth_token)
    world.client("ssm").delete_parameter(Name="/sendpool/local/twilio/auth-token")
    reason = world.refused()
    assert (
        "aws ssm put-parameter --type SecureString --name /sendpool/local/twilio/auth-token"
        in reason
    )
    assert world.status == "ROLLBACK_COMPLETE"
    assert world.services == []
    world.delete()


def test_a_first_deploy_makes_the_service_and_a_message_goes_out_through_it(world: World) -> None:
    prepare(world.aws_url, TWILIO.auth_token)
    world.deploy()
    (service,) = world.services
    assert service["friendly_name"] == NAME
    assert service["inbound_request_url"].startswith(f"{world.public_url}/webhooks/inbound#")
    assert service["fallback_url"].startswith(f"{world.public_url}/webhooks/fallback#")
    assert service["use_inbound_webhook_on_number"] is False
    stored = world.client("ssm").get_parameter(Name="/sendpool/local/messaging-service-sid")
    assert stored["Parameter"]["Value"] == service["sid"]
    assert world.pool(service["sid"]) == [NUMBER]
    # WHEN a message is sent, it leaves by the number, and its callbacks come back
    sent = world.call("POST", "/messages", {"to": "+12025550170", "body": "Hello"})
    assert sent.status == 202, sent.text
    path = f"/messages/{sent.json['id']}"
    wait_for(lambda: world.call("GET", path).json["status"] == "delivered")
    account = f"/2010-04-01/Accounts/{TWILIO.account_sid}"
    message = world.twilio("GET", f"{account}/Messages/{sent.json['sid']}.json")
    assert (message["messaging_service_sid"], message["from"]) == (service["sid"], NUMBER)
    # AND an answer comes to this stack, signed for its address
    heard = send(
        "POST",
        f"{world.twilio_url}/_control/inbound",
        json.dumps({"from": "+12025550170", "to": NUMBER, "body": "STOP"}).encode(),
        {"Content-Type": "application/json"},
    ).json
    assert heard["webhook"]["status"] == 200, heard


def test_a_second_deploy_changes_nothing(world: World) -> None:
    world.stand()
    (before,), asked = world.services, world.provided
    world.deploy()
    # AND neither does one that changes something else
    world.deploy(LogLevel="DEBUG")
    assert world.services == [before]
    assert world.provided == asked


def test_senders_follow_the_list_and_those_that_others_added_stay(world: World) -> None:
    world.deploy(Senders=f"{NUMBER},{world.sid_of(SECOND)}")
    (service,) = world.services
    path = f"/v1/Services/{service['sid']}/PhoneNumbers"
    world.twilio("POST", path, PhoneNumberSid=world.sid_of(THIRD))
    assert len(world.pool(service["sid"])) == 3
    world.deploy()
    assert world.pool(service["sid"]) == [NUMBER, THIRD]
    world.twilio("DELETE", f"{path}/{world.sid_of(THIRD)}")


def test_a_refusal_is_the_reason_of_the_failed_deploy_which_is_rolled_back(world: World) -> None:
    # GIVEN a number in another service
    world.stand()
    (service,) = world.services
    other = world.twilio("POST", "/v1/Services", FriendlyName="another")
    path = f"/v1/Services/{other['sid']}/PhoneNumbers"
    world.twilio("POST", path, PhoneNumberSid=world.sid_of(THIRD))
    # WHEN it is asked for, with more
    reason = world.refused(
        Senders=f"{NUMBER},{SECOND},{THIRD}", ServiceName="Renamed", StickySender="off"
    )
    # THEN whoever deploys reads where it is
    assert f"{THIRD}: It is in the Messaging Service {other['sid']}" in reason
    assert "21712" in reason
    # AND everything is as it was
    assert world.status == "UPDATE_ROLLBACK_COMPLETE"
    assert world.pool(service["sid"]) == [NUMBER]
    names = {each["friendly_name"]: each["sid"] for each in world.services}
    assert names == {NAME: service["sid"], "another": other["sid"]}
    # AND the next deploy works
    world.twilio("DELETE", f"/v1/Services/{other['sid']}")
    world.deploy(Senders=f"{NUMBER},{THIRD}")
    assert world.pool(service["sid"]) == sorted((NUMBER, THIRD))


def test_a_number_that_the_account_does_not_have_fails_the_deploy(world: World) -> None:
    reason = world.refused(Senders=f"{NUMBER},{NOBODYS}")
    assert f"{NOBODYS} is no number or short code of this account" in reason
    assert world.status == "UPDATE_ROLLBACK_COMPLETE"


def test_what_is_changed_behind_our_back_is_found_told_and_put_back(world: World) -> None:
    world.deploy()
    (service,) = world.services
    queue = world.client("sqs").create_queue(QueueName="listener")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:000000000000:listener"
    events, bus = world.client("events"), "sendpool-local"
    pattern = json.dumps({"detail-type": ["service.drifted"]})
    events.put_rule(Name="drift", EventBusName=bus, EventPattern=pattern)
    events.put_targets(Rule="drift", EventBusName=bus, Targets=[{"Id": "1", "Arn": arn}])
    # GIVEN somebody who points texts elsewhere
    path = f"/v1/Services/{service['sid']}"
    world.twilio("POST", path, InboundRequestUrl="https://elsewhere.example.com/")
    # WHEN the day's look comes
    look = json.dumps({"source": "aws.events", "detail-type": "Scheduled Event"})
    world.client("lambda").invoke(FunctionName=world.function("ServiceFunction"), Payload=look)
    # THEN it is told
    taken = world.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=20)
    (message,) = taken["Messages"]
    told = json.loads(message["Body"])["detail"]["data"]
    assert (told["setting"], told["live"]) == ("inbound_url", "https://elsewhere.example.com/")
    # AND counted, for the alarm
    logs = "".join(each.read_text() for each in world.logs.glob("*ServiceFunction*.log"))
    assert '"ServiceDrift":[1.0]' in logs.replace(" ", "")
    # AND put back when that is asked for
    (found,) = world.call("GET", "/service/drift").json["differences"]
    assert found["setting"] == "inbound_url"
    assert world.call("POST", "/service/drift/apply").json["in_sync"] is True
    assert world.services[0]["inbound_request_url"] == service["inbound_request_url"]


def test_a_service_outlives_its_stack_unless_the_stack_says_otherwise(world: World) -> None:
    world.stand()
    (service,) = world.services
    world.delete()
    assert [each["sid"] for each in world.services] == [service["sid"]]
    # WHEN the next stack finds it by its name, and says that it goes with it
    world.deploy(DeleteService="with-the-stack")
    assert [each["sid"] for each in world.services] == [service["sid"]]
    assert NUMBER in world.pool(service["sid"])
    world.delete()
    assert world.services == []
