"""Where a source's ledger ends, and whose key may continue it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cdk_soc2.evidence.reading import began_at, numbers
from cdk_soc2.evidence.signer import Signer
from cdk_soc2.evidence.statement import Malformed, parse_envelope, parse_statement
from cdk_soc2.evidence.store import Store


class LedgerRefused(Exception):
    """The ledger does not take this statement, and nothing was written; the message names both keys
    and the remedy."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Where a source's ledger ends, read from versions, since a delete marker hides a statement
    from plain reads.

    ``sequence`` is the highest number that a version or a marker occupies (0: none). ``name`` and
    ``envelope`` are the newest statement that has bytes. ``current_key`` and ``next_key`` come from
    the newest readable statement; ``signed`` is None before the first. ``markers`` are the paths
    under delete markers.
    """

    source: str
    sequence: int
    name: str | None
    envelope: bytes | None
    current_key: str | None
    next_key: str | None
    signed: bool | None
    began: datetime | None
    markers: tuple[str, ...]


def tail(store: Store, source: str) -> Tail:
    """Return the end of *source*'s ledger; needs to list versions and read under `ledger/<source>/`
    only."""
    occupied, markers = numbers(store, source)
    held = sorted((n for n, v in occupied.items() if v is not None), reverse=True)
    name = envelope = readable = None
    for number in held:
        version = occupied[number]
        assert version is not None
        body = store.get(version.key, None if version.latest else version.id)
        if name is None:
            name, envelope = version.key, body
        try:
            readable = parse_envelope(body)
            statement = parse_statement(readable)
            break
        except Malformed:
            readable = None  # the chain is of bytes; the keys are those of the newest readable
    else:
        statement = None
    current = next_key = began = None
    if readable is not None and statement is not None:
        first = readable.signatures[0].keyid if readable.signatures else None
        current, next_key, began = statement.key or first, statement.next_key, began_at(statement)
    signed = None if readable is None else bool(readable.signatures)
    return Tail(
        source, max(occupied, default=0), name, envelope, current, next_key, signed, began, markers
    )


def admit(end: Tail, signer: Signer | None) -> None:
    """Raise `LedgerRefused` unless *signer*'s key is the source's current key or its named
    successor.

    Asked before a run's files are written, it saves a run from being left without its statement.
    """
    if end.signed is None:
        return
    where = f"ledger/{end.source}/"
    if signer is None:
        if end.signed:
            raise LedgerRefused(
                f"{where} is signed by key {end.current_key}, and an unsigned statement in it would "
                "be a finding: sign with that key, or use another vault"
            )
    elif not end.signed:
        raise LedgerRefused(
            f"{where} is unsigned, and key {signer.keyid} would sign only its end: "
            "use a new vault for signed evidence, or go on unsigned"
        )
    elif signer.keyid not in (end.current_key, end.next_key):
        raise LedgerRefused(
            f"{where} is signed by key {end.current_key}, not by {signer.keyid}: sign with the "
            f"former, or let it name its successor once (next_key={signer.keyid})"
        )
