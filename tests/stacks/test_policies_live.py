"""The vault's and its key's policies, judged by an IAM evaluator that nobody here wrote."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from botocore.config import Config
from botocore.exceptions import ClientError

from cdk_soc2.constructs import EvidenceVault
from local.launch import ACCOUNT, REGION, LocalAws
from tests.deploy.synth import OUR_FLAGS, app

pytestmark = pytest.mark.local_aws

GLASS = "BreakGlass"
BOOTSTRAPPED = f"cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
ADMIN = "Admin"
EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
        }
    ],
}


class Deployed:
    """A vault with a customer key in the local AWS, and three roles that IAM lets do everything."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        cloudformation = aws.client("cloudformation")
        cloudformation.create_stack(StackName="Vault", TemplateBody=_template())
        for _ in range(100):
            [stack] = cloudformation.describe_stacks(StackName="Vault")["Stacks"]
            if not stack["StackStatus"].endswith("IN_PROGRESS"):
                break
            time.sleep(0.1)
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack
        outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
        self.bucket, self.key = outputs["BucketName"], outputs["KeyId"]
        access = aws.client("iam")
        for name in (GLASS, BOOTSTRAPPED, ADMIN):
            access.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
            access.put_role_policy(
                RoleName=name, PolicyName="Everything", PolicyDocument=json.dumps(EVERYTHING)
            )

    def put(self) -> dict[str, str]:
        """A new object; its key and version."""
        s3 = self._aws.client("s3")
        key = f"daily/{time.monotonic_ns()}"
        version = s3.put_object(Bucket=self.bucket, Key=key, Body=b"x", ChecksumAlgorithm="SHA256")
        return {"Bucket": self.bucket, "Key": key, "VersionId": version["VersionId"]}

    def client(self, role: str, service: str) -> Any:
        credentials = self._aws.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName="somebody"
        )["Credentials"]
        return boto3.client(
            service,
            endpoint_url=self._aws.endpoint,
            region_name=REGION,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )


def _template() -> str:
    it = app(OUR_FLAGS)
    plain = cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
    stack = cdk.Stack(it, "Vault", synthesizer=plain)
    key = kms.Key(stack, "Key")
    glass = iam.Role.from_role_name(stack, "Glass", GLASS)
    vault = EvidenceVault(stack, "Vault", encryption_key=key, break_glass_role=glass)
    cdk.CfnOutput(stack, "BucketName", value=vault.bucket.bucket_name)
    cdk.CfnOutput(stack, "KeyId", value=key.key_id)
    return Path(it.synth().stacks[0].template_full_path).read_text()


@pytest.fixture  # its own for each: the break-glass role leaves little of it
def vault() -> Iterator[Deployed]:
    with LocalAws() as aws:
        yield Deployed(aws)


def in_two_days() -> datetime:
    return datetime.now(UTC) + timedelta(days=2)


LOCK = {
    "ObjectLockEnabled": "Enabled",
    "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1000}},
}
EXPIRE = {"Rules": [{"ID": "x", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}]}

CALLS: dict[str, Any] = {
    "read": lambda v, c: c("s3").get_object(**v.put()),
    "delete with bypass": lambda v, c: c("s3").delete_object(
        **v.put(), BypassGovernanceRetention=True
    ),
    "hide": lambda v, c: c("s3").delete_object(Bucket=v.bucket, Key=v.put()["Key"]),
    "shorten with bypass": lambda v, c: c("s3").put_object_retention(
        **v.put(),
        Retention={"Mode": "GOVERNANCE", "RetainUntilDate": in_two_days()},
        BypassGovernanceRetention=True,
    ),
    "raise the default": lambda v, c: c("s3").put_object_lock_configuration(
        Bucket=v.bucket, ObjectLockConfiguration=LOCK
    ),
    "expire": lambda v, c: c("s3").put_bucket_lifecycle_configuration(
        Bucket=v.bucket, LifecycleConfiguration=EXPIRE
    ),
    "replace the policy": lambda v, c: c("s3").put_bucket_policy(
        Bucket=v.bucket, Policy=c("s3").get_bucket_policy(Bucket=v.bucket)["Policy"]
    ),
    "disable the key": lambda v, c: c("kms").disable_key(KeyId=v.key),
    "replace the key's policy": lambda v, c: c("kms").put_key_policy(
        KeyId=v.key,
        PolicyName="default",
        Policy=c("kms").get_key_policy(KeyId=v.key, PolicyName="default")["Policy"],
    ),
}
DEPLOYMENT = {
    "read",
    "raise the default",
    "expire",
    "replace the policy",
    "replace the key's policy",
}


@pytest.mark.parametrize(
    ("role", "may"),
    [(ADMIN, {"read"}), (BOOTSTRAPPED, DEPLOYMENT), (GLASS, set(CALLS))],
    ids=["an administrator", "CloudFormation", "break-glass"],
)
def test_who_may_do_what(vault: Deployed, role: str, may: set[str]):
    done: set[str] = set()
    for name, call in CALLS.items():
        try:
            call(vault, lambda service: vault.client(role, service))
            done.add(name)
        except ClientError as error:
            assert error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")
    assert done == may
