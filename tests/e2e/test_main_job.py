"""The main job in the local AWS: deployed, collected under its own role, locked, verified."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_soc2.controls import CONTROLS
from cdk_soc2.controls.evidence.control import ON_THE_VAULT
from local.launch import ACCOUNT
from tests.e2e.conftest import Deployed

pytestmark = pytest.mark.local_aws

NOTHING_OF_THE_KIND = (
    *("ebs_volumes", "rds_encryption", "backups", "secrets_rotation", "evidence_schedule"),
)
PEOPLE_MUST = ("identity_provider_mfa", "access_review", "restore_test")
GOOD = {
    id: "NOT_APPLICABLE"
    if id in NOTHING_OF_THE_KIND
    else "UNKNOWN"
    if id in PEOPLE_MUST
    else "PASS"
    for c in CONTROLS
    for id in c.checks
}


def test_after_the_deploy_every_check_passes(deployed: Deployed) -> None:
    status = deployed.collect()
    checks = {
        id: check["status"]
        for control in status["controls"].values()
        for id, check in control["checks"].items()
    }
    assert checks == GOOD
    assert status["regions"]["collected"] == ["us-east-1", "eu-west-1"]


def test_the_statement_names_the_code_that_lambda_runs_and_the_role(deployed: Deployed) -> None:
    collector = deployed.collect()["collector"]
    function = deployed.client("lambda").get_function(
        FunctionName=deployed.outputs["CollectorFunctionName"]
    )["Configuration"]
    role = function["Role"].rsplit("/", 1)[1]
    assert f":assumed-role/{role}/" in collector["principal_arn"]
    assert collector["code_sha256"] == base64.b64decode(function["CodeSha256"]).hex()


def test_verify_trusts_the_key_that_the_owner_names_and_no_other(deployed: Deployed) -> None:
    deployed.collect()
    der = deployed.client("kms").get_public_key(KeyId=deployed.outputs["SigningKeyId"])["PublicKey"]
    vault, key = f"s3://{deployed.bucket}", hashlib.sha256(der).hexdigest()
    trusted = deployed.soc2("verify", vault, "--key", key, "--source", f"aws-{ACCOUNT}", "--json")
    assert (trusted.returncode, json.loads(trusted.stdout)["trust"]) == (0, "trusted")
    asserted = deployed.soc2("verify", vault, "--json")
    assert (asserted.returncode, json.loads(asserted.stdout)["trust"]) == (0, "self-asserted")
    foreign = deployed.soc2("verify", vault, "--key", f"aws-{ACCOUNT}={'0' * 64}", "--json")
    assert foreign.returncode == 1
    assert {f["kind"] for f in json.loads(foreign.stdout)["findings"]} == {"key"}


BROKEN: dict[str, tuple[str, Callable[[Deployed], Any], Callable[[Deployed], Any]]] = {
    "encryption off in one region": (
        "ebs_encryption",
        lambda d: d.client("ec2", region="eu-west-1").disable_ebs_encryption_by_default(),
        lambda d: d.client("ec2", region="eu-west-1").enable_ebs_encryption_by_default(),
    ),
    "encryption off at home": (
        "ebs_encryption",
        lambda d: d.client("ec2").disable_ebs_encryption_by_default(),
        lambda d: d.client("ec2").enable_ebs_encryption_by_default(),
    ),
    "logging stopped": (
        "cloudtrail",
        lambda d: d.client("cloudtrail").stop_logging(Name=d.outputs["TrailName"]),
        lambda d: d.client("cloudtrail").start_logging(Name=d.outputs["TrailName"]),
    ),
    "reads left out": (
        "cloudtrail",
        lambda d: select(d, "WriteOnly"),
        lambda d: select(d, "All"),
    ),
    "one region only": (
        "cloudtrail",
        lambda d: trail(d, IsMultiRegionTrail=False),
        lambda d: trail(d, IsMultiRegionTrail=True),
    ),
    "validation off": (
        "cloudtrail_validation",
        lambda d: trail(d, EnableLogFileValidation=False),
        lambda d: trail(d, EnableLogFileValidation=True),
    ),
    "detector suspended": (
        "guardduty",
        lambda d: detector(d, "eu-west-1", Enable=False),
        lambda d: detector(d, "eu-west-1", Enable=True),
    ),
    "a severe finding": (
        "guardduty_findings",
        lambda d: sample(d),
        lambda d: archive(d),
    ),
    "a VPC without flow log": (
        "vpc_flow_logs",
        lambda d: d.client("ec2").create_vpc(CidrBlock="10.77.0.0/16"),
        lambda d: [
            d.client("ec2").delete_vpc(VpcId=v["VpcId"])
            for v in d.client("ec2").describe_vpcs()["Vpcs"]
            if v["CidrBlock"] == "10.77.0.0/16"
        ],
    ),
    "public buckets allowed": (
        "s3_block_public_access",
        lambda d: d.client("s3control").delete_public_access_block(AccountId=ACCOUNT),
        lambda d: block(d),
    ),
    "public policies allowed": (
        "s3_block_public_access",
        lambda d: block(d, BlockPublicPolicy=False),
        lambda d: block(d),
    ),
    "short passwords": (
        "password_policy",
        lambda d: d.client("iam").update_account_password_policy(MinimumPasswordLength=8),
        lambda d: passwords(d),
    ),
    "no password policy": (
        "password_policy",
        lambda d: d.client("iam").delete_account_password_policy(),
        lambda d: passwords(d),
    ),
    "lock shortened": (
        "evidence_store",
        lambda d: lock(d, Days=30),
        lambda d: lock(d, Days=730),
    ),
}


def trail(deployed: Deployed, **setting: bool) -> None:
    deployed.client("cloudtrail").update_trail(Name=deployed.outputs["TrailName"], **setting)


def detector_id(deployed: Deployed, region: str = "us-east-1") -> str:
    client = deployed.client("guardduty", region=region)
    return str(client.list_detectors()["DetectorIds"][0])


def detector(deployed: Deployed, region: str, **setting: bool) -> None:
    client = deployed.client("guardduty", region=region)
    client.update_detector(DetectorId=detector_id(deployed, region), **setting)


def sample(deployed: Deployed) -> None:
    deployed.client("guardduty").create_sample_findings(
        DetectorId=detector_id(deployed), FindingTypes=[SEVERE_TYPE]
    )


def archive(deployed: Deployed) -> None:
    client, id = deployed.client("guardduty"), detector_id(deployed)
    client.archive_findings(
        DetectorId=id, FindingIds=client.list_findings(DetectorId=id)["FindingIds"]
    )


def block(deployed: Deployed, **flags: bool) -> None:
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    deployed.client("s3control").put_public_access_block(
        AccountId=ACCOUNT,
        PublicAccessBlockConfiguration={name: flags.get(name, True) for name in names},
    )


def passwords(deployed: Deployed) -> None:
    kinds = ("LowercaseCharacters", "UppercaseCharacters", "Numbers", "Symbols")
    deployed.client("iam").update_account_password_policy(
        MinimumPasswordLength=14,
        PasswordReusePrevention=24,
        **{f"Require{kind}": True for kind in kinds},
    )


def select(deployed: Deployed, kind: str) -> None:
    cloudtrail, name = deployed.client("cloudtrail"), deployed.outputs["TrailName"]
    there = cloudtrail.get_event_selectors(TrailName=name)["EventSelectors"]
    changed = [{**selector, "ReadWriteType": kind} for selector in there]
    cloudtrail.put_event_selectors(TrailName=name, EventSelectors=changed)


def lock(deployed: Deployed, **retention: int) -> None:
    deployed.client("s3").put_object_lock_configuration(
        Bucket=deployed.bucket,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", **retention}},
        },
    )


SEVERE_TYPE = "CryptoCurrency:EC2/BitcoinTool.B!DNS"  # 8.0
ALSO = {
    # Of no multi-region trail it can be said that it validates.
    "one region only": {"cloudtrail_validation": "FAIL"},
    # Where nothing looks, no finding is no news.
    "detector suspended": {"guardduty_findings": "UNKNOWN"},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_control_fails_and_nothing_else(name: str, deployed: Deployed) -> None:
    check, break_it, mend_it = BROKEN[name]
    break_it(deployed)
    try:
        assert deployed.verdicts() == {**GOOD, check: "FAIL", **ALSO.get(name, {})}
    finally:
        mend_it(deployed)
    assert deployed.verdicts() == GOOD


def statements(deployed: Deployed) -> Iterator[dict[str, Any]]:
    """Every statement of the deployed role, whether CDK put it in an inline or a managed policy."""
    iam, role = deployed.client("iam"), role_name(deployed)
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield from iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"][
            "Statement"
        ]
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)
        yield from document["PolicyVersion"]["Document"]["Statement"]


def role_name(deployed: Deployed) -> str:
    function = deployed.client("lambda").get_function_configuration(
        FunctionName=deployed.outputs["CollectorFunctionName"]
    )
    return str(function["Role"]).rsplit("/", 1)[1]


def actions(statement: dict[str, Any]) -> set[str]:
    given = statement["Action"]
    return {given} if isinstance(given, str) else set(given)


WRITES = {
    "kms:Decrypt",  # of the alert topic's key, to publish
    "kms:GenerateDataKey",
    "kms:GetPublicKey",
    "kms:Sign",
    "lambda:GetFunctionConfiguration",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:ListBucketVersions",
    "s3:PutObject",
    "sns:Publish",
    "sqs:SendMessage",
}


def test_the_role_may_do_what_the_controls_declare_and_what_recording_needs(
    deployed: Deployed,
) -> None:
    found = list(statements(deployed))
    declared = {action for control in CONTROLS for action in control.reads}
    granted = set[str]().union(*(actions(s) for s in found))
    assert granted == declared | WRITES
    assert not [a for a in granted if "*" in a]
    everywhere = [actions(s) for s in found if s["Resource"] in ("*", ["*"])]
    assert set[str]().union(*everywhere) == declared - set(ON_THE_VAULT)


NEEDED_BY: dict[str, set[str]] = {
    "cloudtrail:DescribeTrails": {"cloudtrail", "cloudtrail_validation"},
    "cloudtrail:GetTrailStatus": {"cloudtrail"},
    "cloudtrail:GetEventSelectors": {"cloudtrail"},
    "cloudtrail:LookupEvents": {"guardduty_review"},
    "ec2:DescribeNetworkInterfaces": {"network_segmentation"},
    "ec2:DescribeVpcs": {"network_segmentation", "vpc_flow_logs"},
    "ec2:DescribeFlowLogs": {"vpc_flow_logs"},
    "ec2:DescribeVolumes": {"ebs_volumes"},
    "ec2:GetEbsEncryptionByDefault": {"ebs_encryption"},
    "guardduty:GetDetector": {"guardduty", "guardduty_findings"},
    "guardduty:GetFindings": {"guardduty_review"},
    "guardduty:ListDetectors": {"guardduty", "guardduty_findings", "guardduty_review"},
    "guardduty:ListFindings": {"guardduty_findings", "guardduty_review"},
    "iam:GenerateCredentialReport": {"mfa", "root_access_keys", "console_users", "access_keys"},
    "iam:GetCredentialReport": {"mfa", "root_access_keys", "console_users", "access_keys"},
    "iam:GetAccountSummary": {"mfa", "root_access_keys"},
    "iam:GetAccountPasswordPolicy": {"password_policy"},
    "iam:ListUsers": {"mfa", "console_users", "access_keys"},
    "iam:GetAccountAuthorizationDetails": {"unused_roles"},
    "rds:DescribeDBInstances": {"rds_encryption", "backups"},
    "rds:DescribeDBClusters": {"rds_encryption", "backups"},
    "secretsmanager:ListSecrets": {"secrets_rotation"},
    "s3:GetAccountPublicAccessBlock": {"s3_block_public_access"},
    **{action: {"evidence_store"} for action in ON_THE_VAULT},
}
# The others are asked only where there is something to ask about, which an empty account has not,
# and regions only where the boundary lists none.


@contextmanager
def without(deployed: Deployed, action: str) -> Iterator[None]:
    iam, role = deployed.client("iam"), role_name(deployed)
    before = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    try:
        for name, document in before.items():
            kept = [
                {**s, "Action": left}
                for s in document["Statement"]
                if (left := sorted(actions(s) - {action}))
            ]
            changed = json.dumps({**document, "Statement": kept})
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=changed)
        yield
    finally:
        for name, document in before.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


@pytest.mark.parametrize("action", sorted({a for c in CONTROLS for a in c.reads}))
def test_without_one_action_exactly_the_checks_that_need_it_are_unknown(
    action: str, deployed: Deployed
) -> None:
    if action == "guardduty:GetFindings":
        sample(deployed)  # which is needed only where there is one to get
        archive(deployed)
    with without(deployed, action):
        status = deployed.collect()
    unknown = {
        id: check
        for control in status["controls"].values()
        for id, check in control["checks"].items()
        if check["status"] != GOOD[id]
    }
    assert {id: check["status"] for id, check in unknown.items()} == dict.fromkeys(
        NEEDED_BY.get(action, set()), "UNKNOWN"
    )
    for check in unknown.values():
        assert any(action in str(o.get("remedy")) for o in check["observations"])


def test_evidence_can_be_neither_deleted_nor_unlocked_nor_overwritten(deployed: Deployed) -> None:
    """By an administrator: the emulator's root is bound by no policy, which AWS's is."""
    deployed.collect()
    s3 = deployed.client("s3", keys=deployed.aws.administrator())
    bucket = deployed.bucket
    version = s3.list_object_versions(Bucket=bucket, Prefix="ledger/")["Versions"][0]
    this = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
    attempts: list[Callable[[], Any]] = [
        lambda: s3.delete_object(**this),
        lambda: s3.delete_object(**this, BypassGovernanceRetention=True),
        lambda: s3.put_object_retention(
            **this, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": "2026-11-24T00:00:00Z"},
            BypassGovernanceRetention=True,
        ),
        lambda: s3.put_object_lock_configuration(
            Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
        ),
        lambda: s3.delete_bucket_policy(Bucket=bucket),
        lambda: s3.delete_object(Bucket=bucket, Key=version["Key"]),
        lambda: s3.put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}
        ),
    ]  # fmt: skip
    for attempt in attempts:
        with pytest.raises(ClientError) as refused:
            attempt()
        assert refused.value.response["Error"]["Code"] in ("AccessDenied", "InvalidBucketState")


def test_collectors_at_once_make_a_statement_each_and_no_fork(deployed: Deployed) -> None:
    ledger = {"Bucket": deployed.bucket, "Prefix": f"ledger/aws-{ACCOUNT}/"}
    before = len(deployed.client("s3").list_object_versions(**ledger)["Versions"])
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: deployed.collect(), range(6)))
    after = deployed.client("s3").list_object_versions(**ledger)["Versions"]
    assert len({v["Key"] for v in after}) == len(after) == before + 6
    assert deployed.soc2("verify", f"s3://{deployed.bucket}").returncode == 0


def test_an_alert_is_told(deployed: Deployed) -> None:
    sqs, sns = deployed.client("sqs"), deployed.client("sns")
    queue = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}}
    policy = {"Statement": [{**allow, "Action": "sqs:SendMessage", "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    sns.subscribe(TopicArn=deployed.outputs["AlertTopicArn"], Protocol="sqs", Endpoint=arn)
    deployed.client("ec2").disable_ebs_encryption_by_default()
    try:
        deployed.collect()
        [message] = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    finally:
        deployed.client("ec2").enable_ebs_encryption_by_default()
    told = json.loads(message["Body"])
    assert "1 failed" in told["Subject"]
    assert "FAIL ebs_encryption (was PASS)" in told["Message"]
    assert "Turn on EBS encryption by default in us-east-1." in told["Message"]


def test_an_administrator_can_neither_disable_nor_use_the_signing_key(deployed: Deployed) -> None:
    kms = deployed.client("kms", keys=deployed.aws.administrator())
    key = deployed.outputs["SigningKeyId"]
    attempts: list[Callable[[], Any]] = [
        lambda: kms.disable_key(KeyId=key),
        lambda: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7),
        lambda: kms.put_key_policy(KeyId=key, PolicyName="default", Policy="{}"),
        lambda: kms.sign(KeyId=key, Message=b"forged", SigningAlgorithm="ECDSA_SHA_256"),
    ]
    for attempt in attempts:
        with pytest.raises(ClientError) as refused:
            attempt()
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
