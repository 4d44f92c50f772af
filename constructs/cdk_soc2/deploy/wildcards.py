"""Says, in cdk-nag's terms, why a permission ends in a wildcard."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

import aws_cdk as cdk
from constructs import IConstruct


def explain_wildcards(role: IConstruct, resources: Iterable[str], reason: str) -> None:
    """Acknowledge the finding that each of *resources*, ARNs with a wildcard, causes on *role*.

    cdk-nag names a finding by the whole ARN, so another wildcard on the same role is still found.
    """
    stack = cdk.Stack.of(role)
    cdk.Validations.of(role).acknowledge(
        *(
            cdk.Acknowledgment(
                id=f"AwsSolutions::AwsSolutions-IAM5[Resource::{_flat(stack.resolve(arn))}]",
                reason=reason,
            )
            for arn in resources
        )
    )


def _flat(value: Any) -> str:
    """An ARN as cdk-nag writes it: ``<LogicalId.Arn>/prefix/*``."""
    if isinstance(value, str):
        return value
    [(function, of)] = cast(Mapping[str, Any], value).items()
    if function == "Fn::Join":
        return of[0].join(_flat(part) for part in of[1])
    if function == "Fn::GetAtt":
        return f"<{'.'.join(of)}>"
    if function == "Ref":
        return f"<{of}>"
    return json.dumps(value, separators=(",", ":"))
