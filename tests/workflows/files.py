"""Every workflow of this repository, and every one that ``soc2 init`` places, read once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
OURS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TEMPLATES = ROOT / "constructs/cdk_soc2/templates"
PLACED = sorted((TEMPLATES / "workflows").glob("*.yml"))
ALL = [*OURS, *PLACED]


@cache
def workflow(path: Path) -> dict[str, Any]:
    """YAML reads the key ``on`` as true; here it is called what it is."""
    body = yaml.safe_load(path.read_text())
    return {"on" if k is True else k: v for k, v in body.items()}


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    return workflow(path)["jobs"]


def steps(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in jobs(path).items():
        for step in job["steps"]:
            yield name, step


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))
