"""Puts a run into the store: its files first, its statement last."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdk_soc2.evidence.ledger import Appended, append
from cdk_soc2.evidence.record import (
    STATUS_FILE,
    Run,
    predicate,
    serialize,
    sha256,
    status_document,
)
from cdk_soc2.evidence.signer import Signer, SigningUnavailable
from cdk_soc2.evidence.spool import Spool
from cdk_soc2.evidence.statement import Named
from cdk_soc2.evidence.store import AnswerLost, Conflict, Exists, Store, StoreRefused
from cdk_soc2.evidence.tail import LedgerRefused

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


def seal(
    run: Run,
    spool: Spool,
    store: Store,
    signer: Signer | None,
    *,
    earlier: Mapping[str, Any] | None = None,
    unsealed: Sequence[Named] = (),
    next_key: str | None = None,
) -> Outcome:
    """Store *run* with the answers in *spool*, and take its place in the ledger.

    A store or a key that refuses is told in the outcome, not raised: the verdicts must not be lost.
    """
    files = _files(run, spool)
    status = status_document(run, {name: digest for name, (_, digest) in files.items()})
    body = serialize(status)
    files[STATUS_FILE] = (body, sha256(body))
    statement = _store(run, files, store, signer, unsealed, next_key)
    sealed = isinstance(statement, Appended)
    return Outcome(
        status,
        earlier,
        f"{store.address}/{run.folder}/{STATUS_FILE}",
        statement if sealed else None,
        None if sealed else statement,
    )


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
            list(pool.map(lambda f: deposit(store, f[0], f[1]), named))
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


def deposit(store: Store, key: str, body: bytes | Path) -> None:
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
