"""The real `sam deploy`, pointed at the emulator, after what a person does by hand on AWS."""

import os
from collections.abc import Mapping
from typing import Any

from local.stack import build
from local.stack.aws import api_url
from local.stack.places import BUILD
from local.stack.stack import ACCESS_KEY, REGION, Stack, client
from local.stack.twilio import Twilio

STAGE = "local"
STACK_NAME = "sendpool-local"
ARTIFACTS_BUCKET = "sendpool-local-artifacts"


def deploy(*, endpoint_url: str, twilio: Twilio) -> Stack:
    """Deploy the build and return where everything is."""
    prepare(endpoint_url, twilio.auth_token)
    sam_deploy(
        endpoint_url,
        {
            "TwilioAccountSid": twilio.account_sid,
            "TwilioApiUrl": twilio.url,
            "MessagingServiceSid": twilio.messaging_service_sid,
            # another Twilio's service is not ours to set
            "ProvisionService": "on" if twilio.is_simulator else "off",
            "LogLevel": os.environ.get("LOG_LEVEL", "INFO"),
        },
    )
    return _describe(endpoint_url, twilio)


def prepare(endpoint_url: str, auth_token: str) -> None:
    """Put the secret where the functions look for it, and make a bucket for what is uploaded."""
    client("ssm", endpoint_url).put_parameter(
        Name=f"/sendpool/{STAGE}/twilio/auth-token",
        Value=auth_token,
        Type="SecureString",
        Overwrite=True,
    )
    client("s3", endpoint_url).create_bucket(Bucket=ARTIFACTS_BUCKET)


def sam_deploy(endpoint_url: str, parameters: Mapping[str, str]) -> None:
    """Run `sam deploy` with these parameters; StackError with the end of its output."""
    given = {"Stage": STAGE, "PublicUrl": api_url(endpoint_url, STACK_NAME, "HttpApi")}
    build.run_sam(
        "deploy",
        f"--template-file={BUILD / 'template.yaml'}",
        f"--stack-name={STACK_NAME}",
        f"--s3-bucket={ARTIFACTS_BUCKET}",
        "--capabilities=CAPABILITY_IAM",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--no-progressbar",
        "--parameter-overrides",
        *(f"{name}={value}" for name, value in (given | dict(parameters)).items()),
        env=aws_environment(endpoint_url),
    )


def aws_environment(endpoint_url: str) -> dict[str, str]:
    """An environment in which AWS is the emulator, and nobody's own profile or keys are seen."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "SAM_CLI_TELEMETRY": "0",
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
    }


def _describe(endpoint_url: str, twilio: Twilio) -> Stack:
    """What the deployed stack's outputs and resources say."""
    cloudformation = client("cloudformation", endpoint_url)
    described = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    resources = _resources(cloudformation)
    url = api_url(endpoint_url, STACK_NAME, "HttpApi")
    return Stack(
        stage=STAGE,
        api_url=url,
        public_url=url,
        twilio_api_url=twilio.url,
        account_sid=twilio.account_sid,
        auth_token=twilio.auth_token,
        messaging_service_sid=outputs["MessagingServiceSid"],
        table_name=outputs["LedgerTableName"],
        bucket_name=outputs["FilesBucketName"],
        event_bus_name=outputs["EventBusName"],
        functions=resources["AWS::Lambda::Function"],
        aws_endpoint_url=endpoint_url,
        **_queue_urls(outputs),
    )


def _queue_urls(outputs: Mapping[str, str]) -> dict[str, str]:
    names = [
        f"{queue}{kind}_queue_url"
        for queue in ("dispatch", "send", "callbacks", "event_webhooks")
        for kind in ("", "_dead_letter")
    ]
    return {name: outputs[name.title().replace("_", "")] for name in names}


def _resources(cloudformation: Any) -> dict[str, dict[str, str]]:
    """Physical ids by type and logical id."""
    found: dict[str, dict[str, str]] = {}
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK_NAME):
        for resource in page["StackResourceSummaries"]:
            of_type = found.setdefault(resource["ResourceType"], {})
            of_type[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
    return found
