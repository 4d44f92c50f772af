"""``soc2 gaps``: the register of gaps; ``soc2 gaps explain`` adds what people have to say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click
from rich import box
from rich.table import Table
from rich.text import Text

from cdk_soc2.audit.gap import Gap, means
from cdk_soc2.audit.reminders import message
from cdk_soc2.audit.substitutes import substitute
from cdk_soc2.cli.explain import explain
from cdk_soc2.cli.observing import boundary_of, look, observing
from cdk_soc2.cli.output import data
from cdk_soc2.cli.readiness_table import printable
from cdk_soc2.cli.remind import remind
from cdk_soc2.cli.vault import open_store

COLOURS = {"control": "bold red", "evidence": "yellow", "process": "cyan"}


class Register(click.Group):
    """Lists the register unless its first word is another command's name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return "list", self.commands["list"], args


@click.group(cls=Register, context_settings={"ignore_unknown_options": True})
def gaps() -> None:
    """The gap register of a vault: `soc2 gaps VAULT` lists it, `soc2 gaps explain` explains.

    `soc2 gaps list --help` shows what the list can be told.
    """


@gaps.command("list")
@click.argument("vault")
@observing
@click.option("--remind", "topic", help="Send documents due soon to this SNS topic's ARN.")
@click.option("--profile", help="AWS profile.")
@click.option("--region", help="The bucket's region.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def listing(
    vault: str,
    first: datetime | None,
    last: datetime | None,
    only: Sequence[str],
    boundary_file: Path | None,
    topic: str | None,
    profile: str | None,
    region: str | None,
    as_json: bool,
) -> int:
    """Every gap of VAULT, its kind, what it means and what could cover it.

    --remind sends one message when a document is overdue or due within 14 days: collectors cannot
    see documents, so run this on a schedule of your own.

    Exit status: 0 every gap is over and explained, or there is none; 1 not; 2 could not tell.
    """
    seen = look(open_store(vault, profile, region), first, last, only, boundary_of(boundary_file))
    if as_json:
        covered = seen.coverage
        told = {"from": f"{covered.first}", "to": f"{covered.last}"}
        due = [r.to_json() for r in seen.reminders]
        found = [g.to_json() for g in seen.gaps]
        click.echo(json.dumps(told | {"gaps": found, "reminders": due}, indent=2))
    else:
        _show(seen.gaps)
    for word in (*seen.words, *(f"{r}." for r in seen.reminders)):
        click.echo(printable(word), err=True)
    if topic and seen.reminders:
        remind(topic, *message(seen.reminders, vault), profile)
    return 0 if seen.settled else 1


gaps.add_command(explain)


def _show(found: Sequence[Gap]) -> None:
    if not found:
        click.echo("No gap.", err=True)
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("Days", "Kind", "Where"):
        table.add_column(heading, overflow="fold")
    table.add_column("What, what it means, what could cover it", ratio=3, overflow="fold")
    for gap in found:
        span = f"{gap.first}" if gap.days == 1 else f"{gap.first}\n{gap.last} ({gap.days})"
        where = [gap.source] if gap.control is None else [gap.control, gap.check]
        table.add_row(
            Text(span),
            Text(gap.kind, style=COLOURS[gap.kind]),
            Text("\n".join(printable(w or "-") for w in where)),
            _text(gap),
        )
    data().print(table)


def _text(gap: Gap) -> Text:
    text = Text(printable(gap.detail[:240]))
    text.append(f"\n{printable(means(gap))}", style="bold")
    if gap.kind == "evidence":
        text.append(f"\n{substitute(gap.control, gap.source)}.", style="dim")
    for e in gap.explanations:
        auditor = f"; auditor told by {e.told['auditor_told_by']} on {e.told['auditor_told_on']}"
        told = auditor if e.told["auditor_told_on"] else "; the auditor was not told"
        text.append(
            f"\nExplained {e.recorded}: {printable(e.told['cause'] or '')}{printable(told)}"
        )
    return text
