"""The emulator refuses a ministack it was not written against, and says what differs."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

EMULATOR = Path(__file__).parents[2] / "local" / "emulator"


def _load_pinned() -> ModuleType:
    """By its path: the emulator's package is not importable where ministack is missing."""
    spec = importlib.util.spec_from_file_location("pinned", EMULATOR / "pinned.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["pinned"] = module
    spec.loader.exec_module(module)
    return module


pinned: Any = _load_pinned()


def complete(module: str) -> object:
    return SimpleNamespace(**dict.fromkeys(pinned.USED[module], 1))


def without(module: str, name: str) -> Callable[[str], object]:
    def load(asked: str) -> object:
        loaded = complete(asked)
        if asked == module:
            delattr(loaded, name)
        return loaded

    return load


def test_known_ministack_is_accepted() -> None:
    pinned.require(version=lambda _: pinned.VERSION, load=complete)


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in pinned.USED.items() for name in names]
)
def test_missing_name_is_named(module: str, name: str) -> None:
    with pytest.raises(pinned.UnknownMinistackError, match=f"{module}.{name}"):
        pinned.require(version=lambda _: pinned.VERSION, load=without(module, name))


def test_missing_module_is_named() -> None:
    def load(asked: str) -> object:
        if asked == "ministack.services.s3":
            raise ModuleNotFoundError(asked)
        return complete(asked)

    with pytest.raises(pinned.UnknownMinistackError, match=r"ministack\.services\.s3"):
        pinned.require(version=lambda _: pinned.VERSION, load=load)


def test_other_version_is_refused() -> None:
    with pytest.raises(pinned.UnknownMinistackError, match=r"ministack 9\.9\.9"):
        pinned.require(version=lambda _: "9.9.9", load=complete)


def test_every_name_used_is_pinned() -> None:
    """Read from the source: what is taken off a ministack module, by its last name."""
    listed = {
        (module.rpartition(".")[2], name) for module, names in pinned.USED.items() for name in names
    }
    used = {found for path in EMULATOR.rglob("*.py") for found in _ministack_names(path)}
    assert used
    assert used == listed


def _ministack_names(path: Path) -> set[tuple[str, str]]:
    tree = ast.parse(path.read_text())
    found: set[tuple[str, str]] = set()
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack"):
            for alias in node.names:
                modules[alias.asname or alias.name] = alias.name
    leaf = {"provisioners", "stacks"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[-1] in leaf:
            found |= {(str(node.module).split(".")[-1], alias.name) for alias in node.names}
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in modules
        ):
            found.add((modules[node.value.id], node.attr))
    return found
