"""``soc2 collect``: one read-only run, with or without anything deployed."""

from __future__ import annotations

import getpass
import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import click
from rich.markup import escape
from rich.table import Table

from cdk_soc2 import __version__
from cdk_soc2.account import Reader
from cdk_soc2.boundary import Boundary, BoundaryError, load, parse
from cdk_soc2.cli.aws import open_session
from cdk_soc2.cli.errors import CouldNot
from cdk_soc2.cli.output import coloured, data, words
from cdk_soc2.cli.signing import open_signer
from cdk_soc2.cli.vault import open_store
from cdk_soc2.collect import collect as run
from cdk_soc2.control import CannotLook
from cdk_soc2.controls import CONTROLS
from cdk_soc2.deploy.bundle import collector_zip
from cdk_soc2.evidence.record import troubled
from cdk_soc2.evidence.seal import Outcome
from cdk_soc2.evidence.store import StoreRefused
from cdk_soc2.reperform import Again, NoSuchRun, ask_again, questions
from cdk_soc2.scope import WrongAccount

DEFAULT_REGION = "us-east-1"  # where AWS keeps its global services


@click.command()
@click.option("--regions", help="Look in these regions only, comma separated.")
@click.option("--boundary", "boundary_file", type=click.Path(path_type=Path), help="Boundary file.")
@click.option("--vault", default="./evidence", show_default=True, help="s3://BUCKET or a folder.")
@click.option("--key", help="Sign with this KMS key (id, ARN, alias) or PEM file.")
@click.option("--next-key", help="Fingerprint of the key that will sign after this one.")
@click.option("--unsigned", is_flag=True, help="Do not sign: nobody vouches for the evidence.")
@click.option("--profile", help="AWS profile.")
@click.option("--region", help="Region of services without regions, and of the bucket and key.")
@click.option(
    "--reperform", metavar="RUN", help="Ask a stored run's questions again; store nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print control-status.json.")
def collect(
    regions: str | None,
    boundary_file: Path | None,
    vault: str,
    key: str | None,
    next_key: str | None,
    unsigned: bool,
    profile: str | None,
    region: str | None,
    reperform: str | None,
    as_json: bool,
) -> int:
    """Look at the account, read-only, and record what was seen.

    Exit status: 0 recorded, nothing fails and no automated check is unknown; 1 recorded,
    something is; 2 not recorded.
    """
    if reperform is not None:
        return _reperform(reperform, vault, profile, region, as_json)
    session = open_session(profile, region)
    home = str(session.region_name or DEFAULT_REGION)
    signer = open_signer(key, unsigned, profile, home)
    try:
        boundary = load(boundary_file) if boundary_file else Boundary()
        if regions is not None:
            listed = parse({"regions": [r.strip() for r in regions.split(",")]}).regions
            boundary = replace(boundary, regions=listed)
        reader = Reader(session)
        outcome = run(
            CONTROLS,
            boundary,
            reader,
            home,
            open_store(vault, profile, region),
            signer,
            collector=lambda _: _collector(boundary),
            clock=lambda: datetime.now(UTC),
            next_key=next_key,
        )
    except (BoundaryError, WrongAccount) as error:
        raise CouldNot(str(error)) from None
    except CannotLook as error:
        raise CouldNot(f"{error.reason}. {error.remedy}") from None
    _show(outcome, as_json)
    if not outcome.recorded:
        raise CouldNot(f"not recorded: {outcome.trouble}")
    return 1 if troubled(outcome.status) else 0


def _reperform(run: str, vault: str, profile: str | None, region: str | None, as_json: bool) -> int:
    """0 when AWS answers as it did, 1 when it does not."""
    try:
        asked = questions(open_store(vault, profile, region), run)
    except (NoSuchRun, StoreRefused) as error:
        raise CouldNot(str(error)) from None
    again = list(ask_again(asked, Reader(open_session(profile, region))))
    changed = [a for a in again if a.differences]
    if as_json:
        click.echo(json.dumps([_told(a) for a in again], indent=2))
    for a in () if as_json else changed:
        q = a.question
        click.echo(f"{q.service}:{q.operation} in {q.region} {json.dumps(q.parameters)}")
        for path, was, is_ in a.differences:
            click.echo(f"  {path}: {json.dumps(was)} -> {json.dumps(is_)}")
    words().print(
        f"{len(again) - len(changed)} of {len(again)} questions answered as in run {run}."
    )
    return 1 if changed else 0


def _told(again: Again) -> dict[str, Any]:
    q = again.question
    return {
        "service": q.service,
        "operation": q.operation,
        "region": q.region,
        "parameters": q.parameters,
        "differences": [{"path": p, "was": was, "is": is_} for p, was, is_ in again.differences],
    }


def _collector(boundary: Boundary) -> Mapping[str, Any]:
    return {
        "version": __version__,
        "code_sha256": hashlib.sha256(collector_zip(boundary)).hexdigest(),
        "code_sha256_from": "the installed package, bundled as for deployment",
        "boto3": boto3.__version__,
        "python": platform.python_version(),
        "request_id": None,
        "trigger": f"manual, by {getpass.getuser()} on {platform.node()}",
    }


def _show(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(outcome.status, indent=2))
        return
    table = Table(title=f"Account {outcome.status['account_id']}", show_lines=False)
    for heading in ("Control", "Check", "Status", "What was seen"):
        table.add_column(heading, overflow="fold")
    for control in outcome.status["controls"].values():
        for id, check in control["checks"].items():
            table.add_row(control["name"], id, coloured(check["status"]), escape(check["detail"]))
    data().print(table)
    if outcome.statement is not None:
        words().print(f"Evidence: {outcome.location}", soft_wrap=True)
        words().print(
            f"Statement: {outcome.statement.name}, SHA-256 {outcome.statement.digest}",
            soft_wrap=True,
        )
