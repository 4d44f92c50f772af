"""What the deployed settings did, read back through the services' own API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.launch import ACCOUNT
from tests.e2e.conftest import Deployed

pytestmark = pytest.mark.local_aws

REGIONS = ("us-east-1", "eu-west-1")  # of the demo's boundary
FOUNDATION = {"CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS"}


@pytest.mark.parametrize("region", REGIONS)
class TestInEachRegion:
    def test_a_detector_runs_with_its_foundation_alone(self, deployed: Deployed, region: str):
        guardduty = deployed.client("guardduty", region=region)
        [id] = guardduty.list_detectors()["DetectorIds"]
        it = guardduty.get_detector(DetectorId=id)
        assert (it["Status"], it["FindingPublishingFrequency"]) == ("ENABLED", "FIFTEEN_MINUTES")
        assert {f["Name"] for f in it["Features"] if f["Status"] == "ENABLED"} == FOUNDATION

    def test_every_vpc_has_a_flow_log_to_the_one_bucket(self, deployed: Deployed, region: str):
        ec2 = deployed.client("ec2", region=region)
        vpcs = [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]]
        logs = ec2.describe_flow_logs()["FlowLogs"]
        bucket = f"arn:aws:s3:::{deployed.outputs['FlowLogBucketName']}"
        assert sorted(log["ResourceId"] for log in logs) == sorted(vpcs)
        for log in logs:
            assert (log["TrafficType"], log["LogDestination"]) == ("ALL", bucket)
            assert {"Key": "soc2:controls", "Value": "vpc_flow_logs"} in log["Tags"]


def test_a_region_out_of_scope_is_left_alone(deployed: Deployed):
    guardduty = deployed.client("guardduty", region="ap-south-1")
    assert guardduty.list_detectors()["DetectorIds"] == []


def test_account_blocks_public_access(deployed: Deployed):
    answer = deployed.client("s3control").get_public_access_block(AccountId=ACCOUNT)
    assert set(answer["PublicAccessBlockConfiguration"].values()) == {True}


def test_passwords_are_long_and_not_used_again(deployed: Deployed):
    policy = deployed.client("iam").get_account_password_policy()["PasswordPolicy"]
    assert (policy["MinimumPasswordLength"], policy["PasswordReusePrevention"]) == (14, 24)
    assert policy["RequireSymbols"] and policy["RequireNumbers"]


def test_a_severe_finding_is_told_in_words_and_a_mild_one_is_not(deployed: Deployed):
    queue = subscribed(deployed, "findings")
    guardduty = deployed.client("guardduty")
    [detector] = guardduty.list_detectors()["DetectorIds"]
    kinds = ["Recon:EC2/PortProbeUnprotectedPort", "Policy:S3/BucketAnonymousAccessGranted"]
    guardduty.create_sample_findings(DetectorId=detector, FindingTypes=kinds)
    made = guardduty.list_findings(DetectorId=detector)["FindingIds"]
    guardduty.archive_findings(DetectorId=detector, FindingIds=made)
    sqs = deployed.client("sqs")
    [message] = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    told = json.loads(message["Body"])["Message"]
    assert "severity 8" in told and "BucketAnonymousAccessGranted" in told
    assert f"account {ACCOUNT}, region us-east-1" in told
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)


def subscribed(deployed: Deployed, name: str) -> str:
    """A queue that hears what the alert topic tells."""
    sqs: Any = deployed.client("sqs")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:{deployed.aws.region}:{ACCOUNT}:{name}"
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}}
    policy = {"Statement": [{**allow, "Action": "sqs:SendMessage", "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    topic = deployed.outputs["AlertTopicArn"]
    deployed.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return queue
