"""Rules look at what they are handed and nothing else, as the other pure rooms do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_walls import PACKAGE, test_the_pure_rooms_do_no_input_or_output

PURE = [
    "claims.py",
    "conditions.py",
    "documents.py",
    "exceptions.py",
    "findings.py",
    "intrinsics.py",
]
ROOMS = [
    *(PACKAGE / name for name in (*PURE, "rule.py", "sam.py", "template.py")),
    *PACKAGE.glob("controls/*/rules*.py"),
    PACKAGE / "controls/secrets_manager/plaintext.py",
    PACKAGE / "controls/image_scanning/runtimes.py",
]


@pytest.mark.parametrize("path", ROOMS, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_input_and_no_output(path: Path) -> None:
    test_the_pure_rooms_do_no_input_or_output(path)


@pytest.mark.parametrize("path", ROOMS, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_is_read_in_one_go(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 260
