"""SAM's resources as the CloudFormation resources that they become, as far as rules ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

Node = Mapping[str, Any]
TRANSFORM = "AWS::Serverless-2016-10-31"
BECOMES = {
    "AWS::Serverless::Function": "AWS::Lambda::Function",
    "AWS::Serverless::Api": "AWS::ApiGateway::Stage",
    "AWS::Serverless::HttpApi": "AWS::ApiGatewayV2::Stage",
    "AWS::Serverless::SimpleTable": "AWS::DynamoDB::Table",
}


def transforms(body: Node) -> list[str]:
    """The macros that work on the whole template."""
    given: Any = body.get("Transform") or []
    items = cast(list[Any], given) if isinstance(given, list) else [given]
    return [str(cast(Node, i).get("Name")) if isinstance(i, Mapping) else str(i) for i in items]


def without_sam(body: Node) -> Node:
    """*body* with SAM's resources under the types that they become, its globals filled in."""
    resources: Any = body.get("Resources")
    if TRANSFORM not in transforms(body) or not isinstance(resources, Mapping):
        return body
    shared = _mapping(body.get("Globals"))
    made: dict[str, Any] = {}
    for id, resource in cast(Node, resources).items():
        kind: Any = resource.get("Type") if isinstance(resource, Mapping) else None
        if kind not in BECOMES:
            made[id] = resource
            continue
        own = _mapping(cast(Node, resource).get("Properties"))
        filled = _filled(_mapping(shared.get(str(kind).rpartition("::")[2])), own)
        made[id] = {**cast(Node, resource), "Type": BECOMES[kind], "Properties": filled}
        for n, policy in enumerate(_list(filled.get("Policies"))):
            if isinstance(policy, Mapping) and "Statement" in policy:
                document = {"PolicyDocument": policy}
                made[f"{id}RolePolicy{n}"] = {"Type": "AWS::IAM::Policy", "Properties": document}
    return {**body, "Resources": made}


def _filled(shared: Node, own: Node) -> dict[str, Any]:
    """As SAM does it: mappings are merged, lists are joined, anything else of one's own wins."""
    filled: dict[str, Any] = {**shared, **own}
    for name in shared.keys() & own.keys():
        one, other = shared[name], own[name]
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            filled[name] = _filled(cast(Node, one), cast(Node, other))
        elif isinstance(one, list) and isinstance(other, list):
            filled[name] = [*cast(list[Any], one), *cast(list[Any], other)]
    return filled


def _mapping(value: Any) -> Node:
    return cast(Node, value) if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else [value]
