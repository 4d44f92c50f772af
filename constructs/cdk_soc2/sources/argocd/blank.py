"""What of Argo CD's answers must not enter a vault that nobody can delete from: values that may be
secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

BLANK = "(not kept)"

# Whose values people set for their charts and plugins, and what repeats them.
WHOLE = ("values", "valuesObject", "manifests", "kubectl.kubernetes.io/last-applied-configuration")
NAMED = ("parameters", "env", "extVars", "tlas")  # lists of {name, value}: the name stays


def blanked(value: Any) -> Any:
    """*value* with a mark in the place of everything that may be a secret."""
    if isinstance(value, list):
        return [blanked(v) for v in cast(list[Any], value)]
    if not isinstance(value, Mapping):
        return value
    fields = cast(Mapping[str, Any], value)
    return {k: _field(k, v) for k, v in fields.items()}


def _field(name: str, value: Any) -> Any:
    if name in WHOLE and value:
        return BLANK
    if name in NAMED and isinstance(value, list):
        return [_but_name(v) for v in cast(list[Any], value)]
    return blanked(value)


def _but_name(item: Any) -> Any:
    if not isinstance(item, Mapping):
        return BLANK
    fields = cast(Mapping[str, Any], item)
    return {k: v if k == "name" else BLANK for k, v in fields.items()}
