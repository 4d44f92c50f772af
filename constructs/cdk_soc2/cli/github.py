"""``soc2 github``: evidence from GitHub."""

from __future__ import annotations

import getpass
import json
import platform
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from cdk_soc2 import __version__
from cdk_soc2.boundary import Boundary, BoundaryError, load
from cdk_soc2.cli.errors import CouldNot
from cdk_soc2.cli.github_options import (
    API_URL,
    OWNER,
    REPOSITORIES,
    names_in,
    open_client,
    repositories,
)
from cdk_soc2.cli.github_owner import export_rulesets, policy
from cdk_soc2.cli.output import coloured, data, words
from cdk_soc2.cli.signing import open_signer
from cdk_soc2.cli.vault import open_store
from cdk_soc2.control import CannotLook
from cdk_soc2.evidence.record import troubled
from cdk_soc2.evidence.seal import Outcome
from cdk_soc2.sources.github.collect import Wanted
from cdk_soc2.sources.github.collect import collect as run
from cdk_soc2.sources.github.export import NotAnExport, checked
from cdk_soc2.sources.github.window import Settings


@click.group()
def github() -> None:
    """Evidence from GitHub: who may change what, what was changed, who approved it.

    The token comes from GITHUB_TOKEN, or from a GitHub App: GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY
    (PEM, or a file's path) and GITHUB_APP_INSTALLATION_ID.
    """


github.add_command(policy)
github.add_command(export_rulesets)


@github.command()
@OWNER
@REPOSITORIES
@API_URL
@click.option("--vault", default="./evidence", show_default=True, help="s3://BUCKET or a folder.")
@click.option("--key", help="Sign with this KMS key (id, ARN, alias) or PEM file.")
@click.option("--next-key", help="Fingerprint of the key that will sign after this one.")
@click.option("--unsigned", is_flag=True, help="Do not sign: nobody vouches for the evidence.")
@click.option("--from", "start", help="First day of changes (YYYY-MM-DD); else since the last run.")
@click.option("--to", "end", help="Last day of changes (YYYY-MM-DD).")
@click.option("--boundary", "boundary_file", type=click.Path(path_type=Path), help="Boundary file.")
@click.option("--scanner", default="Trivy", show_default=True, help="The tool that scans images.")
@click.option(
    "--production", default="production,prod", show_default=True, help="Production environments."
)
@click.option("--rulesets-export", type=click.Path(path_type=Path), help="From an owner.")
@click.option("--cache", type=click.Path(path_type=Path), help="Keep answers here, ask if changed.")
@click.option("--profile", help="AWS profile, for the bucket and the key.")
@click.option("--region", help="AWS region of the bucket and the key.")
@click.option("--json", "as_json", is_flag=True, help="Print control-status.json.")
def collect(
    owner: str,
    repos: str | None,
    api_url: str,
    vault: str,
    key: str | None,
    next_key: str | None,
    unsigned: bool,
    start: str | None,
    end: str | None,
    boundary_file: Path | None,
    scanner: str,
    production: str,
    rulesets_export: Path | None,
    cache: Path | None,
    profile: str | None,
    region: str | None,
    as_json: bool,
) -> int:
    """Look at the owner's repositories, read-only, and record what was seen.

    Exit status: 0 recorded, nothing fails and no automated check is unknown; 1 recorded,
    something is; 2 not recorded.
    """
    signer = open_signer(key, unsigned, profile, region)
    first, last = _day(start, "--from"), _day(end, "--to")
    settings = Settings(
        scanner,
        tuple(name.lower() for name in names_in(production)),
        _export(rulesets_export, owner),
    )
    window = Wanted(
        owner,
        repositories(repos, owner),
        first,
        last + timedelta(days=1) if last else None,
        settings,
    )
    try:
        outcome = run(
            window,
            load(boundary_file) if boundary_file else Boundary(),
            open_client(api_url, cache),
            open_store(vault, profile, region),
            signer,
            collector=_collector(),
            clock=lambda: datetime.now(UTC),
            next_key=next_key,
        )
    except BoundaryError as error:
        raise CouldNot(str(error)) from None
    except CannotLook as error:
        raise CouldNot(f"{error.reason}. {error.remedy}") from None
    _show(outcome, as_json)
    if not outcome.recorded:
        raise CouldNot(f"not recorded: {outcome.trouble}")
    return 1 if troubled(outcome.status) else 0


def _export(path: Path | None, owner: str) -> Mapping[str, Any] | None:
    if path is None:
        return None
    try:
        return checked(json.loads(path.read_text(encoding="utf-8")), owner)
    except OSError as error:
        raise CouldNot(f"--rulesets-export {path}: {error.strerror}") from None
    except (ValueError, NotAnExport) as error:
        raise CouldNot(f"--rulesets-export {path}: {error}; give what an owner exported") from None


def _day(text: str | None, option: str) -> datetime | None:
    """The beginning of the day, UTC."""
    if text is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        raise CouldNot(f"{option} {text!r} is not a date; write YYYY-MM-DD") from None


def _collector() -> Mapping[str, Any]:
    return {
        "version": __version__,
        "python": platform.python_version(),
        "request_id": None,
        "trigger": f"by {getpass.getuser()} on {platform.node()}",
    }


def _show(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(outcome.status, indent=2))
        return
    table = Table(title=f"GitHub {outcome.status['account_id']}")
    for heading in ("Control", "Check", "Status", "What was seen"):
        table.add_column(heading, overflow="fold")
    for control in outcome.status["controls"].values():
        for id, check in control["checks"].items():
            table.add_row(control["name"], id, coloured(check["status"]), escape(check["detail"]))
    data().print(table)
    if outcome.statement is not None:
        words().print(f"Evidence: {outcome.location}", soft_wrap=True)
