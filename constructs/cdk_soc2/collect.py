"""One run of evidence: controls times account times regions, recorded, signed and chained."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from cdk_soc2.account import LiveAccount, LiveRegion, Reader, keeper
from cdk_soc2.assess import assess
from cdk_soc2.boundary import Boundary
from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Control
from cdk_soc2.evidence.ledger import Appended, append
from cdk_soc2.evidence.past import Past
from cdk_soc2.evidence.record import (
    STATUS_FILE,
    Run,
    predicate,
    run_id,
    serialize,
    sha256,
    status_document,
)
from cdk_soc2.evidence.signer import Signer, SigningUnavailable
from cdk_soc2.evidence.spool import Spool
from cdk_soc2.evidence.statement import Named
from cdk_soc2.evidence.store import AnswerLost, Conflict, Exists, Store, StoreRefused
from cdk_soc2.evidence.tail import LedgerRefused
from cdk_soc2.scope import find_scope

T = TypeVar("T")
ATTEMPTS = 4


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    :param status: ``control-status.json``, whether it could be stored or not.
    :param earlier: the document of the run before, ``None`` if there is none or it is unreadable.
    :param statement: the run's place in the ledger; ``None`` when it did not get one.
    :param trouble: why the run was not recorded whole; ``None`` when it was.
    """

    status: Mapping[str, Any]
    earlier: Mapping[str, Any] | None
    location: str
    statement: Appended | None
    trouble: str | None

    @property
    def recorded(self) -> bool:
        """Is the evidence stored, signed or deliberately unsigned, and chained?"""
        return self.statement is not None


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
        files = _files(run, spool)
        status = status_document(run, {name: digest for name, (_, digest) in files.items()})
        body = serialize(status)
        files[STATUS_FILE] = (body, sha256(body))
        statement = _store(run, files, store, signer, unsealed.result() or (), next_key)
        sealed = isinstance(statement, Appended)
        return Outcome(
            status,
            earlier.result(),
            f"{store.address}/{run.folder}/{STATUS_FILE}",
            statement if sealed else None,
            None if sealed else statement,
        )


def _bucket(store: Store) -> str | None:
    return store.address.removeprefix("s3://") if store.address.startswith("s3://") else None


def _unless_unseen(look: Callable[[], T]) -> T | None:
    """``None`` where the ledger cannot be read: the check evidence_schedule says so, and why."""
    try:
        return look()
    except CannotLook:
        return None


def _files(run: Run, spool: Spool) -> dict[str, tuple[bytes | Path, str]]:
    """Everything the run leaves beside its verdicts: content and SHA-256 by name."""
    answers = {f"answers/{name}": (path, digest) for name, path, digest in spool.files()}
    return {**answers, "boundary.json": (run.boundary.body, run.boundary.digest)}


def _store(
    run: Run,
    files: Mapping[str, tuple[bytes | Path, str]],
    store: Store,
    signer: Signer | None,
    unsealed: Sequence[Named],
    next_key: str | None,
) -> Appended | str:
    """The run's place in the ledger, or why it has none. The statement is written last."""
    named = [(f"{run.folder}/{name}", body, digest) for name, (body, digest) in files.items()]
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda f: _deposit(store, f[0], f[1]), named))
        return append(
            store,
            signer,
            source=run.scope.source,
            run=run.id,
            subject=[(path, digest) for path, _, digest in named],
            predicate=predicate(run),
            unsealed=unsealed,
            next_key=next_key,
        )
    except (StoreRefused, SigningUnavailable, LedgerRefused) as error:
        return f"{type(error).__name__}: {error}"


def _deposit(store: Store, key: str, body: bytes | Path) -> None:
    """Write one file of the run, whose name nobody else has."""
    for attempt in range(ATTEMPTS):
        try:
            return store.put(key, body)
        except Exists:
            return None  # ours: stored by a write whose answer was lost
        except (AnswerLost, Conflict) as error:
            if attempt == ATTEMPTS - 1:
                raise StoreRefused(
                    f"{store.address}: {key!r} could not be written: {error}"
                ) from None
            time.sleep(0.1 * 2**attempt)
    return None
