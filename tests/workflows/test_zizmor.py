"""zizmor, which knows the ways in which workflows go wrong, has nothing to say about ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflows.files import ROOT

pytestmark = pytest.mark.judge

ZIZMOR = Path(sys.executable).with_name("zizmor")


def audit(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ZIZMOR, "--offline", "--persona", "pedantic", "--no-progress", folder],
        capture_output=True,
        text=True,
    )


def test_this_repository() -> None:
    done = audit(ROOT / ".github")
    assert done.returncode == 0, done.stdout


def test_what_soc2_init_places(tmp_path: Path) -> None:
    soc2 = Path(sys.executable).with_name("soc2")
    subprocess.run([soc2, "init", tmp_path, "--argocd"], check=True, capture_output=True)
    done = audit(tmp_path / ".github")
    assert done.returncode == 0, done.stdout


def test_it_has_teeth(tmp_path: Path) -> None:
    bad = "on: pull_request_target\njobs: {a: {runs-on: x, steps: [{uses: actions/checkout@v4}]}}\n"
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / ".github/workflows/bad.yml").write_text(bad)
    assert audit(tmp_path / ".github").returncode != 0
