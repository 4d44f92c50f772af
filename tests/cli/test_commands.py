"""The commands as people call them: what goes where, how they end, what they say when they cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cdk_soc2.cli import COMMANDS
from cdk_soc2.controls import CONTROLS
from cdk_soc2.sources.github.controls import GITHUB_CONTROLS

SOC2 = Path(sys.executable).with_name("soc2")
NOWHERE = {
    "AWS_CONFIG_FILE": "/none",
    "AWS_SHARED_CREDENTIALS_FILE": "/none",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}


def soc2(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {n: v for n, v in os.environ.items() if not n.startswith("AWS_")} | NOWHERE
    return subprocess.run(
        [SOC2, *arguments], capture_output=True, text=True, cwd=cwd, env=environment
    )


CANNOT = {
    "no such command": (["colect"], "No such command 'colect'"),
    "no such option": (["collect", "--regoins", "x"], "--regoins"),
    "no such profile": (["collect", "--profile", "nope"], "nope"),
    "no such profile for a bucket": (["verify", "s3://b", "--profile", "nope"], "nope"),
    "no credentials": (["collect"], "Unable to locate credentials"),
    "no such boundary": (["collect", "--boundary", "none.yaml"], "give the path of a boundary file"),
    "no such region": (["collect", "--regions", "Frankfurt"], "'Frankfurt' is not a region's name"),
    "signed and not": (["collect", "--key", "k", "--unsigned"], "exclude each other"),
    "no such vault": (["verify", "none"], "holds no evidence"),
    "no such scheme": (["verify", "gs://bucket"], "neither s3://BUCKET"),
    "a prefix": (["collect", "--vault", "s3://bucket/prefix"], "without a prefix"),
    "a policy for a folder": (["policy", "--vault", "./evidence"], "give s3://NAME"),
    "a policy for nobody": (["policy", "--vault", "s3://b", "--account", "12"], "12 digits"),
}  # fmt: skip


@pytest.mark.parametrize("name", CANNOT)
def test_what_cannot_be_done_ends_with_2_and_a_sentence(name: str, tmp_path: Path) -> None:
    arguments, said = CANNOT[name]
    done = soc2(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""


def test_help_lists_every_command_and_each_has_its_own() -> None:
    listed = soc2("--help").stdout
    for command in COMMANDS:
        assert f"  {command} " in listed
        assert "Usage: soc2 " + command in soc2(command, "--help").stdout


def test_controls_is_the_matrix() -> None:
    rows = json.loads(soc2("controls", "--json").stdout)["checks"]
    listed = sorted((*CONTROLS, *GITHUB_CONTROLS), key=lambda c: c.number)
    assert [row["check"] for row in rows] == [check for c in listed for check in c.checks]
    table = soc2("controls").stdout
    assert all(row["check"] in table for row in rows)


def test_policy_is_what_the_controls_read_and_nothing_of_the_vault() -> None:
    [statement] = json.loads(soc2("policy").stdout)["Statement"]
    assert statement["Effect"] == "Allow" and statement["Resource"] == ["*"]
    assert not [a for a in statement["Action"] if "*" in a or a.startswith("s3:GetBucket")]
    declared = {a for c in CONTROLS for a in c.reads if not a.startswith("s3:GetBucket")}
    assert set(statement["Action"]) == declared


def test_policy_for_a_vault_allows_one_source_to_write_there() -> None:
    printed = soc2("policy", "--vault", "s3://bucket", "--account", "123456789012").stdout
    by_sid = {s["Sid"]: s for s in json.loads(printed)["Statement"]}
    writes = by_sid["AddEvidence"]["Resource"]
    assert "arn:aws:s3:::bucket/ledger/aws-123456789012/*" in writes
    assert all(arn.startswith("arn:aws:s3:::bucket/") for arn in writes)
    actions = {a for s in by_sid.values() for a in s["Action"]}
    assert not {a for a in actions if "Delete" in a or "Bypass" in a or "Retention" in a}


def test_a_reader_that_stops_reading_is_no_crash() -> None:
    piped = subprocess.run(
        ["bash", "-c", f"{SOC2} controls | head -1"], capture_output=True, text=True
    )
    assert "Traceback" not in piped.stderr
