"""What a ``control-status.json`` says, read as a stranger's bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from cdk_soc2.evidence.record import SCHEMA
from cdk_soc2.verdict import Status, worst

LARGEST = 64 * 1024 * 1024  # bytes; a run over thousands of resources has a few million


class Unreadable(ValueError):
    """These are not the verdicts of a run; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check's verdict. ``status`` is never better than what was observed."""

    control: str
    check: str
    status: Status
    detail: str
    remedies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The verdicts of one run, by check id; ``document`` is the whole file."""

    source: str
    run: str
    checks: Mapping[str, Verdict]
    document: Mapping[str, Any]


def read_verdicts(body: bytes) -> Verdicts:
    """Read the bytes of a ``control-status.json``. Raises :class:`Unreadable`."""
    try:
        document = _object(json.loads(body), "the file")
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is not JSON: {error}") from None
    if document.get("schema") != SCHEMA:
        raise Unreadable(f"its schema is {document.get('schema')!r}, not {SCHEMA!r}")
    checks: dict[str, Verdict] = {}
    for key, control in _object(document.get("controls"), "controls").items():
        held = _object(_object(control, key).get("checks"), f"{key}.checks")
        for id, check in held.items():
            if id in checks:
                raise Unreadable(f"two controls have a check {id!r}")
            checks[id] = _verdict(key, id, _object(check, id))
    return Verdicts(_text(document.get("source")), _text(document.get("run")), checks, document)


def observations(check: Mapping[str, Any], where: str) -> Sequence[Mapping[str, Any]]:
    """What *check* observed. Raises :class:`Unreadable`."""
    return records(check, "observations", where)


def records(holder: Mapping[str, Any], field: str, where: str) -> Sequence[Mapping[str, Any]]:
    """The list of objects in *field*. Raises :class:`Unreadable`."""
    items = holder.get(field)
    if not isinstance(items, list):
        raise Unreadable(f"{where}.{field} is no list")
    return [_object(item, f"an item of {where}.{field}") for item in cast(list[Any], items)]


def status_of(value: object) -> Status:
    """The status that *value* names; an unknown word is ``UNKNOWN``."""
    return Status(value) if value in list(Status) else Status.UNKNOWN


def _verdict(control: str, id: str, check: Mapping[str, Any]) -> Verdict:
    said = status_of(check.get("status"))
    seen = observations(check, id)
    detail = _text(check.get("detail"))
    shown = worst(status_of(o.get("status")) for o in seen) if seen else said
    if said is Status.PASS and not seen:
        shown, detail = Status.UNKNOWN, f"it says PASS and shows nothing that was seen: {detail}"
    elif worst((said, shown)) is not said:
        detail = f"it says {said} over an observation that is {shown}: {detail}"
    status = worst((said, shown))
    told = (_text(o.get("remedy")) for o in seen if status_of(o.get("status")) is status)
    return Verdict(control, id, status, detail, tuple(dict.fromkeys(r for r in told if r)))


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable(f"{where} is no object")
    return cast("dict[str, Any]", value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
