"""Each way in which evidence can be wrong is one line: what is done, and what verify then says."""

# ruff: noqa: E501  a tampering is one line

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest

from cdk_soc2.evidence.layout import key_name, statement_name
from cdk_soc2.evidence.ledger import append
from cdk_soc2.evidence.signer import Signer
from cdk_soc2.evidence.statement import Envelope, Signature, pae, parse_envelope
from tests.evidence.memory import START, LockedMemoryStore, MemoryStore
from tests.evidence.vault import (
    DAY,
    OTHER,
    SOURCE,
    check,
    fill,
    folder,
    found,
    key,
    record,
    run_id,
    window,
    write_files,
)

Found = set[tuple[str, int | None, str]]


def s(number: int, source: str = SOURCE) -> str:
    return statement_name(source, number)


def status(number: int) -> str:
    return folder(number) + "control-status.json"


def flip(store: MemoryStore, name: str, at: int = 20) -> None:
    body = bytearray(store.get(name))
    body[at] ^= 1
    store.replace(name, bytes(body))


def envelope(store: MemoryStore, number: int, source: str = SOURCE) -> Envelope:
    return parse_envelope(store.get(s(number, source)))


def put_envelope(
    store: MemoryStore, number: int, payload: bytes, *signatures: Signature, source: str = SOURCE
) -> None:
    made = Envelope("application/vnd.in-toto+json", payload, signatures)
    store.replace(s(number, source), made.render())


def resign(
    store: MemoryStore,
    number: int,
    change: Callable[[dict[str, Any]], object],
    signer: Signer | None = None,
) -> None:
    """Change a statement and sign it again, as only a key's holder can."""
    signer = signer or key(SOURCE)
    document = json.loads(envelope(store, number).payload)
    change(document)
    payload = json.dumps(document).encode()
    signature = signer.sign(pae("application/vnd.in-toto+json", payload))
    put_envelope(store, number, payload, Signature(signer.keyid, signature))


def edit(**fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda document: document["predicate"].update(fields)


def flip_payload(store: MemoryStore, number: int) -> None:
    old = envelope(store, number)
    payload = old.payload.replace(b"us-east-1", b"us-east-2", 1)
    put_envelope(store, number, payload, *old.signatures)


def flip_signature(store: MemoryStore, number: int) -> None:
    old = envelope(store, number)
    sig = bytearray(old.signatures[0].sig)
    sig[-1] ^= 1
    put_envelope(store, number, old.payload, Signature(old.signatures[0].keyid, bytes(sig)))


def relabel(store: MemoryStore, number: int, label: str) -> None:
    old = envelope(store, number)
    put_envelope(store, number, old.payload, Signature(label, old.signatures[0].sig))


def sign_also(store: MemoryStore, number: int, first: bool) -> None:
    old = envelope(store, number)
    other = Signature(key("x").keyid, key("x").sign(b"anything"))
    both = (other, *old.signatures) if first else (*old.signatures, other)
    put_envelope(store, number, old.payload, *both)


def swap(store: MemoryStore, one: str, two: str) -> None:
    a, b = store.get(one), store.get(two)
    store.replace(one, b)
    store.replace(two, a)


def move(store: MemoryStore, one: str, two: str) -> None:
    store.replace(two, store.get(one))
    store.purge(one)


def foreign_append(store: MemoryStore) -> None:
    """Somebody with another key writes the next statement, and all that belongs to it."""
    record(store, 5, key(SOURCE))
    resign(store, 5, edit(key=key("x").keyid), key("x"))
    store.put(key_name(key("x").keyid), key("x").pem)


def purge_run(store: MemoryStore, number: int) -> None:
    for version in [*store.versions(folder(number))]:
        store.purge(version.key)


def name_outside(path: str) -> Callable[[dict[str, Any]], object]:
    entry = {"name": path, "digest": {"sha256": "0" * 64}}
    return lambda document: document["subject"].append(entry)


@dataclass
class Case:
    """One tampering with four honest days of two sources, and all that is found then."""

    name: str
    do: Callable[[MemoryStore], object]
    expect: Found
    given: Mapping[str, Any] = field(default_factory=dict)
    warning: str = ""


K = key(SOURCE).keyid
TAMPERINGS = [
    Case("nothing", lambda v: None, set()),
    # files of a run
    Case("byte flipped in a file", lambda v: flip(v, status(2)), {("tampered", 2, status(2))}),
    Case("file removed", lambda v: v.purge(status(2)), {("missing", 2, status(2))}),
    Case("run removed", lambda v: purge_run(v, 2),
         {("missing", 2, status(2)), ("missing", 2, folder(2) + "answers/control-0.ndjson")}),
    Case("file added", lambda v: v.put(folder(2) + "extra.json", b"{}"), {("unlisted", 2, folder(2) + "extra.json")}),
    Case("hidden file added", lambda v: v.put(folder(2) + ".x", b"{}"), {("unlisted", 2, folder(2) + ".x")}),
    Case("file deleted by marker", lambda v: v.delete(status(2)), {("deleted", 2, status(2))}),
    Case("file written again", lambda v: v.overwrite(status(2), b"{}"), {("tampered", 2, status(2))}),
    Case("deleted, then written again", lambda v: (v.delete(status(2)), v.put(status(2), b"{}")),
         {("deleted", 2, status(2)), ("tampered", 2, status(2))}),
    Case("run without statement", lambda v: write_files(v, 5), {("unfinished", None, folder(5))}),
    Case("run that says it is unfinished", lambda v: record(v, 5, key(SOURCE), predicate={"finished": False, "window": window(5)}),
         {("unfinished", 5, folder(5))}),
    # statements
    Case("byte flipped in a payload", lambda v: flip_payload(v, 2), {("tampered", 2, s(2))}),
    Case("byte flipped in the last payload", lambda v: flip_payload(v, 4), {("tampered", 4, s(4))}),
    Case("payload no longer JSON", lambda v: flip(v, s(2), 13), {("tampered", 2, s(2))}, warning="lost"),
    Case("byte flipped in a signature", lambda v: flip_signature(v, 2), {("tampered", 2, s(2))}),
    Case("byte flipped in the last signature", lambda v: flip_signature(v, 4), {("tampered", 4, s(4))}),
    Case("statement dropped", lambda v: v.purge(s(2)), {("hole", 2, s(2))}, warning="lost"),
    Case("first statement dropped", lambda v: v.purge(s(1)), {("hole", 1, s(1))}, warning="lost"),
    Case("two statements dropped", lambda v: (v.purge(s(2)), v.purge(s(3))), {("hole", 2, s(2))}, warning="lost"),
    Case("statement and run dropped", lambda v: (v.purge(s(2)), purge_run(v, 2)), {("hole", 2, s(2))}),
    Case("hole and an unfinished run elsewhere", lambda v: (v.purge(s(2)), write_files(v, 9)),
         {("hole", 2, s(2)), ("unfinished", None, folder(9))}, warning="lost"),
    Case("statement under a delete marker", lambda v: v.delete(s(2)), {("deleted", 2, s(2))}),
    Case("last statement under a delete marker", lambda v: v.delete(s(4)), {("deleted", 4, s(4))}),
    Case("only a delete marker", lambda v: v.delete(s(5)), {("deleted", 5, s(5))}),
    Case("statement written again", lambda v: v.overwrite(s(2), v.get(s(3))), {("tampered", 2, s(2))}),
    Case("statements swapped", lambda v: swap(v, s(2), s(3)), {("tampered", 2, s(2)), ("tampered", 3, s(3))}),
    Case("last statement renumbered", lambda v: move(v, s(4), s(5)), {("hole", 4, s(4)), ("tampered", 5, s(5))}),
    Case("statement copied to the end", lambda v: v.put(s(5), v.get(s(4))), {("tampered", 5, s(5))}, warning="names"),
    Case("far number", lambda v: v.put(s(99999999), b"{}"), {("hole", 5, s(5)), ("tampered", 99999999, s(99999999))}),
    Case("empty statement", lambda v: v.put(s(5), b""), {("tampered", 5, s(5))}),
    Case("garbage statement", lambda v: v.put(s(5), b"\xff\xfe{" * 9), {("tampered", 5, s(5))}),
    Case("deeply nested statement", lambda v: v.put(s(5), b"[" * 99999), {("tampered", 5, s(5))}),
    Case("huge statement", lambda v: v.put(s(5), bytes(17 << 20)), {("tampered", 5, s(5))}),
    Case("statement rewritten by the key's holder", lambda v: resign(v, 2, edit(regions=[])), {("tampered", 2, s(2))}),
    Case("last statement's number changed", lambda v: resign(v, 4, edit(sequence=7)), {("tampered", 4, s(4))}),
    Case("last statement's source changed", lambda v: resign(v, 4, edit(source=OTHER)), {("tampered", 4, s(4))}),
    Case("last statement follows nothing", lambda v: resign(v, 4, edit(previous=None)), {("tampered", 4, s(4))}),
    Case("unknown type", lambda v: resign(v, 4, lambda d: d.update(_type="x")), {("tampered", 4, s(4))}, warning="lost"),
    Case("unknown predicate type", lambda v: resign(v, 4, lambda d: d.update(predicateType="x")), {("tampered", 4, s(4))}, warning="lost"),
    Case("window that is no time", lambda v: resign(v, 4, edit(window={"start": "soon"})), {("tampered", 4, s(4))}),
    Case("backdated", lambda v: resign(v, 4, edit(window=window(4) | {"start": "2026-09-02T23:59:59Z"})),
         {("backdated", 4, s(4))}),
    Case("run filed under another day", lambda v: resign(v, 4, edit(window=window(5))), {("backdated", 4, s(4))}),
    Case("names a path above", lambda v: resign(v, 4, name_outside("../../etc/passwd")), {("tampered", 4, "../../etc/passwd")}),
    Case("names an absolute path", lambda v: resign(v, 4, name_outside("/etc/passwd")), {("tampered", 4, "/etc/passwd")}),
    Case("names another source's file", lambda v: resign(v, 4, name_outside(folder(4, OTHER) + "x")),
         {("tampered", 4, folder(4, OTHER) + "x")}),
    Case("names another run's file", lambda v: resign(v, 4, name_outside(status(3))), {("tampered", 4, status(3))}),
    Case("climbs out of its run", lambda v: resign(v, 4, name_outside(folder(4) + "../x")), {("tampered", 4, folder(4) + "../x")}),
    Case("names a file twice", lambda v: resign(v, 4, lambda d: d["subject"].append(d["subject"][0])), {("tampered", 4, status(4))}),
    # keys
    Case("appended with a foreign key", foreign_append, {("key", 5, s(5))}),
    Case("appended with a key that is not there", lambda v: (foreign_append(v), v.purge(key_name(key("x").keyid))), {("key", 5, s(5))}),
    Case("label of a signature changed", lambda v: relabel(v, 4, "0" * 64), {("tampered", 4, s(4))}),
    Case("label of the first signature changed", lambda v: relabel(v, 1, "0" * 64), {("tampered", 1, s(1))}),
    Case("further signature", lambda v: sign_also(v, 4, first=False), set(), warning="further"),
    Case("further signature in front", lambda v: sign_also(v, 4, first=True), set(), warning="further"),
    Case("key removed", lambda v: v.purge(key_name(K)), {("key", 1, key_name(K))}),
    Case("key deleted by marker", lambda v: v.delete(key_name(K)), {("deleted", None, key_name(K))}),
    Case("key replaced", lambda v: v.replace(key_name(K), key("x").pem), {("key", None, key_name(K))}),
    Case("key is garbage", lambda v: v.replace(key_name(K), b"\xff" * 99), {("key", None, key_name(K))}),
    Case("key with Windows line ends", lambda v: v.replace(key_name(K), key(SOURCE).pem.replace(b"\n", b"\r\n")), set()),
    Case("no key's name", lambda v: v.put("keys/mine.pem", b""), {("unlisted", None, "keys/mine.pem")}),
    Case("unsigned statement among signed", lambda v: put_envelope(v, 4, envelope(v, 4).payload), {("unsigned", 4, s(4))}),
    # places
    Case("file between the runs", lambda v: v.put("daily/2026-09-02/x", b""), {("unlisted", None, "daily/2026-09-02/x")}),
    Case("file in the ledger", lambda v: v.put(f"ledger/{SOURCE}/1.json", b""), {("unlisted", None, f"ledger/{SOURCE}/1.json")}),
    Case("hidden file above the runs", lambda v: v.put("daily/.DS_Store", b""), set(), warning="foreign"),
    Case("foreign folder", lambda v: v.put("backup/x", b""), set(), warning="foreign"),
    Case("folder marker", lambda v: v.put("daily/2026-09-02/", b""), set(), warning="foreign"),
    # what the auditor knows
    Case("last statement cut, head known", lambda v: (v.purge(s(4)), purge_run(v, 4)),
         {("missing", None, f"ledger/{SOURCE}/")}, {"heads": {SOURCE: "head"}}),
    Case("head known and there", lambda v: None, set(), {"heads": {SOURCE: "head"}}),
    Case("source gone, head known", lambda v: [v.purge(x.key) for x in [*v.versions()] if SOURCE in x.key],
         {("missing", None, f"ledger/{SOURCE}/")}, {"heads": {SOURCE: "head"}}),
    Case("key known", lambda v: None, set(), {"keys": {SOURCE: K}}),
    Case("key known and another", lambda v: None, {("key", None, f"ledger/{SOURCE}/")}, {"keys": {SOURCE: key("x").keyid}}),
    Case("days limited", lambda v: (flip(v, status(1)), flip(v, status(2)), write_files(v, 9)), {("tampered", 2, status(2))},
         {"window": (DAY + timedelta(days=1), DAY + timedelta(days=2))}),
    Case("days limited, chain is not", lambda v: flip_payload(v, 1), {("tampered", 1, s(1))}, {"window": (date(2027, 1, 1), None)}),
    Case("another source only", lambda v: flip(v, status(2)), set(), {"sources": [OTHER]}),
]  # fmt: skip


@pytest.mark.parametrize("case", TAMPERINGS, ids=lambda c: c.name)
def test_tampering(case: Case) -> None:
    store = MemoryStore()
    fill(store)
    given = dict(case.given)
    if "heads" in given:
        given["heads"] = {SOURCE: check(store).sources[0].head}
    case.do(store)
    result = check(store, **given)
    assert set(found(result)) == case.expect
    assert result.ok is (not case.expect)
    assert not result.warnings if not case.warning else case.warning in " ".join(result.warnings)
    assert json.dumps(result.to_json())


def test_findings_name_their_source() -> None:
    store = MemoryStore()
    fill(store)
    flip(store, status(2))
    assert [f.source for f in check(store).findings] == [SOURCE]


def test_an_older_head_tells_how_far_it_vouches() -> None:
    store = MemoryStore()
    first = record(store, 1, key(SOURCE))
    record(store, 2, key(SOURCE))
    summary = check(store, heads={SOURCE: first.digest}).sources[0]
    assert (summary.vouched, summary.last) == (1, 2)


@pytest.mark.parametrize(
    ("known", "trust"),
    [
        ({}, "self-asserted"),
        ({SOURCE: K}, "self-asserted"),
        ({SOURCE: K, OTHER: key(OTHER).keyid}, "trusted"),
        ({SOURCE: K, OTHER: K}, "self-asserted"),
    ],
)
def test_trust(known: dict[str, str], trust: str) -> None:
    store = MemoryStore()
    fill(store)
    assert check(store, keys=known).trust == trust


@pytest.mark.parametrize(
    ("known", "ok"), [({}, True), ({SOURCE: K}, False)], ids=["no key known", "key known"]
)
def test_wholly_unsigned(known: dict[str, str], ok: bool) -> None:
    store = MemoryStore()
    for number in (1, 2):
        record(store, number, None)
    result = check(store, keys=known)
    assert (result.trust, result.ok, result.sources[0].key) == ("unsigned", ok, None)


def test_an_unsigned_vault_still_shows_what_was_changed() -> None:
    store = MemoryStore()
    for number in (1, 2, 3):
        record(store, number, None)
    flip_payload(store, 2)
    assert found(check(store)) == [("tampered", 2, s(2))]


def test_one_key_for_two_sources() -> None:
    store = MemoryStore()
    record(store, 1, key(SOURCE))
    record(store, 1, key(SOURCE), OTHER)
    result = check(store)
    assert [(f.kind, f.source, f.path) for f in result.findings] == [("key", OTHER, key_name(K))]


def rotated(*signers: str) -> MemoryStore:
    """Statement 2 names "b" as the key to follow; each statement is signed by the key named here."""
    store = MemoryStore()
    for number, name in enumerate(signers, 1):
        successor = key("b").keyid if number == 2 else None
        record(store, number, key(name), next_key=successor)
    return store


@pytest.mark.parametrize("known", ["a", "b", None])
def test_rotation(known: str | None) -> None:
    result = check(
        rotated("a", "a", "a", "b", "b"), keys={SOURCE: key(known).keyid} if known else {}
    )
    assert result.ok
    assert result.trust == ("trusted" if known else "self-asserted")
    summary = result.sources[0]
    assert (summary.key, summary.keys) == (key("b").keyid, [key("a").keyid, key("b").keyid])


def test_a_successor_ends_its_predecessor() -> None:
    store = rotated("a", "a", "b", "b")
    resign(store, 4, edit(key=key("a").keyid), key("a"))
    assert found(check(store)) == [("key", 4, s(4))]


def test_a_named_key_that_never_signed_is_not_trusted() -> None:
    result = check(rotated("a", "a"), keys={SOURCE: key("b").keyid})
    assert found(result) == [("key", None, f"ledger/{SOURCE}/")]


UNSEALED = [
    ("as it was", lambda v: None, {("unsealed", 2, folder(2))}),
    ("changed", lambda v: flip(v, status(2)), {("unsealed", 2, folder(2)), ("tampered", 2, status(2))}),
    ("added to", lambda v: v.put(folder(2) + "x", b""), {("unsealed", 2, folder(2)), ("unlisted", 2, folder(2) + "x")}),
    ("gone", lambda v: v.purge(status(2)), {("unsealed", 2, folder(2)), ("missing", 2, status(2))}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "do", "expect"), UNSEALED)
def test_unsealed(name: str, do: Callable[[MemoryStore], object], expect: Found) -> None:
    store = MemoryStore()
    record(store, 1, key(SOURCE))
    named = write_files(store, 2)
    record(store, 3, key(SOURCE), unsealed=named)
    do(store)
    assert set(found(check(store))) == expect


def test_documents_have_a_ledger_of_their_own() -> None:
    store = MemoryStore()
    fill(store, 2, (SOURCE, "manual"))
    assert check(store).ok
    store.put(folder(1, "manual") + "x.pdf", b"")
    assert found(check(store)) == [("unlisted", 1, folder(1, "manual") + "x.pdf")]


@pytest.mark.parametrize(
    ("offset", "declared", "expect"),
    [(0, True, []), (0, False, [("backdated", 2, s(2))]), (2, True, [("backdated", 2, s(2))])],
    ids=["both at work, and said", "not said", "too long ago"],
)
def test_runs_at_the_same_time(offset: int, declared: bool, expect: list[Any]) -> None:
    store = MemoryStore()
    early = {"start": f"2026-09-01T0{2 - offset}:00:00Z", "end": "2026-09-01T02:10:00Z"}
    late = {"start": "2026-09-01T02:00:01Z", "end": "2026-09-01T02:05:00Z"}
    store.put(f"daily/2026-09-01/{SOURCE}/{run_id(1)}/a", b"")
    store.put(f"daily/2026-09-01/{SOURCE}/{run_id(2)}/a", b"")
    for number, span in ((1, late), (2, early)):
        append(
            store,
            key(SOURCE),
            source=SOURCE,
            run=run_id(number),
            subject=[(f"daily/2026-09-01/{SOURCE}/{run_id(number)}/a", EMPTY)],
            predicate={"window": span},
        )
    if not declared:
        resign(store, 2, lambda d: d["predicate"].pop("overlaps"))
    assert found(check(store)) == expect


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


LOCKS = [
    ("locked for two years", {}, None, set()),
    ("no lock", {status(2): None}, None, {("retention", 2, status(2))}),
    ("lock is over", {status(2): ("GOVERNANCE", START)}, None, {("retention", 2, status(2))}),
    ("lock ends before the period", {s(2): ("COMPLIANCE", START)}, date(2026, 11, 30), {("retention", 2, s(2))}),
    ("lock outlasts the period", {s(2): ("COMPLIANCE", START + timedelta(days=90))}, date(2026, 11, 20), set()),
    ("unlocked key", {key_name(K): None}, None, {("retention", None, key_name(K))}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "locks", "end", "expect"), LOCKS)
def test_locks(name: str, locks: dict[str, Any], end: date | None, expect: Found) -> None:
    store = LockedMemoryStore()
    fill(store)
    store.locks = locks
    for workers in (1, 4):
        assert set(found(check(store, period_end=end, workers=workers))) == expect


def test_progress_counts_runs() -> None:
    store = MemoryStore()
    fill(store)
    seen: list[tuple[int, int]] = []
    check(store, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(n, 8) for n in range(1, 9)]


def test_base64_may_be_url_safe() -> None:
    store = MemoryStore()
    fill(store, 3)
    document = json.loads(store.get(s(3)))
    document["payload"] = base64.urlsafe_b64encode(base64.b64decode(document["payload"])).decode()
    for signature in document["signatures"]:
        signature["sig"] = base64.urlsafe_b64encode(base64.b64decode(signature["sig"])).decode()
    store.replace(s(3), json.dumps(document, indent=2).encode())
    assert check(store).ok
