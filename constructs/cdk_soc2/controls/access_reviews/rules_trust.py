"""Control 12 in a template: who comes with another's token is told apart from all who have one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from cdk_soc2.control import Observed
from cdk_soc2.controls.access_reviews.control import ACCESS_REVIEWS
from cdk_soc2.documents import conditions, principals, statements, texts
from cdk_soc2.intrinsics import is_intrinsic, literals
from cdk_soc2.template import Resource

# The claim that says who it is; some providers put it elsewhere.
SUBJECT = ("sub", "aud", "amr", "job_workflow_ref", "repository", "project_path", "namespace_id")
COGNITO = "cognito-identity.amazonaws.com"
ANY = {
    "*",
    "repo:*",
    "repo:*/*",
    "repo:*:*",
    "repo:*/*:*",
    "project_path:*",
    "system:serviceaccount:*",
}


@ACCESS_REVIEWS.rule_for(
    "AWS::IAM::Role",
    fix="Add a condition on the provider's :sub claim that names your repository, or service account: "
    "without it, everybody who has an account with the provider may assume the role.",
    criteria=("CC6.1", "CC6.3", "CC8.1"),
)
def web_identity_names_its_subject(role: Resource) -> Observed | None:
    """A role for web identities (OIDC) says which subjects may assume it."""
    path = "AssumeRolePolicyDocument"
    trusting = [s for s in statements(role, path) if _takes_tokens(s)]
    if not trusting:
        return None
    open = [s for s in trusting if not _names(s, role)]
    told = f"{len(open) or 'no'} of {len(trusting)} statements take any subject"
    return role.seen(not open, told, path)


def _takes_tokens(statement: Mapping[str, Any]) -> bool:
    return "sts:AssumeRoleWithWebIdentity" in texts(statement.get("Action")) and any(
        kind == "Federated" for kind, _ in principals(statement)
    )


def _names(statement: Mapping[str, Any], role: Resource) -> bool:
    by_audience = any(name == COGNITO for _, name in principals(statement))
    return any(
        (_claim(key) in ("aud" if by_audience else "sub", *SUBJECT[3:]))
        and "Not" not in operator
        and bool(values)
        and not ANY & set(values)
        for operator, key, values in [*conditions(statement), *_late(statement, role)]
    )


def _claim(key: str) -> str:
    return key.rpartition(":")[2]


def _late(statement: Mapping[str, Any], role: Resource) -> Iterator[tuple[str, str, list[str]]]:
    """Conditions whose keys are known at deploy time: the CDK's CfnJson holds their text."""
    given: Any = statement.get("Condition")
    for operator, value in (
        cast(Mapping[str, Any], given).items() if isinstance(given, Mapping) else ()
    ):
        found = role.template.target(value) if role.template and is_intrinsic(value) else None
        made = found[0].find(found[1]) if found else None
        if made is not None and ":sub" in "".join(literals(made.properties)):
            yield str(operator), "sub", ["known at deploy time"]
