from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_soc2.constructs import (
    AccountFlowLogs,
    CloudTrail,
    EbsEncryptionByDefault,
    EvidenceVault,
    FlowLogs,
    GuardDuty,
    PasswordPolicy,
    S3BlockPublicAccess,
)
from cdk_soc2.controls import CONTROLS
from cdk_soc2.deploy.claim import TAG, claim
from tests.deploy.synth import NO_FLAGS, OUR_FLAGS, Template, synth

EXPLICIT = {"@aws-cdk/core:explicitStackTags": True}


def claimed(template: Template) -> dict[str, str]:
    """The controls each resource is claimed for, by tag or by metadata."""
    found: dict[str, str] = {}
    for id, r in template.raw.items():
        tags = r.get("Properties", {}).get("Tags", [])
        told = [t["Value"] for t in tags if t["Key"] == TAG]
        for value in told or filter(None, [r.get("Metadata", {}).get(TAG)]):
            found[id] = value
    return found


@pytest.mark.parametrize("flags", [OUR_FLAGS, NO_FLAGS, EXPLICIT], ids=["our", "none", "explicit"])
@pytest.mark.parametrize(
    ("construct", "control"),
    [
        (PasswordPolicy, "mfa"),
        (CloudTrail, "cloudtrail"),
        (lambda s, id: GuardDuty(s, id, topic=sns.Topic(s, "T")), "guardduty"),
        (lambda s, id: FlowLogs(s, id, vpc_ids=["vpc-1"]), "vpc_flow_logs"),
        (AccountFlowLogs, "vpc_flow_logs"),
        (EbsEncryptionByDefault, "ebs_encryption"),
        (S3BlockPublicAccess, "s3_block_public_access"),
        (EvidenceVault, "evidence"),
    ],
)
def test_every_resource_says_whom_it_serves(construct: Any, control: str, flags: dict[str, Any]):
    template = synth(lambda s: construct(s, "It"), flags)
    its_own = [
        id
        for id, r in template.raw.items()
        if id.startswith("It") and r["Type"] != "AWS::CDK::Metadata"
    ]
    assert its_own
    assert {id: claimed(template).get(id) for id in its_own} == dict.fromkeys(its_own, control)


def test_innermost_claim_holds():
    def build(stack: cdk.Stack) -> None:
        outer = Construct(stack, "Outer")
        inner = Construct(outer, "Inner")
        kms.Key(outer, "Key")
        kms.Key(inner, "Key").add_alias("alias/x")
        claim(inner, CONTROLS[0])
        claim(outer, CONTROLS[1], CONTROLS[2])

    found = claimed(synth(build))
    assert {v for k, v in found.items() if "Inner" in k} == {CONTROLS[0].key}
    assert {v for k, v in found.items() if "Inner" not in k} == {
        f"{CONTROLS[1].key} {CONTROLS[2].key}"
    }
