"""Documents in the vault: what is written, and what is refused before anything is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from cdk_soc2.audit.archive import Archive
from cdk_soc2.audit.documents import read_documents
from cdk_soc2.evidence.attach import Attachment, NotAttached, attach
from cdk_soc2.evidence.tail import LedgerRefused
from cdk_soc2.evidence.verify import verify
from tests.evidence.memory import MemoryStore
from tests.evidence.vault import SOURCE, fill, key, record

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
RESTORE = Attachment(
    "backup_verification",
    "restore_test",
    {"restore.md": b"restored", "queries.txt": b"42 rows"},
    date(2026, 11, 20),
    "Ada Lovelace",
    "Grace Hopper",
    note="from last night's snapshot",
)


def test_a_document_is_hashed_signed_chained_and_counts() -> None:
    store = MemoryStore()
    fill(store, 2)
    first = attach(store, key("manual"), RESTORE, NOW)
    second = attach(store, key("manual"), RESTORE, NOW)
    assert (first.statement.sequence, second.statement.sequence) == (1, 2)
    assert first.path.startswith("manual/backup_verification/2026-11-20/090000Z-")
    said = json.loads(store.get(first.path))
    assert said == {
        "control": "backup_verification",
        "document": "restore_test",
        "effective_from": "2026-11-20",
        "effective_to": None,
        "prepared_by": "Ada Lovelace",
        "reviewed_by": "Grace Hopper",
        "note": "from last night's snapshot",
        "files": [
            {"name": n, "digest": {"sha256": hashlib.sha256(b).hexdigest()}}
            for n, b in RESTORE.files.items()
        ],
    }
    found = verify(store, now=NOW)
    assert (found.ok, found.findings) == (True, ())
    ledger = Archive(store, NOW).manual
    assert ledger is not None
    [newest, _] = read_documents(store, ledger)["restore_test"]
    assert (newest.trouble, newest.until) == (None, date(2027, 2, 20))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "reviewed by its author": ({"reviewed_by": "Ada Lovelace"}, "let another person"),
    "the same by another spelling": ({"reviewed_by": " ADA  lovelace "}, "let another person"),
    "reviewed by nobody": ({"reviewed_by": " "}, "nobody reviewed it"),
    "prepared by nobody": ({"prepared_by": ""}, "nobody prepared it"),
    "in the future": ({"effective": date(2026, 11, 24)}, "after today, 2026-11-23"),
    "over before it begins": ({"until": date(2026, 11, 19)}, "before it takes effect"),
    "no file": ({"files": {}}, "no file"),
    "an empty file": ({"files": {"a.md": b""}}, "is empty"),
    "a path": ({"files": {"../a.md": b"x"}}, "rename it"),
    "a hidden file": ({"files": {".a.md": b"x"}}, "rename it"),
    "the record's own name": ({"files": {"attachment.json": b"{}"}}, "rename yours"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_evidence_is_refused_before_anything_is_written(name: str) -> None:
    changed, says = REFUSED[name]
    store = MemoryStore()
    with pytest.raises(NotAttached, match=says):
        attach(store, key("manual"), replace(RESTORE, **changed), NOW)
    assert list(store.versions()) == []


def test_a_key_that_signs_for_a_collector_is_refused() -> None:
    store = MemoryStore()
    record(store, 1, key("a"))
    before = [v.key for v in store.versions()]
    with pytest.raises(LedgerRefused, match=f"signs for source {SOURCE}"):
        attach(store, key("a"), RESTORE, NOW)
    store.unreadable = ("ledger/aws",)  # who may not look cannot tell; verify will
    with pytest.raises(LedgerRefused, match="not by"):
        attach(store, key("manual"), RESTORE, NOW)
        attach(store, key("other"), RESTORE, NOW)
    assert len([*store.versions()]) == len(before) + 5, "one document, and nothing of the other"


def test_unsigned_does_not_mix_with_signed() -> None:
    store = MemoryStore()
    attach(store, None, RESTORE, NOW)
    with pytest.raises(LedgerRefused, match="is unsigned"):
        attach(store, key("manual"), RESTORE, NOW)
