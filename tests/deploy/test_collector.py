from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from cdk_soc2.constructs import EvidenceCollector, EvidenceVault
from cdk_soc2.controls import CONTROLS
from tests.deploy.synth import (
    ACCOUNT,
    ADMIN,
    BOOTSTRAPPED,
    BREAK_GLASS,
    IAM,
    NO_FLAGS,
    OUR_FLAGS,
    REGION,
    ROOT_USER,
    Template,
    denies,
    statements,
    synth,
)

SOURCE = f"aws-{ACCOUNT}"
EMAILS = ["soc@example.com", "cto@example.com"]


def build(stack: cdk.Stack) -> EvidenceCollector:
    glass = iam.Role.from_role_arn(stack, "Glass", BREAK_GLASS)
    vault = EvidenceVault(stack, "Vault", break_glass_role=glass)
    return EvidenceCollector(
        stack, "Collector", vault=vault, alert_emails=EMAILS, break_glass_role=glass
    )


@pytest.fixture(scope="module", params=[OUR_FLAGS, NO_FLAGS], ids=["our flags", "no flags"])
def template(request: pytest.FixtureRequest) -> Template:
    return synth(build, request.param)


def allowed(template: Template, role: str) -> list[tuple[str, str, Any]]:
    """(action, resource, condition) of every policy, inline or managed, of the role with this id."""
    policies = [
        policy["PolicyDocument"]
        for type in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
        for policy in template.all(type).values()
        if any(r.startswith(role) for r in policy.get("Roles", []))
    ]
    return [
        (action, resource, s.get("Condition"))
        for policy in policies
        for s in statements(policy, "Allow")
        for action in s["Action"]
        for resource in s["Resource"]
    ]


def ids(template: Template, type: str, where: str) -> str:
    [id] = [k for k in template.all(type) if where in k]
    return id


class TestRole:
    READS = frozenset(action for control in CONTROLS for action in control.reads)
    EXTRAS = frozenset(
        {
            "kms:Decrypt",  # an alert on its way to the encrypted topic
            "kms:GenerateDataKey",
            "kms:GetPublicKey",
            "kms:Sign",
            "lambda:GetFunctionConfiguration",  # the digest of its own code
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "s3:GetObject",
            "s3:GetObjectVersion",
            "s3:ListBucketVersions",
            "s3:PutObject",
            "sns:Publish",
            "sqs:SendMessage",  # the event of a run that failed
        }
    )

    def test_may_do_what_controls_declare_and_record_it_and_no_more(self, template: Template):
        actions = {action for action, _, _ in allowed(template, "CollectorRole")}
        assert actions == self.READS | self.EXTRAS

    def test_no_action_has_a_wildcard(self, template: Template):
        assert not [a for a, _, _ in allowed(template, "CollectorRole") if "*" in a or "?" in a]

    def test_every_resource_is_named_but_of_what_controls_read(self, template: Template):
        everywhere = {a for a, resource, _ in allowed(template, "CollectorRole") if resource == "*"}
        assert everywhere <= self.READS
        assert not [a for a in everywhere if a.startswith("s3:GetBucket")]

    def test_uses_no_managed_policy_of_aws(self, template: Template):
        assert not [
            r for r in template.all("AWS::IAM::Role").values() if r.get("ManagedPolicyArns")
        ]

    @pytest.mark.parametrize(
        ("action", "resources"),
        [
            (
                "s3:PutObject",
                {f"daily/????-??-??/{SOURCE}/*", f"ledger/{SOURCE}/*", "keys/*"},
            ),
            (
                "s3:GetObject",
                {
                    f"daily/????-??-??/{SOURCE}/*/control-status.json",
                    f"ledger/{SOURCE}/*",
                    "keys/*",
                },
            ),
        ],
    )
    def test_reaches_its_own_source(self, template: Template, action: str, resources: set[str]):
        bucket = f"arn:aws:s3:::{ids(template, 'AWS::S3::Bucket', 'Vault')}/"
        reached = {
            r.removeprefix(bucket) for a, r, _ in allowed(template, "CollectorRole") if a == action
        }
        assert reached == resources

    def test_lists_its_own_runs_and_statements(self, template: Template):
        [condition] = [
            c for a, _, c in allowed(template, "CollectorRole") if a == "s3:ListBucketVersions"
        ]
        prefixes = [f"daily/????-??-??/{SOURCE}/*", f"ledger/{SOURCE}/*"]
        assert condition == {"StringLike": {"s3:prefix": prefixes}}

    def test_trusts_lambda_alone(self, template: Template):
        role = template.one("AWS::IAM::Role", "CollectorRole")
        [statement] = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}

    def test_function_needs_nothing_that_needs_the_function(self, template: Template):
        function = ids(template, "AWS::Lambda::Function", "Collector")
        own = ids(template, "AWS::IAM::Policy", "ReadOwnCode")
        assert own not in template.raw[function].get("DependsOn", [])


class TestSigningKey:
    def key(self, template: Template) -> dict[str, Any]:
        return template.one("AWS::KMS::Key", "SigningKey")

    def test_is_p256_and_outlives_its_stack(self, template: Template):
        key = self.key(template)
        assert (key["KeySpec"], key["KeyUsage"]) == ("ECC_NIST_P256", "SIGN_VERIFY")
        raw = template.raw[ids(template, "AWS::KMS::Key", "SigningKey")]
        assert (raw["DeletionPolicy"], raw["UpdateReplacePolicy"]) == ("Retain", "Retain")

    @pytest.mark.parametrize(
        ("action", "principal", "denied"),
        [
            ("kms:Sign", ADMIN, True),
            ("kms:Sign", ROOT_USER, True),
            ("kms:Sign", BREAK_GLASS, True),
            ("kms:GetPublicKey", ADMIN, False),
            ("kms:DisableKey", ADMIN, True),
            ("kms:DisableKey", BOOTSTRAPPED, True),
            ("kms:ScheduleKeyDeletion", ROOT_USER, True),
            ("kms:ScheduleKeyDeletion", BREAK_GLASS, False),
            ("kms:PutKeyPolicy", ADMIN, True),
            ("kms:PutKeyPolicy", BOOTSTRAPPED, False),
            ("kms:PutKeyPolicy", ROOT_USER, False),
        ],
    )
    def test_who_may_do_what(self, template: Template, action: str, principal: str, denied: bool):
        assert denies(self.key(template)["KeyPolicy"], action, principal) is denied

    def test_collector_signs(self, template: Template):
        collector = f"{IAM}:role/{ids(template, 'AWS::IAM::Role', 'CollectorRole')}"
        assert not denies(self.key(template)["KeyPolicy"], "kms:Sign", collector)

    def test_attempts_to_end_it_are_told(self, template: Template):
        rule = template.one("AWS::Events::Rule", "KeyInDanger")
        detail = rule["EventPattern"]["detail"]
        assert set(detail["eventName"]) == {
            "DeleteImportedKeyMaterial",
            "DisableKey",
            "PutKeyPolicy",
            "ScheduleKeyDeletion",
        }
        key = ids(template, "AWS::KMS::Key", "SigningKey")
        assert key in detail["requestParameters"]["keyId"]
        assert [t["Arn"] for t in rule["Targets"]] == [ids(template, "AWS::SNS::Topic", "")]

    def test_given_one_is_kept_too(self):
        def with_key(stack: cdk.Stack) -> None:
            key = kms.Key(
                stack,
                "Mine",
                key_spec=kms.KeySpec.ECC_NIST_P256,
                key_usage=kms.KeyUsage.SIGN_VERIFY,
            )
            EvidenceCollector(
                stack, "Collector", vault=EvidenceVault(stack, "Vault"), signing_key=key
            )

        template = synth(with_key)
        policy = template.one("AWS::KMS::Key", "Mine")["KeyPolicy"]
        assert denies(policy, "kms:Sign", ADMIN)
        assert denies(policy, "kms:ScheduleKeyDeletion", ADMIN)


class TestFunction:
    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("Runtime", "python3.13"),
            ("Architectures", ["arm64"]),
            ("Handler", "handler.lambda_handler"),
            ("Timeout", 900),
            ("MemorySize", 1024),
        ],
    )
    def test_is_set(self, template: Template, path: str, value: Any):
        assert template.one("AWS::Lambda::Function", "Collector")[path] == value

    def test_knows_where_to_write_sign_and_tell(self, template: Template):
        variables = template.one("AWS::Lambda::Function", "Collector")["Environment"]["Variables"]
        key = ids(template, "AWS::KMS::Key", "SigningKey")
        assert variables == {
            "EVIDENCE_BUCKET": ids(template, "AWS::S3::Bucket", "Vault"),
            "SIGNING_KEY_ID": f"arn:aws:kms:{REGION}:{ACCOUNT}:{key}",
            "ALERT_TOPIC_ARN": ids(template, "AWS::SNS::Topic", ""),
        }

    def test_logs_to_its_own_group_that_is_kept_for_two_years(self, template: Template):
        function = template.one("AWS::Lambda::Function", "Collector")
        group = function["LoggingConfig"]["LogGroup"]
        assert template.raw[group]["Properties"]["RetentionInDays"] == 731
        assert template.raw[group]["DeletionPolicy"] == "Retain"

    def test_runs_once_and_keeps_what_failed(self, template: Template):
        config = template.one("AWS::Lambda::EventInvokeConfig")
        assert config["MaximumRetryAttempts"] == 0
        queue = ids(template, "AWS::SQS::Queue", "")
        assert config["DestinationConfig"]["OnFailure"]["Destination"].endswith(queue)

    def test_code_is_an_asset_named_by_its_bytes(self, template: Template):
        key = template.one("AWS::Lambda::Function", "Collector")["Code"]["S3Key"]
        assert key.endswith(".zip")
        assert len(key) == 64 + len(".zip")


class TestSchedule:
    def test_is_daily_at_midnight_utc(self, template: Template):
        schedule = template.one("AWS::Scheduler::Schedule")
        assert schedule["ScheduleExpression"] == "cron(0 0 * * ? *)"
        assert schedule["ScheduleExpressionTimezone"] == "Etc/UTC"
        assert schedule["State"] == "ENABLED"

    def test_keeps_what_it_could_not_deliver(self, template: Template):
        target = template.one("AWS::Scheduler::Schedule")["Target"]
        assert target["RetryPolicy"] == {
            "MaximumEventAgeInSeconds": 21600,
            "MaximumRetryAttempts": 5,
        }
        queue = ids(template, "AWS::SQS::Queue", "")
        assert target["DeadLetterConfig"]["Arn"].endswith(queue)

    def test_starts_this_function_only(self, template: Template):
        function = ids(template, "AWS::Lambda::Function", "Collector")
        resources = [
            r
            for a, r, _ in allowed(template, "CollectorScheduleRole")
            if a == "lambda:InvokeFunction"
        ]
        assert all(function in r for r in resources)

    def test_queue_is_encrypted_and_takes_tls_only(self, template: Template):
        assert template.one("AWS::SQS::Queue")["SqsManagedSseEnabled"] is True
        policy = template.one("AWS::SQS::QueuePolicy")["PolicyDocument"]
        assert {"Bool": {"aws:SecureTransport": "false"}} in [
            s["Condition"] for s in policy["Statement"] if s["Effect"] == "Deny"
        ]


class TestAlarms:
    def test_all_tell_the_topic(self, template: Template):
        topic = ids(template, "AWS::SNS::Topic", "")
        alarms = template.all("AWS::CloudWatch::Alarm")
        assert len(alarms) == 3
        assert all(alarm["AlarmActions"] == [topic] for alarm in alarms.values())

    def test_dead_mans_switch(self, template: Template):
        alarm = template.one("AWS::CloudWatch::Alarm", "Arrivals")
        assert {
            k: alarm[k]
            for k in (
                "ComparisonOperator",
                "Threshold",
                "EvaluationPeriods",
                "DatapointsToAlarm",
                "TreatMissingData",
            )
        } == {
            "ComparisonOperator": "LessThanThreshold",
            "Threshold": 1,
            "EvaluationPeriods": 26,
            "DatapointsToAlarm": 26,
            "TreatMissingData": "breaching",
        }
        sums = {m["Id"]: m for m in alarm["Metrics"]}
        stat = sums.pop("arrived")["MetricStat"]
        assert [m["Expression"] for m in sums.values()] == ["FILL(arrived, 0)"]
        assert (stat["Period"], stat["Stat"]) == (3600, "Sum")
        rule = ids(template, "AWS::Events::Rule", "Arrivals")
        assert stat["Metric"] == {
            "Namespace": "AWS/Events",
            "MetricName": "Invocations",
            "Dimensions": [{"Name": "RuleName", "Value": rule}],
        }

    def test_dead_mans_switch_hears_s3_not_the_collector(self, template: Template):
        rule = template.one("AWS::Events::Rule", "Arrivals")
        assert rule["EventPattern"] == {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": [ids(template, "AWS::S3::Bucket", "Vault")]},
                "object": {"key": [{"prefix": f"ledger/{SOURCE}/"}]},
            },
        }
        group = template.one("AWS::Logs::LogGroup", "Arrivals")
        assert [t["Arn"] for t in rule["Targets"]] == [
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group['LogGroupName']}"
        ]
        assert group["LogGroupName"].startswith("/aws/events/")
        reads = {action for control in CONTROLS for action in control.reads}
        writes = {
            r
            for a, r, _ in allowed(template, "CollectorRole")
            if a.startswith("logs:") and a not in reads
        }
        assert not [r for r in writes if "Arrivals" in r or "*" in r]

    def test_errors(self, template: Template):
        alarm = template.one("AWS::CloudWatch::Alarm", "Errors")
        assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "Errors")
        assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)

    def test_failed_runs(self, template: Template):
        alarm = template.one("AWS::CloudWatch::Alarm", "FailedRuns")
        assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"


class TestTopic:
    def test_is_encrypted_with_a_key_of_its_own(self, template: Template):
        topic = template.one("AWS::SNS::Topic")
        assert ids(template, "AWS::KMS::Key", "Alerts") in topic["KmsMasterKeyId"]

    @pytest.mark.parametrize(
        ("service", "condition"),
        [
            ("cloudwatch.amazonaws.com", {"StringEquals": {"aws:SourceAccount": ACCOUNT}}),
            # aws:SourceAccount is not there when EventBridge publishes to an encrypted topic.
            (
                "events.amazonaws.com",
                {
                    "ArnLike": {
                        "kms:EncryptionContext:aws:sns:topicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:*"
                    }
                },
            ),
        ],
    )
    def test_key_lets_alarms_and_rules_in(self, template: Template, service: str, condition: Any):
        policy = template.one("AWS::KMS::Key", "Alerts")["KeyPolicy"]
        [s] = [s for s in statements(policy, "Allow") if s["Principal"] == {"Service": service}]
        assert set(s["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey*"}
        assert s["Condition"] == condition

    @pytest.mark.parametrize(
        ("service", "condition"),
        [
            (
                "cloudwatch.amazonaws.com",
                {
                    "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*"},
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                },
            ),
            (
                "events.amazonaws.com",
                {"ArnLike": {"aws:SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/*"}},
            ),
        ],
    )
    def test_lets_this_accounts_alarms_and_rules_in(
        self, template: Template, service: str, condition: Any
    ):
        policy = template.one("AWS::SNS::TopicPolicy")["PolicyDocument"]
        [s] = [s for s in statements(policy, "Allow") if s["Principal"] == {"Service": service}]
        assert (s["Action"], s["Condition"]) == (["sns:Publish"], condition)

    def test_takes_tls_only(self, template: Template):
        policy = template.one("AWS::SNS::TopicPolicy")["PolicyDocument"]
        assert [s["Condition"] for s in statements(policy, "Deny")] == [
            {"Bool": {"aws:SecureTransport": "false"}}
        ]

    def test_mails(self, template: Template):
        subscriptions = template.all("AWS::SNS::Subscription").values()
        assert sorted((s["Protocol"], s["Endpoint"]) for s in subscriptions) == [
            ("email", email) for email in sorted(EMAILS)
        ]

    def test_may_be_your_own(self):
        def build(stack: cdk.Stack) -> None:
            EvidenceCollector(
                stack,
                "Collector",
                vault=EvidenceVault(stack, "Vault"),
                alert_topic=sns.Topic(stack, "Mine"),
            )

        template = synth(build)
        mine = ids(template, "AWS::SNS::Topic", "Mine")
        assert len(template.all("AWS::SNS::Topic")) == 1
        alarms = template.all("AWS::CloudWatch::Alarm").values()
        assert {alarm["AlarmActions"][0] for alarm in alarms} == {mine}


def test_writes_under_a_customer_key():
    def build(stack: cdk.Stack) -> None:
        key = kms.Key(stack, "VaultKey")
        vault = EvidenceVault(stack, "Vault", encryption_key=key)
        EvidenceCollector(stack, "Collector", vault=vault)

    template = synth(build)
    key = ids(template, "AWS::KMS::Key", "VaultKey")
    may = {a for a, r, _ in allowed(template, "CollectorRole") if r.endswith(key)}
    assert may == {"kms:Decrypt", "kms:GenerateDataKey"}
    told = template.one("AWS::Events::Rule", "KeyInDanger")["EventPattern"]["detail"]
    assert key in told["requestParameters"]["keyId"]
