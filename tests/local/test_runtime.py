"""What runs: Lambda functions as their roles, signatures, events, and the dead man's switch."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from local.launch import LocalAws
from tests.local.calls import code_of, eventually, resource
from tests.local.test_stacks import ASSUMED_BY_LAMBDA

Deploy = Callable[..., Mapping[str, str]]
FUNCTION = """
import os
import boto3

def handler(event, context):
    if event.get("fail"):
        raise RuntimeError("as asked")
    account = boto3.client("sts").get_caller_identity()
    s3control = boto3.client("s3control")
    try:
        s3control.get_public_access_block(AccountId=account["Account"])
        flags = "set"
    except s3control.exceptions.ClientError as error:
        flags = error.response["Error"]["Code"]
    return {
        "caller": account["Arn"],
        "request": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "left": context.get_remaining_time_in_millis(),
        "region": os.environ["AWS_REGION"],
        "endpoint": os.environ["AWS_ENDPOINT_URL"],
        "colour": os.environ["COLOUR"],
        "flags": flags,
    }
"""


@pytest.fixture
def package(aws: LocalAws, name: str) -> tuple[str, bytes]:
    """A bucket holding the function's zip, and the zip."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("index.py", FUNCTION)
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=f"{name}-code")
    s3.put_object(Bucket=f"{name}-code", Key="code.zip", Body=archive.getvalue())
    return f"{name}-code", archive.getvalue()


def function(bucket: str, **more: Any) -> dict[str, Any]:
    return {
        "Role": resource(
            "AWS::IAM::Role",
            AssumeRolePolicyDocument=ASSUMED_BY_LAMBDA,
            Policies=[
                {
                    "PolicyName": "p",
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Resource": "*",
                                "Action": ["s3:GetAccountPublicAccessBlock", "sqs:SendMessage"],
                            }
                        ],
                    },
                }
            ],
        ),
        "Function": resource(
            "AWS::Lambda::Function",
            Runtime="python3.13",
            Handler="index.handler",
            Timeout=60,
            Code={"S3Bucket": bucket, "S3Key": "code.zip"},
            Role={"Fn::GetAtt": ["Role", "Arn"]},
            Environment={"Variables": {"COLOUR": "blue"}},
            ReservedConcurrentExecutions=1,
            Tags=[{"Key": "control", "Value": "collector"}],
        ),
        **more,
    }


def test_function(aws: LocalAws, deploy: Deploy, package: tuple[str, bytes]) -> None:
    made = deploy(**function(package[0]))
    api = aws.client("lambda")
    name = made["Function"]
    answer = json.loads(api.invoke(FunctionName=name)["Payload"].read())
    role = f"arn:aws:sts::123456789012:assumed-role/{made['Role']}/{name}"
    assert answer["caller"] == role
    assert answer["arn"].endswith(f":function:{name}")
    assert len(answer["request"]) == 36
    assert 0 < answer["left"] <= 60_000
    assert (answer["region"], answer["colour"]) == ("us-east-1", "blue")
    assert answer["endpoint"] == aws.endpoint
    assert answer["flags"] in {"set", "NoSuchPublicAccessBlockConfiguration"}
    shown = api.get_function_configuration(FunctionName=name)
    digest = base64.b64encode(hashlib.sha256(package[1]).digest()).decode()
    assert shown["CodeSha256"] == digest
    assert shown["Environment"]["Variables"] == {"COLOUR": "blue"}
    concurrency = api.get_function_concurrency(FunctionName=name)
    assert concurrency["ReservedConcurrentExecutions"] == 1
    assert api.get_function(FunctionName=name)["Tags"]["control"] == "collector"


def test_failure_reaches_its_destination(
    aws: LocalAws, deploy: Deploy, package: tuple[str, bytes]
) -> None:
    made = deploy(
        **function(
            package[0],
            Queue=resource("AWS::SQS::Queue"),
            Asynchronous=resource(
                "AWS::Lambda::EventInvokeConfig",
                FunctionName={"Ref": "Function"},
                Qualifier="$LATEST",
                MaximumRetryAttempts=0,
                DestinationConfig={"OnFailure": {"Destination": {"Fn::GetAtt": ["Queue", "Arn"]}}},
            ),
        )
    )
    api, sqs = aws.client("lambda"), aws.client("sqs")
    shown = api.get_function_event_invoke_config(FunctionName=made["Function"], Qualifier="$LATEST")
    assert shown["MaximumRetryAttempts"] == 0
    api.invoke(FunctionName=made["Function"], InvocationType="Event", Payload=b'{"fail": 1}')
    [message] = eventually(
        lambda: sqs.receive_message(QueueUrl=made["Queue"]).get("Messages"), seconds=15
    )
    assert "as asked" in message["Body"]


def test_signature_verifies_offline(aws: LocalAws) -> None:
    kms = aws.client("kms")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    digest = hashlib.sha256(b"evidence").digest()
    asked = {"KeyId": key, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.sign(Message=digest, **asked)["Signature"]
    public = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    assert isinstance(public, EllipticCurvePublicKey)
    public.verify(signature, digest, ECDSA(Prehashed(SHA256())))
    other = hashlib.sha256(b"tampered").digest()
    with pytest.raises(InvalidSignature):
        public.verify(signature, other, ECDSA(Prehashed(SHA256())))
    refused = code_of(kms.verify, Message=other, Signature=signature, **asked)
    assert refused == "KMSInvalidSignatureException"
    kms.disable_key(KeyId=key)
    assert code_of(kms.sign, Message=digest, **asked) == "DisabledException"


def dead_man(pattern: Mapping[str, Any]) -> dict[str, Any]:
    """A bucket, a rule on what is created in it, and an alarm on that rule's own metric."""
    return {
        "Bucket": resource(
            "AWS::S3::Bucket",
            NotificationConfiguration={"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
        ),
        "Topic": resource("AWS::SNS::Topic"),
        "Rule": resource("AWS::Events::Rule", EventPattern=pattern),
        "Alarm": resource(
            "AWS::CloudWatch::Alarm",
            Namespace="AWS/Events",
            MetricName="MatchedEvents",
            Dimensions=[{"Name": "RuleName", "Value": {"Ref": "Rule"}}],
            Statistic="Sum",
            Period=86400,
            EvaluationPeriods=1,
            Threshold=1,
            TreatMissingData="breaching",
            ComparisonOperator="LessThanThreshold",
            AlarmActions=[{"Ref": "Topic"}],
            OKActions=[{"Ref": "Topic"}],
        ),
    }


def test_dead_man_counts_statements_as_s3_saw_them(
    aws: LocalAws, deploy: Deploy, name: str
) -> None:
    """Silence is ALARM and is told; a statement is OK; another object changes nothing."""
    made = deploy(
        **dead_man(
            {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "object": {"key": [{"prefix": "ledger/"}]},
                    "bucket": {"name": [{"prefix": f"{name}-bucket"}]},
                },
            }
        )
    )
    cloudwatch, s3, sqs = aws.client("cloudwatch"), aws.client("s3"), aws.client("sqs")

    def state() -> str:
        [alarm] = cloudwatch.describe_alarms(AlarmNames=[made["Alarm"]])["MetricAlarms"]
        return str(alarm["StateValue"])

    assert eventually(lambda: state() == "ALARM")
    s3.put_object(Bucket=made["Bucket"], Key="daily/x", Body=b"x")
    assert not eventually(lambda: state() == "OK", seconds=1.5)
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    sqs.set_queue_attributes(
        QueueUrl=queue,
        Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [allow]})},
    )
    aws.client("sns").subscribe(TopicArn=made["Topic"], Protocol="sqs", Endpoint=arn)
    s3.put_object(Bucket=made["Bucket"], Key="ledger/aws-1/1", Body=b"x")
    assert eventually(lambda: state() == "OK")
    [message] = eventually(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    assert "OK" in message["Body"]


def test_metric_filter_counts_log_events(aws: LocalAws, name: str) -> None:
    logs, cloudwatch = aws.client("logs"), aws.client("cloudwatch")
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    logs.put_metric_filter(
        logGroupName=name,
        filterName="f",
        filterPattern='"Finished"',
        metricTransformations=[{"metricName": "Runs", "metricNamespace": name, "metricValue": "1"}],
    )
    messages = ["Finished run 1", "nothing", "Finished run 2"]
    logs.put_log_events(
        logGroupName=name,
        logStreamName="s",
        logEvents=[{"timestamp": 1_800_000_000_000, "message": one} for one in messages],
    )
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    points = cloudwatch.get_metric_statistics(
        Namespace=name,
        MetricName="Runs",
        StartTime=now - hour,
        EndTime=now + hour,
        Period=7200,
        Statistics=["Sum"],
    )["Datapoints"]
    assert sum(point["Sum"] for point in points) == 2


@pytest.mark.parametrize("treatment", ["missing", "breaching", "notBreaching", "ignore"])
def test_alarm_without_data(aws: LocalAws, name: str, treatment: str) -> None:
    expected = {
        "missing": "INSUFFICIENT_DATA",
        "breaching": "ALARM",
        "notBreaching": "OK",
        "ignore": "INSUFFICIENT_DATA",
    }[treatment]
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=name,
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=2,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData=treatment,
    )
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert alarm["StateValue"] == expected


@pytest.mark.parametrize("logging", [True, False])
def test_write_calls_reach_eventbridge_where_a_trail_logs(
    aws: LocalAws, account: str, name: str, logging: bool
) -> None:
    sqs, events = aws.client("sqs", account=account), aws.client("events", account=account)
    if logging:
        aws.client("s3", account=account).create_bucket(Bucket=name)
        trail = aws.client("cloudtrail", account=account)
        trail.create_trail(Name="t", S3BucketName=name)
        trail.start_logging(Name="t")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{account}:{name}"
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    sqs.set_queue_attributes(
        QueueUrl=queue,
        Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [allow]})},
    )
    events.put_rule(
        Name=name,
        EventPattern=json.dumps(
            {"detail-type": ["AWS API Call via CloudTrail"], "source": ["aws.ec2"]}
        ),
    )
    events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])
    ec2 = aws.client("ec2", account=account)
    ec2.create_vpc(CidrBlock="10.0.0.0/16")
    ec2.describe_vpcs()
    received = (
        eventually(
            lambda: sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"),
            seconds=5 if logging else 1,
        )
        or []
    )
    seen = [json.loads(one["Body"])["detail"] for one in received]
    assert [one["eventName"] for one in seen] == (["CreateVpc"] if logging else [])
    assert all(one["userIdentity"]["type"] == "Root" for one in seen)
