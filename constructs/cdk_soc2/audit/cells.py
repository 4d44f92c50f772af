"""What a check comes to on each day of a period, and how that is written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from cdk_soc2.audit.calendar import Cadence
from cdk_soc2.audit.heard import Heard, Stretch

A_DAY = timedelta(days=1)


class Cell(StrEnum):
    """What a check comes to on one day, the worst first; ``MISSING``: nobody recorded it."""

    FAIL = "FAIL"
    MISSING = "MISSING"
    UNKNOWN = "UNKNOWN"
    PASS = "PASS"  # noqa: S105  a verdict, not a password
    NOT_APPLICABLE = "NOT_APPLICABLE"


CELLS = list(Cell)


@dataclass(frozen=True, slots=True)
class Said:
    """One source's cell of one check.

    :param gap: is it a gap of its own? A missing run is a gap of its source; a document that is not
        due yet is none.
    :param holes: the days without a finished run that it tells of, when it tells of nothing else.
    """

    cell: Cell
    detail: str
    gap: bool
    holes: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One check as one source has it; ``source`` is ``None`` where no source asks it."""

    control: str
    check: str
    cadence: Cadence
    source: str | None
    days: Mapping[date, Said]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Every line from *first* to *last*, and what was heard of whole runs."""

    first: date
    last: date
    lines: tuple[Line, ...]
    heard: Sequence[Heard]

    @property
    def controls(self) -> dict[str, dict[str, list[Line]]]:
        """The lines by control and check, in the controls' order."""
        found: dict[str, dict[str, list[Line]]] = {}
        for line in self.lines:
            found.setdefault(line.control, {}).setdefault(line.check, []).append(line)
        return found

    @property
    def days(self) -> list[date]:
        return [self.first + n * A_DAY for n in range((self.last - self.first).days + 1)]


def worst(cells: Iterable[Cell]) -> Cell:
    return min(cells, key=CELLS.index)


def by_day(lines: Sequence[Line]) -> dict[date, Cell]:
    """The worst cell of *lines* on every day that any of them has."""
    days: dict[date, Cell] = {}
    for line in lines:
        for day, said in line.days.items():
            days[day] = worst((said.cell, days[day])) if day in days else said.cell
    return days


def to_json(covered: Coverage, begins: Mapping[str, date | None]) -> dict[str, Any]:
    """The contract's form, with the day on which each control's period begins."""
    return {
        "from": covered.first.isoformat(),
        "to": covered.last.isoformat(),
        "controls": {
            control: {
                "period_begins": day.isoformat() if (day := begins[control]) else None,
                "checks": {
                    check: {
                        "cadence": lines[0].cadence,
                        "days": {f"{day}": cell for day, cell in sorted(by_day(lines).items())},
                    }
                    for check, lines in checks.items()
                },
            }
            for control, checks in covered.controls.items()
        },
    }
