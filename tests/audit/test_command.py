"""``soc2 readiness`` as it is called: its data, its words, its exit status, its speed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cdk_soc2.evidence.folder import FolderStore
from tests.audit.vault import BROKEN, DAY, SECOND, attach_all, run
from tests.evidence.vault import fill
from tests.fakes import ACCOUNT

LAST = f"{DAY + timedelta(days=4)}"
PROGRAM = "from cdk_soc2.cli import main; main()"


def soc2(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "readiness", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five good days; on the third GuardDuty was off."""
    path = tmp_path_factory.mktemp("vault")
    for day in range(1, 6):
        run(FolderStore(path), day, {"guardduty": BROKEN} if day == 3 else None)
    attach_all(FolderStore(path))
    return path


def test_ready(vault: Path) -> None:
    done = soc2(str(vault), "--on", LAST)
    assert done.returncode == 0
    assert "✓ ready" in done.stdout and "✗" not in done.stdout
    assert f"[1] daily/{LAST}/aws-{ACCOUNT}/" in done.stdout
    assert "13 of the 13 questions" in done.stderr


def test_not_ready(vault: Path) -> None:
    done = soc2(str(vault), "--on", f"{DAY + timedelta(days=2)}")
    assert done.returncode == 1
    assert "✗ control" in done.stdout and "→ Mend guardduty." in done.stdout
    assert "12 of the 13 questions" in done.stderr
    assert "Gaps: 1 control" in done.stderr and "Do first (1): guardduty" in done.stderr


def test_json(vault: Path) -> None:
    done = soc2(str(vault), "--json", "--on", LAST, "--sample", "2", "--seed", "a")
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert {"ready", "on", "rows", "samples"} <= told.keys()
    assert (told["ready"], told["on"]) == (True, LAST)
    assert all({"date", "consistent", "detail"} == s.keys() for s in told["samples"])
    again = soc2(str(vault), "--json", "--on", LAST, "--sample", "2", "--seed", "a")
    assert again.stdout == done.stdout


def test_the_newest_day_is_the_default_and_a_collector_that_stopped_is_told(tmp_path: Path) -> None:
    today = (datetime.now(UTC).date() - DAY).days + 1
    run(FolderStore(tmp_path), today - 3)
    attach_all(FolderStore(tmp_path), today - 10)
    told = json.loads(soc2(str(tmp_path), "--json").stdout)
    assert told["on"] == f"{DAY + timedelta(days=today - 4)}"
    assert [r["check"] for r in told["rows"] if not r["ready"]] == ["evidence_schedule"]
    run(FolderStore(tmp_path), today - 1)
    assert soc2(str(tmp_path)).returncode == 0


def test_a_spot_check_that_does_not_fit(vault: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(vault, copy)
    [answers] = copy.glob(f"daily/{DAY}/*/*/answers/mfa.ndjson")
    answers.write_bytes(b"{}\n")
    done = soc2(str(copy), "--on", LAST, "--sample", "5")
    assert (done.returncode, "✗ no" in done.stdout) == (1, True)
    assert "tampered: answers/mfa.ndjson" in " ".join(done.stdout.split())


def test_the_accounts_of_the_boundary(vault: Path, tmp_path: Path) -> None:
    boundary = tmp_path / "boundary.yaml"
    boundary.write_text(f"accounts: ['{ACCOUNT}']\n")
    assert soc2(str(vault), "--on", LAST, "--boundary", str(boundary)).returncode == 0
    boundary.write_text(f"accounts: ['{SECOND}']\n")
    done = soc2(str(vault), "--on", LAST, "--boundary", str(boundary))
    assert (done.returncode, done.stdout) == (2, "")
    boundary.write_text(f"accounts: ['{ACCOUNT}', '{SECOND}']\n")
    done = soc2(str(vault), "--on", LAST, "--boundary", str(boundary), "--json")
    told = json.loads(done.stdout)
    assert f"no run of aws-{SECOND}" in told["rows"][0]["evidence"][0]["detail"]
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--on", f"{DAY - timedelta(days=1)}"], "no evidence of"),
        (["--on", "2999-01-01"], "no evidence of"),
        (["--on", "yesterday"], "yesterday"),
        (["--source", "aws-1"], "no source 'aws-1'"),
        (["--seed", "a"], "--sample"),
        (["--sample", "0"], "0"),
        (["--boundary", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_could_not(vault: Path, arguments: list[str], words: str) -> None:
    done = soc2(str(vault), *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr and "Traceback" not in done.stderr


def test_an_empty_vault(tmp_path: Path) -> None:
    done = soc2(str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds no evidence" in done.stderr


def test_nothing_in_a_vault_steers_the_terminal_or_breaks_the_command(tmp_path: Path) -> None:
    fill(FolderStore(tmp_path), 2)  # its verdicts are not what verdicts should be
    (tmp_path / "daily" / f"{DAY}" / "\x1b[31mred").mkdir()
    done = soc2(str(tmp_path), "--on", f"{DAY}", "--sample", "1")
    assert done.returncode == 1
    assert "\x1b" not in done.stdout + done.stderr and "Traceback" not in done.stderr


def test_a_terminal_without_such_characters(vault: Path) -> None:
    third = f"{DAY + timedelta(days=2)}"
    done = soc2(str(vault), "--on", third, "--sample", "1", PYTHONIOENCODING="ascii")
    assert done.returncode == 1 and done.stdout.isascii()
    assert "- control" in done.stdout and "-> Mend guardduty." in done.stdout


@pytest.mark.judge
def test_a_year_in_two_seconds(tmp_path: Path) -> None:
    for day in range(1, 366):
        run(FolderStore(tmp_path), day)
    for arguments in ([], ["--on", f"{DAY}"], ["--sample", "25"]):
        began = time.monotonic()
        assert soc2(str(tmp_path), *arguments, "--json").returncode == 1
        assert time.monotonic() - began < 2
