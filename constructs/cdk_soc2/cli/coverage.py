"""``soc2 coverage``: the observation period, a cell a control and day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from cdk_soc2.audit.cells import to_json
from cdk_soc2.cli.heatmap import show
from cdk_soc2.cli.observing import boundary_of, look, observing
from cdk_soc2.cli.readiness_table import printable
from cdk_soc2.cli.vault import open_store


@click.command()
@click.argument("vault")
@observing
@click.option("--days", "each_day", is_flag=True, help="A cell a day, even of a long period.")
@click.option("--profile", help="AWS profile.")
@click.option("--region", help="The bucket's region.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def coverage(
    vault: str,
    first: datetime | None,
    last: datetime | None,
    only: Sequence[str],
    boundary_file: Path | None,
    each_day: bool,
    profile: str | None,
    region: str | None,
    as_json: bool,
) -> int:
    """What was due on every day of the observation period, and what VAULT holds of it.

    The period is --from and --to, else the boundary's, else the one that the evidence names.
    Exit status: 0 every gap is over and explained, or there is none; 1 not; 2 could not tell.
    """
    seen = look(open_store(vault, profile, region), first, last, only, boundary_of(boundary_file))
    if as_json:
        click.echo(json.dumps(to_json(seen.coverage, seen.begins), indent=2))
    else:
        show(seen, each_day)
    for word in (*seen.words, *(f"{r}." for r in seen.reminders)):
        click.echo(printable(word), err=True)
    return 0 if seen.settled else 1
