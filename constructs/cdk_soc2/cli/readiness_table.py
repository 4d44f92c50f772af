"""The mock audit as people read it in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import click
from rich import box
from rich.table import Table
from rich.text import Text

from cdk_soc2.audit.result import KINDS, Readiness, Row
from cdk_soc2.audit.rows import HANDBOOK
from cdk_soc2.audit.sampling import Sample
from cdk_soc2.cli.output import data
from cdk_soc2.verdict import Status

LONGEST = 240  # characters of a detail; --json has all of it
FIRST = 3  # things to do, told at the end
MEANS = {
    "control": "does not hold",
    "evidence": "cannot be shown",
    "process": "waits for people",
}


def show(result: Readiness, samples: Sequence[Sample]) -> None:
    """Print the table and the files it rests on to stdout, counts and advice to stderr."""
    marks = _marks(result)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title=f"Readiness on {result.on}")
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("What an auditor asks", ratio=2, overflow="fold")
    table.add_column("Ready", no_wrap=True)
    table.add_column("Evidence, and the next step", ratio=3, overflow="fold")
    for number, group in groupby(result.rows, key=lambda row: row.asked.number):
        for at, row in enumerate(group):
            again = number is not None and at > 0  # the same question's second check
            table.add_row(
                Text("" if again or number is None else str(number)),
                Text("" if again else printable(row.asked.asks)),
                _ready(row),
                _evidence(row, marks),
                end_section=number == len(HANDBOOK),
            )
    data().print(table)
    for path, (mark, said) in marks.items():
        click.echo(printable(f"[{mark}] {path}{said}"))
    _show_samples(samples)
    for sentence in _closing(result):
        click.echo(printable(sentence), err=True)


def printable(text: str) -> str:
    """Names in a vault are strangers' words: nothing in them may steer the terminal, or break it."""
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    encoding = data().encoding
    return plain.encode(encoding, "backslashreplace").decode(encoding)


def _sign(good: str, plain: str) -> str:
    """*good*, where the output has such a character."""
    return good if printable(good) == good else plain


def _marks(result: Readiness) -> dict[str, tuple[int, str]]:
    """A number for every file that the rows rest on, as auditors number their working papers."""
    marks: dict[str, tuple[int, str]] = {}
    for row in result.rows:
        for e in row.evidence:
            if e.path is not None and e.path not in marks:
                by = f", statement {e.statement}" if e.statement else ", no statement"
                unsigned = ", not signed" if e.signed is False else ""
                marks[e.path] = (len(marks) + 1, f"{by}{unsigned}")
    return marks


def _ready(row: Row) -> Text:
    if row.ready:
        return Text(f"{_sign('✓', '+')} ready", style="green")
    return Text(
        f"{_sign('✗', '-')} {row.kind}", style="bold red" if row.kind == "control" else "yellow"
    )


def _evidence(row: Row, marks: Mapping[str, tuple[int, str]]) -> Text:
    """The detail that decided; of what is ready, only how much was seen."""
    told = f"{row.asked.check}: no evidence"
    if row.evidence:
        decided = row.evidence[0]
        detail = decided.detail
        if decided.status is Status.NOT_APPLICABLE:
            detail = f"not applicable, {detail}"
        elif row.ready:
            detail = detail.split(": ")[0].split(", prepared by")[0]
        elif len({e.source for e in row.evidence}) > 1 and decided.source:
            detail = f"{decided.source}: {detail}"
        if len(detail) > LONGEST:
            detail = f"{detail[:LONGEST]}..."
        numbers = sorted({marks[e.path][0] for e in row.evidence if e.path})
        told = f"{row.asked.check}: {detail} {''.join(f'[{n}]' for n in numbers)}"
    text = Text(printable(told))
    if row.next:
        text.append(f"\n{_sign('→', '->')} {printable(row.next)}", style="bold")
    return text


def _show_samples(samples: Sequence[Sample]) -> None:
    if not samples:
        return
    table = Table("Day", "Consistent", "Detail", box=box.SIMPLE_HEAD, title="Spot check")
    for s in samples:
        fits = Text(f"{_sign('✓', '+')} yes", style="green")
        not_so = Text(f"{_sign('✗', '-')} no", style="bold red")
        table.add_row(f"{s.date}", fits if s.consistent else not_so, Text(printable(s.detail)))
    data().print(table)


def _closing(result: Readiness) -> list[str]:
    ours = [row for row in result.rows if row.asked.number is None]
    questions: dict[int, bool] = {}
    for row in result.rows:
        if row.asked.number is not None:
            questions[row.asked.number] = row.ready and questions.get(row.asked.number, True)
    told = (
        f"{'Ready' if result.ready else 'Not ready'} on {result.on}: {sum(questions.values())} of "
        f"the {len(questions)} questions of the handbook and {sum(r.ready for r in ours)} of "
        f"{len(ours)} further checks are ready."
    )
    gaps = [f"{result.gaps[kind]} {kind} ({MEANS[kind]})" for kind in KINDS if result.gaps[kind]]
    sentences = [told, *([f"Gaps: {', '.join(gaps)}."] if gaps else [])]
    steps: dict[str, list[str]] = {}
    for row in sorted((r for r in result.rows if r.kind), key=_turn):
        steps.setdefault(row.next or "", []).append(row.asked.check)
    first = enumerate([*steps.items()][:FIRST], 1)
    return sentences + [
        f"Do first ({n}): {', '.join(checks)}: {step}" for n, (step, checks) in first
    ]


def _turn(row: Row) -> tuple[int, bool]:
    """What is broken goes first, what is not collected by anybody yet last of its kind."""
    return KINDS.index(row.kind or "process"), not row.evidence
