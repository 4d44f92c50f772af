"""The statement's bytes: what is written can be read, by others too, and nothing else passes."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.signer import SSlibKey

from cdk_soc2.evidence.layout import statement_name
from cdk_soc2.evidence.statement import (
    Envelope,
    Malformed,
    Signature,
    build_payload,
    pae,
    parse_envelope,
    parse_statement,
)
from tests.evidence.memory import MemoryStore
from tests.evidence.vault import SOURCE, check, fill, found, key, record

HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)  # fmt: skip


def test_pae_as_the_protocol_has_it() -> None:
    """The vector of secure-systems-lab/dsse, protocol.md."""
    encoded = pae("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_an_independent_reader_verifies_it() -> None:
    envelope = json.loads(record(MemoryStore(), 1, key(SOURCE)).envelope)
    theirs = TheirEnvelope.from_dict(envelope)
    public: Any = load_pem_public_key(key(SOURCE).pem)
    assert theirs.verify([SSlibKey.from_crypto(public, keyid=key(SOURCE).keyid)], 1)


@given(st.text(), st.binary(), st.lists(st.tuples(st.text(), st.binary())))
def test_an_envelope_reads_back(
    kind: str, payload: bytes, signatures: list[tuple[str, bytes]]
) -> None:
    envelope = Envelope(kind, payload, tuple(Signature(*s) for s in signatures))
    assert parse_envelope(envelope.render()) == envelope


@given(st.lists(st.tuples(st.text(), HEX)), st.dictionaries(st.text(), JSON), st.integers(1))
def test_a_statement_reads_back(subject: list[Any], more: dict[str, Any], sequence: int) -> None:
    said = {"source": "s", "run": "r", "sequence": sequence, "previous": None}
    payload = build_payload(
        subject, more | said | {"key": None, "next_key": None, "unsealed": None}
    )
    statement = parse_statement(Envelope("application/vnd.in-toto+json", payload, ()))
    assert (statement.subject, statement.sequence) == (tuple(subject), sequence)
    assert {**more, **statement.predicate} == statement.predicate


@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(Malformed):
        parse_statement(parse_envelope(body))


GOOD = {"payloadType": "t", "payload": "e30=", "signatures": [{"keyid": "k", "sig": "AAAA"}]}
MALFORMED = [
    ("not JSON", b"{"),
    ("not UTF-8", b"\xff"),
    ("a list", b"[]"),
    ("no payload", {"payload": None}),
    ("payload of another type", {"payload": 1}),
    ("not base64", {"payload": "e3 0="}),
    ("stray bits in base64", {"payload": "e31="}),
    ("two alphabets", {"payload": "-_-_", "signatures": [{"keyid": "k", "sig": "++++"}]}),
    ("signatures of another type", {"signatures": {}}),
    ("no keyid", {"signatures": [{"sig": "AAAA"}]}),
    ("a field twice", b'{"payload":"","payload":"e30=","payloadType":"t","signatures":[]}'),
    ("NaN", b'{"payload":"","payloadType":"t","signatures":[],"x":NaN}'),
    ("too deep", b"[" * 100_000),
]


@pytest.mark.parametrize(("name", "change"), MALFORMED, ids=[n for n, _ in MALFORMED])
def test_malformed_envelope(name: str, change: Any) -> None:
    body = change if isinstance(change, bytes) else json.dumps(GOOD | change).encode()
    with pytest.raises(Malformed):
        parse_envelope(body)


def test_padding_may_be_absent() -> None:
    assert parse_envelope(json.dumps(GOOD | {"payload": "e30"}).encode()).payload == b"{}"


SAID = {"source": "s", "run": "r", "sequence": 1, "previous": None}
MISSAID = [
    {"sequence": 0},
    {"sequence": True},
    {"sequence": 1.0},
    {"sequence": "1"},
    {"source": None},
    {"run": 7},
    {"previous": "x"},
    {"previous": {"name": "x", "digest": {"sha256": "ABC"}}},
    {"unsealed": {}},
    {"unsealed": [{"name": 1}]},
    {"key": 1},
]


@pytest.mark.parametrize("change", MISSAID, ids=str)
def test_malformed_statement(change: dict[str, Any]) -> None:
    payload = build_payload([], SAID | change)
    with pytest.raises(Malformed):
        parse_statement(Envelope("application/vnd.in-toto+json", payload, ()))


def honest() -> MemoryStore:
    store = MemoryStore()
    fill(store, 2, (SOURCE,))
    return store


HONEST = honest()
VAULT = {v.key: HONEST.get(v.key) for v in HONEST.versions()}


@given(st.data())
def test_any_byte_changed_anywhere_is_found(data: st.DataObject) -> None:
    store = MemoryStore()
    for name, body in VAULT.items():
        store.put(name, body)
    name = data.draw(st.sampled_from(sorted(VAULT)))
    body = bytearray(VAULT[name])
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] = data.draw(st.integers(0, 255).filter(lambda b: b != body[at]))
    store.replace(name, bytes(body))
    if name == statement_name(SOURCE, 2) and same(VAULT[name], bytes(body)):
        return  # the last envelope, its base64 spelled in the other alphabet: the same words
    assert found(check(store)), (name, at)


def same(one: bytes, two: bytes) -> bool:
    try:
        return parse_envelope(one) == parse_envelope(two)
    except Malformed:
        return False
