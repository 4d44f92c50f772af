"""Control 12 in a template: a role is deployed for somebody, not for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from cdk_soc2.control import CannotLook, Observed
from cdk_soc2.controls.access_reviews import (
    rules_policies as rules_policies,
)  # they attach themselves
from cdk_soc2.controls.access_reviews import rules_trust as rules_trust
from cdk_soc2.controls.access_reviews.control import ACCESS_REVIEWS
from cdk_soc2.template import Resource


@ACCESS_REVIEWS.rule_for("AWS::IAM::Role", fix="Name in the trust policy who may assume the role.")
def role_is_not_for_everybody(role: Resource) -> Observed:
    """A role's trust policy does not let everybody assume it, whatever the conditions."""
    path = "AssumeRolePolicyDocument"
    policy: Any = role.value(path)
    given: Any = policy.get("Statement") if isinstance(policy, Mapping) else None
    statements = cast(list[Any], given if isinstance(given, list) else [given])
    if not all(isinstance(s, Mapping) for s in statements):
        raise CannotLook(f"{role.id} has no trust policy to read", "Give it statements.")
    open_to_all = any(_everybody(s) for s in statements if s.get("Effect") == "Allow")
    told = "everybody may assume it" if open_to_all else "who may assume it is named"
    return role.seen(not open_to_all, told, path)


def _everybody(statement: Mapping[str, Any]) -> bool:
    principal: Any = statement.get("Principal")
    if not isinstance(principal, Mapping):
        return True  # "*", or everybody but some
    named: Any = cast(Mapping[str, Any], principal).get("AWS")
    return "*" in (cast(list[Any], named) if isinstance(named, list) else [named])
