"""Who may still do what to evidence, once it is there: conditions for statements that deny."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

KEY_ENDS = ("kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:DeleteImportedKeyMaterial")


def but_break_glass(break_glass: iam.IRole | None) -> dict[str, Any]:
    """Denies everybody, the root user too, but the break-glass role; without one, everybody."""
    if break_glass is None:
        return {}
    return {"ArnNotEquals": {"aws:PrincipalArn": break_glass.role_arn}}


def but_deployments(
    scope: Construct,
    break_glass: iam.IRole | None,
    deploy_roles: Sequence[iam.IRole],
    *others: str,
) -> dict[str, Any]:
    """Denies everybody but CloudFormation, the break-glass role and the principals *others* (ARNs).

    CloudFormation comes as the execution role that ``cdk bootstrap`` makes, whatever its qualifier
    (only CloudFormation may assume it), as one of *deploy_roles*, or with the credentials of whoever
    deploys, and then AWS says so in ``aws:CalledVia``. A deployment leaves a template, an event and
    a record in CloudTrail; a call by hand only the last.
    """
    stack = cdk.Stack.of(scope)
    bootstrapped = f"role/cdk-*-cfn-exec-role-{stack.account}-{stack.region}"
    principals = [
        f"arn:{stack.partition}:iam::{stack.account}:{bootstrapped}",
        *(role.role_arn for role in deploy_roles),
        *([break_glass.role_arn] if break_glass else []),
        *others,
    ]
    return {
        "ArnNotLike": {"aws:PrincipalArn": principals},
        # True as well where the key is absent: a call that came through no service at all.
        "ForAllValues:StringNotEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"},
    }


def keep_key(
    scope: Construct,
    key: kms.IKey,
    break_glass: iam.IRole | None,
    deploy_roles: Sequence[iam.IRole],
) -> None:
    """Deny the ways to make *key* useless: a lock keeps bytes that nobody could read without it.

    A key that was imported keeps its own policy; then synth warns.
    """
    stack = cdk.Stack.of(scope)
    added = key.add_to_resource_policy(
        # No deployment needs these: a key leaves a stack by being retained.
        iam.PolicyStatement(
            sid="KeyStays",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=list(KEY_ENDS),
            resources=["*"],
            conditions=but_break_glass(break_glass),
        ),
        True,
    )
    key.add_to_resource_policy(
        # Whoever can rewrite the policy can lift the denial above. Unlike S3, KMS gives the root
        # user no way past a key policy: without it here, a lost deploy role would orphan the key.
        iam.PolicyStatement(
            sid="KeyPolicyByDeploymentOnly",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["kms:PutKeyPolicy"],
            resources=["*"],
            conditions=but_deployments(
                scope, break_glass, deploy_roles, f"arn:{stack.partition}:iam::{stack.account}:root"
            ),
        ),
        True,
    )
    if not added.statement_added:
        cdk.Annotations.of(scope).add_warning_v2(
            "cdk-soc2:key-policy",
            f"the policy of {key.key_arn} is not this stack's to change: deny {', '.join(KEY_ENDS)} "
            "in it yourself, or evidence can be made unreadable",
        )


def generated_name(scope: Construct, prefix: str) -> str:
    """A name for a resource whose own ARN must stand in policies made before it.

    It ends in this stack's id, so that a stack deployed anew does not meet what the last one left.
    """
    stack_id = cdk.Fn.select(2, cdk.Fn.split("/", cdk.Stack.of(scope).stack_id))
    return f"{prefix}-{scope.node.addr[-8:]}-{cdk.Fn.select(4, cdk.Fn.split('-', stack_id))}"
