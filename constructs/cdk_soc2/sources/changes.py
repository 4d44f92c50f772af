"""Matches every production change to the request that somebody else approved, or says there is none.

Pure: the sources yield :class:`Change`, wherever they were made, and GitHub the :class:`Request`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cdk_soc2.control import Observed
from cdk_soc2.evidence.spool import timestamp

SESSION_SLACK = timedelta(minutes=5)  # a stack goes on for a while after the job that started it


class Kind(StrEnum):
    """What is a production change."""

    MERGE = "merge"
    PUSH = "push"  # to the default branch, around any request
    BYPASS = "bypass"  # of the branch's rules, as GitHub recorded it
    DEPLOYMENT = "deployment"  # to a production environment
    SYNC = "sync"  # of a production application, by Argo CD
    STACK = "stack"  # created, updated or deleted by CloudFormation


@dataclass(frozen=True, slots=True)
class Change:
    """One production change, as its source tells it.

    :param source: as in the vault: ``github-acme``, ``argocd-main``, ``aws-123456789012``.
    :param id: unique within its source; the subject of an accepted exception.
    :param system: the repository, application or stack.
    :param by: who made it.
    :param commits: the revisions that it brought, full SHA-1 or SHA-256 in hex.
    :param session: of the role that made it, where there is one.
    :param request: the request it came from, where its source knows.
    :param trouble: why it cannot be told whether it was approved.
    """

    source: str
    kind: Kind
    id: str
    system: str
    at: datetime
    by: str
    commits: tuple[str, ...] = ()
    environment: str = ""
    session: str = ""
    request: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A change request: a merged pull request and who approved it.

    :param commits: every commit by which it can be met: its merge commit, and its last pushed one.
    :param approved_by: who approved it, as an approval counts.
    :param approved_at: when the first approval that counts was given; ``None`` without one.
    :param reason: why it is not approved, or why that cannot be told (*undecided*).
    """

    id: str
    author: str
    merged_at: datetime
    commits: tuple[str, ...]
    approved_by: tuple[str, ...] = ()
    approved_at: datetime | None = None
    reason: str = ""
    undecided: bool = False
    checks: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A workflow run that may change production: what it ran from, and when."""

    id: str
    commit: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Matched:
    """A change and what became of it: ``approved`` is ``None`` where that cannot be told."""

    change: Change
    approved: bool | None
    reason: str
    request: Request | None = None


def reconcile(
    changes: Iterable[Change],
    requests: Sequence[Request],
    jobs: Sequence[Job] = (),
    deploy_roles: Collection[str] = (),
) -> list[Matched]:
    """Every change, with the approved request it belongs to, in the order of time.

    :param deploy_roles: who may change production without naming a commit; the workflow run that
        used the role at the time does name one.
    """
    by_commit: dict[str, list[Request]] = {}
    for request in requests:
        for commit in request.commits:
            by_commit.setdefault(commit, []).append(request)
    by_id = {request.id: request for request in requests}
    ordered = sorted(changes, key=lambda c: (c.at, c.source, c.id))
    return [_match(change, by_id, by_commit, jobs, deploy_roles) for change in ordered]


def _match(
    change: Change,
    by_id: Mapping[str, Request],
    by_commit: Mapping[str, Sequence[Request]],
    jobs: Sequence[Job],
    deploy_roles: Collection[str],
) -> Matched:
    if change.trouble:
        return Matched(change, None, change.trouble)
    if change.kind is Kind.PUSH:
        return Matched(change, False, "pushed without a request")
    if change.kind is Kind.BYPASS:
        return Matched(change, False, "the branch's rules were bypassed")
    if change.request:
        return _of_request(change, by_id[change.request])
    if change.commits:
        return _of_commits(change, change.commits, by_commit)
    if not deploy_roles:
        return Matched(change, None, "the boundary file names no deploy_roles")
    if change.by not in deploy_roles:
        return Matched(change, False, f"{change.by} made it, and is no deploy role")
    return _of_jobs(change, by_commit, jobs)


def _of_request(change: Change, request: Request) -> Matched:
    if request.undecided:
        return Matched(change, None, request.reason, request)
    if request.approved_at is None:
        return Matched(change, False, request.reason or "nobody approved it", request)
    if request.approved_at > change.at:
        late = f"approved on {timestamp(request.approved_at)}, after it was made"
        return Matched(change, False, late, request)
    return Matched(change, True, f"approved by {', '.join(request.approved_by)}", request)


def _of_commits(
    change: Change, commits: Iterable[str], by_commit: Mapping[str, Sequence[Request]]
) -> Matched:
    """All of the commits must come from approved requests; the worst is told."""
    found: list[Matched] = []
    for commit in commits:
        held = [_of_request(change, r) for r in by_commit.get(commit, ())]
        best = min(held, key=lambda m: _RANK[m.approved], default=None)
        found.append(best or Matched(change, False, f"commit {commit} comes from no request"))
    return max(found, key=lambda m: _RANK[m.approved])


_RANK = {True: 0, None: 1, False: 2}


def _of_jobs(
    change: Change, by_commit: Mapping[str, Sequence[Request]], jobs: Sequence[Job]
) -> Matched:
    """A change that names no commit: by the session's name, else by the time.

    Where several jobs ran at the time, each of them must have come from an approved request.
    """
    near = [j for j in jobs if j.start <= change.at <= j.end + SESSION_SLACK]
    by_name = [j for j in near if j.id in _words(change.session)]
    found = by_name or near
    if not found:
        return Matched(change, False, f"no workflow run made it; {change.by} did, by itself")
    how = "by its session" if by_name else "by the time"
    matched = _of_commits(change, [job.commit for job in found], by_commit)
    told = f"{matched.reason}; {how}: workflow run {', '.join(j.id for j in found)}"
    return Matched(change, matched.approved, told, matched.request)


def _words(session: str) -> set[str]:
    return set(session.replace("_", "-").replace("@", "-").split("-"))


def observed(matched: Iterable[Matched]) -> Iterator[Observed]:
    """What the reconciliation shows, a change at a time."""
    for m in matched:
        at = timestamp(m.change.at)
        request = f"{m.request.id}, " if m.request else ""
        detail = f"{m.change.kind} by {m.change.by} at {at}: {request}{m.reason}"
        remedy = None
        if m.approved is False:
            remedy = (
                "Review it now, write down why it was made, and have it accepted as an exception."
            )
        elif m.approved is None:
            remedy = (
                "Allow what the reason names, or bring the evidence of its source, and run again."
            )
        yield Observed(m.approved, f"{m.change.system} {m.change.id}", detail, remedy=remedy)
