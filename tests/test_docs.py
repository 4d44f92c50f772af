"""What the docs say is what the code does."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_controls_page_is_what_the_controls_say() -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec and spec.loader
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.PAGE.read_text() == generate.page(), "stale: run `make docs`"
