"""Gap: CloudFormation here drops `TimeToLiveSpecification` of a table, so nothing ever expires."""

from typing import Any

from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners


def fill() -> None:
    """Set the table's time to live after it was made, by the emulator's own UpdateTimeToLive."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]  # noqa: SLF001
    create = handlers["create"]

    def create_with_ttl(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        name, attributes = create(logical_id, props, stack_name)
        ttl = props.get("TimeToLiveSpecification")
        if ttl:
            dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": ttl})  # noqa: SLF001
        return name, attributes

    handlers["create"] = create_with_ttl
