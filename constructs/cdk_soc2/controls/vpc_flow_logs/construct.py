"""Records the traffic of VPCs: of those you name, or of all that the account has."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct, IDependable

from cdk_soc2.controls.vpc_flow_logs import setting
from cdk_soc2.controls.vpc_flow_logs.control import VPC_FLOW_LOGS
from cdk_soc2.deploy.bucket import TWO_YEARS
from cdk_soc2.deploy.claim import claim
from cdk_soc2.deploy.flow_log_bucket import flow_log_bucket, let_deliver
from cdk_soc2.deploy.flow_log_group import EncryptedLogGroup, flow_log_role, log_group_arn
from cdk_soc2.deploy.settings import AccountSetting, Regions

TEN_MINUTES = cdk.Duration.minutes(10)
INTERVALS = (60, 600)


class FlowLogs(Construct):
    """A flow log of all traffic for each of *vpcs*, new ones and those that exist.

    :param vpcs: VPCs of the stack's own region; those that exist by ``Vpc.from_lookup``, say.
    :param vpc_ids: the same, by their ids.
    :param bucket: deliver here, by its policy; absent, to a log group.
    :param log_group: deliver here; absent, and without a bucket, a log group is made, encrypted with
        a key of its own, and retained.
    :param retention: of the log group that is made; at least 365 days, 730 by default.
    :param aggregation: one minute or ten, in which packets of a flow are counted together.
    :raises ValueError: no VPC, two destinations, or a time that is out of its range.

    The flow logs, and what they need, stay when the stack is deleted; AWS deletes a VPC's flow logs
    with the VPC.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpcs: Sequence[ec2.IVpc] = (),
        vpc_ids: Sequence[str] = (),
        bucket: s3.IBucket | None = None,
        log_group: logs.ILogGroup | None = None,
        retention: cdk.Duration = TWO_YEARS,
        aggregation: cdk.Duration = TEN_MINUTES,
    ) -> None:
        super().__init__(scope, id)
        ids = [*(vpc.vpc_id for vpc in vpcs), *vpc_ids]
        if not ids:
            raise ValueError(f"{self.node.path}: no VPC; give vpcs or vpc_ids")
        if bucket is not None and log_group is not None:
            raise ValueError(f"{self.node.path}: two destinations; give a bucket or a log group")
        self.role: iam.Role | None = None
        needed: list[IDependable] = []
        if bucket is not None:
            let_deliver(bucket)
            destination, kind = bucket.bucket_arn, "s3"
            needed += _policy(bucket)
        else:
            kind = "cloud-watch-logs"
            if log_group is None:
                made = EncryptedLogGroup(self, "Logs", retention=retention)
                destination = made.arn
                needed.append(made.log_group)
            else:
                destination = log_group_arn(self, log_group.log_group_name)
            self.role = flow_log_role(self, "Role", destination)
        self.flow_logs = [
            ec2.CfnFlowLog(
                self,
                f"FlowLog{number}",
                resource_id=vpc_id,
                resource_type="VPC",
                traffic_type="ALL",
                log_destination=destination,
                log_destination_type=kind,
                deliver_logs_permission_arn=self.role.role_arn if self.role else None,
                max_aggregation_interval=_seconds(self, aggregation),
            )
            for number, vpc_id in enumerate(ids, 1)
        ]
        for log in self.flow_logs:
            log.node.add_dependency(*needed)
            # One that is replaced goes: two of the same VPC are billed twice.
            log.cfn_options.deletion_policy = cdk.CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE
            log.cfn_options.update_replace_policy = cdk.CfnDeletionPolicy.DELETE
        claim(self, VPC_FLOW_LOGS)


class AccountFlowLogs(Construct):
    """A flow log of all traffic for every VPC of the account that has none, in each of *regions*.

    :param regions: a list, or ``"all"`` for every region that the account has enabled when the stack
        is deployed; absent, the stack's own.
    :param bucket: where they are delivered to, from every region; absent, one is made, and retained.
    :param retention: of the bucket that is made; at least 365 days, 730 by default.
    :param aggregation: one minute or ten, in which packets of a flow are counted together.
    :param break_glass_role: as for ``EvidenceVault``.
    :param deploy_roles: as for ``EvidenceVault``.
    :raises ValueError: a time that is out of its range.

    The default VPCs count, which every region has. VPCs with a flow log that holds are left as they
    are. A VPC that is made later gets one at the next deployment that changes something here; until
    then the daily check tells of it. The flow logs stay when the stack is deleted.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        regions: Regions | None = None,
        bucket: s3.IBucket | None = None,
        retention: cdk.Duration = TWO_YEARS,
        aggregation: cdk.Duration = TEN_MINUTES,
        break_glass_role: iam.IRole | None = None,
        deploy_roles: Sequence[iam.IRole] = (),
    ) -> None:
        super().__init__(scope, id)
        stack = cdk.Stack.of(self)
        if bucket is None:
            bucket = flow_log_bucket(
                self,
                "Bucket",
                retention=retention,
                break_glass_role=break_glass_role,
                deploy_roles=deploy_roles,
            )
        else:
            let_deliver(bucket)
        self.bucket = bucket
        flow_logs, vpcs = (
            stack.format_arn(service="ec2", region="*", resource=kind, resource_name="*")
            for kind in ("vpc-flow-log", "vpc")
        )
        self.setting = AccountSetting(
            self,
            "Setting",
            control=VPC_FLOW_LOGS,
            setting=setting,
            regions=regions,
            wanted={
                "Account": stack.account,
                "AggregationSeconds": str(_seconds(self, aggregation)),
                "BucketArn": bucket.bucket_arn,
            },
            narrowed={"ec2:CreateFlowLogs": [flow_logs, vpcs], "ec2:CreateTags": [flow_logs]},
        )
        self.setting.resource.node.add_dependency(*_policy(bucket))
        claim(self, VPC_FLOW_LOGS)


def _policy(bucket: s3.IBucket) -> Sequence[IDependable]:
    """What must be there before the first delivery: AWS tries one."""
    return [bucket.policy] if isinstance(bucket, s3.Bucket) and bucket.policy else []


def _seconds(scope: Construct, aggregation: cdk.Duration) -> int:
    seconds = int(aggregation.to_seconds())
    if seconds not in INTERVALS:
        raise ValueError(f"{scope.node.path}: aggregation of {seconds} s; give one minute or ten")
    return seconds
