"""``soc2 controls``: the matrix of controls, criteria, checks and where their evidence is from."""

from __future__ import annotations

import json
import sys

import click
from rich.table import Table

from cdk_soc2.cli.output import data
from cdk_soc2.control import matrix
from cdk_soc2.controls import CONTROLS
from cdk_soc2.criteria import FRAMEWORK
from cdk_soc2.sources.github.controls import GITHUB_CONTROLS

FROM_GITHUB = {"evidence": "automated, by soc2 github collect"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def controls(as_json: bool) -> None:
    """Show every control: its criteria, its checks and what PASS means."""
    rows = [*matrix(CONTROLS), *({**row, **FROM_GITHUB} for row in matrix(GITHUB_CONTROLS))]
    rows.sort(key=lambda row: row["number"])
    if as_json:
        json.dump({"framework": FRAMEWORK, "checks": rows}, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    table = Table(title=f"Controls, by {FRAMEWORK}", show_lines=True)
    for heading in ("#", "Control", "Criteria", "Check", "PASS means", "Evidence"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(
            str(row["number"]),
            row["name"],
            " ".join(row["criteria"]),
            row["check"],
            row["passes_when"],
            row["evidence"],
        )
    data().print(table)
