"""One source's ledger: each run's statement takes the next number, and names the one before by its
digest."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cdk_soc2.evidence.layout import DIGEST, RUN, SOURCE, is_plain, key_name, run_of, statement_name
from cdk_soc2.evidence.reading import began_at, ended_at, statements, window_time
from cdk_soc2.evidence.signer import Signer
from cdk_soc2.evidence.statement import (
    PAYLOAD_TYPE,
    Envelope,
    Named,
    Signature,
    build_payload,
    pae,
    resources,
)
from cdk_soc2.evidence.store import AnswerLost, Conflict, Exists, Store, StoreRefused
from cdk_soc2.evidence.tail import LedgerRefused, Tail, admit, tail

__all__ = [
    "OVERLAP",
    "Appended",
    "LedgerRefused",
    "Tail",
    "admit",
    "append",
    "began_at",
    "ended_at",
    "statements",
    "tail",
]

OVERLAP = timedelta(hours=1)
"""How much earlier than its predecessor a run may have begun when both ran at the same time."""

_OWN = ("source", "run", "sequence", "previous", "key", "next_key", "unsealed", "overlaps")


@dataclass(frozen=True, slots=True)
class Appended:
    """A stored statement; ``digest`` is the hex SHA-256 of ``envelope``: the source's new head."""

    sequence: int
    name: str
    digest: str
    envelope: bytes


def append(
    store: Store,
    signer: Signer | None,
    *,
    source: str,
    run: str,
    subject: Sequence[Named],
    predicate: Mapping[str, Any],
    unsealed: Sequence[Named] = (),
    next_key: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
    attempts: int = 16,
) -> Appended:
    """Write the statement of a finished run, whose files are stored already, and return it.

    *subject* is every file of the run: path from the vault's root, hex SHA-256. *predicate* holds
    what this module does not add itself (`regions`, `checks`, `collector`, `window`, `finished`).
    *unsealed* names files of earlier runs that could not be signed. *signer* None makes an unsigned
    statement. *next_key* is the fingerprint of the key that will follow. *attempts* bounds the
    tries at one number while others write it or answers get lost.

    Raises `ValueError` for a wrong argument, `LedgerRefused` for a key that is not the source's,
    `SigningUnavailable`, and `StoreRefused`; in each case no number is taken (after `AnswerLost`:
    perhaps).
    """
    _check(source, run, subject, predicate, unsealed, signer, next_key)
    seen, stale = -1, 0
    while True:
        end = tail(store, source)
        stale = stale + 1 if end.sequence == seen else 0
        if stale == attempts:
            name = statement_name(source, end.sequence + 1)
            raise StoreRefused(
                f"{store.address}: {name!r} is taken but never listed; check what lies there"
            )
        if stale:
            sleep(_pause(stale))
        seen = end.sequence
        admit(end, signer)
        if signer is not None and signer.keyid != end.current_key:
            _publish(store, signer, sleep, attempts)
        payload = build_payload(
            subject, _predicate(end, signer, run, predicate, unsealed, next_key)
        )
        body = _seal(payload, signer).render()
        name = statement_name(source, end.sequence + 1)
        if _put(store, name, body, sleep, attempts) or _holds(store, name, body):
            return Appended(end.sequence + 1, name, hashlib.sha256(body).hexdigest(), body)


def _predicate(
    end: Tail,
    signer: Signer | None,
    run: str,
    given: Mapping[str, Any],
    unsealed: Sequence[Named],
    next_key: str | None,
) -> dict[str, Any]:
    previous = None
    if end.name is not None and end.envelope is not None:
        previous = resources([(end.name, hashlib.sha256(end.envelope).hexdigest())])[0]
    said: dict[str, Any] = {
        "source": end.source,
        "run": run,
        "sequence": end.sequence + 1,
        "previous": previous,
    }
    if signer is not None:
        said["key"] = signer.keyid
        if next_key is None and signer.keyid == end.current_key:
            next_key = end.next_key  # named, not yet in use: said again until it is
        if next_key is not None:
            said["next_key"] = next_key
    said.update(given)
    start, stop = window_time(given, "start"), window_time(given, "end")
    if end.began and start and stop and start < end.began <= stop and end.began - start <= OVERLAP:
        said["overlaps"] = end.sequence
    if unsealed:
        said["unsealed"] = resources(unsealed)
    return said


def _seal(payload: bytes, signer: Signer | None) -> Envelope:
    if signer is None:
        return Envelope(PAYLOAD_TYPE, payload, ())
    signature = Signature(signer.keyid, signer.sign(pae(PAYLOAD_TYPE, payload)))
    return Envelope(PAYLOAD_TYPE, payload, (signature,))


def _put(
    store: Store, name: str, body: bytes, sleep: Callable[[float], None], attempts: int
) -> bool:
    """Whether *name* was created; False when it is taken, be it by an earlier try of ours."""
    last: Exception | None = None
    for attempt in range(attempts):
        try:
            store.put(name, body)
        except Exists:
            return False
        except (Conflict, AnswerLost) as error:
            last = error
            sleep(_pause(attempt))
        else:
            return True
    if isinstance(last, AnswerLost):
        raise last
    raise StoreRefused(
        f"{store.address}: {name!r}: others were writing it {attempts} times; run again"
    ) from last


def _holds(store: Store, name: str, body: bytes) -> bool:
    try:
        return store.get(name) == body  # ours: stored by a write whose answer was lost
    except KeyError:
        return False


def _publish(store: Store, signer: Signer, sleep: Callable[[float], None], attempts: int) -> None:
    name = key_name(signer.keyid)
    if _put(store, name, signer.pem, sleep, attempts):
        return
    try:
        held = store.get(name)
    except (KeyError, StoreRefused):
        # The collector may create keys and not read them. A key's name is its digest: verify
        # judges the bytes.
        return
    if held != signer.pem:
        raise LedgerRefused(
            f"{store.address}: {name!r} holds other bytes than the key of that name: "
            "find out who wrote it, and sign with a new key"
        )


def _pause(attempt: int) -> float:
    return min(2.0, 0.02 * 2**attempt)


def _check(
    source: str,
    run: str,
    subject: Sequence[Named],
    predicate: Mapping[str, Any],
    unsealed: Sequence[Named],
    signer: Signer | None,
    next_key: str | None,
) -> None:
    if not SOURCE.fullmatch(source):
        raise ValueError(f"source {source!r} is no name such as aws-123456789012")
    if not RUN.fullmatch(run):
        raise ValueError(f"run {run!r} is not <HHMMSS>Z-<8 hex>, such as 000003Z-0a1b2c3d")
    if taken := [field for field in _OWN if field in predicate]:
        raise ValueError(f"predicate field {taken[0]!r} is the ledger's own: leave it out")
    if next_key is not None and (signer is None or not DIGEST.fullmatch(next_key)):
        raise ValueError(f"next_key {next_key!r} is no hex SHA-256 fingerprint, or nobody signs it")
    for field in ("start", "end"):
        window_time(predicate, field)
    paths = [path for path, _ in (*subject, *unsealed)]
    if not subject or len(set(paths)) != len(paths):
        raise ValueError(f"run {run} of {source} names no file, or one twice")
    folders = {_own_folder(source, path, digest) for path, digest in subject}
    if len(folders) != 1 or not folders.pop().endswith(f"/{run}/"):
        raise ValueError(
            f"run {run} of {source} names files outside its own folder: {paths[0]!r} …"
        )
    for path, digest in unsealed:
        if _own_folder(source, path, digest).endswith(f"/{run}/"):
            raise ValueError(f"unsealed {path!r} is of run {run} itself: name it in subject")


def _own_folder(source: str, path: str, digest: str) -> str:
    found = run_of(path) if is_plain(path) else None
    if found is None or found[1] != source:
        raise ValueError(f"{path!r} lies in no run of source {source}")
    if not DIGEST.fullmatch(digest):
        raise ValueError(f"{path!r}: {digest!r} is no lower-case hex SHA-256")
    return found[0]
