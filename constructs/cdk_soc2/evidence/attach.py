"""Documents that people make, into the vault: hashed, signed and chained like any other run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from cdk_soc2.evidence.layout import MANUAL, STATEMENT, is_hidden, is_plain, run_folder
from cdk_soc2.evidence.ledger import Appended, append
from cdk_soc2.evidence.record import run_id, serialize
from cdk_soc2.evidence.seal import deposit
from cdk_soc2.evidence.signer import Signer
from cdk_soc2.evidence.spool import timestamp
from cdk_soc2.evidence.store import Store, StoreRefused
from cdk_soc2.evidence.tail import LedgerRefused, admit, tail

ATTACHMENT = "attachment.json"
EXPLANATION = "explanation.json"
EXPLANATION_SCHEMA = "soc2-gap-explanation/v1"


class NotAttached(ValueError):
    """The document cannot be evidence as it was given; says why, and what to give instead."""


@dataclass(frozen=True)
class Attachment:
    """What people attach.

    :param document: which of the control's documents it is.
    :param files: content by name.
    :param until: the last day on which it is current; ``None``: as long as such documents are.
    :param reviewed_by: another person than the one who prepared it; ``None`` only where no review
        is asked for.
    """

    control: str
    document: str
    files: Mapping[str, bytes]
    effective: date
    prepared_by: str
    reviewed_by: str | None
    until: date | None = None
    note: str = ""

    def document_json(self) -> dict[str, Any]:
        """``attachment.json``."""
        return {
            "control": self.control,
            "document": self.document,
            "effective_from": self.effective.isoformat(),
            "effective_to": self.until.isoformat() if self.until else None,
            "prepared_by": self.prepared_by.strip(),
            "reviewed_by": self.reviewed_by.strip() if self.reviewed_by is not None else None,
            "note": self.note,
            "files": [
                {"name": name, "digest": {"sha256": hashlib.sha256(body).hexdigest()}}
                for name, body in self.files.items()
            ],
        }


@dataclass(frozen=True)
class Attached:
    """:param path: of its ``attachment.json``, from the vault's root."""

    path: str
    statement: Appended


def attach(store: Store, signer: Signer | None, what: Attachment, now: datetime) -> Attached:
    """Store *what* and take the next place in the ledger of source ``manual``.

    Raises :class:`NotAttached`, `LedgerRefused`, `SigningUnavailable` or `StoreRefused`.
    """
    for reason in _objections(what, now.astimezone(UTC).date()):
        raise NotAttached(reason)
    _refuse_shared_key(store, signer)
    admit(tail(store, MANUAL), signer)  # before the files, which would be left without a statement
    run = run_id(now)
    folder = run_folder(MANUAL, what.effective, run, what.control)
    files = {**what.files, ATTACHMENT: serialize(what.document_json())}
    for name, body in files.items():
        deposit(store, f"{folder}{name}", body)
    at = timestamp(now)
    statement = append(
        store,
        signer,
        source=MANUAL,
        run=run,
        subject=[(f"{folder}{n}", hashlib.sha256(b).hexdigest()) for n, b in files.items()],
        predicate={"window": {"start": at, "end": at}, "finished": True},
    )
    return Attached(f"{folder}{ATTACHMENT}", statement)


def _objections(what: Attachment, today: date) -> Iterator[str]:
    if not what.prepared_by.strip():
        yield "nobody prepared it: name the person"
    if what.reviewed_by is not None:
        if not what.reviewed_by.strip():
            yield "nobody reviewed it: name the person"
        if _person(what.prepared_by) == _person(what.reviewed_by):
            yield f"prepared and reviewed by {what.prepared_by!r}: let another person review it"
    if what.effective > today:
        yield (
            f"it takes effect on {what.effective}, after today, {today} (UTC): "
            "attach it when it is in force"
        )
    if what.until and what.until < what.effective:
        yield f"it ends on {what.until}, before it takes effect on {what.effective}"
    if not what.files:
        yield "no file: give the document itself"
    for name, body in what.files.items():
        if not is_plain(name) or "/" in name or is_hidden(name) or not name.isprintable():
            yield f"{name!r} cannot be a file's name in the vault: rename it"
        if name == ATTACHMENT:
            yield f"{name!r} is the name of the vault's own record of it: rename yours"
        if not body:
            yield f"{name!r} is empty"


def _person(name: str) -> str:
    return " ".join(name.casefold().split())


def _refuse_shared_key(store: Store, signer: Signer | None) -> None:
    """Each source has a key of its own; a statement by another's could never be taken back."""
    if signer is None:
        return
    try:
        found = (STATEMENT.fullmatch(v.key) for v in store.versions("ledger/"))
        others = sorted({f[1] for f in found if f} - {MANUAL})
        ends = [tail(store, source) for source in others]
    except StoreRefused:
        return  # who may only write documents cannot look; verify will
    for end in ends:
        if signer.keyid in (end.current_key, end.next_key):
            raise LedgerRefused(
                f"key {signer.keyid} signs for source {end.source}: documents need a key of their "
                "own, which people hold and no collector"
            )
