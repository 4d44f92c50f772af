"""The population of changes, and what of it is unmatched, as tables for auditors and for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from cdk_soc2.evidence.spool import plain, timestamp
from cdk_soc2.sources.changes import Matched

COLUMNS: tuple[str, ...] = (
    "at", "source", "kind", "system", "id", "by", "environment", "commits", "session", "request",
    "request_author", "approved_by", "approved_at", "checks", "approved", "reason", "url",
)  # fmt: skip


def rows(matched: Iterable[Matched]) -> Iterator[dict[str, str]]:
    """A row a change, as in the tables."""
    for m in matched:
        r = m.request
        yield {
            "at": timestamp(m.change.at),
            "source": m.change.source,
            "kind": str(m.change.kind),
            "system": m.change.system,
            "id": m.change.id,
            "by": m.change.by,
            "environment": m.change.environment,
            "commits": " ".join(m.change.commits),
            "session": m.change.session,
            "request": r.id if r else "",
            "request_author": r.author if r else "",
            "approved_by": " ".join(r.approved_by) if r else "",
            "approved_at": timestamp(r.approved_at) if r and r.approved_at else "",
            "checks": r.checks if r else "",
            "approved": {True: "yes", False: "no", None: "unknown"}[m.approved],
            "reason": m.reason,
            "url": r.url if r else "",
        }


def as_csv(table: Iterable[Mapping[str, str]]) -> bytes:
    """*table* as CSV (RFC 4180, UTF-8). A cell that a spreadsheet would run gets a quote before it."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for row in table:
        writer.writerow({k: f"'{v}" if v[:1] in tuple("=+-@\t\r") else v for k, v in row.items()})
    return out.getvalue().encode()


def as_json(matched: Sequence[Matched], **also: Any) -> bytes:
    """All of it, for programs."""
    document = {
        "schema": "soc2-changes/v1",
        **also,
        "changes": [
            {**asdict(m.change), "approved": m.approved, "reason": m.reason,
             "request": asdict(m.request) if m.request else None}
            for m in matched
        ],
    }  # fmt: skip
    return (json.dumps(plain(document), indent=2, ensure_ascii=False) + "\n").encode()
