"""``soc2 gaps explain``: cause, remediation and impact of gaps, as evidence of its own."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from cdk_soc2.audit.explanations import explaining
from cdk_soc2.cli.attach import read_files, record
from cdk_soc2.cli.errors import CouldNot
from cdk_soc2.cli.observing import DAY, boundary_of, look
from cdk_soc2.cli.readiness_table import printable
from cdk_soc2.cli.signing import open_signer
from cdk_soc2.cli.vault import open_store
from cdk_soc2.evidence.attach import EXPLANATION, Attachment
from cdk_soc2.evidence.record import serialize

DOCUMENT = "gap_explanation"
ROOM = "evidence"  # the control whose folder holds explanations of gaps that are no one control's


@click.command()
@click.argument("vault", required=False)
@click.option("--vault", "given", help="s3://BUCKET or a folder; default: ./evidence.")
@click.option("--from", "first", type=DAY, required=True, help="First UTC day of the gap.")
@click.option("--to", "last", type=DAY, required=True, help="Last UTC day of the gap.")
@click.option("--control", help="Only gaps of this control.")
@click.option("--check", help="Only gaps of this check.")
@click.option("--source", help="Only gaps of this source.")
@click.option("--cause", required=True, help="Why it came to this.")
@click.option("--remediation", required=True, help="What was done, and where that can be seen.")
@click.option(
    "--customer-impact", required=True, help="What it meant for customers, also if nothing."
)
@click.option("--auditor-told-by", help="Who told the auditor.")
@click.option("--auditor-told-on", type=DAY, help="The day on which the auditor was told.")
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Proof, such as a pull request's page; may be repeated.",
)
@click.option("--by", help="Who explains; default: whoever is logged in.")
@click.option("--reviewed-by", help="Who reviewed the explanation: another person.")
@click.option("--boundary", "boundary_file", type=click.Path(path_type=Path), help="Boundary file.")
@click.option("--key", help="Sign with this KMS key (id, ARN, alias) or PEM file.")
@click.option("--unsigned", is_flag=True, help="Do not sign: nobody vouches for it.")
@click.option("--profile", help="AWS profile.")
@click.option("--region", help="Region of the bucket and of the key.")
def explain(
    vault: str | None,
    given: str | None,
    first: datetime,
    last: datetime,
    control: str | None,
    check: str | None,
    source: str | None,
    cause: str,
    remediation: str,
    customer_impact: str,
    auditor_told_by: str | None,
    auditor_told_on: datetime | None,
    files: Sequence[Path],
    by: str | None,
    reviewed_by: str | None,
    boundary_file: Path | None,
    key: str | None,
    unsigned: bool,
    profile: str | None,
    region: str | None,
) -> int:
    """Explain the gaps of VAULT that lie between two days.

    The explanation names each gap that it is of, so that it covers no other and no later one. It is
    dated today. Exit status: 0 recorded, 2 not.
    """
    if vault and given and vault != given:
        raise click.UsageError(f"which vault, {vault} or {given}? Give one")
    if (auditor_told_by is None) != (auditor_told_on is None):
        raise click.UsageError("--auditor-told-by and --auditor-told-on belong together: give both")
    now = datetime.now(UTC)
    if auditor_told_on and auditor_told_on.date() > now.date():
        raise click.UsageError(f"--auditor-told-on {auditor_told_on:%Y-%m-%d} is in the future")
    for option, text in (
        ("--cause", cause),
        ("--remediation", remediation),
        ("--customer-impact", customer_impact),
    ):
        if not text.strip():
            raise click.UsageError(f"{option} says nothing")
    store = open_store(vault or given or "./evidence", profile, region)
    seen = look(store, None, None, [], boundary_of(boundary_file))
    meant = [
        g
        for g in seen.gaps
        if g.first <= last.date()
        and first.date() <= g.last
        and control in (None, g.control)
        and check in (None, g.check)
        and source in (None, g.source)
    ]
    inside = [g for g in meant if first.date() <= g.first and g.last <= last.date()]
    meant = inside or meant  # a long gap that only passes through is not meant, if others are
    if not meant:
        raise CouldNot(
            f"{store.address} has no such gap from {first:%Y-%m-%d} to {last:%Y-%m-%d}; "
            "`soc2 gaps` lists those it has"
        )
    parts = [(g.identity, max(g.first, first.date()), min(g.last, last.date())) for g in meant]
    told = {
        "cause": cause,
        "remediation": remediation,
        "customer_impact": customer_impact,
        "auditor_told_by": auditor_told_by,
        "auditor_told_on": f"{auditor_told_on:%Y-%m-%d}" if auditor_told_on else None,
    }
    rooms = {g.control or ROOM for g in meant}
    what = Attachment(
        rooms.pop() if len(rooms) == 1 else ROOM,
        DOCUMENT,
        {**read_files(files), EXPLANATION: serialize(explaining(parts, told))},
        now.date(),
        by or getpass.getuser(),
        reviewed_by,
    )
    record(store, open_signer(key, unsigned, profile, region), what, now)
    for (kind, _, check, source), begin, end in parts:
        told_of = f"Explained: {kind} gap of {check or source}, {begin} to {end}"
        click.echo(printable(told_of), err=True)
    return 0
