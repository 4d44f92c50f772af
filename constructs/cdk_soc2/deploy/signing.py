"""The key that signs evidence: whose signature it is, and what would end it."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_soc2.deploy.custody import KEY_ENDS, generated_name


def signing_key(scope: Construct, id: str) -> kms.Key:
    """A P-256 key, which any openssl can verify with, that outlives its stack as its signatures do."""
    key = kms.Key(
        scope,
        id,
        description="Signs SOC 2 evidence",
        key_spec=kms.KeySpec.ECC_NIST_P256,
        key_usage=kms.KeyUsage.SIGN_VERIFY,
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    # For people's eyes. The collector names the key by its ARN, which nobody can point elsewhere.
    kms.Alias(
        scope,
        f"{id}Alias",
        alias_name=f"alias/{generated_name(scope, 'soc2-evidence')}",
        target_key=key,
    )
    return key


def only_signs(role: iam.IRole, key: kms.IKey) -> None:
    """A signature of *key* must mean that *role* made it: deny it to any administrator."""
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="CollectorAloneSigns",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["kms:Sign"],
            resources=["*"],
            conditions={"ArnNotEquals": {"aws:PrincipalArn": role.role_arn}},
        ),
        True,  # a key of another stack keeps its policy; keep_key warns of that
    )


def tell_of_danger(
    scope: Construct, id: str, keys: Sequence[kms.IKey], topic: sns.ITopic
) -> events.CfnRule:
    """Tell *topic* of every attempt to end one of *keys*, the refused ones too.

    Through CloudTrail, so a trail must be there. A deployment that changes a key's policy tells, too.
    """
    calls = [action.removeprefix("kms:") for action in (*KEY_ENDS, "kms:PutKeyPolicy")]
    return events.CfnRule(
        scope,
        id,
        description="Somebody tries to end a key that SOC 2 evidence needs",
        event_pattern={
            "source": ["aws.kms"],
            "detail-type": ["AWS API Call via CloudTrail"],
            "detail": {
                "eventName": calls,
                # Callers name a key by its ARN or by its id.
                "requestParameters": {"keyId": [n for k in keys for n in (k.key_arn, k.key_id)]},
            },
        },
        targets=[events.CfnRule.TargetProperty(arn=topic.topic_arn, id="Alert")],
    )
