"""What a resource may be: a template's conditions decide at deploy time between several shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, cast

Known = Callable[[str], bool | None]
MANY = 5
"""From so many conditions on, not every combination is tried."""

NOTHING = object()
"""What is left of ``AWS::NoValue``."""


def shapes(value: Any, known: Known) -> Iterator[Any]:
    """*value* in every shape that the conditions in it can give it, ``AWS::NoValue`` left out.

    Beyond :data:`MANY` conditions: all met, none met, and each one apart from the rest.
    """
    names = sorted(set(conditions(value)))
    if not names:
        yield value
        return
    told = {name: known(name) for name in names}
    free = [name for name in names if told[name] is None]
    for choice in _choices(len(free)):
        yield shaped(value, {**told, **dict(zip(free, choice, strict=True))})


def conditions(value: Any) -> Iterator[str]:
    """The names of the conditions that decide within *value*."""
    if isinstance(value, list):
        for item in cast(list[Any], value):
            yield from conditions(item)
    elif isinstance(value, Mapping):
        given = cast(Mapping[str, Any], value)
        branches = _branches(given)
        if branches is not None:
            yield branches[0]
        for item in given.values():
            yield from conditions(item)


def shaped(value: Any, met: Mapping[str, bool | None]) -> Any:
    """*value* where each condition is met or not. A branch of ``AWS::NoValue`` is :data:`NOTHING`."""
    if isinstance(value, list):
        items = [shaped(item, met) for item in cast(list[Any], value)]
        return [item for item in items if item is not NOTHING]
    if not isinstance(value, Mapping):
        return value
    given = cast(Mapping[str, Any], value)
    branches = _branches(given)
    if branches is not None:
        name, then, otherwise = branches
        return shaped(then if met[name] else otherwise, met)
    if given == {"Ref": "AWS::NoValue"}:
        return NOTHING
    settled = {key: shaped(item, met) for key, item in given.items()}
    return {key: item for key, item in settled.items() if item is not NOTHING}


def _branches(value: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
    if len(value) == 1 and "Fn::If" in value:
        of = value["Fn::If"]
        if isinstance(of, list) and len(cast(list[Any], of)) == 3 and isinstance(of[0], str):
            return of[0], of[1], of[2]
    return None


def _choices(count: int) -> Iterator[tuple[bool, ...]]:
    if count <= MANY:
        yield from product((True, False), repeat=count)
        return
    for rest in (True, False):
        yield (rest,) * count
        for apart in range(count):
            yield tuple(rest if n != apart else not rest for n in range(count))
