"""The page of the rules is what the rules say."""

import importlib.util
from pathlib import Path

from cdk_soc2.findings import HELD

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_rules_say() -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec and spec.loader
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    text = generate.RULES.read_text()
    assert text == generate.rules_page(), "stale: run `make docs`"
    assert all(f"`soc2::{rule}`" in text for control in HELD for rule in control.rules)
