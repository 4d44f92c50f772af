"""The commands that the format's page gives an auditor are run here as they stand."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cdk_soc2.evidence.folder import FolderStore
from tests.evidence.vault import fill, folder, key

PAGE = Path(__file__).parents[2] / "docs" / "evidence-format.md"
COMMANDS = "".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL))
SOURCE = "aws-123456789012"

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("openssl", "jq", "sha256sum"))), reason="the auditor's tools"
)


def by_hand(vault: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", COMMANDS], cwd=vault, capture_output=True, text=True, check=False
    )


def test_the_page_verifies_a_statement(tmp_path: Path) -> None:
    fill(FolderStore(tmp_path), 3, (SOURCE,))
    lines = by_hand(tmp_path).stdout.splitlines()
    assert lines == [
        "Verified OK",
        key(SOURCE).keyid,
        key(SOURCE).keyid,
        f"{folder(2)}control-status.json: OK",
        f"{folder(2)}answers/control-0.ndjson: OK",
        f"ledger/{SOURCE}/00000001.dsse.json: OK",
    ]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (f"ledger/{SOURCE}/00000001.dsse.json", "00000001.dsse.json: FAILED"),
        (f"ledger/{SOURCE}/00000002.dsse.json", "Verification failure"),
        (f"{folder(2)}control-status.json", "control-status.json: FAILED"),
    ],
)
def test_the_page_finds_a_changed_byte(tmp_path: Path, name: str, says: str) -> None:
    fill(FolderStore(tmp_path), 3, (SOURCE,))
    body = bytearray((tmp_path / name).read_bytes())
    body[200 if name.startswith("ledger") else 5] ^= 1
    (tmp_path / name).write_bytes(body)
    done = by_hand(tmp_path)
    assert says in done.stdout + done.stderr
