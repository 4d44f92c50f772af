"""One run of evidence: controls times account times regions, recorded, signed and chained."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from cdk_soc2.account import LiveAccount, LiveRegion, Reader, keeper
from cdk_soc2.assess import assess
from cdk_soc2.boundary import Boundary
from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Control
from cdk_soc2.evidence.past import Past
from cdk_soc2.evidence.record import Run, run_id
from cdk_soc2.evidence.seal import Outcome, seal
from cdk_soc2.evidence.signer import Signer
from cdk_soc2.evidence.spool import Spool
from cdk_soc2.evidence.store import Store
from cdk_soc2.scope import find_scope

T = TypeVar("T")


def collect(
    controls: Sequence[Control],
    boundary: Boundary,
    reader: Reader,
    home: str,
    store: Store,
    signer: Signer | None,
    *,
    collector: Callable[[LiveRegion], Mapping[str, Any]],
    clock: Callable[[], datetime],
    seconds: float | None = None,
    next_key: str | None = None,
) -> Outcome:
    """Ask every check of the account and record what they found. Reads only, but for *store*.

    :param home: the region that services without regions are asked in.
    :param signer: who signs the statement; ``None`` for an unsigned one.
    :param collector: tells which code collects, given a region to look in.
    :param seconds: how long the checks may take; those not done by then are ``UNKNOWN``.

    Raises :class:`CannotLook` when the credentials are not accepted at all and
    :class:`~cdk_soc2.scope.WrongAccount`. A store or a key that refuses is told in the outcome.
    """
    now = clock()
    with tempfile.TemporaryDirectory(prefix="soc2-") as folder:
        spool = Spool(Path(folder))
        keep = {key: keeper(spool, key) for key in ("evidence", *(c.key for c in controls))}
        own = LiveRegion(reader, home, keep["evidence"])
        with ThreadPoolExecutor(3, thread_name_prefix="past") as beside:
            code = beside.submit(collector, own)
            scope = find_scope(own, boundary)
            past = Past(store, scope.source, _bucket(store))
            earlier = beside.submit(_unless_unseen, past.earlier)
            unsealed = beside.submit(_unless_unseen, lambda: past.unsealed(now))
            assessment = assess(
                controls,
                lambda control: LiveAccount(
                    reader, scope.account, home, scope.regions, keep[control.key]
                ),
                scope,
                Context(boundary, now, past),
                seconds=seconds,
            )
            reader.close()
            run = Run(
                run_id(now), scope, boundary, controls, assessment, now, clock(), code.result()
            )
        return seal(
            run,
            spool,
            store,
            signer,
            earlier=earlier.result(),
            unsealed=unsealed.result() or (),
            next_key=next_key,
        )


def _bucket(store: Store) -> str | None:
    return store.address.removeprefix("s3://") if store.address.startswith("s3://") else None


def _unless_unseen(look: Callable[[], T]) -> T | None:
    """``None`` where the ledger cannot be read: the check evidence_schedule says so, and why."""
    try:
        return look()
    except CannotLook:
        return None
