"""Where flow logs of every region go: a bucket."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_soc2.deploy.bucket import TWO_YEARS, days_kept, keep_bucket, unlogged

DELIVERY = "delivery.logs.amazonaws.com"


def flow_log_bucket(
    scope: Construct,
    id: str,
    *,
    retention: cdk.Duration = TWO_YEARS,
    break_glass_role: iam.IRole | None = None,
    deploy_roles: Sequence[iam.IRole] = (),
) -> s3.Bucket:
    """A bucket that keeps the flow logs of every region for *retention*, then lets them go.

    Versioned and kept by its policy, not by Object Lock: AWS nowhere says that log delivery works
    with a default retention, and does say so of other logs that it does not.

    :raises ValueError: *retention* is shorter than 365 days.
    """
    days = days_kept(f"{scope.node.path}/{id}", retention)
    bucket = s3.Bucket(
        scope,
        id,
        versioned=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        lifecycle_rules=[
            s3.LifecycleRule(
                id="KeptLongEnough",
                expiration=cdk.Duration.days(days),
                noncurrent_version_expiration=cdk.Duration.days(90),
                abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
            )
        ],
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    keep_bucket(scope, bucket, break_glass_role, deploy_roles)
    let_deliver(bucket)
    unlogged(
        bucket,
        "The bucket takes logs, one file a VPC every five minutes, and its policy lets nobody delete "
        "them; a log of these deliveries would be as long and tell nothing new.",
    )
    return bucket


def let_deliver(bucket: s3.IBucket) -> None:
    """Let AWS deliver this account's flow logs, of any region, to *bucket*.

    By the statement ids that AWS looks for: it would add statements of its own where they are
    missing. No condition on the ACL: there is none in a bucket whose owner owns every object.
    """
    stack = cdk.Stack.of(bucket)
    conditions = {
        "StringEquals": {"aws:SourceAccount": stack.account},
        "ArnLike": {"aws:SourceArn": stack.format_arn(service="logs", region="*", resource="*")},
    }
    for sid, actions, resource in (
        (
            "AWSLogDeliveryWrite",
            ["s3:PutObject"],
            bucket.arn_for_objects(f"AWSLogs/{stack.account}/*"),
        ),
        ("AWSLogDeliveryAclCheck", ["s3:GetBucketAcl", "s3:ListBucket"], bucket.bucket_arn),
    ):
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                principals=[iam.ServicePrincipal(DELIVERY)],
                actions=actions,
                resources=[resource],
                conditions=conditions,
            )
        )
