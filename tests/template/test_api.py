"""The HTTP API lets nobody in whom AWS does not know, except Twilio, whose signature the code checks."""

from __future__ import annotations

import importlib

from tests.template.stack import Stack

WEBHOOKS = {f"/webhooks/{name}" for name in ("inbound", "fallback", "status", "clicks")}


def test_every_route_needs_iam_except_the_webhooks(stack: Stack) -> None:
    open_routes = {route.path for route in stack.routes if {"AWS_IAM": []} not in route.security}
    assert open_routes == WEBHOOKS


def test_iam_means_signature_version_4(stack: Stack) -> None:
    body = stack.of_type("AWS::ApiGatewayV2::Api")["HttpApi"]["Body"]
    scheme = body["components"]["securitySchemes"]["AWS_IAM"]
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_a_webhook_checks_the_signature_for_the_route_it_stands_at(stack: Stack) -> None:
    for route in (each for each in stack.routes if each.is_webhook):
        folder = route.function.removesuffix("Function").lower()
        assert route.path == importlib.import_module(f"functions.{folder}.app").ROUTE
        assert route.method == "POST"


def test_every_route_may_call_its_function(stack: Stack) -> None:
    permissions = [
        each["FunctionName"]["Ref"]
        for each in stack.of_type("AWS::Lambda::Permission").values()
        if each["Principal"] == "apigateway.amazonaws.com"
    ]
    assert set(permissions) == {route.function for route in stack.routes}


def test_a_broadcast_is_controlled_by_the_function_that_creates_it(stack: Stack) -> None:
    controls = {route.path for route in stack.routes if route.function == "BroadcastsFunction"}
    assert controls >= {
        f"/broadcasts/{{id}}/{control}" for control in ("start", "pause", "resume", "cancel")
    }


def test_requests_are_limited_and_logged_without_path_or_query(stack: Stack) -> None:
    (stage,) = stack.of_type("AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] > 0
    # both can hold ids, and paths of later endpoints hold phone numbers
    logged = stage["AccessLogSettings"]["Format"]
    assert not [word for word in ("$context.path", "query", "sourceIp") if word in logged]
