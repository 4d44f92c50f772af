"""Control 14, as far as Argo CD can tell: its record of deployments has no holes.

Whether each of them was approved is not Argo CD's to know: that is reconciled with the changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from cdk_soc2.answers import malformed, want
from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Control, Excluded, Observed, Status
from cdk_soc2.evidence.layout import moment
from cdk_soc2.evidence.spool import timestamp
from cdk_soc2.sources.argocd.applications import application, key_of
from cdk_soc2.sources.argocd.changes import changes
from cdk_soc2.sources.argocd.history import Before, Mark, gone, mark, observe
from cdk_soc2.sources.argocd.server import Server
from cdk_soc2.sources.changes import Change

KIND = "argocd"
FIRST_LOOK = timedelta(days=30)
GET = "applications, get"

DEPLOYMENTS = Control(
    number=14,
    key="change_management",
    name="Change management",
    claim="Argo CD's record of deployments is collected before any of it is dropped.",
    criteria=("CC8.1", "CC2.1", "CC3.4"),
    handbook="CC8.1",
    reads=(),
)


@dataclass
class ArgoCd:
    """One Argo CD as one run sees it.

    :param id: the name that its evidence is kept under.
    :param projects: only these; all if empty.
    :param read: how far each application was read, by its key: from the run before, then from now.
    :param changes: what the run found in the histories.
    """

    id: str
    server: Server
    projects: Sequence[str] = ()
    read: dict[str, Mark] = field(default_factory=dict[str, Mark])
    listed: datetime | None = None
    changes: list[Change] = field(default_factory=list[Change])
    regions: tuple[()] = ()

    @property
    def source(self) -> str:
        return f"{KIND}-{self.id}"

    @property
    def position(self) -> dict[str, Any]:
        """Where the next run goes on, as ``control-status.json`` keeps it."""
        return {
            "server": self.server.url,
            "projects": list(self.projects),
            "listed": timestamp(self.listed) if self.listed else None,
            "applications": {key: asdict(m) for key, m in sorted(self.read.items())},
        }

    def resume(self, earlier: Mapping[str, Any] | None) -> str | None:
        """Go on where the run with the verdicts *earlier* stopped; the server's address then.

        Raises :class:`CannotLook`.
        """
        if earlier is None:
            return None
        at = want(want(earlier, "collector", dict), KIND, dict)
        marks = want(at, "applications", dict)
        self.read = {
            key: Mark(want(m, "identity", str), want(m, "project", str), want(m, "last", int))
            for key, m in marks.items()
        }
        try:
            self.listed = moment(at["listed"]) if at.get("listed") else None
        except (TypeError, ValueError) as error:
            raise malformed(f"collector.argocd.listed: {error}") from None
        return want(at, "server", str)


@DEPLOYMENTS.check(of="applications", empty=Status.NOT_APPLICABLE)
def deployment_history(where: Any, context: Context) -> Iterator[Observed | Excluded]:
    """Every entry that Argo CD has made in an application's history of syncs is in the evidence:
    none was dropped between two collections."""
    argocd: ArgoCd = where
    server = argocd.server
    trouble: CannotLook | None = None
    was: str | None = None
    try:
        was = argocd.resume(context.vault.earlier())
    except CannotLook as error:
        trouble = error  # later: what Argo CD has now must be in the evidence all the same
    items = _list(argocd)
    before = Before(argocd.listed, _back_to(context))
    argocd.listed = context.now
    if trouble is not None:
        yield Observed(None, "the run before", trouble.reason, remedy=trouble.remedy)
    if was not in (None, server.url):
        yield Observed(
            None,
            server.url,
            f"the run before read {was} under the name {argocd.id!r}",
            remedy="Give each Argo CD a --name of its own; after a move, run again.",
        )
    yield from _visible(argocd, nothing=not items)
    yield from _each(argocd, items, before)


def _list(argocd: ArgoCd) -> list[Mapping[str, Any]]:
    """Every application in scope. The server gives all at once; null when there is none."""
    answer = argocd.server.get(
        ("api", "v1", "applications"), needs=GET, projects=tuple(argocd.projects)
    )
    if "items" not in answer:
        raise malformed("the list of applications has no items")
    meta = answer.get("metadata") or {}
    if meta.get("continue") or meta.get("remainingItemCount"):
        raise malformed("the list of applications is not whole, and Argo CD has no further pages")
    items = want(answer, "items", list) if answer["items"] is not None else []
    if not all(isinstance(item, Mapping) for item in items):
        raise malformed("the list of applications holds what is none")
    return [i for i in items if not argocd.projects or _project(i) in argocd.projects]


def _project(item: Mapping[str, Any]) -> str:
    return str((item.get("spec") or {}).get("project") or "default")


def _visible(argocd: ArgoCd, *, nothing: bool) -> Iterator[Observed | Excluded]:
    """Argo CD leaves out of the list, without a word, what the token may not get."""
    for project in argocd.projects or ("*",):
        whole = f"{project}/*"
        path = ("api", "v1", "account", "can-i", "applications", "get", project, "*")
        try:
            answer = argocd.server.find(path, needs=GET)
        except CannotLook as error:
            yield Observed(None, whole, error.reason, remedy=error.remedy)
            continue
        if answer is None and not nothing:
            reason = "this server does not tell whether the token may get every application"
            yield Excluded(whole, reason)
        elif answer is None or answer.get("value") != "yes":
            yield Observed(
                None,
                whole,
                "the token may not get every application: those it may not are left out of the list"
                if answer
                else "no application, and whether the token may get any is not told",
                remedy=f"Allow the token's account: {GET}, {whole}, allow. Or name the projects in "
                "scope with --projects.",
            )


def _each(
    argocd: ArgoCd, items: Sequence[Mapping[str, Any]], before: Before
) -> Iterator[Observed | Excluded]:
    missing = {k: m for k, m in argocd.read.items() if _in_scope(argocd, m)}
    for item in items:
        key = "an application without a name"
        try:
            key = key_of(item)
            earlier = missing.pop(key, None)
            app = application(item)
        except CannotLook as error:
            yield Observed(None, key, error.reason, remedy=error.remedy)
            continue
        yield from observe(app, earlier, before)
        argocd.read[key] = mark(app)
        argocd.changes += changes(app, argocd.source)
    for key, earlier in missing.items():
        yield _look_for(argocd, key, earlier)


def _in_scope(argocd: ArgoCd, m: Mark) -> bool:
    return not argocd.projects or m.project in argocd.projects


def _look_for(argocd: ArgoCd, key: str, earlier: Mark) -> Observed:
    """An application that was there before. Asked with its project, Argo CD answers 404 only to
    those who might see it; to all others 403."""
    namespace, _, name = key.partition("/")
    path = ("api", "v1", "applications", name)
    try:
        found = argocd.server.find(path, needs=GET, project=earlier.project, appNamespace=namespace)
    except CannotLook as error:
        return Observed(None, key, f"no longer listed. {error.reason}", remedy=error.remedy)
    if found is None:
        del argocd.read[key]
        return gone(key, earlier, "deleted")
    return Observed(
        None, key, "not listed, and yet there: the list is not whole", remedy="Run again."
    )


def _back_to(context: Context) -> datetime:
    """How far the first look at an application reaches: 30 days, within the observation period."""
    first = context.now - FIRST_LOOK
    period = context.boundary.period
    return max(first, datetime.combine(period.start, time(), UTC)) if period else first
