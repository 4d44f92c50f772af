"""Where flow logs of one region go: an encrypted log group, and the role that writes there."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_soc2.deploy.bucket import TWO_YEARS, days_kept
from cdk_soc2.deploy.custody import generated_name
from cdk_soc2.deploy.wildcards import explain_wildcards

RETENTIONS = (365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)  # CloudWatch Logs knows


class EncryptedLogGroup(Construct):
    """A log group for flow logs under a key of its own, and the role that writes there; all stay.

    :param retention: at least 365 days; CloudWatch Logs rounds it up to a number it knows.
    :raises ValueError: *retention* is shorter than 365 days, or longer than ten years.
    """

    def __init__(self, scope: Construct, id: str, *, retention: cdk.Duration = TWO_YEARS) -> None:
        super().__init__(scope, id)
        days = days_kept(self.node.path, retention)
        if days > RETENTIONS[-1]:
            raise ValueError(f"{self.node.path}: a retention of {days} days; give {RETENTIONS[-1]}")
        self.name = generated_name(self, "/aws/vpc/soc2-flow-logs")
        self.arn = log_group_arn(self, self.name)
        self.log_group = logs.CfnLogGroup(
            self,
            "Group",
            log_group_name=self.name,
            kms_key_id=self._key().key_arn,
            retention_in_days=next(r for r in RETENTIONS if r >= days),
        )
        self.log_group.apply_removal_policy(cdk.RemovalPolicy.RETAIN)

    def _key(self) -> kms.Key:
        stack = cdk.Stack.of(self)
        key = kms.Key(
            self,
            "Key",
            description="Encrypts VPC flow logs",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LogsEncrypt",
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=[
                    "kms:Decrypt",
                    "kms:DescribeKey",
                    "kms:Encrypt",
                    "kms:GenerateDataKey*",
                    "kms:ReEncrypt*",
                ],
                resources=["*"],
                # Names the account, too.
                conditions={"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": self.arn}},
            )
        )
        return key


def log_group_arn(scope: Construct, name: str) -> str:
    """The ARN of a log group of the stack, without the ``:*`` that stands for its streams."""
    return cdk.Stack.of(scope).format_arn(
        service="logs",
        resource="log-group",
        resource_name=name,
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )


def flow_log_role(scope: Construct, id: str, log_group: str) -> iam.Role:
    """Lets flow logs of this account and region write to the log group of that ARN; it stays."""
    stack = cdk.Stack.of(scope)
    flow_logs = stack.format_arn(service="ec2", resource="vpc-flow-log", resource_name="*")
    streams = f"{log_group}:*"
    role = iam.Role(
        scope,
        id,
        description="Writes VPC flow logs",
        assumed_by=iam.ServicePrincipal(
            "vpc-flow-logs.amazonaws.com",
            conditions={
                "StringEquals": {"aws:SourceAccount": stack.account},
                "ArnLike": {"aws:SourceArn": flow_logs},
            },
        ),
        # Within the role, so that it stays with it.
        inline_policies={
            "Write": iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        actions=[
                            "logs:CreateLogStream",
                            "logs:DescribeLogStreams",
                            "logs:PutLogEvents",
                        ],
                        resources=[streams],
                    )
                ]
            )
        },
    )
    role.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    explain_wildcards(
        role, [streams], "The streams of this one log group, one a network interface."
    )
    return role
