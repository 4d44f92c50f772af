"""Keeps evidence where nobody can change or drop it unseen."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_soc2.controls.evidence.control import EVIDENCE
from cdk_soc2.deploy.bucket import TWO_YEARS, locked_bucket
from cdk_soc2.deploy.claim import claim
from cdk_soc2.deploy.wildcards import explain_wildcards
from cdk_soc2.policy import writer_statements


class EvidenceVault(Construct):
    """A bucket that keeps every version of every object for at least *retention*.

    :param mode: ``GOVERNANCE`` lets the break-glass role delete before the time; ``COMPLIANCE`` lets
        nobody, not even AWS on your word, and cannot be undone for what is already written.
    :param retention: how long each object is locked from when it was written; at least 365 days.
        The default of 730 covers a period of twelve months, the field work after it, and the
        auditor's look back at it a year later.
    :param encryption_key: encrypt with this key, and protect it, too; absent, with S3's own keys,
        which nobody can take away.
    :param break_glass_role: the one role that may delete, shorten and bypass; absent, nobody may.
    :param deploy_roles: roles that CloudFormation deploys with, where they are not those of
        ``cdk bootstrap``. Others than these cannot change the bucket's configuration.
    :raises ValueError: *retention* is shorter than 365 days.

    The bucket, its policy and so its name outlive the stack and a first deployment that failed:
    evidence may be in it by then. The root user can always replace the bucket's policy; S3 sees to
    that.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        mode: s3.ObjectLockMode = s3.ObjectLockMode.GOVERNANCE,
        retention: cdk.Duration = TWO_YEARS,
        encryption_key: kms.IKey | None = None,
        break_glass_role: iam.IRole | None = None,
        deploy_roles: Sequence[iam.IRole] = (),
    ) -> None:
        super().__init__(scope, id)
        self.encryption_key = encryption_key
        self.bucket = locked_bucket(
            self,
            "Bucket",
            mode=mode,
            retention=retention,
            encryption_key=encryption_key,
            break_glass_role=break_glass_role,
            deploy_roles=deploy_roles,
        )
        # S3 itself tells when a statement arrives. Set on the resource, because the L2's option
        # brings a Lambda function along to do it.
        _cfn(self.bucket).add_property_override(
            "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True
        )
        claim(self, EVIDENCE)

    def grant_source(self, grantee: iam.IGrantable, source: str) -> None:
        """Let *grantee* write the evidence of *source* (such as ``aws-123456789012``), and no other.

        It may add files and statements, list its own runs and statements, read its own statements,
        verdicts and public keys. It can neither delete nor lock, and S3 keeps what it would write over.
        """
        for statement in writer_statements(self.bucket.bucket_arn, source):
            grantee.grant_principal.add_to_principal_policy(
                iam.PolicyStatement.from_json({k: v for k, v in statement.items() if k != "Sid"})
            )
            if isinstance(grantee, Construct):
                explain_wildcards(
                    grantee,
                    [arn for arn in statement["Resource"] if "*" in arn],
                    "Only paths of this source: the wildcards stand for dates, run ids, statement "
                    "numbers and key fingerprints, which are not known beforehand.",
                )
        if self.encryption_key is not None:
            grantee.grant_principal.add_to_principal_policy(
                iam.PolicyStatement(
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=[self.encryption_key.key_arn],
                )
            )


def _cfn(bucket: s3.Bucket) -> cdk.CfnResource:
    resource = bucket.node.default_child
    assert isinstance(resource, cdk.CfnResource)
    return resource
