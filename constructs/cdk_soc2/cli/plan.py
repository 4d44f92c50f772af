"""``soc2 plan``: the 18 weeks with dates, what is done by evidence, and what is next."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.text import Text

from cdk_soc2.audit.plan import Plan
from cdk_soc2.audit.plan import plan as make
from cdk_soc2.audit.tasks import Task
from cdk_soc2.cli.observing import DAY, boundary_of, look
from cdk_soc2.cli.output import data
from cdk_soc2.cli.readiness_table import printable
from cdk_soc2.cli.vault import open_store

LAST_YEAR = 9000
MARKS = {True: ("[x]", "green"), False: ("[ ]", "yellow"), None: ("[?]", "dim")}


@click.command()
@click.argument("vault", required=False)
@click.option("--start", type=DAY, required=True, help="First day of week 1.")
@click.option("--boundary", "boundary_file", type=click.Path(path_type=Path), help="Boundary file.")
@click.option("--profile", help="AWS profile.")
@click.option("--region", help="The bucket's region.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def plan(
    vault: str | None,
    start: datetime,
    boundary_file: Path | None,
    profile: str | None,
    region: str | None,
    as_json: bool,
) -> int:
    """The handbook's 18 weeks from --start; with VAULT, what its evidence shows to be done.

    Exit status: 0 nothing is late, 1 something is whose weeks are over, 2 could not tell.
    """
    if start.year > LAST_YEAR:
        raise click.UsageError(f"--start {start:%Y-%m-%d} is too far away")
    boundary = boundary_of(boundary_file)
    seen = look(open_store(vault, profile, region), None, None, [], boundary) if vault else None
    made = make(start.date(), datetime.now(UTC).date(), seen)
    if as_json:
        click.echo(json.dumps(made.to_json(), indent=2))
    else:
        _show(made, judged=seen is not None)
    return 1 if seen is not None and made.behind else 0


def _show(made: Plan, *, judged: bool) -> None:
    console = data()
    for phase in made.phases:
        now = " <- today" if phase.first <= made.on <= phase.last else ""
        first, last = phase.weeks
        heading = f"Weeks {first}-{last}  {phase.first} to {phase.last}  {phase.focus}{now}"
        console.print(Text(heading, style="bold"), soft_wrap=True)
        for task in phase.tasks:
            console.print(_line(task, judged=judged), soft_wrap=True)
    coming = made.next
    if judged and coming:
        phase, task = coming
        by = f" ({task.command})" if task.command else ""
        click.echo(printable(f"Next, due {phase.last}: {task.what}{by}: {task.shown}"), err=True)
    click.echo(made.note, err=True)


def _line(task: Task, *, judged: bool) -> Text:
    mark, style = MARKS[task.done] if judged else ("[ ]", "")
    text = Text(f"  {mark} ", style=style)
    text.append(printable(task.what), style="default")
    if judged:
        text.append(f": {printable(task.shown)}", style="dim")
    return text
