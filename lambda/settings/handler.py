"""Makes account settings that CloudFormation has no type for, and answers CloudFormation."""

from typing import Any

from cdk_soc2.custom_resource import handle
from cdk_soc2.settings import make


def lambda_handler(event: dict[str, Any], context: Any) -> None:
    handle(event, context, make)
