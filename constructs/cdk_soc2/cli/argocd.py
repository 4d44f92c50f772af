"""``soc2 argocd collect``: evidence of deployments from an Argo CD server."""

from __future__ import annotations

import getpass
import json
import os
import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import click
from rich.markup import escape
from rich.table import Table

from cdk_soc2 import __version__
from cdk_soc2.boundary import Boundary, BoundaryError, load
from cdk_soc2.cli.errors import CouldNot
from cdk_soc2.cli.output import coloured, data, words
from cdk_soc2.cli.signing import open_signer
from cdk_soc2.cli.vault import open_store
from cdk_soc2.deploy.bundle import PACKAGE, archive, code_sha256
from cdk_soc2.evidence.layout import SOURCE
from cdk_soc2.evidence.record import troubled
from cdk_soc2.evidence.seal import Outcome
from cdk_soc2.sources.argocd.collect import collect as run
from cdk_soc2.sources.argocd.control import KIND
from cdk_soc2.sources.argocd.server import BadAddress, base_url

TOKEN = "ARGOCD_AUTH_TOKEN"  # noqa: S105  the variable's name, as Argo CD's own command has it


@click.group()
def argocd() -> None:
    """Evidence from Argo CD."""


@argocd.command()
@click.option("--server", envvar="ARGOCD_SERVER", required=True, help="https://argocd.example.com")
@click.option("--vault", default="./evidence", show_default=True, help="s3://BUCKET or a folder.")
@click.option("--name", help="Keep the evidence as argocd-NAME.  [default: the server's host]")
@click.option("--projects", help="Argo CD's projects in scope, comma separated.  [default: all]")
@click.option("--boundary", "boundary_file", type=click.Path(path_type=Path), help="Boundary file.")
@click.option("--key", help="Sign with this KMS key (id, ARN, alias) or PEM file.")
@click.option("--next-key", help="Fingerprint of the key that will sign after this one.")
@click.option("--unsigned", is_flag=True, help="Do not sign: nobody vouches for the evidence.")
@click.option("--profile", help="AWS profile.")
@click.option("--region", help="Region of the bucket and the key.")
@click.option("--json", "as_json", is_flag=True, help="Print control-status.json.")
def collect(
    server: str,
    vault: str,
    name: str | None,
    projects: str | None,
    boundary_file: Path | None,
    key: str | None,
    next_key: str | None,
    unsigned: bool,
    profile: str | None,
    region: str | None,
    as_json: bool,
) -> int:
    """Record applications and their history of syncs, read-only, since the run before.

    The token comes from ARGOCD_AUTH_TOKEN; it needs `applications, get` on the projects in scope.
    Argo CD keeps ten syncs an application: run it daily, or oftener than ten syncs.

    Exit status: 0 recorded, and no sync is lost; 1 recorded, something is lost or was not to be
    seen; 2 not recorded.
    """
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise CouldNot(f"no token: set {TOKEN} to one that may get the applications in scope")
    signer = open_signer(key, unsigned, profile, region)
    try:
        outcome = run(
            _name(name, server),
            server,
            token,
            open_store(vault, profile, region),
            signer,
            boundary=load(boundary_file) if boundary_file else Boundary(),
            collector=_collector(),
            clock=lambda: datetime.now(UTC),
            projects=[p.strip() for p in projects.split(",") if p.strip()] if projects else (),
            next_key=next_key,
        )
    except (BadAddress, BoundaryError) as error:
        raise CouldNot(str(error)) from None
    _show(outcome, as_json)
    if not outcome.recorded:
        raise CouldNot(f"not recorded: {outcome.trouble}")
    return 1 if troubled(outcome.status) else 0


def _name(given: str | None, server: str) -> str:
    """The name to keep evidence under; from the server's address when none is given."""
    name = given or re.sub(r"[^A-Za-z0-9._-]", "-", urlsplit(base_url(server)).netloc)
    if not SOURCE.fullmatch(f"{KIND}-{name}"):
        raise CouldNot(
            f"--name {name!r}: use letters, digits, '.', '_' and '-', such as production"
        )
    return name


def _collector() -> Mapping[str, Any]:
    code = {p.relative_to(PACKAGE).as_posix(): p.read_bytes() for p in PACKAGE.rglob("*.py")}
    return {
        "version": __version__,
        "code_sha256": code_sha256(archive(code)),
        "code_sha256_from": "the modules of the installed package",
        "boto3": boto3.__version__,
        "python": platform.python_version(),
        "request_id": None,
        "trigger": _trigger(),
    }


def _trigger() -> str:
    if os.environ.get("GITHUB_ACTIONS") == "true":
        e = os.environ.get
        run = f"{e('GITHUB_SERVER_URL')}/{e('GITHUB_REPOSITORY')}/actions/runs/{e('GITHUB_RUN_ID')}"
        return f"{e('GITHUB_EVENT_NAME')}, {run}"
    return f"manual, by {getpass.getuser()} on {platform.node()}"


def _show(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(outcome.status, indent=2))
        return
    table = Table("Check", "Status", "Application", "What was seen", title=outcome.status["source"])
    for control in outcome.status["controls"].values():
        for id, check in control["checks"].items():
            table.add_row(id, coloured(check["status"]), "", _clean(check["detail"]))
            for o in check["observations"]:
                seen = _clean(o["subject"]), _clean(o["detail"])
                table.add_row("", coloured(o["status"]), *seen)
    data().print(table)
    if outcome.statement is not None:
        words().print(f"Evidence: {outcome.location}", soft_wrap=True)
        said = f"Statement: {outcome.statement.name}, SHA-256 {outcome.statement.digest}"
        words().print(said, soft_wrap=True)


def _clean(text: str) -> str:
    """What a server says: nothing in it may steer the terminal, or be taken for markup."""
    return escape(
        "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    )
