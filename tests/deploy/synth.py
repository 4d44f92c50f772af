"""Templates as CloudFormation would see them, and what their policies deny."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk

ROOT = Path(__file__).parents[2]
ACCOUNT = "123456789012"
REGION = "eu-west-1"
STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/S/0a1b2c3d-0000-4000-8000-feedfacecafe"
OUR_FLAGS: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
NO_FLAGS: dict[str, Any] = {}

IAM = f"arn:aws:iam::{ACCOUNT}"
BREAK_GLASS = f"{IAM}:role/BreakGlass"
DEPLOYER = f"{IAM}:role/Deployer"
ADMIN = f"{IAM}:role/Admin"
ROOT_USER = f"{IAM}:root"
BOOTSTRAPPED = f"{IAM}:role/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
OWN_QUALIFIER = f"{IAM}:role/cdk-acme-cfn-exec-role-{ACCOUNT}-{REGION}"
ELSEWHERE = f"{IAM}:role/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-us-east-1"

Build = Callable[[cdk.Stack], object]


def app(context: Mapping[str, Any]) -> cdk.App:
    # The CDK's own check of templates takes seconds; one test of the whole app has it on.
    return cdk.App(context=context, builtin_cloud_formation_validation=False)


def synth(build: Build, context: Mapping[str, Any] = OUR_FLAGS) -> Template:
    """The template of a stack that *build* has filled."""
    it = app(context)
    stack = cdk.Stack(it, "S")
    build(stack)
    return Template(json.loads(Path(it.synth().stacks[0].template_full_path).read_text()))


@cache
def compliance() -> Template:
    """The template of the whole stack, made once."""
    from stacks.compliance import ComplianceStack

    it = app(OUR_FLAGS)
    ComplianceStack(it, "Compliance", alert_emails=["soc@example.com"])
    return Template(json.loads(Path(it.synth().stacks[0].template_full_path).read_text()))


class Template:
    """A template with its intrinsic functions worked out, for one account and region."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.raw: dict[str, Any] = body["Resources"]
        self.resources: dict[str, Any] = {k: self.resolve(v) for k, v in self.raw.items()}
        self.outputs: dict[str, Any] = self.resolve(body.get("Outputs", {}))

    def all(self, type: str) -> dict[str, dict[str, Any]]:
        return {k: v.get("Properties", {}) for k, v in self.resources.items() if v["Type"] == type}

    def one(self, type: str, where: str = "") -> dict[str, Any]:
        """The properties of the one resource of *type* whose logical id has *where* in it."""
        [found] = [p for k, p in self.all(type).items() if where in k]
        return found

    def resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.resolve(v) for v in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(name, of)] = value.items()
            if name == "Ref":
                return self._ref(of)
            if name == "Fn::GetAtt":
                return self._attribute(*of)
            if name == "Fn::Join":
                return of[0].join(self.resolve(of[1]))
            if name == "Fn::Split":
                return self.resolve(of[1]).split(of[0])
            if name == "Fn::GetAZs":
                return [f"{REGION}{letter}" for letter in "abc"]
            if name == "Fn::Select":
                return self.resolve(of[1])[int(of[0])]
        return {k: self.resolve(v) for k, v in value.items()}

    def _ref(self, name: str) -> str:
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::StackId": STACK_ID,
            "AWS::StackName": "S",
            "AWS::URLSuffix": "amazonaws.com",
        }
        return pseudo.get(name, name)

    def _attribute(self, id: str, attribute: str) -> str:
        kind = self.raw[id]["Type"]
        if attribute != "Arn":
            return f"{id}.{attribute}"
        return {"AWS::IAM::Role": f"{IAM}:role/{id}", "AWS::S3::Bucket": f"arn:aws:s3:::{id}"}.get(
            kind, f"arn:aws:{kind.split('::')[1].lower()}:{REGION}:{ACCOUNT}:{id}"
        )


def statements(policy: Mapping[str, Any], effect: str) -> Iterator[dict[str, Any]]:
    """The statements of *policy* with the given effect, actions and resources as lists."""
    for s in policy["Statement"]:
        if s["Effect"] == effect:
            yield {**s, "Action": listed(s["Action"]), "Resource": listed(s["Resource"])}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def denies(
    policy: Mapping[str, Any], action: str, principal: str, *, via: str | None = None
) -> bool:
    """Does *policy* deny *action* to *principal*, over TLS, called through the service *via*?"""
    return any(
        any(_like(action, pattern) for pattern in s["Action"])
        and all(
            _holds(operator, key, listed(values), principal, via)
            for operator, keys in s.get("Condition", {}).items()
            for key, values in keys.items()
        )
        for s in statements(policy, "Deny")
    )


def _holds(operator: str, key: str, values: list[Any], principal: str, via: str | None) -> bool:
    match operator, key:
        case "ArnNotEquals" | "ArnNotLike", "aws:PrincipalArn":
            return not any(_like(principal, value) for value in values)
        case "ForAllValues:StringNotEquals", "aws:CalledVia":
            return via is None or via not in values
        case "Bool", "aws:SecureTransport":
            return False
        case "NumericLessThan", "s3:TlsVersion":
            return False
        case _:
            raise NotImplementedError(f"{operator} {key}")


def _like(text: str, pattern: str) -> bool:
    parts = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(parts, text) is not None
