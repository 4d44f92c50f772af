"""Control 12 in a template: nobody is given everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdk_soc2.control import Observed
from cdk_soc2.controls.access_reviews.control import ACCESS_REVIEWS
from cdk_soc2.documents import listed, statements, texts
from cdk_soc2.template import Resource

LEAST = ("CC6.3", "CC6.1")
HOLDERS = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")
POLICIES = (
    "AWS::IAM::Policy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::UserPolicy",
    "AWS::IAM::GroupPolicy",
)
ALMIGHTY = ("/AdministratorAccess", "/IAMFullAccess", "/PowerUserAccess")


@ACCESS_REVIEWS.rule_for(
    *POLICIES,
    *HOLDERS,
    "AWS::SSO::PermissionSet",
    fix="Name the actions, or the resources that they may be done to.",
    criteria=LEAST,
)
def policy_names_actions_or_resources(resource: Resource) -> Observed | None:
    """No policy allows a service's every action on every resource."""
    if resource.type == "AWS::SSO::PermissionSet":
        documents = [
            resource.part({"PolicyDocument": resource.properties.get("InlinePolicy") or {}})
        ]
    elif resource.type in HOLDERS:
        documents = [resource.part(policy) for policy in resource.nodes("Policies")]
    else:
        documents = [resource]
    if not documents:
        return None
    wide = [what for d in documents for s in statements(d, "PolicyDocument") for what in _wide(s)]
    path = "PolicyDocument" if documents == [resource] else "Policies"
    told = (
        f"allows {', '.join(wide)} on every resource" if wide else "nothing is allowed altogether"
    )
    return resource.seen(not wide, told, path)


def _wide(statement: Mapping[str, Any]) -> Iterator[str]:
    """Whole services, or all of AWS, that *statement* opens on everything without a condition."""
    if statement.get("Condition") or "*" not in texts(statement.get("Resource")):
        return
    if "NotAction" in statement:
        yield f"everything but {', '.join(texts(statement['NotAction'])[:3])}"
    for action in texts(statement.get("Action")):
        if action == "*" or action.endswith(":*"):
            yield action


@ACCESS_REVIEWS.rule_for(
    *HOLDERS,
    "AWS::SSO::PermissionSet",
    fix="Attach a policy that names what is needed.",
    criteria=LEAST,
)
def nobody_is_administrator(holder: Resource) -> Observed:
    """No role, user or group is given the policies of administrators."""
    sso = holder.type == "AWS::SSO::PermissionSet"
    path = "ManagedPolicies" if sso else "ManagedPolicyArns"
    given = texts(listed(holder.value(path)))
    almighty = [arn for arn in given if arn.endswith(ALMIGHTY)]
    told = f"has {', '.join(almighty)}" if almighty else "no administrator's policy"
    return holder.seen(not almighty, told, path)
