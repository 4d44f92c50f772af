"""Collects evidence every day, and says so when it did not."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

from collections.abc import Iterable, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_soc2.boundary import Boundary
from cdk_soc2.controls import CONTROLS
from cdk_soc2.controls.evidence.construct import EvidenceVault
from cdk_soc2.controls.evidence.control import EVIDENCE
from cdk_soc2.deploy.alerts import AlertTopic
from cdk_soc2.deploy.arrivals import EvidenceArrivals
from cdk_soc2.deploy.bundle import collector_zip
from cdk_soc2.deploy.checkov import skip_checkov
from cdk_soc2.deploy.claim import claim
from cdk_soc2.deploy.custody import keep_key
from cdk_soc2.deploy.function import python_function
from cdk_soc2.deploy.signing import only_signs, tell_of_danger
from cdk_soc2.deploy.signing import signing_key as make_signing_key
from cdk_soc2.deploy.wildcards import explain_wildcards
from cdk_soc2.policy import account_actions, vault_actions


class EvidenceCollector(Construct):
    """A Lambda function that looks at the account at 00:00 UTC and signs what it saw into *vault*.

    :param boundary: what is in scope; absent, this account and every region it has enabled. It is
        part of the function's code.
    :param signing_key: an ECC_NIST_P256 key for SIGN_VERIFY that signs for this source alone; absent,
        made here, and retained.
    :param alert_topic: where failures, changes and silence are told; absent, an :class:`AlertTopic`.
        If it is encrypted, allow the ``role`` to use its key, and CloudWatch and EventBridge, too.
    :param alert_emails: addresses to subscribe to the topic.
    :param schedule: when to run; one finished run is due for every UTC day.
    :param break_glass_role: as for :class:`EvidenceVault`; here, for the signing key.
    :param deploy_roles: as for :class:`EvidenceVault`.

    Its role reads what the controls declare, writes under its own source in the vault, and signs. It
    can change nothing that it looks at.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vault: EvidenceVault,
        boundary: Boundary | None = None,
        signing_key: kms.IKey | None = None,
        alert_topic: sns.ITopic | None = None,
        alert_emails: Sequence[str] = (),
        schedule: scheduler.ScheduleExpression | None = None,
        break_glass_role: iam.IRole | None = None,
        deploy_roles: Sequence[iam.IRole] = (),
    ) -> None:
        super().__init__(scope, id)
        self.source = f"aws-{cdk.Stack.of(self).account}"
        self.vault = vault
        self.role = iam.Role(
            self,
            "Role",
            description="Reads what the SOC 2 controls declare, and writes evidence",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        self.topic = alert_topic or self._alert_topic()
        for email in alert_emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))
        self.signing_key = signing_key or make_signing_key(self, "SigningKey")
        only_signs(self.role, self.signing_key)
        keep_key(self, self.signing_key, break_glass_role, deploy_roles)
        self.failed_runs = self._failed_runs()
        self._permit()
        self.function = self._function(boundary or Boundary())
        self._permit_reading_own_code()
        self._let_failures_land()
        self._schedule(schedule or scheduler.ScheduleExpression.cron(minute="0", hour="0"))
        self._alarm_on_failures()
        keys = [self.signing_key, *filter(None, [vault.encryption_key])]
        tell_of_danger(self, "KeyInDanger", keys, self.topic)
        self.arrivals = EvidenceArrivals(
            self, "Arrivals", bucket=vault.bucket, source=self.source, topic=self.topic
        )
        claim(self, EVIDENCE)

    def _alert_topic(self) -> sns.Topic:
        alerts = AlertTopic(self, "Alerts")
        self._allow({"kms:Decrypt", "kms:GenerateDataKey"}, alerts.key.key_arn)
        return alerts.topic

    def _failed_runs(self) -> sqs.Queue:
        """Where events end that could not be delivered, or whose run failed: for people to look at."""
        queue = sqs.Queue(
            self,
            "FailedRuns",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        cdk.Validations.of(queue).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions::AwsSolutions-SQS3",
                reason="This is the dead-letter queue, of the schedule and of the function.",
            )
        )
        skip_checkov(
            queue,
            {
                "CKV_AWS_27": "It is encrypted, with the keys of SQS itself, of which the policy knows "
                "nothing. A key of the account's would be one more thing to lose failed runs by."
            },
        )
        return queue

    def _permit(self) -> None:
        self._allow(account_actions(CONTROLS), "*")
        explain_wildcards(
            self.role,
            ["*"],
            "Reading actions, listed one by one by the controls that need them. What they look for "
            "is every resource of the account, those not known yet above all.",
        )
        self._allow(vault_actions(CONTROLS), self.vault.bucket.bucket_arn)
        self.vault.grant_source(self.role, self.source)
        self._allow({"kms:Sign", "kms:GetPublicKey"}, self.signing_key.key_arn)
        self._allow({"sns:Publish"}, self.topic.topic_arn)
        self._allow({"sqs:SendMessage"}, self.failed_runs.queue_arn)

    def _allow(self, actions: Iterable[str], resource: str) -> None:
        self.role.add_to_policy(iam.PolicyStatement(actions=sorted(actions), resources=[resource]))

    def _function(self, boundary: Boundary) -> lambda_.Function:
        return python_function(
            self,
            zip_file=collector_zip(boundary),
            role=self.role,
            description="Collects SOC 2 evidence",
            memory_size=1024,
            timeout=cdk.Duration.minutes(15),  # Lambda's most: an account may have 30 regions
            environment={
                "EVIDENCE_BUCKET": self.vault.bucket.bucket_name,
                "SIGNING_KEY_ID": self.signing_key.key_arn,
                "ALERT_TOPIC_ARN": self.topic.topic_arn,
            },
        )

    def _permit_reading_own_code(self) -> None:
        """Each statement names the digest of the code that ran, as Lambda tells it.

        Apart from the role's other policy, which must be there before the function is.
        """
        iam.Policy(
            self,
            "ReadOwnCode",
            roles=[self.role],
            statements=[
                iam.PolicyStatement(
                    actions=["lambda:GetFunctionConfiguration"],
                    resources=[self.function.function_arn],
                )
            ],
        )

    def _let_failures_land(self) -> None:
        """A failed run is kept for people to see, not run again: a second run is a second record."""
        lambda_.CfnEventInvokeConfig(
            self,
            "OnFailure",
            function_name=self.function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=0,
            maximum_event_age_in_seconds=6 * 60 * 60,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(
                    destination=self.failed_runs.queue_arn
                )
            ),
        )

    def _schedule(self, schedule: scheduler.ScheduleExpression) -> None:
        role = iam.Role(
            self,
            "ScheduleRole",
            description="Starts the SOC 2 evidence collector",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
            ),
        )
        scheduler.Schedule(
            self,
            "Schedule",
            description="Collects SOC 2 evidence",
            schedule=schedule,
            target=targets.LambdaInvoke(
                self.function,
                role=role,
                input=scheduler.ScheduleTargetInput.from_object({"trigger": "schedule"}),
                dead_letter_queue=self.failed_runs,
                retry_attempts=5,
                max_event_age=cdk.Duration.hours(6),  # later, the day would be the alarm's to tell
            ),
        )
        explain_wildcards(
            role,
            [f"{self.function.function_arn}:*"],
            "The versions and aliases of this one function, which the CDK grants with it.",
        )

    def _alarm_on_failures(self) -> None:
        self._alarm(
            "Errors",
            "The evidence collector failed: see its log, then start it by hand.",
            self.function.metric_errors(period=cdk.Duration.minutes(5), statistic="Sum"),
        )
        self._alarm(
            "FailedRunsWaiting",
            "A run of the evidence collector failed or never began: its event waits in the queue of "
            "failed runs. Look, start the collector by hand, and take the event out.",
            self.failed_runs.metric_approximate_number_of_messages_visible(
                period=cdk.Duration.minutes(5), statistic="Maximum"
            ),
        )

    def _alarm(self, id: str, description: str, metric: cloudwatch.Metric) -> None:
        alarm = cloudwatch.Alarm(
            self,
            id,
            alarm_description=description,
            metric=metric,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
