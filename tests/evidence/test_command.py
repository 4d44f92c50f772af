"""``soc2 verify`` as it is called: its data, its words, its exit status."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cdk_soc2.evidence.folder import FolderStore
from tests.evidence.vault import OTHER, SOURCE, fill, folder, key, record

STATUS = folder(2) + "control-status.json"


def soc2(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = "from cdk_soc2.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "verify", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vault")
    fill(FolderStore(path), 3)
    return path


def test_good_evidence(vault: Path) -> None:
    done = soc2(str(vault))
    assert done.returncode == 0
    assert f"--key {SOURCE}={key(SOURCE).keyid}" in done.stdout
    assert "everything holds" in done.stderr
    assert "Self-asserted" in done.stderr


def test_json(vault: Path) -> None:
    done = soc2(str(vault), "--json", "--source", SOURCE, "--key", key(SOURCE).keyid)
    result = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (result["ok"], result["trust"], result["findings"]) == (True, "trusted", [])
    [source] = result["sources"]
    assert {k: source[k] for k in ("source", "statements", "first", "last", "key")} == {
        "source": SOURCE,
        "statements": 3,
        "first": 1,
        "last": 3,
        "key": key(SOURCE).keyid,
    }


def test_a_finding(tmp_path: Path) -> None:
    fill(FolderStore(tmp_path), 2, (SOURCE,))
    (tmp_path / STATUS).write_bytes(b"{}")
    (tmp_path / folder(2) / "\x1b[31mred\n").write_bytes(b"")
    done = soc2(str(tmp_path))
    assert done.returncode == 1
    assert f"tampered: {STATUS}: " in done.stdout
    assert "\x1b" not in done.stdout
    [finding, _] = json.loads(soc2(str(tmp_path), "--json").stdout)["findings"][::-1]
    assert set(finding) == {"kind", "source", "sequence", "path", "detail"}


def test_a_head_without_a_source(tmp_path: Path) -> None:
    first = record(FolderStore(tmp_path), 1, key(SOURCE))
    record(FolderStore(tmp_path), 2, key(SOURCE))
    done = soc2(str(tmp_path), "--head", first.digest)
    assert (done.returncode, "statements 1 to 1, not" in done.stderr) == (0, True)
    (tmp_path / first.name).unlink()
    assert soc2(str(tmp_path), "--head", first.digest).returncode == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "aws-1"], "no source 'aws-1'"),
        (["--key", "0" * 64], f"which source?.*{OTHER}"),
        (["--head", f"{SOURCE}=12"], "64 hex digits"),
        (["--from", "2026-09-02", "--to", "2026-09-01"], "is after"),
        (["--from", "yesterday"], "yesterday"),
    ],
)
def test_could_not(vault: Path, arguments: list[str], words: str) -> None:
    done = soc2(str(vault), *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(words, done.stderr.replace("\n", " "))


@pytest.mark.parametrize("address", ["none", "gs://bucket", "s3://bucket/prefix", "s3://"])
def test_no_vault(tmp_path: Path, address: str) -> None:
    done = soc2(address if ":" in address else str(tmp_path / address))
    assert (done.returncode, done.stdout) == (2, "")
    assert address in done.stderr


def test_a_whole_source_gone_whose_head_is_known(vault: Path) -> None:
    done = soc2(str(vault), "--source", "aws-1", "--head", "0" * 64)
    assert (done.returncode, "missing: ledger/aws-1/" in done.stdout) == (1, True)
