"""What functions in containers reach: an emulated AWS that holds the template's state, and the simulated Twilio."""

import json
import os
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from local.sam_local.docker import Bridge
from local.stack import aws
from local.stack.places import BUILD, LOCAL, PYTHON
from local.stack.processes import Program
from local.stack.stack import client

# the events' webhooks are signed for this address, with this token
PUBLIC_URL = "https://sendpool.example.com"
ACCOUNT_SID = "AC00000000000000000000000000000001"
SERVICE_SID = "MG00000000000000000000000000000001"
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
STAGE = "local"

AWS = Program("sam-local-aws")
TWILIO = Program("sam-local-twilio")
FOLDER = LOCAL / "sam-local"

TABLE_PARTS = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What SAM is to be given, and where this machine reaches the emulated AWS and the simulated Twilio."""

    template: Path
    template_without_layer: Path
    environment: Path
    parameters: tuple[str, ...]
    aws_url: str
    twilio_url: str

    def recipients(self) -> list[str]:
        """Whom Twilio has a message for, as often as it has one."""
        with urllib.request.urlopen(f"{self.twilio_url}/_control/truth", timeout=10) as answer:  # noqa: S310
            return [message["to"] for message in json.load(answer)["messages"]]


@contextmanager
def surroundings(bridge: Bridge) -> Iterator[Surroundings]:
    """Start both programs where containers reach them, and make what the template declares."""
    try:
        port = _start_aws(bridge)
        twilio_port = _start_twilio(bridge)
        yield _prepare(
            aws_url=f"http://{bridge.address}:{port}",
            twilio_url=f"http://{bridge.address}:{twilio_port}",
            inside={
                "AWS_ENDPOINT_URL": f"http://{bridge.host}:{port}",
                "TWILIO_API_URL": f"http://{bridge.host}:{twilio_port}",
            },
        )
    finally:
        TWILIO.stop()
        AWS.stop()


def _start_aws(bridge: Bridge) -> int:
    port = _free_port(bridge.address)
    AWS.stop()
    AWS.start(
        [str(PYTHON.with_name("ministack"))],
        env=aws.environment(port) | {"BIND_HOST": bridge.address},
    )
    AWS.wait_until(lambda: aws.is_serving(f"http://{bridge.address}:{port}"))
    return port


def _start_twilio(bridge: Bridge) -> int:
    port = _free_port(bridge.address)
    identity = {
        "--account-sid": ACCOUNT_SID,
        "--auth-token": AUTH_TOKEN,
        "--service-sid": SERVICE_SID,
    }
    command = [str(PYTHON), "-m", "local.twilio", "--host", bridge.address, "--port", str(port)]
    TWILIO.stop()
    TWILIO.start(
        [*command, *(word for pair in identity.items() for word in pair)],
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
    )
    TWILIO.wait_until(lambda: "local.twilio ready" in TWILIO.log.read_text())
    return port


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def _prepare(*, aws_url: str, twilio_url: str, inside: dict[str, str]) -> Surroundings:
    """Write what SAM is to be given, `inside` being what containers see of this machine."""
    template: dict[str, Any] = yaml_parse((BUILD / "template.yaml").read_text())
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    state = _make_state(aws_url, variables, template["Resources"])
    # SAM gives functions only those variables that the template declares
    variables |= dict.fromkeys(inside, "")
    _point_at_build(template["Resources"])
    FOLDER.mkdir(parents=True, exist_ok=True)
    prepared = Surroundings(
        template=FOLDER / "template.json",
        template_without_layer=FOLDER / "template-without-layer.json",
        environment=FOLDER / "environment.json",
        parameters=(
            f"Stage={STAGE}",
            f"TwilioAccountSid={ACCOUNT_SID}",
            f"MessagingServiceSid={SERVICE_SID}",
        ),
        aws_url=aws_url,
        twilio_url=twilio_url,
    )
    prepared.template.write_text(json.dumps(template))
    del template["Globals"]["Function"]["Layers"]
    prepared.template_without_layer.write_text(json.dumps(template))
    prepared.environment.write_text(json.dumps({"Parameters": state | inside}))
    return prepared


def _point_at_build(resources: dict[str, Any]) -> None:
    """The copy of the template does not lie beside the build."""
    for resource in resources.values():
        for name in ("CodeUri", "ContentUri"):
            if name in resource["Properties"]:
                resource["Properties"][name] = str(BUILD / resource["Properties"][name])


def _make_state(
    aws_url: str, variables: dict[str, Any], resources: dict[str, Any]
) -> dict[str, str]:
    """Make the table, bucket and queues that the functions' variables refer to, and the parameters."""
    _put_parameters(aws_url)
    return {
        variable: _make(aws_url, name.lower(), resources[name])
        for variable, value in variables.items()
        if isinstance(value, dict) and (name := value.get("Ref")) in resources
    }


def _make(aws_url: str, name: str, resource: dict[str, Any]) -> str:
    """Make one resource, and return what `!Ref` gives for it."""
    match resource["Type"]:
        case "AWS::DynamoDB::Table":
            parts = {part: resource["Properties"][part] for part in TABLE_PARTS}
            client("dynamodb", aws_url).create_table(TableName=name, **parts)
            return name
        case "AWS::S3::Bucket":
            client("s3", aws_url).create_bucket(Bucket=name)
            return name
        case "AWS::SQS::Queue":
            url: str = client("sqs", aws_url).create_queue(QueueName=name)["QueueUrl"]
            return url
        case "AWS::Events::EventBus":
            client("events", aws_url).create_event_bus(Name=name)
            return name
        case other:
            raise NotImplementedError(f"functions now refer to a {other}: make one here")


def _put_parameters(aws_url: str) -> None:
    ssm = client("ssm", aws_url)
    for name, value, kind in (
        ("messaging-service-sid", SERVICE_SID, "String"),
        ("public-url", PUBLIC_URL, "String"),
        ("twilio/account-sid", ACCOUNT_SID, "String"),
        ("twilio/auth-token", AUTH_TOKEN, "SecureString"),
    ):
        ssm.put_parameter(Name=f"/sendpool/{STAGE}/{name}", Value=value, Type=kind)
