from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

from cdk_soc2.constructs import CloudTrail
from tests.deploy.synth import (
    ACCOUNT,
    ADMIN,
    NO_FLAGS,
    OUR_FLAGS,
    REGION,
    Template,
    denies,
    statements,
    synth,
)

SERVICE = {"Service": "cloudtrail.amazonaws.com"}


@pytest.fixture(scope="module", params=[OUR_FLAGS, NO_FLAGS], ids=["our flags", "no flags"])
def template(request: pytest.FixtureRequest) -> Template:
    return synth(lambda s: CloudTrail(s, "CloudTrail"), request.param)


def arn(template: Template) -> str:
    name = template.one("AWS::CloudTrail::Trail")["TrailName"]
    return f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{name}"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("IsLogging", True),
        ("IsMultiRegionTrail", True),
        ("IncludeGlobalServiceEvents", True),
        ("EnableLogFileValidation", True),
        ("EventSelectors", [{"IncludeManagementEvents": True, "ReadWriteType": "All"}]),
    ],
)
def test_trail(template: Template, path: str, value: Any):
    assert template.one("AWS::CloudTrail::Trail")[path] == value


def test_name_is_of_this_deployment(template: Template):
    # A retained trail of an earlier deployment of the same stack has another stack id.
    assert template.one("AWS::CloudTrail::Trail")["TrailName"].endswith("-feedfacecafe")


@pytest.mark.parametrize(
    ("type", "policy"),
    [
        ("AWS::S3::Bucket", "Retain"),
        ("AWS::S3::BucketPolicy", "Retain"),
        ("AWS::KMS::Key", "Retain"),
        ("AWS::CloudTrail::Trail", "RetainExceptOnCreate"),
    ],
)
def test_outlives_its_stack(template: Template, type: str, policy: str):
    [it] = [r for r in template.raw.values() if r["Type"] == type]
    assert (it["DeletionPolicy"], it["UpdateReplacePolicy"]) == (policy, "Retain")


def test_waits_for_the_policy_of_its_bucket(template: Template):
    [policy] = template.all("AWS::S3::BucketPolicy")
    [trail] = [r for r in template.raw.values() if r["Type"] == "AWS::CloudTrail::Trail"]
    assert policy in trail["DependsOn"]


def test_bucket_takes_this_trail_only(template: Template):
    [bucket] = template.all("AWS::S3::Bucket")
    policy = template.one("AWS::S3::BucketPolicy")["PolicyDocument"]
    assert [
        (s["Principal"], s["Action"], s["Resource"], s["Condition"])
        for s in statements(policy, "Allow")
    ] == [
        (
            SERVICE,
            ["s3:GetBucketAcl"],
            [f"arn:aws:s3:::{bucket}"],
            {"StringEquals": {"aws:SourceArn": arn(template)}},
        ),
        (
            SERVICE,
            ["s3:PutObject"],
            [f"arn:aws:s3:::{bucket}/AWSLogs/{ACCOUNT}/*"],
            {
                "StringEquals": {
                    "aws:SourceArn": arn(template),
                    "s3:x-amz-acl": "bucket-owner-full-control",
                }
            },
        ),
    ]


def test_bucket_keeps_log_files(template: Template):
    bucket = template.one("AWS::S3::Bucket")
    rule = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert rule == {"Mode": "GOVERNANCE", "Days": 730}
    policy = template.one("AWS::S3::BucketPolicy")["PolicyDocument"]
    assert denies(policy, "s3:DeleteObjectVersion", ADMIN)


def test_key_serves_this_trail_and_stays(template: Template):
    key = template.one("AWS::KMS::Key")
    assert key["EnableKeyRotation"] is True
    for statement in statements(key["KeyPolicy"], "Allow"):
        if statement["Principal"] == SERVICE:
            assert statement["Condition"]["StringEquals"] == {"aws:SourceArn": arn(template)}
    assert denies(key["KeyPolicy"], "kms:ScheduleKeyDeletion", ADMIN)
    assert denies(key["KeyPolicy"], "kms:PutKeyPolicy", ADMIN)


def test_records_object_calls_of_given_buckets():
    def build(stack: cdk.Stack) -> None:
        CloudTrail(stack, "CloudTrail", data_events=[s3.Bucket(stack, "Mine")])

    template = synth(build)
    [mine] = [k for k in template.all("AWS::S3::Bucket") if "Mine" in k]
    [selector] = template.one("AWS::CloudTrail::Trail")["EventSelectors"]
    assert selector["DataResources"] == [
        {"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{mine}/"]}
    ]


def test_delivers_to_a_given_log_group():
    def build(stack: cdk.Stack) -> None:
        CloudTrail(stack, "CloudTrail", trail_name="audit", log_group=logs.LogGroup(stack, "Group"))

    template = synth(build)
    trail = template.one("AWS::CloudTrail::Trail")
    assert trail["TrailName"] == "audit"
    assert "Group" in trail["CloudWatchLogsLogGroupArn"]
    [trust] = template.one("AWS::IAM::Role")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == SERVICE
    assert trust["Condition"] == {"StringEquals": {"aws:SourceArn": arn(template)}}
    [may] = statements(template.one("AWS::IAM::Policy")["PolicyDocument"], "Allow")
    assert set(may["Action"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}
