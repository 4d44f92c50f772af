"""One run of evidence, held against the statement that should name it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from cdk_soc2.audit.ledgers import Entry
from cdk_soc2.audit.verdicts import LARGEST, Unreadable, Verdicts, read_verdicts
from cdk_soc2.evidence.record import STATUS_FILE
from cdk_soc2.evidence.store import NotAFile, Store
from cdk_soc2.evidence.versions import History, read


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one day.

    :param folder: its path in the vault, with the final slash.
    :param statement: what names it, ``None`` if nothing does.
    :param files: what lies in the folder.
    :param verdicts: as its statement vouches for them; ``None`` if it does not.
    :param trouble: why it is not whole evidence; ``None`` when it is.
    """

    source: str
    day: date
    folder: str
    statement: Entry | None
    files: Sequence[History]
    verdicts: Verdicts | None
    trouble: str | None

    @property
    def id(self) -> str:
        return self.folder.rstrip("/").rpartition("/")[2]

    @property
    def path(self) -> str:
        """Its verdicts, from the vault's root."""
        return f"{self.folder}{STATUS_FILE}"


def read_run(
    store: Store,
    source: str,
    day: date,
    folder: str,
    files: Sequence[History],
    statements: Sequence[Entry],
    signed: bool,
) -> Run:
    """The run in *folder*, judged by those of *statements* that name it.

    :param signed: is any statement of its source? Then its own must be.

    Raises `StoreRefused`.
    """
    run = Run(source, day, folder, None, files, None, None)
    own = next((s for s in statements if run.path in s.named), None)
    if own is None:
        later = next((s.number for s in statements if run.path in s.unsealed), None)
        trouble = (
            "no statement names it: it did not finish, or its statement is gone"
            if later is None
            else f"it was not signed in its time; statement {later} names it afterwards"
        )
        return Run(source, day, folder, None, files, None, trouble)
    try:
        verdicts = _verdicts(store, run, own)
    except Unreadable as error:
        return Run(source, day, folder, own, files, None, f"{STATUS_FILE}: {error}")
    trouble = _doubt(run, own, verdicts, signed)
    return Run(source, day, folder, own, files, verdicts, trouble)


def _verdicts(store: Store, run: Run, own: Entry) -> Verdicts:
    history = next((f for f in run.files if f.key == run.path), None)
    if history is None or history.first is None:
        raise Unreadable(f"statement {own.number} names it, and it is not there")
    if history.problems:
        raise Unreadable("; ".join(detail for _, detail in history.problems))
    if history.first.size > LARGEST:
        raise Unreadable(f"{history.first.size} bytes are too many for it")
    try:
        body = read(store, history.first)
    except (KeyError, NotAFile) as error:
        raise Unreadable(f"it cannot be read: {error}") from None
    if hashlib.sha256(body).hexdigest() != own.named[run.path]:
        raise Unreadable(f"its bytes are not those that statement {own.number} names")
    return read_verdicts(body)


def _doubt(run: Run, own: Entry, verdicts: Verdicts, others_signed: bool) -> str | None:
    if (verdicts.source, verdicts.run) != (run.source, run.id):
        return f"its verdicts are those of run {verdicts.run!r} of {verdicts.source!r}"
    if own.day != run.day:
        return f"it lies under {run.day}, and began on {own.day}"
    if others_signed and not own.signed:
        return f"nobody signed statement {own.number}, though others of its source are signed"
    there = {f.key for f in run.files if f.first is not None}
    if gone := [p for p in own.named if p.startswith(run.folder) and p not in there]:
        return f"statement {own.number} names {gone[0]}, and it is not there"
    if not own.finished:
        return f"it did not finish, says statement {own.number}"
    return None
