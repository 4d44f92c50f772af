"""Coverage in a terminal: a row a control, a letter a day, or a week where days do not fit."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import click
from rich.text import Text

from cdk_soc2.audit.cells import A_DAY, Cell, Line
from cdk_soc2.audit.observation import Observation
from cdk_soc2.cli.output import data
from cdk_soc2.cli.readiness_table import printable
from cdk_soc2.evidence.layout import MANUAL

WIDTH = 100  # of what is no terminal
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NOT_DUE = "not due"
MARKS: Mapping[str, tuple[str, str, str]] = {  # the worst first
    Cell.FAIL: ("F", "bold white on red", "does not hold, or a document is late"),
    Cell.MISSING: ("M", "bold white on magenta", "nothing was recorded"),
    Cell.UNKNOWN: ("U", "black on yellow", "could not be seen"),
    Cell.PASS: (".", "green", "holds"),
    NOT_DUE: ("o", "dim", "a document is not due yet"),
    Cell.NOT_APPLICABLE: ("-", "dim", "nothing of the kind exists"),
}
WORST = list(MARKS)
Column = Sequence[date]


def show(seen: Observation, each_day: bool) -> None:
    """Print the map and each control's beginning to stdout, the legend and counts to stderr."""
    covered = seen.coverage
    cells = {
        control: _by_day([line for lines in checks.values() for line in lines])
        for control, checks in covered.controls.items()
    }
    margin = max((len(printable(c)) for c in cells), default=0) + 1
    room = max(7, _width() - margin)
    days = covered.days
    weekly = len(days) > room and not each_day
    columns = _weeks(days) if weekly else [[day] for day in days]
    what = "a letter a week, its worst day" if weekly else "a letter a day"
    click.echo(f"Coverage {covered.first} to {covered.last}, {what}")
    for block in _blocks(columns, room):
        click.echo(f"{'':{margin}}{_heading(block)}".rstrip())
        for control, of_control in cells.items():
            line = Text(f"{printable(control):{margin}}")
            for column in block:
                line.append(*_mark([of_control[d] for d in column if d in of_control]))
            data().print(line, soft_wrap=True)
    _show_beginnings(seen, margin)
    used = {c for of_control in cells.values() for c in of_control.values()}
    legend = [f"{m} {says}" for cell, (m, _, says) in MARKS.items() if cell in used]
    click.echo(f"{'; '.join(legend)}.", err=True)
    click.echo(_counts(seen), err=True)


def _width() -> int:
    console = data()
    return console.width if console.is_terminal else int(os.environ.get("COLUMNS") or WIDTH)


def _weeks(days: Sequence[date]) -> list[list[date]]:
    """Weeks from Monday to Sunday, so that the same week stands in the same place again."""
    weeks: dict[date, list[date]] = {}
    for day in days:
        weeks.setdefault(day - timedelta(days=day.weekday()), []).append(day)
    return list(weeks.values())


def _blocks(columns: list[list[date]], room: int) -> list[list[Column]]:
    """As many columns as fit; of single days whole months, where a month fits."""
    blocks: list[list[Column]] = [[]]
    months: dict[tuple[int, int], list[Column]] = {}
    for column in columns:
        months.setdefault((column[0].year, column[0].month), []).append(column)
    for month in months.values():
        if blocks[-1] and len(blocks[-1]) + len(month) > room and len(columns) > room:
            blocks.append([])
        for column in month:
            if len(blocks[-1]) == room:
                blocks.append([])
            blocks[-1].append(column)
    return blocks


def _heading(block: Sequence[Column]) -> str:
    """Each month's name above the first of its columns, where there is room for it."""
    line = ""
    for at, column in enumerate(block):
        month = MONTHS[column[0].month - 1]
        new = at == 0 or block[at - 1][0].month != column[0].month
        if new and at >= len(line) + (1 if line else 0):
            line = f"{line:{at}}{month}"
    return line


def _by_day(lines: Sequence[Line]) -> dict[date, str]:
    """A control's mark on every day; what is not due yet must not hide what is seen."""
    days: dict[date, str] = {}
    for line in lines:
        for day, said in line.days.items():
            waits = line.source == MANUAL and said.cell is Cell.UNKNOWN and not said.gap
            mark = NOT_DUE if waits else said.cell
            days[day] = min(mark, days.get(day, mark), key=WORST.index)
    return days


def _mark(marks: Sequence[str]) -> tuple[str, str]:
    if not marks:
        return " ", ""
    letter, style, _ = MARKS[min(marks, key=WORST.index)]
    return letter, style


def _show_beginnings(seen: Observation, margin: int) -> None:
    """From which day each control's period can be told; and for those that begin late, why."""
    click.echo("\nThe period can be told without a break")
    for control, day in seen.begins.items():
        begins = f"from {day}" if day else "not yet"
        breaking = [
            g
            for g in seen.gaps
            if g.breaks
            and (g.control == control or g.control is None)
            and (g.open if day is None else g.last + A_DAY == day)
        ]
        why = f"  ({_why(breaking[0].kind, breaking[0].detail)})" if breaking else ""
        click.echo(printable(f"{control:{margin}}{begins:16}{why}"))


def _why(kind: str, detail: str) -> str:
    short = detail if len(detail) <= 60 else f"{detail[:57]}..."
    return f"{kind} gap: {short}"


def _counts(seen: Observation) -> str:
    if not seen.gaps:
        return "No gap."
    settled = sum(g.settled for g in seen.gaps)
    return (
        f"{len(seen.gaps)} gap(s), {settled} of them over and explained: `soc2 gaps` lists them. "
        "Whether a period may stand in spite of one is the auditor's judgement."
    )
