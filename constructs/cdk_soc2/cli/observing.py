"""What ``coverage``, ``gaps`` and ``plan`` share: the same days of the same vault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import click

from cdk_soc2.audit.archive import Archive, sources
from cdk_soc2.audit.observation import NothingToObserve, Observation, observe
from cdk_soc2.boundary import Boundary, BoundaryError, load
from cdk_soc2.cli.errors import CouldNot
from cdk_soc2.cli.vault import READERS
from cdk_soc2.control import matrix
from cdk_soc2.controls import CONTROLS
from cdk_soc2.evidence.layout import MANUAL
from cdk_soc2.evidence.store import Locked, Store, StoreRefused

Command = TypeVar("Command", bound=Callable[..., object])
DAY = click.DateTime(["%Y-%m-%d"])
OPTIONS = (
    click.option("--from", "first", type=DAY, help="First UTC day; default: the period's."),
    click.option(
        "--to", "last", type=DAY, help="Last UTC day; default: the last one that is over."
    ),
    click.option("--source", "only", multiple=True, help="Only this source; may be repeated."),
    click.option(
        "--boundary", "boundary_file", type=click.Path(path_type=Path), help="Boundary file."
    ),
)


def observing(command: Command) -> Command:
    """Adds the options that choose days and sources."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def boundary_of(file: Path | None) -> Boundary:
    """The boundary in *file*; without one, a boundary that names nothing. Raises `CouldNot`."""
    try:
        return load(file) if file else Boundary()
    except BoundaryError as error:
        raise CouldNot(str(error)) from error


def look(
    store: Store,
    first: datetime | None,
    last: datetime | None,
    only: Sequence[str],
    boundary: Boundary,
) -> Observation:
    """The vault's observation period. Raises `CouldNot`."""
    if first and last and first > last:
        raise click.UsageError(f"--from {first:%Y-%m-%d} is after --to {last:%Y-%m-%d}")
    try:
        archive = open_archive(store, only, boundary)
        return observe(archive, matrix(CONTROLS), _day(first), _day(last), boundary.period)
    except (StoreRefused, NothingToObserve) as error:
        raise CouldNot(str(error)) from error


def open_archive(store: Store, only: Sequence[str], boundary: Boundary) -> Archive:
    """The evidence of *only* those sources, or of the boundary's accounts and all that is in no AWS
    account. Raises `CouldNot` and `StoreRefused`."""
    held = sources(store)
    if unknown := [s for s in only if s not in held]:
        there = ", ".join(held) or "none"
        raise CouldNot(f"{store.address} has no source {unknown[0]!r}; it has: {there}")
    required = [f"aws-{account}" for account in boundary.accounts]
    wanted = {*only, MANUAL} if only else None
    if only:
        required = [s for s in required if s in only]
    elif required:
        wanted = {s for s in {*held, *required} if not s.startswith("aws-") or s in required}
    workers = READERS if isinstance(store, Locked) else 1
    return Archive(store, datetime.now(UTC), wanted, required, workers)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
