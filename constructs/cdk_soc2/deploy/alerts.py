"""Where people are told: an encrypted topic that alarms and rules of this account can reach."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

ALARMS = "cloudwatch.amazonaws.com"
RULES = "events.amazonaws.com"


class AlertTopic(Construct):
    """An SNS topic, encrypted with a key of its own.

    The key is our own because CloudWatch and EventBridge may not use the one that AWS manages for
    SNS: their alarms would vanish without a word.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        stack = cdk.Stack.of(self)
        self.key = kms.Key(
            self,
            "Key",
            description="Encrypts SOC 2 alerts on their way",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.DESTROY,  # nothing is kept under it
        )
        topics = stack.format_arn(service="sns", resource="*")
        self._let_encrypt(
            ALARMS, "AlarmsEncrypt", {"StringEquals": {"aws:SourceAccount": stack.account}}
        )
        # KMS is not told a rule's account when EventBridge publishes to an encrypted topic, and
        # would deny; the topic is told, and holds the rule to this account, below.
        self._let_encrypt(
            RULES, "RulesEncrypt", {"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": topics}}
        )
        self.topic = sns.Topic(
            self, "Topic", display_name="SOC 2 alerts", master_key=self.key, enforce_ssl=True
        )
        alarm = stack.format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name="*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        rule = stack.format_arn(service="events", resource="rule", resource_name="*")
        self._let_publish(
            ALARMS,
            "AlarmsPublish",
            {
                "ArnLike": {"aws:SourceArn": alarm},
                "StringEquals": {"aws:SourceAccount": stack.account},
            },
        )
        self._let_publish(RULES, "RulesPublish", {"ArnLike": {"aws:SourceArn": rule}})

    def _let_encrypt(self, service: str, sid: str, conditions: dict[str, object]) -> None:
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                principals=[iam.ServicePrincipal(service)],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions=conditions,
            )
        )

    def _let_publish(self, service: str, sid: str, conditions: dict[str, object]) -> None:
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                principals=[iam.ServicePrincipal(service)],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions=conditions,
            )
        )
