"""The writer's role in the local AWS: its evidence lands, and it can do nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from botocore.exceptions import ClientError

from cdk_soc2.constructs import EvidenceVault
from cdk_soc2.deploy.writer import EvidenceWriter
from local.launch import ACCOUNT, LocalAws
from tests.deploy.synth import synth
from tests.sources.argocd_server import TOKEN, FakeArgoCd, app

pytestmark = pytest.mark.local_aws

SOC2 = Path(sys.executable).with_name("soc2")
TRUST_ACCOUNT = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
        }
    ],
}


@dataclass
class Writer:
    """The deployed role, and what one does as it."""

    aws: LocalAws
    bucket: str
    key: str
    environment: Mapping[str, str]

    def client(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.Session().client(
            service,
            endpoint_url=self.aws.endpoint,
            region_name=self.aws.region,
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=self.environment["AWS_SESSION_TOKEN"],
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    def collect(self, server: FakeArgoCd, name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(SOC2, "argocd", "collect", "--server", server.url, "--name", name),
                *("--vault", f"s3://{self.bucket}", "--key", self.key),
            ],
            env={**os.environ, **self.environment, "ARGOCD_AUTH_TOKEN": TOKEN},
            capture_output=True,
            text=True,
        )


def build(stack: cdk.Stack) -> None:
    vault = EvidenceVault(stack, "Vault")
    writer = EvidenceWriter(
        stack, "Writer", vault=vault, repository="acme/shop", source="argocd-shop"
    )
    cdk.CfnOutput(stack, "Bucket", value=vault.bucket.bucket_name)
    cdk.CfnOutput(stack, "Role", value=writer.role.role_arn)
    cdk.CfnOutput(stack, "Key", value=writer.signing_key.key_arn)


@pytest.fixture(scope="module")
def writer() -> Iterator[Writer]:
    with LocalAws() as aws:
        template = synth(build).body
        del template["Parameters"], template["Rules"]  # of the CDK's bootstrap, which is not here
        cloudformation = aws.client("cloudformation")
        cloudformation.create_stack(
            StackName="Writer",
            TemplateBody=json.dumps(template),
            Capabilities=["CAPABILITY_IAM"],
        )
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName="Writer", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        told = cloudformation.describe_stacks(StackName="Writer")["Stacks"][0]["Outputs"]
        outputs = {o["OutputKey"]: o["OutputValue"] for o in told}
        # GitHub is not here to issue a token, so the account may take the role in its place.
        aws.client("iam").update_assume_role_policy(
            RoleName=outputs["Role"].rpartition("/")[2], PolicyDocument=json.dumps(TRUST_ACCOUNT)
        )
        taken = aws.client("sts").assume_role(RoleArn=outputs["Role"], RoleSessionName="test")
        environment = aws.env | {
            "AWS_ACCESS_KEY_ID": taken["Credentials"]["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": taken["Credentials"]["SecretAccessKey"],
            "AWS_SESSION_TOKEN": taken["Credentials"]["SessionToken"],
        }
        yield Writer(aws, outputs["Bucket"], outputs["Key"], environment)


def test_its_evidence_lands_again_and_again_and_verifies(writer: Writer) -> None:
    with FakeArgoCd([app("shop", 0, 1)]) as server:
        first = writer.collect(server, "shop")
        assert first.returncode == 0, first.stdout + first.stderr
        server.apps = [app("shop", 0, 1, 2)]
        second = writer.collect(server, "shop")
        assert second.returncode == 0 and "1 new" in second.stdout, second.stdout + second.stderr
    listed = writer.aws.client("s3").list_objects_v2(Bucket=writer.bucket)["Contents"]
    places = {o["Key"] for o in listed if not o["Key"].startswith("keys/")}
    assert all("/argocd-shop/" in place for place in places)
    verified = subprocess.run(
        [SOC2, "verify", f"s3://{writer.bucket}"],
        env={**os.environ, **writer.aws.env},
        capture_output=True,
        text=True,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_another_source_is_refused(writer: Writer) -> None:
    with FakeArgoCd([app("shop", 0)]) as server:
        done = writer.collect(server, "till")
    assert (done.returncode, "not recorded" in done.stderr) == (2, True), done.stderr


FIRST = "ledger/argocd-shop/00000001.dsse.json"
OTHER = "ledger/aws-123456789012/00000001.dsse.json"
Call = Callable[[Any, str], object]
NEVER: dict[str, Call] = {
    "delete its own": lambda s3, b: s3.delete_object(Bucket=b, Key=FIRST),
    "delete a version of its own": lambda s3, b: s3.delete_object(
        Bucket=b,
        Key=FIRST,
        VersionId=s3.list_object_versions(Bucket=b, Prefix=FIRST)["Versions"][0]["VersionId"],
    ),
    "write another source's ledger": lambda s3, b: s3.put_object(Bucket=b, Key=OTHER, Body=b"x"),
    "write another source's day": lambda s3, b: s3.put_object(
        Bucket=b, Key="daily/2026-11-23/aws-123456789012/run/control-status.json", Body=b"x"
    ),
    "write a document": lambda s3, b: s3.put_object(Bucket=b, Key="manual/x/y", Body=b"x"),
    "read another source's": lambda s3, b: s3.get_object(Bucket=b, Key=OTHER),
    "read its own answers": lambda s3, b: s3.get_object(
        Bucket=b, Key="daily/2026-11-23/argocd-shop/run/answers/change_management.ndjson"
    ),
    "list another source's": lambda s3, b: s3.list_object_versions(
        Bucket=b, Prefix="ledger/aws-123456789012/"
    ),
    "list everything": lambda s3, b: s3.list_object_versions(Bucket=b),
    "shorten a lock": lambda s3, b: s3.put_object_retention(
        Bucket=b, Key=FIRST, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": "2026-11-24"}
    ),
    "change the lock": lambda s3, b: s3.put_object_lock_configuration(Bucket=b),
    "change the policy": lambda s3, b: s3.put_bucket_policy(Bucket=b, Policy="{}"),
}  # fmt: skip


@pytest.mark.parametrize("name", NEVER)
def test_can_do_nothing_else_in_the_vault(writer: Writer, name: str) -> None:
    with pytest.raises(ClientError) as refused:
        NEVER[name](writer.client("s3"), writer.bucket)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_what_it_would_write_over_is_still_there(writer: Writer) -> None:
    """A write without the condition adds a version; the first one stays, locked, and is the one read."""
    s3, root = writer.client("s3"), writer.aws.client("s3")
    before = root.get_object(Bucket=writer.bucket, Key=FIRST)
    s3.put_object(Bucket=writer.bucket, Key=FIRST, Body=b"another")
    kept = root.get_object(Bucket=writer.bucket, Key=FIRST, VersionId=before["VersionId"])
    assert kept["Body"].read() == before["Body"].read()
    assert kept["ObjectLockMode"] == "GOVERNANCE"


def test_nobody_else_signs_with_its_key(writer: Writer) -> None:
    administrator = writer.aws.client("kms", keys=writer.aws.administrator())
    sign = {
        "KeyId": writer.key,
        "Message": b"0" * 32,
        "MessageType": "DIGEST",
        "SigningAlgorithm": "ECDSA_SHA_256",
    }
    with pytest.raises(ClientError, match="AccessDenied"):
        administrator.sign(**sign)
    assert writer.client("kms").sign(**sign)["Signature"]
    with pytest.raises(ClientError, match="AccessDenied"):
        writer.client("kms").disable_key(KeyId=writer.key)
