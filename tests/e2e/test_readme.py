"""The README's commands and snippets, run as they are printed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Deployed

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.M | re.S)
SHELL = [block for kind, block in BLOCKS if kind == "sh"]
PYTHON = [block for kind, block in BLOCKS if kind == "python"]
pytestmark = pytest.mark.local_aws


def block_with(text: str) -> str:
    [found] = [block for block in SHELL if text in block]
    return found


def sh(
    script: str, deployed: Deployed, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=deployed.environment | environment,
        cwd=cwd,
        text=True,
        capture_output=True,
    )


def reader(deployed: Deployed, policy: str) -> dict[str, str]:
    """An IAM user with the printed policy and nothing else."""
    iam = deployed.client("iam")
    iam.create_user(UserName="reader")
    iam.put_user_policy(UserName="reader", PolicyName="soc2", PolicyDocument=policy)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


def test_look_at_your_own_account_with_the_printed_policy_alone(
    deployed: Deployed, tmp_path: Path
) -> None:
    script = block_with("soc2 collect --vault")
    assert script.splitlines()[0] == "soc2 policy"
    policy = sh("soc2 policy", deployed, tmp_path).stdout
    keys = reader(deployed, policy)
    # 1, not 0: encryption by default is on only in the two regions that the stack was told of.
    tolerant = script.replace("--unsigned", "--unsigned || test $? = 1")
    tolerant = tolerant.replace("readiness ./evidence", "readiness ./evidence || test $? = 1")
    done = sh(tolerant, deployed, tmp_path, **keys)
    assert done.returncode == 0, done.stdout + done.stderr
    [status] = (tmp_path / "evidence").glob("daily/*/*/*/control-status.json")
    checks = [
        check
        for control in json.loads(status.read_text())["controls"].values()
        for check in control["checks"].values()
    ]
    reasons = [o["detail"] for check in checks for o in check["observations"]]
    assert not [r for r in reasons if "was denied" in r], "the printed policy is too small"


def test_give_your_auditor_the_fingerprint(deployed: Deployed, tmp_path: Path) -> None:
    deployed.collect()
    script = block_with("sha256sum").replace("aws kms get-public-key", f"{sys.executable} kms.py")
    # Stands in for the AWS command line, which this project does not install.
    (tmp_path / "kms.py").write_text(
        "import base64, boto3, sys\n"
        "key = sys.argv[sys.argv.index('--key-id') + 1]\n"
        "print(base64.b64encode(boto3.client('kms').get_public_key(KeyId=key)['PublicKey']).decode())"
    )
    script = script.replace("| sha256sum", "| sha256sum | cut -d' ' -f1 > fingerprint")
    script = script.replace('"$FINGERPRINT"', '"$(cat fingerprint)"')
    where = {
        "SIGNING_KEY_ID": deployed.outputs["SigningKeyId"],
        "EVIDENCE_BUCKET": deployed.bucket,
    }
    done = sh(script, deployed, tmp_path, **where)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_deploy_commands_are_those_of_the_fixture() -> None:
    """`cdk bootstrap` and `cdk deploy` with these context values have been run by the fixture."""
    assert "cdk bootstrap\ncdk deploy -c boundary=" in block_with("cdk bootstrap")


@pytest.mark.parametrize("snippet", PYTHON)
def test_single_constructs_in_your_own_stack(snippet: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", snippet],
        env=os.environ | {"CDK_VALIDATION": "false"},
        cwd=tmp_path,
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
