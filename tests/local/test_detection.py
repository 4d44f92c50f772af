"""CloudTrail, GuardDuty, Access Analyzer and Backup as their checks read them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.launch import ACCOUNT, LocalAws
from tests.local.calls import code_of, eventually


def trail_bucket(aws: LocalAws, bucket: str, account: str = ACCOUNT) -> str:
    s3 = aws.client("s3", account=account)
    s3.create_bucket(Bucket=bucket)
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [allow]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    return bucket


@pytest.fixture
def trail(aws: LocalAws, name: str, account: str) -> str:
    """The ARN of a logging, validated, multi-region trail in a fresh account."""
    api = aws.client("cloudtrail", account=account)
    arn = api.create_trail(
        Name=name,
        S3BucketName=trail_bucket(aws, name, account),
        IsMultiRegionTrail=True,
        EnableLogFileValidation=True,
    )["TrailARN"]
    api.start_logging(Name=name)
    return str(arn)


@pytest.fixture
def cloudtrail(aws: LocalAws, account: str) -> Any:
    return aws.client("cloudtrail", account=account)


def test_multi_region_trail_is_seen_from_elsewhere(aws: LocalAws, account: str, trail: str) -> None:
    elsewhere = aws.client("cloudtrail", account=account, region="eu-west-1")
    [shadow] = elsewhere.describe_trails()["trailList"]
    assert shadow["TrailARN"] == trail
    assert shadow["HomeRegion"] == "us-east-1"
    assert elsewhere.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert elsewhere.get_trail_status(Name=trail)["IsLogging"]
    assert elsewhere.get_event_selectors(TrailName=trail)["EventSelectors"]
    assert code_of(elsewhere.stop_logging, Name=trail) == "InvalidHomeRegionException"
    other = aws.client("cloudtrail", account="000000999999")
    assert other.describe_trails()["trailList"] == []


def test_logging_trail_reports_deliveries(cloudtrail: Any, trail: str) -> None:
    status = cloudtrail.get_trail_status(Name=trail)
    assert status["IsLogging"]
    assert status["LatestDeliveryTime"] >= status["StartLoggingTime"]
    assert status["LatestDigestDeliveryTime"] >= status["StartLoggingTime"]
    assert "LatestDeliveryError" not in status


def test_new_trail_has_delivered_nothing(aws: LocalAws, cloudtrail: Any, name: str) -> None:
    cloudtrail.create_trail(Name=name, S3BucketName=trail_bucket(aws, name))
    status = cloudtrail.get_trail_status(Name=name)
    assert not status["IsLogging"]
    assert "LatestDeliveryTime" not in status


@pytest.mark.parametrize(
    ("harm", "error"), [("delete_bucket_policy", "AccessDenied"), ("delete_bucket", "NoSuchBucket")]
)
def test_undeliverable_trail_says_so(
    aws: LocalAws, cloudtrail: Any, account: str, trail: str, name: str, harm: str, error: str
) -> None:
    getattr(aws.client("s3", account=account), harm)(Bucket=name)
    status = cloudtrail.get_trail_status(Name=trail)
    assert status["IsLogging"]
    assert status["LatestDeliveryError"] == error


def test_trail_is_stopped_changed_and_deleted(cloudtrail: Any, trail: str, name: str) -> None:
    cloudtrail.stop_logging(Name=name)
    status = cloudtrail.get_trail_status(Name=name)
    assert not status["IsLogging"]
    assert status["StopLoggingTime"]
    cloudtrail.update_trail(Name=name, EnableLogFileValidation=False, IsMultiRegionTrail=False)
    [shown] = cloudtrail.describe_trails()["trailList"]
    assert not shown["LogFileValidationEnabled"]
    assert not shown["IsMultiRegionTrail"]
    cloudtrail.delete_trail(Name=trail)
    assert code_of(cloudtrail.get_trail_status, Name=trail) == "TrailNotFoundException"


def test_advanced_event_selectors(cloudtrail: Any, trail: str) -> None:
    management = [
        {
            "Name": "m",
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Management"]},
            ],
        }
    ]
    cloudtrail.put_event_selectors(TrailName=trail, AdvancedEventSelectors=management)
    shown = cloudtrail.get_event_selectors(TrailName=trail)
    assert shown["AdvancedEventSelectors"][0]["FieldSelectors"] == management[0]["FieldSelectors"]
    assert "EventSelectors" not in shown


def test_calls_are_looked_up(aws: LocalAws, account: str, cloudtrail: Any) -> None:
    aws.client("ec2", account=account).create_vpc(CidrBlock="10.9.0.0/16")
    asked = [{"AttributeKey": "EventName", "AttributeValue": "CreateVpc"}]
    assert cloudtrail.lookup_events(LookupAttributes=asked)["Events"]


@pytest.fixture
def guardduty(aws: LocalAws, account: str) -> Any:
    return aws.client("guardduty", account=account)


@pytest.fixture
def detector(guardduty: Any) -> str:
    made = guardduty.create_detector(Enable=True, FindingPublishingFrequency="FIFTEEN_MINUTES")
    return str(made["DetectorId"])


EXFILTRATION = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"
PORT_PROBE = "Recon:EC2/PortProbeUnprotectedPort"


@pytest.mark.parametrize(
    ("criterion", "kinds"),
    [
        ({}, {EXFILTRATION, PORT_PROBE}),
        ({"severity": {"Gte": 7}}, {EXFILTRATION}),
        ({"severity": {"GreaterThanOrEqual": 7}}, {EXFILTRATION}),
        ({"severity": {"Lt": 7}}, {PORT_PROBE}),
        ({"severity": {"Eq": ["8"]}}, {EXFILTRATION}),
        ({"type": {"Eq": [PORT_PROBE]}}, {PORT_PROBE}),
        ({"type": {"Neq": [PORT_PROBE]}}, {EXFILTRATION}),
        ({"service.archived": {"Eq": ["false"]}}, {EXFILTRATION, PORT_PROBE}),
        ({"service.archived": {"Eq": ["true"]}}, set()),
        ({"createdAt": {"Lt": 1}}, set()),
    ],
)
def test_findings_are_listed_by_criteria(
    guardduty: Any, detector: str, criterion: dict[str, Any], kinds: set[str]
) -> None:
    guardduty.create_sample_findings(DetectorId=detector, FindingTypes=[EXFILTRATION, PORT_PROBE])
    found = guardduty.list_findings(DetectorId=detector, FindingCriteria={"Criterion": criterion})[
        "FindingIds"
    ]
    shown = guardduty.get_findings(DetectorId=detector, FindingIds=found)["Findings"]
    assert {one["Type"] for one in shown} == kinds
    assert all(one["AccountId"] != ACCOUNT for one in shown)


def test_unknown_criterion_is_refused(guardduty: Any, detector: str) -> None:
    asked = {"Criterion": {"resource.instanceDetails.tags.key": {"Eq": ["x"]}}}
    refused = code_of(guardduty.list_findings, DetectorId=detector, FindingCriteria=asked)
    assert refused == "BadRequestException"


def test_findings_are_paged_and_archived(guardduty: Any, detector: str) -> None:
    for _ in range(9):
        guardduty.create_sample_findings(DetectorId=detector)
    every = guardduty.get_paginator("list_findings").paginate(DetectorId=detector)
    found = every.build_full_result()["FindingIds"]
    assert len(set(found)) == 63
    guardduty.archive_findings(DetectorId=detector, FindingIds=found[:3])
    asked = {"Criterion": {"service.archived": {"Eq": ["true"]}}}
    archived = guardduty.list_findings(DetectorId=detector, FindingCriteria=asked)
    assert set(archived["FindingIds"]) == set(found[:3])


def plans(guardduty: Any, detector: str) -> dict[str, str]:
    features = guardduty.get_detector(DetectorId=detector)["Features"]
    return {feature["Name"]: feature["Status"] for feature in features}


def test_plans_start_by_themselves_and_stay_as_they_are(guardduty: Any) -> None:
    off = [{"Name": "EKS_AUDIT_LOGS", "Status": "DISABLED"}]
    made = guardduty.create_detector(Enable=False, Features=off)["DetectorId"]
    first = plans(guardduty, made)
    assert first["CLOUD_TRAIL"] == first["S3_DATA_EVENTS"] == "ENABLED"
    assert first["EKS_AUDIT_LOGS"] == first["RUNTIME_MONITORING"] == "DISABLED"
    more = [{"Name": "RUNTIME_MONITORING", "Status": "ENABLED"}]
    guardduty.update_detector(DetectorId=made, Enable=True, Features=more)
    assert plans(guardduty, made) == first | {"RUNTIME_MONITORING": "ENABLED"}
    guardduty.update_detector(DetectorId=made, FindingPublishingFrequency="ONE_HOUR")
    assert plans(guardduty, made) == first | {"RUNTIME_MONITORING": "ENABLED"}


def test_detectors_are_per_region(aws: LocalAws, account: str, guardduty: Any) -> None:
    made = guardduty.create_detector(Enable=True)["DetectorId"]
    elsewhere = aws.client("guardduty", account=account, region="eu-west-1")
    assert guardduty.list_detectors()["DetectorIds"] == [made]
    assert elsewhere.list_detectors()["DetectorIds"] == []
    assert code_of(elsewhere.list_findings, DetectorId=made) == "BadRequestException"


def test_finding_reaches_a_rule(
    aws: LocalAws, account: str, name: str, guardduty: Any, detector: str
) -> None:
    sqs, events = aws.client("sqs", account=account), aws.client("events", account=account)
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{account}:{name}"
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    pattern = {"source": ["aws.guardduty"], "detail": {"severity": [{"numeric": [">=", 7]}]}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])
    guardduty.create_sample_findings(DetectorId=detector, FindingTypes=[EXFILTRATION, PORT_PROBE])
    received = eventually(
        lambda: sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages")
    )
    assert [json.loads(one["Body"])["detail"]["type"] for one in received] == [EXFILTRATION]


def test_analyzer(aws: LocalAws, account: str) -> None:
    api = aws.client("accessanalyzer", account=account)
    arn = api.create_analyzer(analyzerName="a", type="ACCOUNT")["arn"]
    assert code_of(api.create_analyzer, analyzerName="a", type="ACCOUNT") == "ConflictException"
    assert [one["arn"] for one in api.list_analyzers()["analyzers"]] == [arn]
    assert api.get_analyzer(analyzerName="a")["analyzer"]["status"] == "ACTIVE"
    assert api.list_findings_v2(analyzerArn=arn)["findings"] == []
    api.delete_analyzer(analyzerName="a")
    assert code_of(api.get_analyzer, analyzerName="a") == "ResourceNotFoundException"


def test_restore_testing_plan(aws: LocalAws, account: str) -> None:
    api = aws.client("backup", account=account)
    plan = {
        "RestoreTestingPlanName": "monthly",
        "ScheduleExpression": "cron(0 5 1 * ? *)",
        "RecoveryPointSelection": {
            "Algorithm": "LATEST_WITHIN_WINDOW",
            "IncludeVaults": ["*"],
            "RecoveryPointTypes": ["SNAPSHOT"],
        },
    }
    api.create_restore_testing_plan(RestoreTestingPlan=plan)
    shown = api.get_restore_testing_plan(RestoreTestingPlanName="monthly")["RestoreTestingPlan"]
    assert shown["RecoveryPointSelection"]["IncludeVaults"] == ["*"]
    [listed] = api.list_restore_testing_plans()["RestoreTestingPlans"]
    assert listed["ScheduleExpression"] == "cron(0 5 1 * ? *)"
    api.delete_restore_testing_plan(RestoreTestingPlanName="monthly")
    assert api.list_restore_testing_plans()["RestoreTestingPlans"] == []


def test_what_is_missing_says_so(guardduty: Any, detector: str) -> None:
    refused = code_of(
        guardduty.get_usage_statistics,
        DetectorId=detector,
        UsageStatisticType="SUM_BY_ACCOUNT",
        UsageCriteria={"DataSources": []},
    )
    assert refused == "NotImplementedException"


@pytest.mark.parametrize("at_once", [True, False])
def test_rotation_is_dated(aws: LocalAws, account: str, at_once: bool) -> None:
    api = aws.client("secretsmanager", account=account)
    api.create_secret(Name="s", SecretString="x")
    api.rotate_secret(
        SecretId="s",
        RotationRules={"AutomaticallyAfterDays": 30},
        RotateImmediately=at_once,
        RotationLambdaARN=f"arn:aws:lambda:us-east-1:{account}:function:f",
    )
    [listed] = api.list_secrets()["SecretList"]
    for shown in (listed, api.describe_secret(SecretId="s")):
        assert shown["RotationEnabled"]
        assert shown["RotationRules"] == {"AutomaticallyAfterDays": 30}
        assert ("LastRotatedDate" in shown) is at_once
    api.cancel_rotate_secret(SecretId="s")
    assert not api.describe_secret(SecretId="s")["RotationEnabled"]


def test_looked_up_events_have_pages(aws: LocalAws, account: str, cloudtrail: Any) -> None:
    ec2 = aws.client("ec2", account=account)
    for _ in range(60):
        ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)
    ec2.describe_volumes()
    asked = {"AttributeKey": "ReadOnly", "AttributeValue": "false"}
    first = cloudtrail.lookup_events(LookupAttributes=[asked])
    assert len(first["Events"]) == 50
    rest = cloudtrail.lookup_events(LookupAttributes=[asked], NextToken=first["NextToken"])
    assert len(rest["Events"]) == 10
    assert "NextToken" not in rest
    event = json.loads(first["Events"][0]["CloudTrailEvent"])
    assert (event["eventName"], event["eventSource"]) == ("CreateVolume", "ec2.amazonaws.com")
    assert (event["userIdentity"]["type"], event["readOnly"]) == ("Root", False)


def test_the_registry_says_how_it_scans(aws: LocalAws) -> None:
    ecr = aws.client("ecr")
    told = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
    assert told == {"scanType": "BASIC", "rules": []}
    rule = {
        "scanFrequency": "SCAN_ON_PUSH",
        "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}],
    }
    ecr.put_registry_scanning_configuration(scanType="BASIC", rules=[rule])
    told = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
    assert told["rules"] == [rule]
