"""What a verification found, in words and in JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "tampered",
    "missing",
    "hole",
    "unlisted",
    "deleted",
    "key",
    "backdated",
    "unfinished",
    "unsealed",
    "unsigned",
    "retention",
]
Trust = Literal["trusted", "self-asserted", "unsigned"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold; ``path`` is from the vault's root, a run's ends with a
    slash."""

    kind: Kind
    source: str | None
    sequence: int | None
    path: str
    detail: str

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "source": self.source,
            "sequence": self.sequence,
            "path": self.path,
            "detail": self.detail,
        }


@dataclass(slots=True)
class SourceSummary:
    """One source's ledger: how many statements, their numbers, and whose they are.

    ``head`` is the hex SHA-256 of the last envelope. ``key`` is the current key's fingerprint,
    ``keys`` all that signed, in order. ``began`` and ``ended`` are the first and last window's.
    ``vouched`` is the number of the statement that a known head names: it and all before it are
    vouched for.
    """

    source: str
    statements: int = 0
    first: int | None = None
    last: int | None = None
    head: str | None = None
    key: str | None = None
    keys: list[str] = field(default_factory=list[str])
    trust: Trust = "unsigned"
    vouched: int | None = None
    began: str | None = None
    ended: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "statements": self.statements,
            "first": self.first,
            "last": self.last,
            "head": self.head,
            "key": self.key,
            "keys": self.keys,
            "trust": self.trust,
            "vouched": self.vouched,
            "from": self.began,
            "to": self.ended,
        }


@dataclass(frozen=True, slots=True)
class Verification:
    """The result: ``ok`` when there is no finding; ``runs`` and ``files`` count what was
    recomputed."""

    trust: Trust
    sources: tuple[SourceSummary, ...]
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    runs: int
    files: int

    @property
    def ok(self) -> bool:
        return not self.findings

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "trust": self.trust,
            "sources": [s.to_json() for s in self.sources],
            "findings": [f.to_json() for f in self.findings],
            "warnings": list(self.warnings),
            "runs": self.runs,
            "files": self.files,
        }


class Notes:
    """Findings and warnings as they come up; several on the same thing become one."""

    def __init__(self) -> None:
        self._findings: dict[tuple[Kind, str | None, int | None, str], list[str]] = {}
        self.warnings: list[str] = []

    def find(
        self, kind: Kind, source: str | None, sequence: int | None, path: str, detail: str
    ) -> None:
        details = self._findings.setdefault((kind, source, sequence, path), [])
        if detail not in details:
            details.append(detail)

    def add(self, findings: Iterable[Finding]) -> None:
        for f in findings:
            self.find(f.kind, f.source, f.sequence, f.path, f.detail)

    def warn(self, words: str) -> None:
        self.warnings.append(words)

    def findings(self) -> tuple[Finding, ...]:
        found = [Finding(*key, "; ".join(details)) for key, details in self._findings.items()]
        return tuple(sorted(found, key=lambda f: (f.source or "", f.sequence or 0, f.path, f.kind)))
