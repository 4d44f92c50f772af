"""Documents that people attached: which of them are current on a day."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from cdk_soc2.audit.calendar import DUTIES
from cdk_soc2.audit.ledgers import Entry, Ledger
from cdk_soc2.audit.verdicts import LARGEST, Unreadable, records
from cdk_soc2.evidence.layout import MANUAL, is_plain, run_of
from cdk_soc2.evidence.store import NotAFile, Store

ATTACHMENT = "attachment.json"


@dataclass(frozen=True, slots=True)
class Document:
    """One attached document. ``until`` is the last day on which it is current; ``trouble`` says why
    it cannot be relied on, ``None`` when it can."""

    check: str
    path: str
    statement: Entry
    effective: date
    until: date
    detail: str
    trouble: str | None


def read_documents(store: Store, ledger: Ledger) -> dict[str, list[Document]]:
    """Every document that the *ledger* of attachments names, by check, the newest effective first.

    Raises `StoreRefused`.
    """
    found: dict[str, list[Document]] = {}
    for statement in ledger.back_to(date.min + timedelta(days=1)):
        for path in statement.named:
            run = run_of(path) if is_plain(path) else None
            if run is not None and run[1] == MANUAL and path == f"{run[0]}{ATTACHMENT}":
                for document in _read(store, statement, path, date.fromisoformat(run[2])):
                    found.setdefault(document.check, []).append(document)
    for held in found.values():
        held.sort(key=lambda d: (d.effective, d.statement.number), reverse=True)
    return found


def of_day(documents: list[Document], day: date) -> Document | None:
    """The document that counts on *day*: one that is current, else the last that took effect."""
    begun = [d for d in documents if d.effective <= day]
    current = [d for d in begun if day <= d.until]
    sound = [d for d in current if d.trouble is None]
    return next(iter(sound or current or begun), None)


def named_body(store: Store, statement: Entry, path: str) -> bytes:
    """The bytes of *path* as *statement* names them. Raises `KeyError`, `NotAFile` or `Unreadable`."""
    with store.open(path) as file:
        body = file.read(LARGEST)
    if hashlib.sha256(body).hexdigest() != statement.named[path]:
        raise Unreadable(f"its bytes are not those that statement {statement.number} names")
    return body


def _read(store: Store, statement: Entry, path: str, effective: date) -> Iterator[Document]:
    try:
        said = json.loads(named_body(store, statement, path))
        check = said["document"]
        if check not in DUTIES:
            return
        yield _judge(check, said, statement, path, effective)
    except (
        KeyError,
        NotAFile,
        Unreadable,
        ValueError,
        TypeError,
        OverflowError,
        RecursionError,
    ) as error:
        reason = f"{path} cannot be relied on: {type(error).__name__}: {error}"
        for check, duty in DUTIES.items():  # which of its control's it was, it can no longer tell
            if duty.control == path.split("/")[1]:
                yield Document(check, path, statement, effective, effective, reason, reason)


def _judge(
    check: str, said: dict[str, Any], statement: Entry, path: str, effective: date
) -> Document:
    until = effective + timedelta(days=DUTIES[check].days)
    if said.get("effective_to"):
        until = min(until, date.fromisoformat(said["effective_to"]))
    by, reviewer = said.get("prepared_by"), said.get("reviewed_by")
    trouble = None
    if said.get("effective_from") != effective.isoformat():
        trouble = f"it says it is effective from {said.get('effective_from')!r}"
    elif not by or not reviewer or by == reviewer:
        trouble = f"prepared by {by!r} and reviewed by {reviewer!r}: two people must"
    elif wrong := _unnamed(said, statement, path):
        trouble = f"its file {wrong!r} is not the one that statement {statement.number} names"
    detail = (
        f"effective {effective}, current to {until}, prepared by {by}, reviewed by {reviewer}, "
        f"attached {statement.day}"
    )
    return Document(check, path, statement, effective, until, detail, trouble)


def _unnamed(said: dict[str, Any], statement: Entry, path: str) -> str | None:
    """The first file of the attachment that its statement does not name with the same digest."""
    folder = path.removesuffix(ATTACHMENT)
    files = records(said, "files", ATTACHMENT)
    if not files:
        return "(none)"
    for file in files:
        digest: Any = file.get("digest")
        told = digest.get("sha256") if isinstance(digest, dict) else digest
        if statement.named.get(f"{folder}{file.get('name')}") != told or told is None:
            return str(file.get("name"))
    return None
