"""Whose statements these are: a source's key, and the keys that it named as its successors."""

from __future__ import annotations

from cdk_soc2.evidence.keyring import Keyring
from cdk_soc2.evidence.layout import DIGEST, statement_name
from cdk_soc2.evidence.result import Kind, Notes
from cdk_soc2.evidence.statement import Envelope, Statement, pae


class Succession:
    """One source's keys in order. ``key`` is the current one, ``proven`` all whose signatures
    verified."""

    def __init__(self, source: str, keyring: Keyring, notes: Notes) -> None:
        self.key: str | None = None
        self.proven: list[str] = []
        self.unsigned: list[int] = []
        self._successors: set[str] = set()
        self._source = source
        self._keyring = keyring
        self._notes = notes

    def believes(self, sequence: int, envelope: Envelope, statement: Statement) -> bool:
        """Whether the statement's words are those of somebody who holds a key, or of nobody by
        intent."""
        if not envelope.signatures:
            self.unsigned.append(sequence)
            if statement.key is not None:
                self._find(
                    "unsigned", sequence, f"it names key {statement.key} and has no signature"
                )
            return True
        message = pae(envelope.payload_type, envelope.payload)
        by_id = {s.keyid: s for s in reversed(envelope.signatures)}
        if self.key is None:
            self.key = self._first_key(message, envelope, statement)
        mine = next((k for k in (self.key, *sorted(self._successors)) if k in by_id), None)
        if mine is None:
            return self._check_foreign(sequence, message, envelope)
        key = self._keyring.get(mine)
        if key is None:
            self._keyring.lacks(self._notes, self._source, sequence, mine)
            return True
        if not key.verifies(message, by_id[mine].sig):
            self._find(
                "tampered", sequence, "its signature does not verify; its files are not vouched for"
            )
            return False
        if statement.key not in (None, mine):
            self._find("key", sequence, f"it names key {statement.key} and is signed by {mine}")
        if len(envelope.signatures) > 1:
            others = len(envelope.signatures) - 1
            name = statement_name(self._source, sequence)
            self._notes.warn(f"{name}: {others} further signature(s) were not looked at")
        if mine != self.key:
            self.key = mine
            self._successors.clear()
        if mine not in self.proven:
            self.proven.append(mine)
        if statement.next_key is not None:
            if DIGEST.fullmatch(statement.next_key):
                self._successors.add(statement.next_key)
            else:
                self._find("key", sequence, f"next_key {statement.next_key!r} is no fingerprint")
        return True

    def _first_key(self, message: bytes, envelope: Envelope, statement: Statement) -> str:
        """A source's first statement names its key; a key that made one of its signatures is
        believed first."""
        named = [statement.key] if statement.key else [s.keyid for s in envelope.signatures]
        if not any(self._keyring.get(k) for k in named):
            for signature in envelope.signatures:
                if (real := self._keyring.whose(message, signature.sig)) is not None:
                    return real
        return named[0]

    def _check_foreign(self, sequence: int, message: bytes, envelope: Envelope) -> bool:
        key = self._keyring.get(self.key or "")
        labels = ", ".join(s.keyid for s in envelope.signatures)
        if key is not None and any(key.verifies(message, s.sig) for s in envelope.signatures):
            self._find(
                "tampered", sequence, f"its signature is the source's, but labelled {labels!r}"
            )
            return True
        self._find(
            "key",
            sequence,
            f"signed by {labels}, which no statement named; the source's key is {self.key}",
        )
        return False

    def _find(self, kind: Kind, sequence: int, detail: str) -> None:
        name = statement_name(self._source, sequence)
        self._notes.find(kind, self._source, sequence, name, detail)
