"""Whether an event pattern of EventBridge matches an event of which not everything is known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, cast

Event = Mapping[str, Any]
COMPARE = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def parse(text: str) -> Any:
    """The pattern in *text*. EventBridge tells 7 from 7.0, so they stay apart. Raises ValueError."""
    return json.loads(text, parse_float=Decimal)


def every(verdicts: Iterable[bool | None]) -> bool | None:
    """Are all true? ``None`` when that depends on what is not known."""
    given = list(verdicts)
    return False if False in given else None if None in given else True


def some(verdicts: Iterable[bool | None]) -> bool | None:
    """Is any true? ``None`` when that depends on what is not known."""
    given = list(verdicts)
    return True if True in given else None if None in given else False


def matches(pattern: Any, event: Event) -> bool | None:
    """Does *pattern* match every event with the fields of *event*? ``None``: some, or not known."""
    if not isinstance(pattern, Mapping) or not pattern:
        return None
    return every(_field(k, v, event) for k, v in cast(Mapping[str, Any], pattern).items())


def _field(name: str, wanted: Any, event: Event) -> bool | None:
    if name == "$or":
        given = cast(list[Any], wanted) if isinstance(wanted, list) else []
        return some(matches(one, event) for one in given) if given else None
    if name not in event:
        return None
    value = event[name]
    if isinstance(wanted, Mapping):
        return matches(wanted, value) if isinstance(value, Mapping) else False
    if not isinstance(wanted, list) or isinstance(value, Mapping):
        return None
    return some(_meets(one, value) for one in cast(list[Any], wanted))


def _meets(wanted: Any, value: Any) -> bool | None:
    """Does the field's *value* meet one of the pattern's conditions on it?"""
    if not isinstance(wanted, Mapping):
        return _same(wanted, value)
    condition = cast(Mapping[str, Any], wanted)
    if len(condition) != 1:
        return None
    [(operator, operand)] = condition.items()
    if operator == "exists" and isinstance(operand, bool):
        return operand
    if operator == "anything-but":
        return _anything_but(operand, value)
    if operator == "numeric":
        return _numeric(operand, value)
    if operator not in ("prefix", "suffix", "equals-ignore-case") or not isinstance(operand, str):
        return None
    if not isinstance(value, str):
        return False
    if operator == "equals-ignore-case":
        return value.lower() == operand.lower()
    return value.startswith(operand) if operator == "prefix" else value.endswith(operand)


def _same(wanted: Any, value: Any) -> bool | None:
    if type(wanted) is type(value):
        return wanted == value
    numbers = (int, Decimal)
    if isinstance(wanted, bool) or isinstance(value, bool):
        return False
    if isinstance(wanted, numbers) and isinstance(value, numbers) and wanted == value:
        return None  # the same number, otherwise written
    return False


def _anything_but(operand: Any, value: Any) -> bool | None:
    if isinstance(operand, Mapping):
        met = _meets(cast(Mapping[str, Any], operand), value)
    else:
        given = cast(list[Any], operand) if isinstance(operand, list) else [operand]
        met = some(_same(one, value) for one in given)
    return None if met is None else not met


def _numeric(operand: Any, value: Any) -> bool | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    given = cast(list[Any], operand) if isinstance(operand, list) else []
    if not given or len(given) % 2:
        return None
    for sign, bound in zip(given[::2], given[1::2], strict=True):
        if sign not in COMPARE or isinstance(bound, bool) or not isinstance(bound, int | Decimal):
            return None
        if not COMPARE[sign](value, bound):
            return False
    return True
