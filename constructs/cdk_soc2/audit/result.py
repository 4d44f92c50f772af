"""The answers of a mock audit: rows, the evidence behind each, and what kind of gap is left."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from cdk_soc2.audit.rows import Asked
from cdk_soc2.verdict import Status

Kind = Literal["control", "evidence", "process"]
KINDS: tuple[Kind, ...] = ("control", "evidence", "process")  # the first are mended first


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one run, or one document, says of one check.

    :param path: from the vault's root; ``None`` where something should lie and nothing does.
    :param signed: ``None`` where there is no statement.
    """

    source: str | None
    day: date
    status: Status
    detail: str
    path: str | None = None
    statement: int | None = None
    signed: bool | None = None
    remedies: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "day": self.day.isoformat(),
            "source": self.source,
            "statement": self.statement,
            "signed": self.signed,
            "status": self.status,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """The answer to one check; ``kind`` is the gap's, ``None`` when it is ready. The worst evidence
    comes first."""

    asked: Asked
    status: Status
    kind: Kind | None
    evidence: tuple[Evidence, ...]
    next: str | None

    @property
    def ready(self) -> bool:
        return self.kind is None

    def to_json(self) -> dict[str, Any]:
        return {
            "number": self.asked.number,
            "asks": self.asked.asks,
            "control": self.asked.control,
            "check": self.asked.check,
            "status": self.status,
            "ready": self.ready,
            "kind": self.kind,
            "evidence": [e.to_json() for e in self.evidence],
            "next": self.next,
        }


@dataclass(frozen=True, slots=True)
class Readiness:
    """Every row on the day *on*; ``signed``: has all its evidence a signature, good or bad?"""

    on: date
    rows: tuple[Row, ...]

    @property
    def ready(self) -> bool:
        return all(row.ready for row in self.rows)

    @property
    def signed(self) -> bool:
        return all(e.signed is not False for row in self.rows for e in row.evidence)

    @property
    def gaps(self) -> Counter[Kind]:
        return Counter(row.kind for row in self.rows if row.kind)

    def to_json(self) -> dict[str, Any]:
        return {
            "ready": self.ready,
            "on": self.on.isoformat(),
            "signed": self.signed,
            "rows": [row.to_json() for row in self.rows],
        }
