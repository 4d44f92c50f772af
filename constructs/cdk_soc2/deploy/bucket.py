"""A bucket whose objects stay, for evidence and for the logs that evidence is checked against."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_soc2.deploy.checkov import skip_checkov
from cdk_soc2.deploy.custody import but_break_glass, but_deployments, keep_key

TWO_YEARS = cdk.Duration.days(730)
LEAST_DAYS = 365
UNLOGGED = (
    "Server access logs come at best effort, and S3 cannot write them to a bucket under Object Lock, so "
    "they would be weaker than what they speak of. Access to objects is recorded by CloudTrail data "
    "events, with log file validation: CloudTrail(data_events=[bucket])."
)


def locked_bucket(
    scope: Construct,
    id: str,
    *,
    mode: s3.ObjectLockMode = s3.ObjectLockMode.GOVERNANCE,
    retention: cdk.Duration = TWO_YEARS,
    encryption_key: kms.IKey | None = None,
    break_glass_role: iam.IRole | None = None,
    deploy_roles: Sequence[iam.IRole] = (),
) -> s3.Bucket:
    """A bucket under Object Lock with the policy that keeps it so; the parameters are ``EvidenceVault``'s.

    :raises ValueError: *retention* is shorter than 365 days.
    """
    days_kept(f"{scope.node.path}/{id}", retention)
    bucket = s3.Bucket(
        scope,
        id,
        object_lock_enabled=True,
        object_lock_default_retention=(
            s3.ObjectLockRetention.compliance(retention)
            if mode is s3.ObjectLockMode.COMPLIANCE
            else s3.ObjectLockRetention.governance(retention)
        ),
        versioned=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        encryption=s3.BucketEncryption.KMS if encryption_key else s3.BucketEncryption.S3_MANAGED,
        encryption_key=encryption_key,
        bucket_key_enabled=True if encryption_key else None,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        # Not RETAIN_ON_UPDATE_OR_DELETE, which gives up the bucket when its first deployment fails.
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    keep_bucket(scope, bucket, break_glass_role, deploy_roles)
    if encryption_key is not None:
        keep_key(scope, encryption_key, break_glass_role, deploy_roles)
    unlogged(bucket, UNLOGGED)
    return bucket


def unlogged(bucket: s3.Bucket, reason: str) -> None:
    """Accept, for *reason*, that *bucket* has no server access logs."""
    cdk.Validations.of(bucket).acknowledge(
        cdk.Acknowledgment(id="AwsSolutions::AwsSolutions-S1", reason=reason)
    )
    skip_checkov(bucket, {"CKV_AWS_18": reason})


def days_kept(where: str, retention: cdk.Duration) -> int:
    """*retention* in days. Raises ``ValueError`` below 365; *where* is the construct's path."""
    days = int(retention.to_days())
    if days < LEAST_DAYS:
        raise ValueError(
            f"{where}: a retention of {days} days is too short; evidence "
            f"must outlast its observation period: give at least Duration.days({LEAST_DAYS})"
        )
    return days


def keep_bucket(
    scope: Construct,
    bucket: s3.Bucket,
    break_glass: iam.IRole | None,
    deploy_roles: Sequence[iam.IRole],
) -> None:
    """The policy that keeps *bucket*, what is in it and how it is set up; it outlives the stack."""
    _keep_contents(scope, bucket, break_glass)
    _keep_configuration(scope, bucket, break_glass, deploy_roles)
    assert bucket.policy is not None
    # Deleted with its stack, the policy would leave the bucket behind unprotected.
    bucket.policy.apply_removal_policy(cdk.RemovalPolicy.RETAIN)


def _keep_contents(scope: Construct, bucket: s3.Bucket, break_glass: iam.IRole | None) -> None:
    """Deny what no deployment ever needs, to everybody but the break-glass role."""
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="ContentsStay",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=[
                "s3:BypassGovernanceRetention",  # with it, governance mode locks nothing
                "s3:PutObjectRetention",  # a date of one's own replaces the default, shorter ones too
                "s3:DeleteObjectVersion",  # an object whose lock has ended is still evidence
                "s3:DeleteObject",  # hides an object behind a delete marker
            ],
            resources=[bucket.arn_for_objects("*")],
            conditions=but_break_glass(break_glass),
        )
    )
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="BucketStays",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            # CloudFormation retains the bucket; it never deletes it.
            actions=["s3:DeleteBucket"],
            resources=[bucket.bucket_arn],
            conditions=but_break_glass(break_glass),
        )
    )


def _keep_configuration(
    scope: Construct,
    bucket: s3.Bucket,
    break_glass: iam.IRole | None,
    deploy_roles: Sequence[iam.IRole],
) -> None:
    """Deny by hand what a later deployment of this stack may rightly do."""
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="ConfigurationByDeploymentOnly",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=[
                "s3:PutBucketObjectLockConfiguration",  # to raise the retention; or to lower it
                "s3:PutLifecycleConfiguration",  # to move old evidence to an archive; or to expire it
                "s3:PutBucketPolicy",  # to change this very policy
                "s3:DeleteBucketPolicy",
                "s3:PutBucketVersioning",
                "s3:PutBucketPublicAccessBlock",
                "s3:PutBucketOwnershipControls",
                "s3:PutEncryptionConfiguration",
            ],
            resources=[bucket.bucket_arn],
            conditions=but_deployments(scope, break_glass, deploy_roles),
        )
    )
