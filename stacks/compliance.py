"""Everything that one account needs, in one stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_soc2.boundary import Boundary
from cdk_soc2.constructs import ComplianceBaseline


class ComplianceStack(cdk.Stack):
    """The controls of one account, and their evidence.

    :param boundary: what is in scope; absent, this account and every region it has enabled.
    :param alert_emails: who is told of failures, changes and severe findings.
    :param break_glass_role_arn: the one role that may delete evidence; absent, nobody may.
    :param termination_protection: on, unless you say otherwise.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        boundary: Boundary | None = None,
        alert_emails: Sequence[str] = (),
        break_glass_role_arn: str | None = None,
        termination_protection: bool = True,
        **stack: Any,
    ) -> None:
        super().__init__(scope, id, termination_protection=termination_protection, **stack)
        break_glass = (
            iam.Role.from_role_arn(self, "BreakGlass", break_glass_role_arn, mutable=False)
            if break_glass_role_arn
            else None
        )
        baseline = ComplianceBaseline(
            self,
            "Default",
            boundary=boundary,
            alert_emails=alert_emails,
            break_glass_role=break_glass,
        )
        for name, value in {
            "EvidenceBucketName": baseline.vault.bucket.bucket_name,
            "CollectorFunctionName": baseline.collector.function.function_name,
            "SigningKeyId": baseline.collector.signing_key.key_id,
            "AlertTopicArn": baseline.collector.topic.topic_arn,
            "TrailName": baseline.trail.trail_name,
            "FlowLogBucketName": baseline.flow_logs.bucket.bucket_name,
            "Source": baseline.collector.source,
        }.items():
            cdk.CfnOutput(self, name, value=value)
