from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

from cdk_soc2.constructs import AccountFlowLogs, FlowLogs
from tests.deploy.cloudformation import CloudFormation, Fake, refused
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

BUCKET = "arn:aws:s3:::flow-logs"
WANTED = {"Account": ACCOUNT, "AggregationSeconds": "600", "BucketArn": BUCKET}
DELIVERY = {"Service": "delivery.logs.amazonaws.com"}


def log(vpc: str, **also: str) -> dict[str, str]:
    return {"ResourceId": vpc, "FlowLogStatus": "ACTIVE", "TrafficType": "ALL", **also}


@dataclass
class FakeEc2(Fake):
    """One region: its VPCs, in pages of two, and its flow logs."""

    vpcs: list[str] = field(default_factory=lambda: ["vpc-default"])
    shared: list[str] = field(default_factory=list[str])
    logs: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    unsuccessful: dict[str, str] = field(default_factory=dict[str, str])

    def get_paginator(self, name: str) -> Any:
        self.may(name)
        vpcs = [{"VpcId": v, "OwnerId": ACCOUNT} for v in self.vpcs]
        vpcs += [{"VpcId": v, "OwnerId": "999999999999"} for v in self.shared]
        key, items = {
            "describe_vpcs": ("Vpcs", vpcs),
            "describe_flow_logs": ("FlowLogs", self.logs),
        }[name]
        pages = [{key: items[n : n + 2]} for n in range(0, max(len(items), 1), 2)]
        return type("Paginator", (), {"paginate": lambda _: iter(pages)})()

    def create_flow_logs(self, **asked: Any) -> dict[str, Any]:
        self.write("create", **asked)
        made = [v for v in asked["ResourceIds"] if v not in self.unsuccessful]
        self.logs += [log(v) for v in made]
        refused = [
            {"ResourceId": v, "Error": {"Code": "400", "Message": m}}
            for v, m in self.unsuccessful.items()
        ]
        return {"FlowLogIds": [f"fl-{v}" for v in made], "Unsuccessful": refused}


def ask(region: FakeEc2, type: str = "Create") -> dict[str, Any]:
    return CloudFormation("vpc_flow_logs", {"eu-west-1": region}, WANTED).ask(type)


THREE = ["vpc-1", "vpc-2", "vpc-3"]


@pytest.mark.parametrize(
    ("region", "found", "made"),
    [
        (FakeEc2(), "0 of 1 VPCs", ["vpc-default"]),
        (FakeEc2(vpcs=[]), "0 of 0 VPCs", None),
        (FakeEc2(vpcs=[], shared=["vpc-theirs"]), "0 of 0 VPCs", None),
        (FakeEc2(vpcs=THREE, logs=[log("vpc-2")]), "1 of 3 VPCs", ["vpc-1", "vpc-3"]),
        (FakeEc2(vpcs=THREE, logs=[log(v) for v in THREE]), "3 of 3 VPCs", None),
        (FakeEc2(logs=[log("vpc-default", TrafficType="REJECT")]), "0 of 1 VPCs", ["vpc-default"]),
        (FakeEc2(logs=[log("subnet-1")]), "0 of 1 VPCs", ["vpc-default"]),
        (FakeEc2(logs=[log("vpc-default", DeliverLogsStatus="FAILED")]), "0 of 1 VPCs", ["vpc-default"]),
        (FakeEc2(logs=[log("vpc-default", DeliverLogsErrorMessage="Access error")]), "0 of 1 VPCs",
         ["vpc-default"]),
    ],
    ids=["a default VPC", "no VPC", "a shared VPC", "one of three has", "all have", "rejects only",
         "of a subnet", "failed", "with an error"],
)  # fmt: skip
def test_every_vpc_ends_with_one(region: FakeEc2, found: str, made: list[str] | None):
    count = len(region.vpcs)
    answer = ask(region)
    assert answer["Data"] == {
        "Found": f"eu-west-1={found}",
        "Now": f"eu-west-1={count} of {count} VPCs",
    }
    assert [asked["ResourceIds"] for _, asked in region.writes] == ([made] if made else [])


def test_records_all_traffic_to_the_bucket_of_all_regions():
    region = FakeEc2()
    ask(region)
    [(_, asked)] = region.writes
    assert {k: v for k, v in asked.items() if k != "TagSpecifications"} == {
        "ResourceIds": ["vpc-default"],
        "ResourceType": "VPC",
        "TrafficType": "ALL",
        "LogDestinationType": "s3",
        "LogDestination": BUCKET,
        "MaxAggregationInterval": 600,
    }


def test_many_vpcs_are_given_in_parts():
    region = FakeEc2(vpcs=[f"vpc-{n}" for n in range(301)])
    assert ask(region)["Status"] == "SUCCESS"
    assert [len(asked["ResourceIds"]) for _, asked in region.writes] == [300, 1]


def test_a_vpc_that_is_refused_is_named():
    region = FakeEc2(
        vpcs=["vpc-1", "vpc-2"], unsuccessful={"vpc-2": "Access Denied for LogDestination"}
    )
    reason = ask(region)["Reason"]
    assert reason.startswith(
        "eu-west-1: vpc-2: Access Denied for LogDestination; see that the policy"
    )
    assert [one["ResourceId"] for one in region.logs] == ["vpc-1"]


@pytest.mark.parametrize("call", ["describe_vpcs", "describe_flow_logs", "create"])
def test_trouble_in_one_region_costs_no_other(call: str):
    denied = {call: refused("UnauthorizedOperation")}
    regions = {"eu-west-1": FakeEc2(denied), "us-east-1": FakeEc2()}
    answer = CloudFormation("vpc_flow_logs", regions, WANTED).ask()
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("eu-west-1: ")
    assert "take the region out of `regions`" in answer["Reason"]
    assert len(regions["us-east-1"].logs) == 1


def test_delete_does_nothing():
    region = FakeEc2(logs=[log("vpc-default")])
    assert ask(region, "Delete")["Status"] == "SUCCESS"
    assert (len(region.logs), region.writes) == (1, [])


@pytest.fixture(scope="module", params=[OUR_FLAGS, NO_FLAGS], ids=["our flags", "no flags"])
def account(request: pytest.FixtureRequest) -> Template:
    return synth(lambda s: AccountFlowLogs(s, "F", regions="all"), request.param)


class TestOfTheAccount:
    def test_asks_for_every_region(self, account: Template):
        it = account.one("Custom::AccountSetting")
        [bucket] = account.all("AWS::S3::Bucket")
        assert it["Regions"] == "all"
        assert it["Wanted"] == {**WANTED, "BucketArn": f"arn:aws:s3:::{bucket}"}

    def test_waits_for_the_policy_that_lets_logs_in(self, account: Template):
        [policy] = account.all("AWS::S3::BucketPolicy")
        [it] = [r for r in account.raw.values() if r["Type"] == "Custom::AccountSetting"]
        assert policy in it["DependsOn"]

    def test_may_make_flow_logs_of_this_accounts_vpcs(self, account: Template):
        [policy] = account.all("AWS::IAM::Policy").values()
        may: dict[str, set[str]] = {}
        for s in statements(policy["PolicyDocument"], "Allow"):
            for action in s["Action"]:
                may.setdefault(action, set()).update(s["Resource"])
        flow_logs = f"arn:aws:ec2:*:{ACCOUNT}:vpc-flow-log/*"
        assert may["ec2:CreateFlowLogs"] == {flow_logs, f"arn:aws:ec2:*:{ACCOUNT}:vpc/*"}
        assert may["ec2:CreateTags"] == {flow_logs}
        assert not [a for a in may if "*" in a or "Delete" in a]

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("VersioningConfiguration", {"Status": "Enabled"}),
            ("OwnershipControls", {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}),
            ("ObjectLockEnabled", None),
        ],
    )
    def test_bucket(self, account: Template, path: str, value: Any):
        assert account.one("AWS::S3::Bucket").get(path) == value

    def test_bucket_keeps_logs_for_two_years(self, account: Template):
        [rule] = account.one("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
        assert (rule["ExpirationInDays"], rule["Status"]) == (730, "Enabled")
        [bucket] = [r for r in account.raw.values() if r["Type"] == "AWS::S3::Bucket"]
        assert bucket["DeletionPolicy"] == "Retain"

    def test_bucket_takes_this_accounts_logs_of_any_region(self, account: Template):
        [bucket] = account.all("AWS::S3::Bucket")
        policy = account.one("AWS::S3::BucketPolicy")["PolicyDocument"]
        conditions = {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": f"arn:aws:logs:*:{ACCOUNT}:*"},
        }
        found = [
            (s["Sid"], s["Principal"], s["Action"], s["Resource"], s["Condition"])
            for s in statements(policy, "Allow")
        ]
        assert found == [
            ("AWSLogDeliveryWrite", DELIVERY, ["s3:PutObject"],
             [f"arn:aws:s3:::{bucket}/AWSLogs/{ACCOUNT}/*"], conditions),
            ("AWSLogDeliveryAclCheck", DELIVERY, ["s3:GetBucketAcl", "s3:ListBucket"],
             [f"arn:aws:s3:::{bucket}"], conditions),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "action", ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutLifecycleConfiguration"]
    )
    def test_nobody_deletes_logs(self, account: Template, action: str):
        assert denies(account.one("AWS::S3::BucketPolicy")["PolicyDocument"], action, ADMIN)

    def test_bucket_of_your_own(self):
        def build(stack: cdk.Stack) -> None:
            AccountFlowLogs(stack, "F", bucket=s3.Bucket(stack, "Mine"))

        it = synth(build)
        [bucket] = it.all("AWS::S3::Bucket")
        assert "Mine" in bucket
        assert it.one("Custom::AccountSetting")["Wanted"]["BucketArn"].endswith(bucket)
        sids = {s["Sid"] for s in it.one("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]}
        assert sids == {"AWSLogDeliveryWrite", "AWSLogDeliveryAclCheck"}


def of_new_and_existing(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc", nat_gateways=0)
    FlowLogs(stack, "F", vpcs=[vpc], vpc_ids=["vpc-0abc"])


@pytest.fixture(scope="module", params=[OUR_FLAGS, NO_FLAGS], ids=["our flags", "no flags"])
def named(request: pytest.FixtureRequest) -> Template:
    return synth(of_new_and_existing, request.param)


class TestOfVpcs:
    def test_each_has_one_of_all_traffic_to_the_log_group(self, named: Template):
        group = named.one("AWS::Logs::LogGroup")["LogGroupName"]
        [vpc] = named.all("AWS::EC2::VPC")
        [role] = [k for k in named.all("AWS::IAM::Role") if k.startswith("F")]
        found = named.all("AWS::EC2::FlowLog").values()
        assert [log["ResourceId"] for log in found] == [vpc, "vpc-0abc"]
        for log in found:
            assert {k: v for k, v in log.items() if k not in ("ResourceId", "Tags")} == {
                "ResourceType": "VPC",
                "TrafficType": "ALL",
                "LogDestinationType": "cloud-watch-logs",
                "LogDestination": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}",
                "DeliverLogsPermissionArn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
                "MaxAggregationInterval": 600,
            }

    def test_log_group_is_encrypted_and_kept_for_two_years(self, named: Template):
        group = named.one("AWS::Logs::LogGroup")
        assert group["RetentionInDays"] == 731
        [key] = named.all("AWS::KMS::Key")
        assert group["KmsKeyId"].endswith(key)

    def test_key_serves_this_log_group(self, named: Template):
        group = named.one("AWS::Logs::LogGroup")["LogGroupName"]
        policy = named.one("AWS::KMS::Key")["KeyPolicy"]
        service = {"Service": f"logs.{REGION}.amazonaws.com"}
        [s] = [s for s in statements(policy, "Allow") if s["Principal"] == service]
        context = "kms:EncryptionContext:aws:logs:arn"
        arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"
        assert s["Condition"] == {"ArnEquals": {context: arn}}

    def test_role_is_for_this_accounts_flow_logs_and_this_log_group(self, named: Template):
        [role] = [r for k, r in named.all("AWS::IAM::Role").items() if k.startswith("F")]
        [trust] = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
        assert trust["Condition"] == {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-flow-log/*"},
        }
        group = named.one("AWS::Logs::LogGroup")["LogGroupName"]
        [policy] = role["Policies"]
        [may] = statements(policy["PolicyDocument"], "Allow")
        assert may["Resource"] == [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*"]
        assert not [a for a in may["Action"] if "*" in a]

    @pytest.mark.parametrize(
        ("type", "policies"),
        [
            ("AWS::EC2::FlowLog", {("RetainExceptOnCreate", "Delete")}),
            ("AWS::Logs::LogGroup", {("Retain", "Retain")}),
            ("AWS::KMS::Key", {("Retain", "Retain")}),
            ("AWS::IAM::Role", {("Retain", "Retain")}),
        ],
    )
    def test_what_records_outlives_the_stack(
        self, named: Template, type: str, policies: set[tuple[str, str]]
    ):
        ours = [r for k, r in named.raw.items() if r["Type"] == type and k.startswith("F")]
        assert {(r["DeletionPolicy"], r["UpdateReplacePolicy"]) for r in ours} == policies

    def test_to_a_bucket_needs_no_role(self):
        def build(stack: cdk.Stack) -> None:
            bucket = s3.Bucket(stack, "B")
            FlowLogs(
                stack, "F", vpc_ids=["vpc-1"], bucket=bucket, aggregation=cdk.Duration.minutes(1)
            )

        it = synth(build)
        flow_log = it.one("AWS::EC2::FlowLog")
        assert (flow_log["LogDestinationType"], flow_log["MaxAggregationInterval"]) == ("s3", 60)
        assert "DeliverLogsPermissionArn" not in flow_log
        assert not [k for k in it.all("AWS::IAM::Role") if k.startswith("F")]
        [raw] = [r for r in it.raw.values() if r["Type"] == "AWS::EC2::FlowLog"]
        assert list(it.all("AWS::S3::BucketPolicy")) == raw["DependsOn"]

    def test_to_a_log_group_of_your_own(self):
        def build(stack: cdk.Stack) -> None:
            group = logs.LogGroup.from_log_group_name(stack, "G", "mine")
            FlowLogs(stack, "F", vpc_ids=["vpc-1"], log_group=group)

        it = synth(build)
        arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:mine"
        assert it.one("AWS::EC2::FlowLog")["LogDestination"] == arn
        assert it.all("AWS::Logs::LogGroup") == {}

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({}, "no VPC; give vpcs or vpc_ids"),
            ({"vpc_ids": ["v"], "aggregation": cdk.Duration.minutes(5)}, "300 s; give one minute"),
            ({"vpc_ids": ["v"], "retention": cdk.Duration.days(90)}, "90 days is too short"),
            ({"vpc_ids": ["v"], "retention": cdk.Duration.days(4000)}, "4000 days; give 3653"),
        ],
    )
    def test_refuses(self, parameters: dict[str, Any], message: str):
        with pytest.raises(ValueError, match=message):
            synth(lambda s: FlowLogs(s, "F", **parameters))

    def test_refuses_two_destinations(self):
        def build(stack: cdk.Stack) -> None:
            bucket, group = s3.Bucket(stack, "B"), logs.LogGroup(stack, "G")
            FlowLogs(stack, "F", vpc_ids=["v"], bucket=bucket, log_group=group)

        with pytest.raises(ValueError, match="two destinations"):
            synth(build)
