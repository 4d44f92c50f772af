"""The observation period: what was due on every day, and what is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from cdk_soc2.audit.calendar import DUTIES, standing
from cdk_soc2.audit.cells import A_DAY, Cell, Coverage, Line, Said
from cdk_soc2.audit.documents import Document
from cdk_soc2.audit.explanations import Explanation, is_explained
from cdk_soc2.audit.heard import SCHEDULE, Heard
from cdk_soc2.boundary import Period
from cdk_soc2.evidence.layout import MANUAL
from cdk_soc2.verdict import Status


def coverage(
    matrix: Sequence[Mapping[str, Any]],
    heard: Sequence[Heard],
    documents: Mapping[str, list[Document]],
    explanations: Sequence[Explanation],
    first: date,
    last: date,
    period: Period | None,
) -> Coverage:
    """Hold what was *heard* of every day from *first* to *last* against what was due.

    :param matrix: our checks, as :func:`cdk_soc2.control.matrix` tells them.
    :param heard: every source on every day on which it owed a run.
    """
    by_source: dict[str, dict[date, Heard]] = {}
    for h in heard:
        by_source.setdefault(h.source, {})[h.day] = h
    asked = _asked(heard)
    control_of = {c: h.controls[c] for h in heard for c in h.said}
    ours = {str(row["check"]): str(row["control"]) for row in matrix}
    control_of |= {check: duty.control for check, duty in DUTIES.items()} | ours
    order = dict.fromkeys([*ours, *DUTIES, *control_of])
    rank = {control: n for n, control in enumerate(dict.fromkeys(ours.values()))}
    days = [first + n * A_DAY for n in range((last - first).days + 1)]
    lines: list[Line] = []
    for check in order:
        control = control_of[check]
        if check in DUTIES:
            asking = [of_day for s, of_day in by_source.items() if check in asked[_kind(s)]]
            lines.append(_document(check, documents.get(check, []), asking, days, period))
            continue
        sources = [s for s in by_source if check in asked[_kind(s)]]
        for source in sources:
            told = {
                day: said
                for day, h in by_source[source].items()
                if (said := _said(check, h, check in ours, first, explanations)) is not None
            }
            lines.append(Line(control, check, "daily", source, told))
        if not sources:
            nobody = Said(Cell.MISSING, "no source in the vault asks it", True)
            lines.append(Line(control, check, "daily", None, dict.fromkeys(days, nobody)))
    lines.sort(key=lambda line: rank.get(line.control, len(rank)))
    return Coverage(first, last, tuple(lines), heard)


def _kind(source: str) -> str:
    return source.partition("-")[0]


def _asked(heard: Iterable[Heard]) -> dict[str, set[str]]:
    """The checks that each kind of source asks."""
    asked: dict[str, set[str]] = {}
    for h in heard:
        asked.setdefault(_kind(h.source), set()).update(h.said)
    return asked


def _said(
    check: str, h: Heard, ours: bool, first: date, explanations: Sequence[Explanation]
) -> Said | None:
    if not h.runs:
        return Said(Cell.MISSING, f"no run of {h.source}", False)
    if check not in h.said:
        if h.trouble:
            return Said(Cell.UNKNOWN, h.trouble[0], False)
        return Said(Cell.MISSING, f"the run of {h.source} did not ask it", True) if ours else None
    status, detail = h.said[check]
    if h.trouble and status is Status.UNKNOWN:
        return Said(Cell.UNKNOWN, detail, False)
    if check == SCHEDULE and status is Status.FAIL and h.holes:
        return _schedule(h, detail, first, explanations)
    return Said(Cell(status), detail, status in (Status.FAIL, Status.UNKNOWN))


def _schedule(h: Heard, detail: str, first: date, explanations: Sequence[Explanation]) -> Said:
    """The collector cannot read explanations: an explained hole is an exclusion only here."""
    holes = [(max(a, first), min(b, h.day)) for a, b in h.holes or () if first <= b and a <= h.day]
    left = [(a, b) for a, b in holes if not is_explained(explanations, h.source, a, b)]
    if left:
        return Said(Cell.FAIL, detail, True, tuple(left))
    return Said(Cell.PASS, f"{len(holes)} hole(s) explained: {detail}", False)


def _document(
    check: str,
    documents: list[Document],
    asking: Sequence[Mapping[date, Heard]],
    days: Sequence[date],
    period: Period | None,
) -> Line:
    """What people attached; and where a service can tell too, what the sources *asking* it heard."""
    duty = DUTIES[check]
    told: dict[date, Said] = {}
    for day in days:
        found = standing(check, documents, day, period)
        said = Said(Cell(found.status), found.detail, found.status is Status.FAIL)
        if found.status is not Status.PASS:
            heard = [of_day[day] for of_day in asking if day in of_day]
            said = _from_services(check, heard) or said
        told[day] = said
    return Line(duty.control, check, duty.cadence, MANUAL, told)


def _from_services(check: str, heard: Sequence[Heard]) -> Said | None:
    """What decides a document's day in place of the document; ``None`` where services say nothing."""
    said = [_said(check, h, True, h.day, ()) for h in heard]
    cells = {s.cell: s for s in said if s is not None}
    for cell in (Cell.FAIL, Cell.PASS, Cell.NOT_APPLICABLE):
        if cell in cells:
            return cells[cell]
    return next((s for s in cells.values() if not s.gap), None)
