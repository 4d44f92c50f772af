"""``soc2 readiness``: the mock audit of a vault, on one day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from cdk_soc2.audit.archive import Archive, sources
from cdk_soc2.audit.documents import read_documents
from cdk_soc2.audit.explanations import read_explanations
from cdk_soc2.audit.readiness import readiness as judge
from cdk_soc2.audit.result import Readiness
from cdk_soc2.audit.sampling import Sample, pick, spot_check
from cdk_soc2.boundary import Boundary, BoundaryError, load
from cdk_soc2.cli.errors import CouldNot
from cdk_soc2.cli.readiness_table import show
from cdk_soc2.cli.vault import READERS, open_store
from cdk_soc2.control import matrix
from cdk_soc2.controls import CONTROLS
from cdk_soc2.evidence.store import Locked, Store, StoreRefused


@click.command()
@click.argument("vault")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="UTC day; default: the newest.")
@click.option("--source", "only", multiple=True, help="Only this source; may be repeated.")
@click.option("--boundary", "boundary_file", type=click.Path(path_type=Path), help="Boundary file.")
@click.option("--sample", type=click.IntRange(min=1), help="Spot-check this many random days.")
@click.option("--seed", help="What the random days are derived from; let the auditor choose it.")
@click.option("--profile", help="AWS profile.")
@click.option("--region", help="The bucket's region.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def readiness(
    vault: str,
    on: datetime | None,
    only: Sequence[str],
    boundary_file: Path | None,
    sample: int | None,
    seed: str | None,
    profile: str | None,
    region: str | None,
    as_json: bool,
) -> int:
    """Hold a mock audit of VAULT (s3://BUCKET or a folder): what is ready, by which evidence, and
    what to do next.

    With --boundary, its accounts must all be there. Exit status: 0 ready, 1 not ready or a spot
    check that does not fit, 2 could not tell.
    """
    if seed is not None and sample is None:
        raise click.UsageError("--seed chooses the days of --sample: give both")
    try:
        boundary = load(boundary_file) if boundary_file else Boundary()
        store = open_store(vault, profile, region)
        audit = _audit(store, boundary, [*only], on.date() if on else None, sample, seed or "1")
    except (BoundaryError, StoreRefused) as error:
        raise CouldNot(str(error)) from error
    if as_json:
        samples = [s.to_json() for s in audit.samples]
        click.echo(json.dumps(audit.readiness.to_json() | {"samples": samples}, indent=2))
    else:
        show(audit.readiness, audit.samples)
    for word in audit.words:
        click.echo(word, err=True)
    return 0 if audit.readiness.ready and all(s.consistent for s in audit.samples) else 1


@dataclass(frozen=True)
class _Audit:
    readiness: Readiness
    samples: list[Sample]
    words: list[str]


def _audit(
    store: Store,
    boundary: Boundary,
    only: list[str],
    on: date | None,
    count: int | None,
    seed: str,
) -> _Audit:
    held = sources(store)
    if unknown := [s for s in only if s not in held]:
        there = ", ".join(held) or "none"
        raise CouldNot(f"{store.address} has no source {unknown[0]!r}; it has: {there}")
    words: list[str] = []
    required = [f"aws-{account}" for account in boundary.accounts]
    if only:
        words.append(f"Only of {', '.join(only)}: other sources may say otherwise.")
        required = [s for s in required if s in only]
    elif required:
        outside = [s for s in held if s.startswith("aws-") and s not in required]
        words += [f"{s} is not in the boundary, and was left out." for s in outside]
        only = [s for s in {*held, *required} if s not in outside]
    now = datetime.now(UTC)
    workers = READERS if isinstance(store, Locked) else 1
    archive = Archive(store, now, only or None, required, workers)
    first, newest = archive.first(), archive.newest()
    if first is None or newest is None:
        of = f" of {', '.join(sorted(required))}" if required else ""
        raise CouldNot(f"{store.address} holds no evidence{of}; collect some with `soc2 collect`")
    today = now.date()
    if on is not None and not first <= on <= max(newest, today):
        span = f"from {first} to {newest}"
        raise CouldNot(f"{store.address} has no evidence of {on}; it has some {span}")
    silent = 0 if on else max(0, (today - newest).days - 1)
    on = on or newest
    documents = read_documents(store, archive.manual) if archive.manual else {}
    explained = read_explanations(store, archive.manual)[0] if archive.manual else []
    result = judge(matrix(CONTROLS), archive.as_of(on), documents, on, silent, explained)
    samples: list[Sample] = []
    if count is not None:
        start = max(first, boundary.period.start) if boundary.period else first
        last = min(on, newest, max(start, today - timedelta(days=1)) if on == today else on)
        if start > last:
            raise CouldNot(f"no finished day from {start} to {last} to sample")
        samples = [spot_check(archive, day) for day in pick(start, last, count, seed)]
        words.append(f"Sampled {len(samples)} of the days {start} to {last} with seed {seed!r}.")
    if not result.signed:
        words.append("Not all of this is signed: nobody vouches for who made it.")
    words.append(
        "Each run was held against its own statement; `soc2 verify` checks signatures too."
    )
    return _Audit(result, samples, words)
