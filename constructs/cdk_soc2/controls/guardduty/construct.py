"""Looks for threats in every region, and tells people of the severe ones."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_soc2.controls.guardduty import setting
from cdk_soc2.controls.guardduty.control import GUARDDUTY
from cdk_soc2.controls.guardduty.findings import SEVERE
from cdk_soc2.deploy.claim import claim
from cdk_soc2.deploy.settings import AccountSetting, Regions


class PublishingFrequency(StrEnum):
    """How long GuardDuty may wait before it tells again of a finding that it has told of."""

    FIFTEEN_MINUTES = "FIFTEEN_MINUTES"
    ONE_HOUR = "ONE_HOUR"
    SIX_HOURS = "SIX_HOURS"


class ProtectionPlan(StrEnum):
    """GuardDuty's optional protection plans, each billed by what it looks at."""

    S3 = "S3_DATA_EVENTS"
    EKS_AUDIT_LOGS = "EKS_AUDIT_LOGS"
    EBS_MALWARE = "EBS_MALWARE_PROTECTION"
    RDS_LOGINS = "RDS_LOGIN_EVENTS"
    LAMBDA_NETWORK = "LAMBDA_NETWORK_LOGS"
    RUNTIME = "RUNTIME_MONITORING"
    AI = "AI_PROTECTION"


class GuardDuty(Construct):
    """An enabled detector in each of *regions*, and the route of severe findings to *topic*.

    :param topic: hears of every finding of severity 7.0 or higher in the stack's own region. An
        encrypted topic must let EventBridge use its key, as an ``AlertTopic`` does.
    :param regions: a list, or ``"all"`` for every region that the account has enabled when the stack
        is deployed; absent, the stack's own.
    :param finding_publishing_frequency: a detector that tells more often is left so.
    :param protection_plans: optional plans to turn on, where the region has them.

    A detector that is there is adopted: it is enabled if it is suspended, gets what is asked for here
    and not there yet, and loses nothing. Where there is none, one is made, with the foundation (calls
    of management, DNS queries, flow logs) and *protection_plans* only: left alone, GuardDuty would
    start most of its optional plans with it. What an administrator account of GuardDuty decided stays.

    The detectors stay when the stack is deleted. Findings of other regions are not routed yet; the
    daily collection reads them in every region.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        topic: sns.ITopic,
        regions: Regions | None = None,
        finding_publishing_frequency: PublishingFrequency = PublishingFrequency.FIFTEEN_MINUTES,
        protection_plans: Sequence[ProtectionPlan] = (),
    ) -> None:
        super().__init__(scope, id)
        stack = cdk.Stack.of(self)
        detectors = stack.format_arn(
            service="guardduty", region="*", resource="detector", resource_name="*"
        )
        service_role = stack.format_arn(
            service="iam",
            region="",
            resource="role/aws-service-role/guardduty.amazonaws.com",
            resource_name="AWSServiceRoleForAmazonGuardDuty",
        )
        self.setting = AccountSetting(
            self,
            "Setting",
            control=GUARDDUTY,
            setting=setting,
            regions=regions,
            wanted={
                "Frequency": finding_publishing_frequency,
                "Plans": [str(plan) for plan in protection_plans],
            },
            narrowed={
                "guardduty:GetAdministratorAccount": [detectors],
                "guardduty:GetDetector": [detectors],
                "guardduty:UpdateDetector": [detectors],
                "iam:CreateServiceLinkedRole": [service_role],
            },
        )
        self.rule = self._route(topic)
        claim(self, GUARDDUTY)

    def _route(self, topic: sns.ITopic) -> events.CfnRule:
        rule = events.CfnRule(
            self,
            "SevereFindings",
            description=f"GuardDuty findings of severity {SEVERE} or higher",
            event_pattern={
                "source": ["aws.guardduty"],
                "detail-type": ["GuardDuty Finding"],
                "detail": {"severity": [{"numeric": [">=", SEVERE]}]},
            },
            targets=[
                events.CfnRule.TargetProperty(
                    arn=topic.topic_arn,
                    id="Alert",
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map={
                            "account": "$.account",
                            "first": "$.detail.service.eventFirstSeen",
                            "id": "$.detail.id",
                            "region": "$.region",
                            "severity": "$.detail.severity",
                            "title": "$.detail.title",
                            "type": "$.detail.type",
                        },
                        input_template="\n".join(
                            (
                                '"GuardDuty, severity <severity>: <title>"',
                                '"<type>, in account <account>, region <region>, first seen <first>."',
                                '"Look for finding <id> in GuardDuty of that region: investigate it, '
                                'mend its cause, then archive it."',
                            )
                        ),
                    ),
                )
            ],
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
            )
        )
        return rule
