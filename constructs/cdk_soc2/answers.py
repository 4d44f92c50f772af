"""Reads the fields of a service's answer, and says so when one is not what the service promises.

A missing field is not ``false`` and null is not a verdict: a check that meets one is ``UNKNOWN``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from cdk_soc2.verdict import CannotLook

T = TypeVar("T")


def malformed(what: str) -> CannotLook:
    return CannotLook(
        f"malformed answer: {what}",
        "Read the raw answers of this run; run again; if it stays, report it to cdk-soc2.",
    )


def want(answer: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """The field *name*, which must be of *kind*. Raises :class:`CannotLook`."""
    value = answer.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise malformed(f"{name} is {value!r}, not a {kind.__name__}")
    return value


def may(answer: Mapping[str, Any], name: str, kind: type[T]) -> T | None:
    """The field *name*; ``None`` where the service leaves it out. Raises :class:`CannotLook`."""
    return want(answer, name, kind) if answer.get(name) is not None else None


def when(answer: Mapping[str, Any], name: str) -> datetime | None:
    """The time in the field *name*, UTC; ``None`` where the service leaves it out."""
    value = may(answer, name, datetime)
    if value is not None and value.tzinfo is None:
        raise malformed(f"{name} is {value}, without a time zone")
    return value.astimezone(UTC) if value else None


def records(answer: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The list of records in the field *name*. Raises :class:`CannotLook`."""
    items = want(answer, name, list)
    for item in cast(list[Any], items):
        if not isinstance(item, Mapping):
            raise malformed(f"{name} holds {item!r}, not a record")
    return cast(list[Mapping[str, Any]], items)
