"""``soc2 guard``: the rules on plain CloudFormation and SAM templates, before anything is deployed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from cdk_soc2.boundary import BoundaryError, load
from cdk_soc2.cli.errors import CouldNot
from cdk_soc2.cli.output import COLOURS, data
from cdk_soc2.cli.readiness_table import printable
from cdk_soc2.cli.sarif import sarif
from cdk_soc2.exceptions import Vague
from cdk_soc2.findings import HELD, TemplateFinding, findings
from cdk_soc2.template_file import Unreadable, templates
from cdk_soc2.verdict import WORST_FIRST


@click.command()
@click.argument("template", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--boundary", "boundary_file", type=click.Path(path_type=Path), help="Boundary file.")
@click.option(
    "--parameter", "given", multiple=True, metavar="NAME=VALUE", help="A parameter's value."
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--sarif", "as_sarif", is_flag=True, help="Print the findings as SARIF 2.1.0.")
def guard(
    template: Sequence[Path],
    boundary_file: Path | None,
    given: Sequence[str],
    as_json: bool,
    as_sarif: bool,
) -> int:
    """Hold every TEMPLATE (CloudFormation or SAM, JSON or YAML) against the rules of all controls.

    Templates given together are deployed together: one may name another's exports. Exit status: 0
    all is as it must be, 1 a finding, 2 a template that could not be read.
    """
    if as_json and as_sarif:
        raise CouldNot("--json and --sarif exclude each other; give one")
    try:
        read, files = templates(
            template,
            boundary=load(boundary_file) if boundary_file else None,
            today=datetime.now(UTC).date(),
            parameters=_parameters(given),
        )
        seen = list(findings(read, HELD))
    except (BoundaryError, Unreadable, Vague) as error:
        raise CouldNot(printable(str(error))) from None
    seen.sort(key=lambda f: (f.template.name, WORST_FIRST.index(f.finding.status)))
    open = [f for f in seen if f.accepted is None]
    if as_sarif:
        click.echo(json.dumps(sarif(seen, files, HELD), indent=2))
    elif as_json:
        accepted = [
            {
                **f.to_json(),
                "accepted": {"reason": t.reason, "owner": t.owner, "until": str(t.until)},
            }
            for f in seen
            if (t := f.accepted)
        ]
        document = {"findings": [f.to_json() for f in open], "accepted": accepted}
        click.echo(json.dumps(document, indent=2))
    else:
        _print(open)
    _close(open, len(seen) - len(open), len(read))
    return 1 if open else 0


def _parameters(given: Sequence[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    bad = next((name for name, equals, _ in pairs if not equals or not name), None)
    if bad is not None:
        raise click.UsageError(f"--parameter {bad}: write NAME=VALUE")
    return {name: value for name, _, value in pairs}


def _print(open: Sequence[TemplateFinding]) -> None:
    if not open:
        return
    table = Table(show_lines=True)
    for heading in ("Status", "Resource", "Rule", "What was seen, and what to do"):
        table.add_column(heading, overflow="fold")
    for f in open:
        table.add_row(
            Text(str(f.finding.status), style=COLOURS.get(f.finding.status, "")),
            Text(printable(f.finding.resource) + "\n" + printable(f.template.name)),
            Text(f"{f.rule}\n{' '.join(f.criteria)}"),
            Text(printable(f.finding.detail) + "\n" + printable(f.finding.remedy)),
        )
    data().print(table)


def _close(open: Sequence[TemplateFinding], accepted: int, looked_at: int) -> None:
    rules = sum(len(control.rules) for control in HELD)
    counted = Counter(str(f.finding.status) for f in open)
    told = ", ".join(f"{number} {status}" for status, number in sorted(counted.items()))
    waived = f"; {accepted} accepted" if accepted else ""
    click.echo(
        f"Held {looked_at} template(s) against {rules} rules: {told or 'all as it must be'}{waived}.",
        err=True,
    )
