"""The ledger's rules for writers: one number a run, no hole, no fork, whatever the store does."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from cdk_soc2.evidence.folder import FolderStore
from cdk_soc2.evidence.keys import PemSigner
from cdk_soc2.evidence.layout import key_name, statement_name
from cdk_soc2.evidence.ledger import (
    LedgerRefused,
    admit,
    append,
    statements,
    tail,
)
from cdk_soc2.evidence.signer import SigningUnavailable
from cdk_soc2.evidence.store import AnswerLost, Store, StoreRefused
from tests.evidence.memory import Fault, MemoryStore
from tests.evidence.vault import (
    SOURCE,
    check,
    folder,
    found,
    key,
    record,
    run_id,
)


def same_window(number: int) -> dict[str, Any]:
    began = "2026-09-01T00:00:00Z"
    return {"window": {"start": began, "end": "2026-09-01T00:05:00Z"}, "finished": True}


def collect_at_once(store: Store, number: int, pem: bytes | None = None) -> int:
    run = run_id(number)
    path = f"daily/2026-09-01/{SOURCE}/{run}/control-status.json"
    store.put(path, b"{}")
    subject = [(path, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")]
    return append(
        store,
        PemSigner(pem) if pem else key(SOURCE),
        source=SOURCE,
        run=run,
        subject=subject,
        predicate=same_window(number),
        attempts=64,
    ).sequence


def collect_in_folder(vault: Path, number: int, pem: bytes) -> int:
    return collect_at_once(FolderStore(vault), number, pem)


def faults(seed: int, kinds: Sequence[Fault]) -> Callable[[str, int], Fault | None]:
    chance = random.Random(seed)

    def fault(key: str, number: int) -> Fault | None:
        return chance.choice([*kinds, None]) if key.startswith(("ledger/", "keys/")) else None

    return fault


@pytest.mark.parametrize(
    "kinds",
    [(), ("lost",), ("412",), ("409",), ("never sent",), ("lost", "412", "409", "never sent")],
    ids=lambda kinds: "+".join(kinds) or "no faults",
)
def test_sixteen_at_once(kinds: Sequence[Fault]) -> None:
    store = MemoryStore(faults(7, kinds))
    with ThreadPoolExecutor(16) as pool:
        taken = [*pool.map(lambda n: collect_at_once(store, n), range(1, 17))]
    assert sorted(taken) == [*range(1, 17)]
    result = check(store)
    assert (result.ok, result.sources[0].statements) == (True, 16)


def test_sixteen_processes_on_a_folder(tmp_path: Path, private_pem: bytes) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        work = [pool.submit(collect_in_folder, tmp_path, n, private_pem) for n in range(1, 17)]
        assert sorted(w.result() for w in work) == [*range(1, 17)]
    result = check(FolderStore(tmp_path))
    assert (result.ok, result.sources[0].statements) == (True, 16)


def test_a_marker_occupies_its_number() -> None:
    store = MemoryStore()
    record(store, 1, key(SOURCE))
    second = record(store, 2, key(SOURCE))
    store.delete(second.name)
    end = tail(store, SOURCE)
    assert (end.sequence, end.envelope, end.markers) == (2, second.envelope, (second.name,))
    assert record(store, 3, key(SOURCE)).sequence == 3
    assert found(check(store)) == [("deleted", 2, second.name)]


def test_a_marker_over_nothing_occupies_its_number_too() -> None:
    store = MemoryStore()
    record(store, 1, key(SOURCE))
    store.delete(statement_name(SOURCE, 2))
    assert record(store, 3, key(SOURCE)).sequence == 3
    assert found(check(store)) == [("deleted", 2, statement_name(SOURCE, 2))]


def test_the_chain_goes_on_after_garbage() -> None:
    store = MemoryStore()
    record(store, 1, key(SOURCE))
    store.put(statement_name(SOURCE, 2), b"garbage")
    assert tail(store, SOURCE).current_key == key(SOURCE).keyid
    assert record(store, 3, key(SOURCE)).sequence == 3
    assert found(check(store)) == [("tampered", 2, statement_name(SOURCE, 2))]


def test_an_empty_ledger() -> None:
    end = tail(MemoryStore(), SOURCE)
    assert (end.sequence, end.envelope, end.current_key, end.signed) == (0, None, None, None)
    admit(end, key(SOURCE))
    admit(end, None)


REFUSED = [
    ("another key", "a", "x", "the former"),
    ("unsigned after signed", "a", None, "sign with that key"),
    ("signed after unsigned", None, "a", "new vault"),
]


@pytest.mark.parametrize(("name", "before", "after", "remedy"), REFUSED)
def test_refused(name: str, before: str | None, after: str | None, remedy: str) -> None:
    store = MemoryStore()
    record(store, 1, key(before) if before else None)
    held = [*store.versions("ledger/"), *store.versions("keys/")]
    with pytest.raises(LedgerRefused, match=remedy) as raised:
        record(store, 2, key(after) if after else None)
    for signer in (before, after):
        assert signer is None or key(signer).keyid in str(raised.value)
    assert [*store.versions("ledger/"), *store.versions("keys/")] == held


def test_a_successor_is_named_until_it_signs() -> None:
    store = MemoryStore()
    record(store, 1, key("a"), next_key=key("b").keyid)
    record(store, 2, key("a"))
    assert tail(store, SOURCE).next_key == key("b").keyid
    record(store, 3, key("b"))
    with pytest.raises(LedgerRefused):
        record(store, 4, key("a"))
    assert store.get(key_name(key("b").keyid)) == key("b").pem


def test_a_writer_need_not_read_keys() -> None:
    store = MemoryStore()
    store.put(key_name(key(SOURCE).keyid), key(SOURCE).pem)
    store.unreadable = ("keys/",)
    assert record(store, 1, key(SOURCE)).sequence == 1


def test_a_writer_reads_and_lists_its_own_ledger_only() -> None:
    class Watched(MemoryStore):
        def versions(self, prefix: str = "") -> Any:
            assert prefix == f"ledger/{SOURCE}/"
            return super().versions(prefix)

        def get(self, key: str, version: str | None = None) -> bytes:
            assert key.startswith(f"ledger/{SOURCE}/")
            return super().get(key, version)

    store = Watched()
    for number in (1, 2, 3):
        record(store, number, key(SOURCE))


def test_other_bytes_under_the_keys_name() -> None:
    store = MemoryStore()
    store.put(key_name(key(SOURCE).keyid), b"other")
    with pytest.raises(LedgerRefused, match="other bytes"):
        record(store, 1, key(SOURCE))
    assert not [*store.versions("ledger/")]


class Unable:
    """A signer whose key was disabled after the source's first statement."""

    keyid = key(SOURCE).keyid
    pem = key(SOURCE).pem

    def sign(self, message: bytes) -> bytes:
        raise SigningUnavailable("signing key x: DisabledException; enable the key again")


def test_no_number_is_taken_when_the_key_cannot_sign() -> None:
    store = MemoryStore()
    record(store, 1, key(SOURCE))
    with pytest.raises(SigningUnavailable):
        record(store, 2, Unable())
    assert tail(store, SOURCE).sequence == 1
    named = [
        (v.key, hashlib.sha256(store.get(v.key)).hexdigest()) for v in store.versions(folder(2))
    ]
    record(store, 3, key(SOURCE), unsealed=named)
    assert found(check(store)) == [("unsealed", 2, folder(2))]


def test_statements_come_newest_first() -> None:
    store = MemoryStore()
    for number in (1, 2, 3):
        record(store, number, key(SOURCE))
    store.put(statement_name(SOURCE, 4), b"garbage")
    assert [(n, s.run) for n, s in statements(store, SOURCE)] == [(n, run_id(n)) for n in (3, 2, 1)]


@pytest.mark.parametrize(
    ("fault", "error"),
    [("denied", StoreRefused), ("409", StoreRefused), ("never sent", AnswerLost)],
)
def test_a_store_that_never_takes_it(fault: Fault, error: type[Exception]) -> None:
    store = MemoryStore(lambda key, _: fault if key.startswith("ledger/") else None)
    with pytest.raises(error):
        record(store, 1, key(SOURCE))
    assert tail(store, SOURCE).sequence == 0


WRONG = [
    ({"source": "../x"}, "source"),
    ({"run": "1"}, "run '1'"),
    ({"subject": []}, "no file"),
    ({"subject": [(folder(2) + "a", "0" * 64)]}, "outside its own folder"),
    ({"subject": [(folder(1) + "../a", "0" * 64)]}, "in no run"),
    ({"subject": [(folder(1) + "a", "0" * 63)]}, "SHA-256"),
    ({"subject": [(folder(1) + "a", "0" * 64)] * 2}, "twice"),
    ({"unsealed": [(folder(1) + "b", "0" * 64)]}, "run .* itself"),
    ({"predicate": {"sequence": 1}}, "ledger's own"),
    ({"predicate": {"window": {"start": "today"}}}, "no time"),
    ({"next_key": "short"}, "fingerprint"),
]


@pytest.mark.parametrize(("change", "match"), WRONG, ids=[m for _, m in WRONG])
def test_wrong_arguments(change: dict[str, Any], match: str) -> None:
    store = MemoryStore()
    given: dict[str, Any] = {
        "source": SOURCE,
        "run": run_id(1),
        "subject": [(folder(1) + "a", "0" * 64)],
        "predicate": {},
    }
    with pytest.raises(ValueError, match=match):
        append(store, key(SOURCE), **given | change)
    assert not [*store.versions()]
