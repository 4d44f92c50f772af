"""What people said of gaps, as the ledger of attachments vouches for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from cdk_soc2.audit.documents import named_body
from cdk_soc2.audit.ledgers import Entry, Ledger
from cdk_soc2.audit.verdicts import Unreadable, records
from cdk_soc2.evidence.attach import EXPLANATION, EXPLANATION_SCHEMA
from cdk_soc2.evidence.layout import MANUAL, is_plain, run_of
from cdk_soc2.evidence.store import NotAFile, Store

A_DAY = timedelta(days=1)
TOLD = ("cause", "remediation", "customer_impact", "auditor_told_by", "auditor_told_on")
Identity = tuple[str, str | None, str | None, str | None]
"""Kind, control, check and source of a gap."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One explanation of one gap, or of a part of it.

    :param recorded: the day on which it was written into the vault.
    """

    path: str
    recorded: date
    of: Identity
    first: date
    last: date
    told: Mapping[str, str | None]

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "recorded": self.recorded.isoformat(), **self.told}


def explaining(
    gaps: Iterable[tuple[Identity, date, date]], told: Mapping[str, str | None]
) -> dict[str, Any]:
    """``explanation.json``: what was *told* of *gaps*, each with its first and its last day."""
    names = ("kind", "control", "check", "source")
    return {
        "schema": EXPLANATION_SCHEMA,
        "gaps": [
            {
                **dict(zip(names, identity, strict=True)),
                "from": first.isoformat(),
                "to": last.isoformat(),
            }
            for identity, first, last in gaps
        ],
        **{field: told[field] for field in TOLD},
    }


def read_explanations(store: Store, ledger: Ledger) -> tuple[list[Explanation], list[str]]:
    """Every explanation that *ledger* names, oldest first, and what cannot be relied on.

    Raises `StoreRefused`.
    """
    found: list[Explanation] = []
    doubts: list[str] = []
    for statement in reversed(ledger.back_to(date.min + A_DAY)):
        for path in statement.named:
            run = run_of(path) if is_plain(path) else None
            if run is None or run[1] != MANUAL or path != f"{run[0]}{EXPLANATION}":
                continue
            try:
                found += _read(store, statement, path)
            except (KeyError, NotAFile, TypeError, ValueError, RecursionError) as error:
                doubts.append(f"{path} explains nothing: {type(error).__name__}: {error}")
    return found, doubts


def of_gap(
    explanations: Iterable[Explanation], identity: Identity, first: date, last: date
) -> tuple[list[Explanation], bool]:
    """The *explanations* of the gap *identity* from *first* to *last*, and whether they cover every
    day of it."""
    told = [e for e in explanations if e.of == identity and e.first <= last and first <= e.last]
    days = {d for e in told for d in _days(max(first, e.first), min(last, e.last))}
    return told, len(days) == (last - first).days + 1


def is_explained(explanations: Iterable[Explanation], source: str, first: date, last: date) -> bool:
    """Is every day from *first* to *last* without a whole run of *source* explained?"""
    return of_gap(explanations, ("evidence", None, None, source), first, last)[1]


def _days(first: date, last: date) -> Iterator[date]:
    return (first + n * A_DAY for n in range((last - first).days + 1))


def _read(store: Store, statement: Entry, path: str) -> list[Explanation]:
    said: Any = json.loads(named_body(store, statement, path))
    if not isinstance(said, dict) or said.get("schema") != EXPLANATION_SCHEMA:
        raise Unreadable(f"its schema is not {EXPLANATION_SCHEMA!r}")
    told = {field: _text(said.get(field), field) for field in TOLD}
    return [
        Explanation(
            path,
            statement.day,
            (
                str(gap.get("kind")),
                _text(gap.get("control"), "control"),
                _text(gap.get("check"), "check"),
                _text(gap.get("source"), "source"),
            ),
            *_span(gap),
            told,
        )
        for gap in records(said, "gaps", EXPLANATION)
    ]


def _span(gap: Mapping[str, Any]) -> tuple[date, date]:
    first, last = date.fromisoformat(str(gap["from"])), date.fromisoformat(str(gap["to"]))
    if not first <= last or not 1970 <= first.year <= last.year < 9999:
        raise Unreadable(f"it explains {first} to {last}, which are no days in order")
    return first, last


def _text(value: object, field: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"{field} is {value!r}, no text")
    return value
