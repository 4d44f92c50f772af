"""The wheel, in environments that have nothing else: light for an auditor, with the CDK for a builder."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from cdk_soc2.evidence.folder import FolderStore
from tests.evidence.vault import fill

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.judge


def call(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run([str(c) for c in command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT)
    [built] = out.glob("*.whl")
    return built


def environment(folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    return folder / "bin"


def test_light(wheel: Path, tmp_path: Path) -> None:
    bin = environment(tmp_path / "light")
    call(bin / "pip", "install", "-q", wheel)
    call(bin / "pip", "check")
    installed = call(bin / "pip", "list", "--format=freeze").lower()
    assert "aws-cdk-lib" not in installed and "jsii" not in installed
    vault = tmp_path / "vault"
    fill(FolderStore(vault))
    told = call(bin / "soc2", "verify", vault, cwd=tmp_path)
    assert "aws-123456789012" in told
    assert "cloudtrail" in call(bin / "soc2", "controls", cwd=tmp_path)
    assert "ec2:GetEbsEncryptionByDefault" in call(bin / "soc2", "policy", cwd=tmp_path)


APP = """
import aws_cdk as cdk
from cdk_soc2.constructs import CloudTrail, EbsEncryptionByDefault, Soc2Guard
from cdk_soc2.stacks.compliance import ComplianceStack

app = cdk.App(outdir="out")
stack = cdk.Stack(app, "Mine")
CloudTrail(stack, "CloudTrail")
EbsEncryptionByDefault(stack, "EbsEncryption")
ComplianceStack(app, "Whole")
Soc2Guard.add_to(app)
app.synth()
"""


def test_with_the_cdk(wheel: Path, tmp_path: Path) -> None:
    bin = environment(tmp_path / "cdk")
    call(bin / "pip", "install", "-q", "--require-hashes", "-r", ROOT / "requirements.txt")
    call(bin / "pip", "install", "-q", "--no-deps", wheel)
    call(bin / "pip", "check")
    (tmp_path / "app.py").write_text(APP)
    call(bin / "python", "app.py", cwd=tmp_path)
    ours = (tmp_path / "out" / "Mine.template.json").read_text()
    assert "AWS::CloudTrail::Trail" in ours and "Custom::AccountSetting" in ours
    assert (tmp_path / "out" / "Whole.template.json").exists()
