import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from cdk_nag import AwsSolutionsChecks

from cdk_soc2.boundary import parse
from cdk_soc2.constructs import (
    AccountFlowLogs,
    AlertTopic,
    CloudTrail,
    ComplianceBaseline,
    EbsEncryptionByDefault,
    EvidenceCollector,
    EvidenceVault,
    FlowLogs,
    GuardDuty,
    PasswordPolicy,
    S3BlockPublicAccess,
    Soc2Guard,
)
from cdk_soc2.controls import CONTROLS
from stacks.compliance import ComplianceStack
from tests.deploy.synth import ACCOUNT, BREAK_GLASS, NO_FLAGS, OUR_FLAGS, ROOT, app, compliance

SYNTH = {"PYTHONPATH": f"{ROOT}:{ROOT / 'constructs'}"}


def synth_app(outdir: Path, cwd: Path = ROOT, **context: Any) -> subprocess.CompletedProcess[str]:
    """Run app.py as ``cdk synth`` does, with the CDK's own check of templates on."""
    environment = {
        **{k: v for k, v in os.environ.items() if k not in ("CDK_VALIDATION", "PYTEST_VERSION")},
        **SYNTH,
        "CDK_OUTDIR": str(outdir),
        "CDK_CONTEXT_JSON": json.dumps({**OUR_FLAGS, **context}),
    }
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_app_passes_every_check(tmp_path: Path):
    """The CDK's own rules, strictly; cdk-nag; our guard; cfn-lint."""
    done = synth_app(tmp_path, boundary=str(boundary_file(tmp_path)), alert_emails="a@b.example")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
    assert [v for r in report for v in r["violations"]] == []
    lint = subprocess.run(
        # W3005: the CDK says with DependsOn what a reference says already.
        [Path(sys.executable).with_name("cfn-lint"), "-i", "W3005", "--regions", "us-east-1", "--"]
        + [str(path) for path in tmp_path.glob("*.template.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (lint.returncode, lint.stdout) == (0, "")


def boundary_file(folder: Path) -> Path:
    path = folder / "boundary.yaml"
    path.write_text("name: production\nregions: [us-east-1, eu-west-1]\n")
    return path


def test_app_refuses_a_broken_boundary(tmp_path: Path):
    broken = tmp_path / "boundary.yaml"
    broken.write_text("region: [us-east-1]\n")
    done = synth_app(tmp_path / "out", boundary=str(broken))
    assert done.returncode != 0
    assert "did you mean 'regions'?" in done.stderr


def test_app_takes_the_boundary_file_that_lies_beside_it(tmp_path: Path):
    (tmp_path / "boundary.yaml").write_text("region: [us-east-1]\n")
    done = synth_app(tmp_path / "out", cwd=tmp_path)
    assert done.returncode != 0
    assert "did you mean 'regions'?" in done.stderr


@pytest.mark.parametrize(
    "construct",
    [
        AccountFlowLogs,
        CloudTrail,
        ComplianceBaseline,
        EbsEncryptionByDefault,
        EvidenceVault,
        PasswordPolicy,
        S3BlockPublicAccess,
        lambda s, id: FlowLogs(s, id, vpc_ids=["vpc-0abc"]),
        lambda s, id: GuardDuty(s, id, topic=AlertTopic(s, "Alerts").topic, regions="all"),
    ],
)
@pytest.mark.parametrize("flags", [OUR_FLAGS, NO_FLAGS], ids=["our flags", "no flags"])
def test_single_constructs_pass_in_your_stack(construct: Any, flags: dict[str, Any]):
    it = app(flags)
    construct(cdk.Stack(it, "Yours"), "Ours")
    Soc2Guard.add_to(it)
    cdk.Validations.of(it).add_plugins(AwsSolutionsChecks(it))
    it.synth()


def test_collector_passes_in_your_stack():
    it = app(NO_FLAGS)
    stack = cdk.Stack(it, "Yours", env=cdk.Environment(account=ACCOUNT, region="eu-west-1"))
    EvidenceCollector(stack, "Ours", vault=EvidenceVault(stack, "Vault"))
    Soc2Guard.add_to(it)
    cdk.Validations.of(it).add_plugins(AwsSolutionsChecks(it))
    it.synth()


def test_every_acknowledgement_has_its_full_name_and_a_reason(tmp_path: Path):
    it = cdk.App(context=OUR_FLAGS, outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    ComplianceStack(it, "Compliance")
    cdk.Validations.of(it).add_plugins(AwsSolutionsChecks(it))
    it.synth()
    report = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
    [nag] = [r for r in report if r["pluginName"] == "AwsSolutions"]
    accepted = nag["suppressedViolations"]
    assert accepted
    # A short id would vanish from the report, and with it the reason.
    assert all(a["acknowledgedId"].startswith("AwsSolutions::AwsSolutions-") for a in accepted)
    assert all(len(a["reason"]) > 40 for a in accepted)
    metadata = (tmp_path / "Compliance.metadata.json").read_text()
    used = {a["acknowledgedId"] for a in accepted}
    given = set(_acknowledged(json.loads(metadata)))
    assert given == used


def _acknowledged(node: Any) -> Any:
    """Every id acknowledged anywhere in the stack."""
    if isinstance(node, dict):
        if node.get("type") == "aws:cdk:acknowledged-rules":
            yield from node["data"]
        for value in node.values():
            yield from _acknowledged(value)
    elif isinstance(node, list):
        for value in node:
            yield from _acknowledged(value)


def test_tells_what_the_demo_and_people_need():
    assert set(compliance().outputs) == {
        "AlertTopicArn",
        "CollectorFunctionName",
        "EvidenceBucketName",
        "FlowLogBucketName",
        "SigningKeyId",
        "Source",
        "TrailName",
    }
    assert compliance().outputs["Source"]["Value"] == f"aws-{ACCOUNT}"


def test_records_who_touches_evidence():
    [selector] = compliance().one("AWS::CloudTrail::Trail")["EventSelectors"]
    [vault] = [k for k in compliance().all("AWS::S3::Bucket") if "Vault" in k]
    assert selector["DataResources"][0]["Values"] == [f"arn:aws:s3:::{vault}/"]


def test_makes_every_control_true():
    claimed = {
        key
        for resource in compliance().raw.values()
        for key in [
            *resource.get("Metadata", {}).get("soc2:controls", "").split(),
            *(
                tag["Value"]
                for tag in resource.get("Properties", {}).get("Tags", [])
                if tag["Key"] == "soc2:controls"
            ),
        ]
    }
    # A VPC, secrets and databases are yours to make, and reviews are people's: no stack of ours can
    # make these true for you.
    yours = {"boundary", "secrets_manager", "access_reviews", "backup_verification"}
    assert claimed == {control.key for control in CONTROLS} - yours


@pytest.mark.parametrize("flags", [OUR_FLAGS, NO_FLAGS], ids=["our flags", "no flags"])
def test_what_is_kept_has_the_same_name_for_ever(flags: dict[str, Any], tmp_path: Path):
    """Another logical id would be another resource, beside the one that stays."""
    it = cdk.App(context=flags, outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    ComplianceStack(it, "Compliance")
    it.synth()
    resources = json.loads((tmp_path / "Compliance.template.json").read_text())["Resources"]
    stays = {
        id
        for id, r in resources.items()
        if r.get("DeletionPolicy", "").startswith("Retain") and r["Type"] != "AWS::Logs::LogGroup"
    }
    assert stays == {
        "CloudTrailBucketDFB11A28",
        "CloudTrailBucketPolicyAC26EA97",
        "CloudTrailEC901168",
        "CloudTrailKey2C6775D8",
        "CollectorSigningKeyE0ADD861",
        "FlowLogsBucket87F67F60",
        "FlowLogsBucketPolicy2108052C",
        "VaultBucket0925C477",
        "VaultBucketPolicyACD50CAD",
    }


def test_what_must_stay_stays_when_the_stack_goes():
    stays = {
        (r["Type"], id)
        for id, r in compliance().raw.items()
        if r.get("DeletionPolicy", "Delete").startswith("Retain")
    }
    types = sorted(type for type, _ in stays)
    assert types == [
        "AWS::CloudTrail::Trail",
        "AWS::KMS::Key",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::Logs::LogGroup",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::S3::Bucket",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::S3::BucketPolicy",
        "AWS::S3::BucketPolicy",
    ]


def test_nothing_that_stays_has_a_fixed_name():
    names = {
        id: name
        for id, r in compliance().raw.items()
        if r.get("DeletionPolicy", "Delete").startswith("Retain")
        for key, name in r["Properties"].items()
        if key in ("BucketName", "TrailName", "LogGroupName", "AliasName")
    }
    # Those that must be named end in the id of the stack, which no other deployment has.
    assert all("AWS::StackId" in json.dumps(name) for name in names.values())
    assert not [id for id in names if "Bucket" in id]


@pytest.mark.parametrize(
    ("asked", "protected"), [({}, True), ({"termination_protection": False}, False)]
)
def test_is_protected_from_deletion_unless_asked(asked: dict[str, bool], protected: bool):
    it = app(OUR_FLAGS)
    assert ComplianceStack(it, "Compliance", **asked).termination_protection is protected


def test_boundary_sets_regions_and_break_glass_reaches_every_policy(tmp_path: Path):
    it = cdk.App(outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    ComplianceStack(
        it,
        "Compliance",
        boundary=parse({"regions": ["us-east-1", "eu-west-1"]}),
        break_glass_role_arn=BREAK_GLASS,
    )
    it.synth()
    resources = json.loads((tmp_path / "Compliance.template.json").read_text())["Resources"]
    assert regions_asked_for(resources) == {
        "ebs_encryption": ["us-east-1", "eu-west-1"],
        "guardduty": ["us-east-1", "eu-west-1"],
        "mfa": None,
        "s3_block_public_access": None,
        "vpc_flow_logs": ["us-east-1", "eu-west-1"],
    }
    guarded = {
        id
        for id, r in resources.items()
        if r["Type"] in ("AWS::S3::BucketPolicy", "AWS::KMS::Key") and BREAK_GLASS in json.dumps(r)
    }
    assert len(guarded) == 5  # three buckets, the trail's key and the signing key


def test_without_a_boundary_every_region_is_asked_for():
    asked = regions_asked_for(compliance().raw)
    assert {asked[key] for key in ("ebs_encryption", "guardduty", "vpc_flow_logs")} == {"all"}


def regions_asked_for(resources: dict[str, Any]) -> dict[str, Any]:
    return {
        r["Properties"]["Setting"]: r["Properties"].get("Regions")
        for r in resources.values()
        if r["Type"] == "Custom::AccountSetting"
    }
