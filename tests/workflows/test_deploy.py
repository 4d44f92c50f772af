"""The deploy workflow's own scripts, run against the local AWS: what was approved is deployed, and
nothing else."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.launch import ACCOUNT, LocalAws
from tests.workflows.files import ROOT
from tests.workflows.runner import Runner, StepFailed

pytestmark = [pytest.mark.local_aws, pytest.mark.judge]

DEPLOY = ROOT / ".github/workflows/deploy.yml"
APP = """
import aws_cdk as cdk
from aws_cdk import aws_s3_assets as assets, aws_ssm as ssm
app = cdk.App(builtin_cloud_formation_validation=False)
stack = cdk.Stack(app, "Shop")
ssm.StringParameter(stack, "Parameter", parameter_name="/shop", string_value="{value}")
assets.Asset(stack, "Asset", path="app.py")
app.synth()
"""


def repository(value: str) -> dict[str, str]:
    return {"app.py": APP.format(value=value), "cdk.json": '{"app": "python3 app.py"}'}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        subprocess.run(
            [ROOT / "node_modules/.bin/cdk", "bootstrap", f"aws://{ACCOUNT}/{running.region}"],
            env={**os.environ, **running.env},
            cwd=running.log_path.parent,
            check=True,
            capture_output=True,
        )
        yield running


def run_of(aws: LocalAws, scratch: Path, value: str) -> Runner:
    """A run that stands before its approval."""
    run = Runner(DEPLOY, scratch / value, aws.env, repository(value))
    run.job("synth")
    run.job("diff")
    return run


def deployed(aws: LocalAws) -> str:
    return aws.client("ssm").get_parameter(Name="/shop")["Parameter"]["Value"]


def test_what_was_approved_is_deployed(aws: LocalAws, tmp_path: Path) -> None:
    first = run_of(aws, tmp_path, "one")
    assert (
        first.outputs["synth"]["digest"] in first.summary and "Parameter9E1B4FBA" in first.summary
    )
    first.files = {"app.py": "raise SystemExit('the app runs once, before the approval')"}
    first.job("deploy")
    assert deployed(aws) == "one"

    second = run_of(aws, tmp_path, "two")
    assert "[-] one" in second.summary and "[+] two" in second.summary
    assert deployed(aws) == "one"
    second.job("deploy")
    assert deployed(aws) == "two"


def test_other_bytes_than_the_approved_are_refused(aws: LocalAws, tmp_path: Path) -> None:
    run_of(aws, tmp_path, "good").job("deploy")
    run = run_of(aws, tmp_path, "better")
    assembly = run.artifacts / "assembly/assembly.tar"
    assembly.write_bytes(assembly.read_bytes().replace(b"better", b"worse!"))
    with pytest.raises(StepFailed) as failed:
        run.job("deploy")
    assert failed.value.name == "Unpack what was approved" and deployed(aws) == "good"


def test_an_account_that_changed_since_the_approval_is_left_alone(
    aws: LocalAws, tmp_path: Path
) -> None:
    run_of(aws, tmp_path, "before").job("deploy")
    waiting, overtaking = run_of(aws, tmp_path, "waiting"), run_of(aws, tmp_path, "overtaking")
    overtaking.job("deploy")
    with pytest.raises(StepFailed, match="no longer what it was when this was approved"):
        waiting.job("deploy")
    assert deployed(aws) == "overtaking"
