"""The gap register: what cannot be shown, what did not hold, what people did not do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import TypeVar

from cdk_soc2.audit.cells import A_DAY, Cell, Coverage, Line, Said
from cdk_soc2.audit.explanations import Explanation, Identity, of_gap
from cdk_soc2.audit.gap import Gap
from cdk_soc2.audit.heard import SCHEDULE, Heard
from cdk_soc2.audit.result import Kind
from cdk_soc2.evidence.layout import MANUAL

Item = TypeVar("Item")


def gaps(covered: Coverage, explanations: Sequence[Explanation]) -> list[Gap]:
    """Every gap of *covered*, by its first day."""
    holes: set[tuple[str | None, date]] = {
        (h.source, h.day) for h in covered.heard if not h.runs or h.trouble
    }

    newest: dict[str | None, date] = {}
    for h in covered.heard:
        newest[h.source] = max(h.day, newest.get(h.source, h.day))

    def gap(
        kind: Kind, line: Line | None, source: str | None, days: Sequence[date], why: str
    ) -> Gap:
        control, check = (line.control, line.check) if line else (None, None)
        identity: Identity = (kind, control, check, source)
        told, whole = of_gap(explanations, identity, days[0], days[-1])
        open = days[-1] >= newest.get(source, covered.last)
        return Gap(kind, control, check, source, days[0], days[-1], why, open, whole, tuple(told))

    found = [gap("evidence", None, s, days, why) for s, days, why in _of_sources(covered.heard)]
    for line in covered.lines:
        for kind, days in _of_line(line, holes):
            found.append(gap(kind, line, line.source, days, line.days[days[0]].detail))
    found = [replace(g, within=True) if _is_within(g, found) else g for g in found]
    return sorted(found, key=lambda g: (g.first, g.last, *(str(i) for i in g.identity)))


def period_begins(covered: Coverage, found: Iterable[Gap]) -> dict[str, date | None]:
    """From which day each control's period can be told without a break until the last day; ``None``
    where a gap is open. It is management that chooses a period: this is what it can show."""
    breaking = [g for g in found if g.breaks]
    begins: dict[str, date | None] = {}
    for control, checks in covered.controls.items():
        sources = {line.source for lines in checks.values() for line in lines}
        ends = [
            g.last
            for g in breaking
            if g.control == control or (g.control is None and g.source in sources)
        ]
        day = max(ends) + A_DAY if ends else covered.first
        begins[control] = day if day <= covered.last else None
    return begins


def _of_sources(heard: Iterable[Heard]) -> Iterator[tuple[str, list[date], str]]:
    """The stretches on which a source has no whole run, and why."""
    by_source: dict[str, list[Heard]] = {}
    for h in heard:
        by_source.setdefault(h.source, []).append(h)
    for source, days in by_source.items():
        bad = [h for h in sorted(days, key=lambda h: h.day) if not h.runs or h.trouble]
        for stretch in _stretches(bad, lambda h: h.day, _nature):
            first = stretch[0]
            why = f"no run of {source}" if not first.runs else "; ".join(first.trouble)
            yield source, [h.day for h in stretch], why


def _is_within(gap: Gap, found: Iterable[Gap]) -> bool:
    """Could a check not look because of what did not hold?"""
    return gap.kind == "evidence" and any(
        (g.kind, g.control, g.source) == ("control", gap.control, gap.source)
        and g.first <= gap.first
        and gap.last <= g.last
        for g in found
    )


def _nature(h: Heard) -> object:
    """Two days are one gap only when the same thing is wrong; numbers and ids aside."""
    return not h.runs, *(re.sub(r"run \S+:|\d+", "", t) for t in h.trouble)


def _of_line(line: Line, holes: set[tuple[str | None, date]]) -> Iterator[tuple[Kind, list[date]]]:
    bad = [(day, said) for day, said in sorted(line.days.items()) if said.gap]
    if line.check == SCHEDULE:  # what it tells of is here already, as the gap of its source
        bad = [(d, said) for d, said in bad if not _told(said, line.source, holes)]
    for stretch in _stretches(bad, lambda b: b[0], lambda b: _kind(line, b[1].cell)):
        yield _kind(line, stretch[0][1].cell), [day for day, _ in stretch]


def _told(said: Said, source: str | None, holes: set[tuple[str | None, date]]) -> bool:
    days = [first + n * A_DAY for first, last in said.holes for n in range((last - first).days + 1)]
    return bool(days) and all((source, day) in holes for day in days)


def _kind(line: Line, cell: Cell) -> Kind:
    if cell is not Cell.FAIL:
        return "evidence"
    return "process" if line.source == MANUAL else "control"


def _stretches(
    items: Sequence[Item], day: Callable[[Item], date], nature: Callable[[Item], object]
) -> Iterator[list[Item]]:
    """*items*, in order of their days, as stretches of following days and one nature."""
    numbered = enumerate(items)
    for _, group in groupby(numbered, lambda n: (day(n[1]).toordinal() - n[0], nature(n[1]))):
        yield [item for _, item in group]
