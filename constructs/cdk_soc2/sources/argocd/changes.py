"""What Argo CD's syncs changed, in the words in which changes of every source are reconciled."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime

from cdk_soc2.evidence.spool import plain, timestamp
from cdk_soc2.sources.argocd.applications import Application
from cdk_soc2.sources.changes import Change, Kind

COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
ITSELF = "Argo CD itself"


def changes(app: Application, source: str) -> Iterator[Change]:
    """Every sync of *app* that its history still holds, and the last one of single resources.

    The id holds the time, because ids begin anew when an application is made anew.
    """
    for d in app.history:
        by = d.by or (ITSELF if d.automated else "unknown")
        id = f"{app.key}#{d.id} {timestamp(d.deployed)}"
        yield _change(app, source, id, d.deployed, by, d.revisions)
    last = app.last
    if last and last.started and last.phase == "Succeeded" and not last.whole and not last.dry:
        id = f"{app.key} partly {timestamp(last.started)}"
        yield _change(app, source, id, last.started, last.by or "unknown", last.revisions)


def _change(
    app: Application, source: str, id: str, at: datetime, by: str, revisions: Sequence[str]
) -> Change:
    commits = tuple(r for r in revisions if COMMIT.fullmatch(r))
    other = ", ".join(r for r in revisions if r not in commits) or "not told"
    return Change(
        source,
        Kind.SYNC,
        id,
        app.key,
        at,
        by,
        commits,
        environment=app.cluster,
        trouble="" if commits else f"its revision is no commit: {other}",
    )


def table(found: Iterable[Change], unseen: Sequence[str]) -> bytes:
    """``changes.json``: the *found* changes, and the applications some of whose may be missing."""
    document = {
        "schema": "soc2-changes/v1",
        "unseen": sorted(set(unseen)),
        "changes": [asdict(c) for c in found],
    }
    return (json.dumps(plain(document), indent=2, ensure_ascii=False) + "\n").encode()
