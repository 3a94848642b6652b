"""Gap: routes of a SAM HttpApi answer 404, because CloudFormation here ignores the `Body` of an HTTP API.

Its id is made of the stack's name, so that the stack can be told its own address: here that has to be http, which a
template does not write by itself.

SAM writes all routes of an HttpApi into that OpenAPI document. We make integrations and routes of it, as API
Gateway's import does. Routes that ask for IAM authorization refuse requests that are not rightly signed.
"""

from collections.abc import Iterator
from typing import Any

from ministack.services import apigateway
from ministack.services.cloudformation import provisioners

from local.stack.aws import api_id

Document = dict[str, Any]
API = "AWS::ApiGatewayV2::Api"


def fill() -> None:
    """Read the Body whenever CloudFormation creates or updates an HTTP API."""
    handlers = provisioners._RESOURCE_HANDLERS[API]  # noqa: SLF001
    create, update = handlers["create"], handlers["update"]

    def create_with_routes(logical_id: str, props: Document, stack_name: str) -> Any:
        tags = {**(props.get("Tags") or {}), "ms-custom-id": api_id(stack_name, logical_id)}
        made, attributes = create(logical_id, {**props, "Tags": tags}, stack_name)
        import_body(made, props.get("Body") or {})
        return made, attributes

    def update_with_routes(
        physical_id: str, old: Document, new: Document, stack: str, logical_id: str | None = None
    ) -> Any:
        changed, attributes = update(physical_id, old, new, stack, logical_id)
        import_body(changed, new.get("Body") or {})
        return changed, attributes

    handlers.update(create=create_with_routes, update=update_with_routes)


def import_body(api: str, body: Document) -> None:
    """Give the API the routes of this document, and only those."""
    apigateway._routes[api] = {}  # noqa: SLF001
    apigateway._integrations[api] = {}  # noqa: SLF001
    for route_key, operation in operations(body):
        integration = operation["x-amazon-apigateway-integration"]
        integration_id, _ = provisioners._apigw_v2_integration_create(  # noqa: SLF001
            "",
            {
                "ApiId": api,
                "IntegrationType": integration["type"].upper(),
                "IntegrationUri": integration["uri"],
                "PayloadFormatVersion": integration["payloadFormatVersion"],
            },
            "",
        )
        provisioners._apigw_v2_route_create(  # noqa: SLF001
            "",
            {
                "ApiId": api,
                "RouteKey": route_key,
                "Target": f"integrations/{integration_id}",
                "AuthorizationType": authorization_type(body, operation),
            },
            "",
        )


def operations(body: Document) -> Iterator[tuple[str, Document]]:
    """The route key (`POST /messages`) and the operation of each route."""
    for path, methods in (body.get("paths") or {}).items():
        for method, operation in methods.items():
            verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            yield ("$default" if path == "/$default" else f"{verb} {path}"), operation


def authorization_type(body: Document, operation: Document) -> str:
    """AWS_IAM or NONE; other authorizers are not in the template, so they are refused, not ignored."""
    names = {name for choice in operation.get("security") or [] for name in choice} - {"NONE"}
    if not names:
        return "NONE"
    schemes = body["components"]["securitySchemes"]
    kinds = {schemes[name].get("x-amazon-apigateway-authtype") for name in names}
    if kinds != {"awsSigv4"}:
        raise NotImplementedError(f"the local stack does not know the authorizers {sorted(names)}")
    return "AWS_IAM"
