"""Whether an application's history still holds every sync since it was last collected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from cdk_soc2.control import Observed
from cdk_soc2.sources.argocd.applications import Application, Deployment

NONE = -1  # the id before the first

RAISE = (
    "Collect at least daily, and let the application keep more entries (revisionHistoryLimit). What "
    "is lost: find it in Git and in the logs of Argo CD's controller, and tell the auditor."
)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far an application's history was read.

    :param last: the highest id that is in the evidence; -1 when none is.
    """

    identity: str
    project: str
    last: int


@dataclass(frozen=True, slots=True)
class Before:
    """What the runs before this one knew.

    :param listed: when the applications were last listed; ``None`` before the first time.
    :param back_to: how far back the first look at an application must reach.
    """

    listed: datetime | None
    back_to: datetime


def mark(app: Application) -> Mark:
    """Where the next run goes on reading."""
    return Mark(app.identity, app.project, app.history[-1].id if app.history else NONE)


def observe(app: Application, earlier: Mark | None, before: Before) -> Iterator[Observed]:
    """Is every sync of *app* since *earlier* there? One observation, and one more of an application
    of the same name that is gone."""
    if earlier is not None and earlier.identity != app.identity:
        yield gone(app.key, earlier, "deleted and made anew")
        earlier = Mark(app.identity, app.project, NONE)
    trouble = _troubles(app, earlier, before)
    yield next(trouble, None) or Observed(True, app.key, _told(app, earlier))


def gone(key: str, earlier: Mark, how: str) -> Observed:
    """An application took its history along; whether it was synced once more, nobody can tell."""
    return Observed(
        None,
        key,
        f"{how} since the run before; its syncs after {_id(earlier.last)} are not known",
        remedy="Find its last syncs in the logs of Argo CD's controller, and tell the auditor; "
        "collect right before an application is deleted.",
    )


def _troubles(app: Application, earlier: Mark | None, before: Before) -> Iterator[Observed]:
    """What is wrong with the history, the worst first."""
    if app.keeps == 0:
        yield Observed(
            False,
            app.key,
            "keeps no history at all (revisionHistoryLimit is 0)",
            remedy="Set revisionHistoryLimit of the application to 10 or more.",
        )
    ids = [d.id for d in app.history]
    highest = ids[-1] if ids else NONE
    if earlier is not None and highest < earlier.last:
        yield Observed(
            False,
            app.key,
            f"its history ends with {_id(highest)}, and {_id(earlier.last)} was collected: it was "
            "cut or begun anew",
            remedy="Find out who changed the application's status, and tell the auditor. " + RAISE,
        )
    first = _first(app, earlier, before)
    missing = sorted(set(range(first, highest + 1)) - set(ids))
    if missing:
        yield Observed(
            False,
            app.key,
            f"{len(missing)} syncs are lost: {_ranges(missing)} are neither in the history "
            f"({_span(ids)}) nor collected before",
            remedy=RAISE,
        )
    yield from _unrecorded(app, before)
    if first and earlier is None and app.history[0].deployed > before.back_to:
        yield Observed(
            None,
            app.key,
            f"first seen with {_span(ids)}; what was before was dropped after "
            f"{before.back_to:%Y-%m-%d} or earlier, and nobody can tell which",
            remedy="Nothing, if the days before this run do not matter. " + RAISE,
        )


def _first(app: Application, earlier: Mark | None, before: Before) -> int:
    """The lowest id that must be there. An application made since the last listing begins with 0."""
    if earlier is not None:
        return earlier.last + 1
    if before.listed and app.created and app.created >= before.listed:
        return 0
    return app.history[0].id if app.history else 0


def _unrecorded(app: Application, before: Before) -> Iterator[Observed]:
    """The last operation is told apart from the history, so it can show what is not in there."""
    last, newest = app.last, app.history[-1].deployed if app.history else None
    if last is None or last.started is None or last.phase != "Succeeded" or last.dry:
        return
    if newest is not None and last.started <= newest:
        return
    if last.whole:
        yield Observed(
            False,
            app.key,
            f"the sync that began {last.started:%Y-%m-%d %H:%M:%SZ} succeeded and is not in the "
            "history",
            remedy="Find out who changed the application's status, and tell the auditor.",
        )
    elif last.started >= (before.listed or before.back_to):
        yield Observed(
            None,
            app.key,
            f"the last sync ({last.started:%Y-%m-%d %H:%M:%SZ}) was of single resources, which Argo "
            "CD enters in no history; such syncs before it left no trace",
            remedy="Sync whole applications; or keep what Argo CD's notifications tell of syncs.",
        )


def _told(app: Application, earlier: Mark | None) -> str:
    state = f"{app.health}, {app.sync}, on {app.cluster}"
    if not app.history:
        return f"never synced as a whole; {state}"
    new = [d for d in app.history if earlier is None or d.id > earlier.last]
    lately = f"{len(new)} new, the last {_who(new[-1])}" if new else "none new"
    ended = f"; last operation {app.last.phase}" if app.last else ""
    return f"{_span([d.id for d in app.history])} kept, {lately}; {state}{ended}"


def _who(d: Deployment) -> str:
    by = d.by or ("Argo CD itself" if d.automated else "somebody it does not name")
    revisions = ", ".join(r[:12] for r in d.revisions) or "no revision"
    return f"at {d.deployed:%Y-%m-%d %H:%M:%SZ} by {by} ({revisions})"


def _id(id: int) -> str:
    return f"id {id}" if id > NONE else "none"


def _span(ids: list[int]) -> str:
    return "no entry" if not ids else f"ids {ids[0]} to {ids[-1]}" if len(ids) > 1 else _id(ids[0])


def _ranges(ids: Iterable[int]) -> str:
    """``ids 3, 7 to 9``; *ids* ascend."""
    runs: list[list[int]] = []
    for id in ids:
        if runs and runs[-1][-1] == id - 1:
            runs[-1].append(id)
        else:
            runs.append([id])
    return "ids " + ", ".join(f"{r[0]} to {r[-1]}" if len(r) > 1 else f"{r[0]}" for r in runs)
