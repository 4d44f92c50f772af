"""The signed sentence "this run left these files, and follows that run": DSSE around an in-toto
Statement."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from cdk_soc2.evidence.layout import DIGEST

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:cdk-soc2:evidence-run:v1"

Named = tuple[str, str]
"""A path from the vault's root, and the hex SHA-256 of the bytes there."""


class Malformed(ValueError):
    """These bytes are not the statement they should be; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A key's fingerprint, which is a hint until verified, and a DER ECDSA signature."""

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A DSSE envelope: what was signed, byte for byte, and by whom."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    def render(self) -> bytes:
        """Return the one form in which envelopes are written: compact JSON, standard base64."""
        signatures = [{"keyid": s.keyid, "sig": _base64(s.sig)} for s in self.signatures]
        return _json(
            {
                "payload": _base64(self.payload),
                "payloadType": self.payload_type,
                "signatures": signatures,
            }
        )


@dataclass(frozen=True, slots=True)
class Statement:
    """What a run's statement says; unknown fields of the predicate are kept in ``predicate``."""

    subject: tuple[Named, ...]
    unsealed: tuple[Named, ...]
    predicate: Mapping[str, Any]
    source: str
    run: str
    sequence: int
    previous: Named | None
    key: str | None
    next_key: str | None


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding: the bytes that are signed (secure-systems-
    lab/dsse, protocol.md)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def build_payload(subject: Iterable[Named], predicate: Mapping[str, Any]) -> bytes:
    """Return the in-toto Statement's JSON for *subject*; raises `ValueError` for NaN and the
    infinities."""
    return _json(
        {
            "_type": STATEMENT_TYPE,
            "subject": resources(subject),
            "predicateType": PREDICATE_TYPE,
            "predicate": predicate,
        }
    )


def resources(named: Iterable[Named]) -> list[dict[str, Any]]:
    """Return in-toto's form of names and digests."""
    return [{"name": path, "digest": {"sha256": digest}} for path, digest in named]


def parse_envelope(body: bytes) -> Envelope:
    """Read a DSSE envelope; base64 may be url-safe. Raises `Malformed`.

    Strict beyond JSON: no duplicate names, no NaN, no stray characters in base64, one alphabet an
    envelope.
    """
    document = _object(_load(body, "the envelope"), "the envelope")
    payload_type = _text(document, "payloadType", "the envelope")
    payload = _text(document, "payload", "the envelope")
    listed = _list(document, "signatures", "the envelope")
    signed = [_object(item, f"signature {at}") for at, item in enumerate(listed, 1)]
    sigs = [_text(item, "sig", f"signature {at}") for at, item in enumerate(signed, 1)]
    together = payload + "".join(sigs)
    if ("-" in together or "_" in together) and ("+" in together or "/" in together):
        raise Malformed("the envelope mixes both base64 alphabets")
    signatures = [
        Signature(_text(item, "keyid", f"signature {at}"), _unbase64(sig, f"signature {at}"))
        for at, (item, sig) in enumerate(zip(signed, sigs, strict=True), 1)
    ]
    return Envelope(payload_type, _unbase64(payload, "the payload"), tuple(signatures))


def parse_statement(envelope: Envelope) -> Statement:
    """Read the statement inside *envelope*, whoever signed it. Raises `Malformed`."""
    if envelope.payload_type != PAYLOAD_TYPE:
        raise Malformed(f"payloadType is {envelope.payload_type!r}, not {PAYLOAD_TYPE!r}")
    document = _object(_load(envelope.payload, "the statement"), "the statement")
    for field, wanted in (("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)):
        if document.get(field) != wanted:
            raise Malformed(f"{field} is {document.get(field)!r}, not {wanted!r}")
    predicate = _object(document.get("predicate"), "the predicate")
    sequence = predicate.get("sequence")
    if not isinstance(sequence, int) or isinstance(sequence, bool) or sequence < 1:
        raise Malformed(f"predicate.sequence is {sequence!r}, not a number from 1")
    if "previous" not in predicate:
        raise Malformed("predicate.previous is absent; the first statement says null")
    previous = predicate["previous"]
    return Statement(
        subject=_named(_list(document, "subject", "the statement"), "subject"),
        unsealed=_named(_list(predicate, "unsealed", "the predicate"), "unsealed")
        if predicate.get("unsealed") is not None
        else (),
        predicate=predicate,
        source=_text(predicate, "source", "the predicate"),
        run=_text(predicate, "run", "the predicate"),
        sequence=sequence,
        previous=None if previous is None else _named([previous], "previous")[0],
        key=_optional_text(predicate, "key"),
        next_key=_optional_text(predicate, "next_key"),
    )


def _json(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _unbase64(text: str, what: str) -> bytes:
    standard = text.replace("-", "+").replace("_", "/")
    padded = standard + "=" * (-len(standard) % 4)
    try:
        raw = base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"{what} is not base64: {error}") from None
    if _base64(raw) != padded:  # else several spellings would carry the same bytes
        raise Malformed(f"{what} is not base64 in its one proper form")
    return raw


def _load(body: bytes, what: str) -> Any:
    try:
        return json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{what} is not JSON: {error}") from None


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names a field twice")
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(f"{what} is not a JSON object")
    return cast("dict[str, Any]", value)


def _list(holder: Mapping[str, Any], field: str, what: str) -> list[Any]:
    value = holder.get(field)
    if not isinstance(value, list):
        raise Malformed(f"{what} has no list {field!r}")
    return cast("list[Any]", value)


def _text(holder: Mapping[str, Any], field: str, what: str) -> str:
    value = holder.get(field)
    if not isinstance(value, str):
        raise Malformed(f"{what} has no text {field!r}")
    return value


def _optional_text(holder: Mapping[str, Any], field: str) -> str | None:
    return None if holder.get(field) is None else _text(holder, field, "the predicate")


def _named(items: Sequence[Any], what: str) -> tuple[Named, ...]:
    found: list[Named] = []
    for item in items:
        one = _object(item, f"an entry of {what}")
        name = _text(one, "name", f"an entry of {what}")
        digest = _object(one.get("digest"), f"the digest of {name!r}").get("sha256")
        if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
            raise Malformed(f"{what}: {name!r} has no lower-case hex sha256")
        found.append((name, digest))
    return tuple(found)
