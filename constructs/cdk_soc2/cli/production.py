"""``soc2 production``: what runs in production now, and how old its findings are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from cdk_soc2.boundary import Boundary, BoundaryError, load
from cdk_soc2.cli.errors import CouldNot
from cdk_soc2.cli.output import coloured, data, words
from cdk_soc2.cli.vault import open_store
from cdk_soc2.control import CannotLook
from cdk_soc2.evidence.store import StoreRefused
from cdk_soc2.sources.now import production as read
from cdk_soc2.sources.production import standing

WORDS = {True: "PASS", False: "FAIL", None: "UNKNOWN"}


@click.command()
@click.argument("vault")
@click.option("--boundary", "boundary_file", type=click.Path(path_type=Path), help="Boundary file.")
@click.option("--profile", help="AWS profile.")
@click.option("--region", help="AWS region of the bucket.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def production(
    vault: str, boundary_file: Path | None, profile: str | None, region: str | None, as_json: bool
) -> int:
    """Show what runs in production by the last runs in VAULT, by image digest, and whether a severe
    finding in it has been open for longer than the boundary allows.

    Exit status: 0 none has; 1 one has, or it cannot be told; 2 the vault tells of nothing.
    """
    try:
        boundary = load(boundary_file) if boundary_file else Boundary()
        running, scans, sources = read(open_store(vault, profile, region))
    except (BoundaryError, StoreRefused) as error:
        raise CouldNot(str(error)) from None
    except KeyError as error:
        raise CouldNot(f"{vault}: {error} is missing; run `soc2 verify`") from None
    except CannotLook as error:
        raise CouldNot(f"{error.reason}. {error.remedy}") from None
    if not running:
        raise CouldNot(
            f"{vault}: no run of {', '.join(sources) or 'any source'} tells of anything in production; "
            "collect from GitHub or Argo CD into it first"
        )
    seen = list(standing(running, scans, boundary.sla_days, datetime.now(UTC)))
    if as_json:
        rows = [
            {"subject": o.subject, "status": WORDS[o.ok], "detail": o.detail, "remedy": o.remedy}
            for o in seen
        ]
        click.echo(json.dumps({"sources": sources, "images": rows}, indent=2))
    else:
        table = Table(title="In production")
        for heading in ("Where", "Status", "What"):
            table.add_column(heading, overflow="fold")
        for o in seen:
            table.add_row(escape(o.subject), coloured(WORDS[o.ok]), escape(o.detail))
        data().print(table)
        words().print(f"By the last runs of {', '.join(sources)}", soft_wrap=True)
    return 0 if all(o.ok is True for o in seen) else 1
