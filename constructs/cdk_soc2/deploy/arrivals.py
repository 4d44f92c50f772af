"""A dead man's switch: silence about evidence is itself an alarm."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_soc2.deploy.checkov import skip_checkov
from cdk_soc2.deploy.custody import generated_name
from cdk_soc2.deploy.function import ENCRYPTED

HOURS = 26  # a day, and two hours for a run to finish and its traces to arrive


class EvidenceArrivals(Construct):
    """Alarms when no statement of *source* has arrived in *bucket* for 26 hours.

    It asks nothing of the collector: S3 tells EventBridge of each object it has stored, and a rule
    logs those under ``ledger/<source>/``; CloudWatch counts how often it did. A run that failed, a
    function that was deleted or never ran, a schedule that was switched off, notifications turned
    off: each is silence, and rings. Until the first run of a new deployment it rings, too, rightly.

    Why so. S3's own request metrics count requests, refused ones also, at best effort, and cost as
    sixteen custom metrics. A metric of the function's own making ends with the function's honesty.
    The rule writes to a log group since a rule without a target may count nothing; ``Invocations``
    counts a delivery that fails as well, so a full or lost log raises no false alarm, and the log is
    a second list of arrivals, which the collector's role cannot write.

    A metric that has never had a value has no points that could be filled with zero, hence missing
    data breaches as well; and missing data alone would not do, since CloudWatch then looks further
    back than its 26 hours for points to judge by.
    """

    def __init__(
        self, scope: Construct, id: str, *, bucket: s3.IBucket, source: str, topic: sns.ITopic
    ) -> None:
        super().__init__(scope, id)
        self.log_group = self._log_group()
        self.rule = events.CfnRule(
            self,
            "Rule",
            description=f"Statements of {source} that S3 has stored",
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [bucket.bucket_name]},
                    "object": {"key": [{"prefix": f"ledger/{source}/"}]},
                },
            },
            targets=[events.CfnRule.TargetProperty(arn=self._log_arn, id="Log")],
        )
        self.rule.node.add_dependency(self.log_group)
        hour = cdk.Duration.hours(1)
        arrived = cloudwatch.Metric(
            namespace="AWS/Events",
            metric_name="Invocations",
            dimensions_map={"RuleName": self.rule.ref},
            statistic="Sum",
            period=hour,
        )
        self.alarm = cloudwatch.Alarm(
            self,
            "Alarm",
            alarm_description=f"No evidence of {source} has arrived for {HOURS} hours. Start the "
            "collector by hand, then find out why it did not run: each missing day is a gap.",
            metric=cloudwatch.MathExpression(
                expression="FILL(arrived, 0)",
                using_metrics={"arrived": arrived},
                label="statements arrived",
                period=hour,
            ),
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            threshold=1,
            evaluation_periods=HOURS,
            datapoints_to_alarm=HOURS,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        self.alarm.add_alarm_action(actions.SnsAction(topic))

    def _log_group(self) -> logs.CfnLogGroup:
        stack = cdk.Stack.of(self)
        # EventBridge writes to no group of another name.
        self._log_name = generated_name(self, "/aws/events/soc2-arrivals")
        self._log_arn = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=self._log_name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        rules = stack.format_arn(service="events", resource="rule", resource_name="*")
        group = logs.CfnLogGroup(
            self,
            "Log",
            log_group_name=self._log_name,
            retention_in_days=731,
            # On the group itself: a region has room for only ten policies that stand alone.
            resource_policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": f"Rules{action.removeprefix('logs:')}",
                        "Effect": "Allow",
                        "Principal": {
                            "Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]
                        },
                        "Action": action,
                        "Resource": f"{self._log_arn}:*",
                        **condition,
                    }
                    for action, condition in (
                        ("logs:CreateLogStream", {}),  # comes from the service, for no rule as yet
                        ("logs:PutLogEvents", {"Condition": {"ArnLike": {"aws:SourceArn": rules}}}),
                    )
                ],
            },
        )
        group.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        skip_checkov(group, ENCRYPTED)
        return group
