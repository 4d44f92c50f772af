"""Records every management call of the account, in every region, where the record stays."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_soc2.controls.cloudtrail.control import CLOUDTRAIL
from cdk_soc2.deploy.bucket import TWO_YEARS, locked_bucket
from cdk_soc2.deploy.claim import claim
from cdk_soc2.deploy.custody import generated_name, keep_key


class CloudTrail(Construct):
    """A trail of all regions, validated, encrypted with its own key, in its own locked bucket.

    :param trail_name: absent, generated; the name cannot change without a new trail.
    :param data_events: buckets whose every object call is recorded, too, and billed by AWS.
    :param log_group: deliver to CloudWatch Logs as well, for metric filters and alarms there.
    :param retention: how long each log file is locked; at least 365 days, 730 by default.
    :param break_glass_role: as for ``EvidenceVault``.
    :param deploy_roles: as for ``EvidenceVault``.
    :raises ValueError: *retention* is shorter than 365 days.

    The trail goes on when the stack is deleted. AWS bills a second trail of the same account and
    region for management events.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        trail_name: str | None = None,
        data_events: Sequence[s3.IBucket] = (),
        log_group: logs.ILogGroup | None = None,
        retention: cdk.Duration = TWO_YEARS,
        break_glass_role: iam.IRole | None = None,
        deploy_roles: Sequence[iam.IRole] = (),
    ) -> None:
        super().__init__(scope, id)
        stack = cdk.Stack.of(self)
        self.trail_name = trail_name or generated_name(self, "soc2")
        self.trail_arn = stack.format_arn(
            service="cloudtrail", resource="trail", resource_name=self.trail_name
        )
        self.encryption_key = kms.Key(
            self,
            "Key",
            description="Encrypts CloudTrail's log files",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        keep_key(self, self.encryption_key, break_glass_role, deploy_roles)
        self._let_cloudtrail_encrypt()
        self.bucket = locked_bucket(
            self,
            "Bucket",
            retention=retention,
            break_glass_role=break_glass_role,
            deploy_roles=deploy_roles,
        )
        self._let_cloudtrail_write()
        assert self.bucket.policy is not None

        self.trail = cloudtrail.CfnTrail(
            self,
            "Trail",
            trail_name=self.trail_name,
            is_logging=True,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            s3_bucket_name=self.bucket.bucket_name,
            kms_key_id=self.encryption_key.key_arn,
            event_selectors=[
                cloudtrail.CfnTrail.EventSelectorProperty(
                    include_management_events=True,
                    read_write_type="All",
                    data_resources=[
                        cloudtrail.CfnTrail.DataResourceProperty(
                            type="AWS::S3::Object",
                            values=[b.arn_for_objects("") for b in data_events],
                        )
                    ]
                    if data_events
                    else None,
                )
            ],
            cloud_watch_logs_log_group_arn=log_group.log_group_arn if log_group else None,
            cloud_watch_logs_role_arn=self._log_role(log_group).role_arn if log_group else None,
        )
        self.trail.node.add_dependency(self.bucket.policy)
        # Unlike bucket and key, which may hold records by then, a trail whose first deployment fails
        # goes: an account has room for five in a region.
        self.trail.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        claim(self, CLOUDTRAIL)

    def _let_cloudtrail_encrypt(self) -> None:
        """This trail only. Readers need no statement: IAM speaks for the account's principals."""
        stack = cdk.Stack.of(self)
        service = iam.ServicePrincipal("cloudtrail.amazonaws.com")
        any_trail = stack.format_arn(
            service="cloudtrail", region="*", resource="trail", resource_name="*"
        )
        for sid, action, conditions in (
            (
                "CloudTrailEncrypts",
                "kms:GenerateDataKey*",
                {
                    "StringEquals": {"aws:SourceArn": self.trail_arn},
                    "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": any_trail},
                },
            ),
            (
                "CloudTrailLooksAtKey",
                "kms:DescribeKey",
                {"StringEquals": {"aws:SourceArn": self.trail_arn}},
            ),
        ):
            self.encryption_key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    principals=[service],
                    actions=[action],
                    resources=["*"],
                    conditions=conditions,
                )
            )

    def _let_cloudtrail_write(self) -> None:
        account = cdk.Stack.of(self).account
        service = iam.ServicePrincipal("cloudtrail.amazonaws.com")
        this_trail = {"aws:SourceArn": self.trail_arn}
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="CloudTrailLooksAtBucket",
                principals=[service],
                actions=["s3:GetBucketAcl"],
                resources=[self.bucket.bucket_arn],
                conditions={"StringEquals": this_trail},
            )
        )
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="CloudTrailWrites",
                principals=[service],
                actions=["s3:PutObject"],
                resources=[self.bucket.arn_for_objects(f"AWSLogs/{account}/*")],
                conditions={
                    "StringEquals": {**this_trail, "s3:x-amz-acl": "bucket-owner-full-control"}
                },
            )
        )

    def _log_role(self, log_group: logs.ILogGroup) -> iam.Role:
        role = iam.Role(
            self,
            "LogRole",
            assumed_by=iam.ServicePrincipal(
                "cloudtrail.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceArn": self.trail_arn}},
            ),
        )
        log_group.grant_write(role)
        return role
