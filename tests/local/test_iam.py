"""Permissions are enforced: roles get what their policies say, and bucket policies have a say."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.launch import ACCOUNT, LocalAws
from tests.local.calls import code_of

SESSION = boto3.session.Session()
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


def statement(effect: str, actions: Any, resources: Any, **rest: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": actions, "Resource": resources} | rest


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Role:
    """A role with an inline policy, and clients that act as it."""

    def __init__(self, aws: LocalAws, name: str, *statements: dict[str, Any]) -> None:
        self.aws = aws
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
        }
        iam = aws.client("iam")
        self.arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"][
            "Arn"
        ]
        if statements:
            iam.put_role_policy(
                RoleName=name, PolicyName="inline", PolicyDocument=document(*statements)
            )

    def client(self, service: str, region: str = "us-east-1") -> Any:
        keys = self.aws.client("sts").assume_role(RoleArn=self.arn, RoleSessionName="test")
        credentials = keys["Credentials"]
        return SESSION.client(
            service,
            endpoint_url=self.aws.endpoint,
            region_name=region,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            config=Config(s3={"addressing_style": "path"}),
        )


@pytest.fixture
def bucket(aws: LocalAws, name: str) -> str:
    aws.client("s3").create_bucket(Bucket=name)
    return name


CALLS = {
    "ec2:DescribeVpcs": ("ec2", "describe_vpcs", {}),
    "ec2:GetEbsEncryptionByDefault": ("ec2", "get_ebs_encryption_by_default", {}),
    "cloudtrail:DescribeTrails": ("cloudtrail", "describe_trails", {}),
    "guardduty:ListDetectors": ("guardduty", "list_detectors", {}),
    "securityhub:DescribeHub": ("securityhub", "describe_hub", {}),
    "access-analyzer:ListAnalyzers": ("accessanalyzer", "list_analyzers", {}),
    "backup:ListRestoreTestingPlans": ("backup", "list_restore_testing_plans", {}),
    "directconnect:DescribeDirectConnectGateways": (
        "directconnect",
        "describe_direct_connect_gateways",
        {},
    ),
    "iam:GetAccountSummary": ("iam", "get_account_summary", {}),
    "s3:GetAccountPublicAccessBlock": (
        "s3control",
        "get_public_access_block",
        {"AccountId": ACCOUNT},
    ),
    "ec2:DescribeTransitGatewayAttachments": ("ec2", "describe_transit_gateway_attachments", {}),
}


@pytest.mark.parametrize("action", CALLS)
def test_only_what_is_granted_is_allowed(aws: LocalAws, name: str, action: str) -> None:
    service, operation, arguments = CALLS[action]
    granted = Role(aws, f"{name}-granted", statement("Allow", action, "*"))
    bare = Role(aws, f"{name}-bare", statement("Allow", "sqs:ListQueues", "*"))
    assert code_of(getattr(granted.client(service), operation), **arguments) not in DENIED
    assert code_of(getattr(bare.client(service), operation), **arguments) in DENIED


@pytest.mark.parametrize(
    ("conditions", "allowed"),
    [
        ({"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/{name}"}}, True),
        ({"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/another"}}, False),
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/{name}"}}, True),
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/another"}}, False),
        ({"ArnNotEquals": {"aws:PrincipalArn": "{arn}"}}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, True),
        ({"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}, False),
        ({}, False),
    ],
)
def test_bucket_policy_denies_by_principal(
    aws: LocalAws, name: str, bucket: str, conditions: dict[str, Any], allowed: bool
) -> None:
    """An explicit Deny wins over what the role's own policy allows."""
    role = Role(aws, name, statement("Allow", "s3:*", "*"))
    filled = json.loads(json.dumps(conditions).replace("{name}", name).replace("{arn}", role.arn))
    deny = statement(
        "Deny",
        "s3:PutObject",
        f"arn:aws:s3:::{bucket}/*",
        Principal="*",
        **({"Condition": filled} if filled else {}),
    )
    aws.client("s3").put_bucket_policy(Bucket=bucket, Policy=document(deny))
    refused = code_of(role.client("s3").put_object, Bucket=bucket, Key="k", Body=b"x")
    assert (refused == "") is allowed, refused


def test_statements_are_scoped_to_resources(aws: LocalAws, name: str, bucket: str) -> None:
    mine = f"arn:aws:s3:::{bucket}/ledger/aws-1/*"
    role = Role(aws, name, statement("Allow", ["s3:PutObject", "s3:GetObject"], mine))
    s3 = role.client("s3")
    for key, code in {
        "ledger/aws-1/1": "",
        "ledger/aws-2/1": "AccessDenied",
        "daily/1": "AccessDenied",
    }.items():
        assert code_of(s3.put_object, Bucket=bucket, Key=key, Body=b"x") == code
    assert code_of(s3.get_object, Bucket=bucket, Key="ledger/aws-1/1") == ""
    assert code_of(s3.delete_object, Bucket=bucket, Key="ledger/aws-1/1") == "AccessDenied"


@pytest.mark.parametrize("operation", ["list_objects_v2", "list_object_versions"])
@pytest.mark.parametrize(
    ("prefix", "code"),
    [
        ("ledger/aws-1/", ""),
        ("ledger/aws-1/0", ""),
        ("ledger/", "AccessDenied"),
        (None, "AccessDenied"),
    ],
)
def test_listing_is_limited_by_prefix(
    aws: LocalAws, name: str, bucket: str, operation: str, prefix: str | None, code: str
) -> None:
    role = Role(
        aws,
        name,
        statement(
            "Allow",
            ["s3:ListBucket", "s3:ListBucketVersions"],
            f"arn:aws:s3:::{bucket}",
            Condition={"StringLike": {"s3:prefix": "ledger/aws-1/*"}},
        ),
    )
    arguments = {"Bucket": bucket} | ({} if prefix is None else {"Prefix": prefix})
    assert code_of(getattr(role.client("s3"), operation), **arguments) == code


def test_retention_and_bypass_are_permissions(aws: LocalAws, name: str) -> None:
    aws.client("s3").create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    role = Role(
        aws,
        name,
        statement("Allow", ["s3:PutObject", "s3:DeleteObjectVersion"], f"arn:aws:s3:::{name}/*"),
    )
    owner, s3 = aws.client("s3"), role.client("s3")
    owner.put_object_lock_configuration(
        Bucket=name,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
        },
    )
    version = s3.put_object(Bucket=name, Key="k", Body=b"x")["VersionId"]
    bypass = {"Bucket": name, "Key": "k", "VersionId": version, "BypassGovernanceRetention": True}
    assert code_of(s3.delete_object, **bypass) == "AccessDenied"
    retained = owner.get_object_retention(Bucket=name, Key="k")["Retention"]
    asked = {"Bucket": name, "Key": "k", "Retention": retained}
    assert code_of(s3.put_object_retention, **asked) == "AccessDenied"
    locked = {
        "Bucket": name,
        "Key": "l",
        "Body": b"x",
        "ObjectLockMode": "GOVERNANCE",
        "ObjectLockRetainUntilDate": retained["RetainUntilDate"],
    }
    assert code_of(s3.put_object, **locked) == "AccessDenied"


def test_key_policy_and_role_policy_decide_on_signing(aws: LocalAws, name: str) -> None:
    key = aws.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")[
        "KeyMetadata"
    ]["Arn"]
    may = Role(aws, f"{name}-may", statement("Allow", "kms:Sign", key))
    other = Role(aws, f"{name}-other", statement("Allow", "kms:Sign", f"{key[:-4]}0000"))
    digest = {
        "KeyId": key,
        "Message": b"\0" * 32,
        "MessageType": "DIGEST",
        "SigningAlgorithm": "ECDSA_SHA_256",
    }
    assert code_of(may.client("kms").sign, **digest) == ""
    assert code_of(other.client("kms").sign, **digest) == "AccessDeniedException"


def test_cross_account_role(aws: LocalAws, name: str) -> None:
    """The named role of the first account may assume it; the second account's others may not."""
    collector = Role(aws, name, statement("Allow", "sts:AssumeRole", "*"))
    stranger = Role(aws, f"{name}-stranger", statement("Allow", "sts:AssumeRole", "*"))
    trust = {"Effect": "Allow", "Principal": {"AWS": collector.arn}, "Action": "sts:AssumeRole"}
    audited = aws.client("iam", account="222222222222").create_role(
        RoleName=name, AssumeRolePolicyDocument=document(trust)
    )["Role"]["Arn"]
    asked = {"RoleArn": audited, "RoleSessionName": "test"}
    assert code_of(collector.client("sts").assume_role, **asked) == ""
    assert code_of(stranger.client("sts").assume_role, **asked) == "AccessDenied"


def test_wrong_secret_is_refused(aws: LocalAws, name: str) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    sts = SESSION.client(
        "sts",
        endpoint_url=aws.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key="wrong",
    )
    assert code_of(sts.get_caller_identity) == "SignatureDoesNotMatch"


def test_root_has_no_credentials_whatever_users_have(aws: LocalAws) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="with-device")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="device")["VirtualMFADevice"]
    iam.enable_mfa_device(
        UserName="with-device",
        SerialNumber=device["SerialNumber"],
        AuthenticationCode1="123456",
        AuthenticationCode2="654321",
    )
    summary = iam.get_account_summary()["SummaryMap"]
    assert (summary["AccountMFAEnabled"], summary["AccountPasswordPresent"]) == (0, 0)


def test_detectors_and_flow_logs_are_asked_for_by_their_names(aws: LocalAws, name: str) -> None:
    [vpc] = [v["VpcId"] for v in aws.client("ec2").describe_vpcs()["Vpcs"] if v["IsDefault"]]
    detector = aws.client("guardduty").create_detector(Enable=True)["DetectorId"]

    def role(region: str) -> Role:
        return Role(
            aws,
            f"{name}-{region}",
            statement("Allow", "guardduty:GetDetector", f"arn:aws:guardduty:{region}:*:detector/*"),
            statement("Allow", "ec2:CreateFlowLogs", f"arn:aws:ec2:{region}:*:vpc/*"),
        )

    flow_log = {"ResourceIds": [vpc], "ResourceType": "VPC", "TrafficType": "ALL",
                "LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::b"}  # fmt: skip
    for region, denied in (("us-east-1", False), ("eu-west-1", True)):
        it = role(region)
        got = code_of(it.client("guardduty").get_detector, DetectorId=detector)
        made = code_of(it.client("ec2").create_flow_logs, **flow_log)
        assert [got in DENIED, made in DENIED] == [denied, denied]
