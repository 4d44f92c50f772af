"""Merged pull requests, and whether somebody else approved what was merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cdk_soc2.answers import may, want
from cdk_soc2.control import CannotLook
from cdk_soc2.sources.changes import Request
from cdk_soc2.sources.github.moments import moment, moment_if
from cdk_soc2.sources.github.questions import (
    CHECK_RUNS,
    COLLABORATORS,
    PULL_COMMITS,
    PULLS,
    REVIEWS,
)
from cdk_soc2.sources.github.window import GitHub, Repository

DECISIVE = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")  # a comment leaves a verdict as it was
COMMITS_LISTED = 250  # of a pull request: GitHub lists no more

Writers = Callable[[], Collection[str]]


@dataclass(frozen=True, slots=True)
class Pull:
    """One merged pull request."""

    repository: Repository
    number: int
    author: str | None
    merged_at: datetime
    merged_as: str
    head: str
    base: str
    url: str

    @property
    def id(self) -> str:
        return f"{self.repository.full}#{self.number}"


@dataclass(frozen=True, slots=True)
class Approval:
    """A review that approves, as it stood when the request was merged."""

    by: str
    person: bool
    commit: str
    at: datetime


def merged_since(github: GitHub, repository: Repository, since: datetime) -> Iterator[Pull]:
    """Every pull request merged after *since*, into whatever branch: a default branch may have had
    another name. Merging updates, so that what was updated before was merged before."""
    given = {"state": "closed", "sort": "updated", "direction": "desc"}
    for page in github.pages(PULLS, given, **repository.place):
        for item in page.items:
            pull = pull_of(repository, item)
            if pull is not None and pull.merged_at > since:
                yield pull
        if page.items and moment(page.items[-1], "updated_at") < since:
            return


def pull_of(repository: Repository, item: Mapping[str, Any]) -> Pull | None:
    """The pull request in *item*; ``None`` where it was not merged into this repository."""
    merged_at = moment_if(item, "merged_at")
    merged_as = may(item, "merge_commit_sha", str)
    if merged_at is None or merged_as is None:
        return None
    base = want(item, "base", dict)
    into = may(may(base, "repo", dict) or {}, "full_name", str)
    if into is not None and into.lower() != repository.full.lower():
        return None
    return Pull(
        repository,
        want(item, "number", int),
        may(may(item, "user", dict) or {}, "login", str),
        merged_at,
        merged_as,
        want(want(item, "head", dict), "sha", str),
        want(base, "ref", str),
        may(item, "html_url", str) or "",
    )


def writers(github: GitHub, repository: Repository) -> set[str]:
    """Who may write to the repository, by login. Raises :class:`CannotLook`."""
    found = github.list(COLLABORATORS, **repository.place)
    return {
        want(one, "login", str)
        for one in found
        if want(want(one, "permissions", dict), "push", bool)
    }


def request_of(github: GitHub, pull: Pull, may_write: Writers, also: Collection[str]) -> Request:
    """Who approved *pull*: a person with write access, who wrote none of it, on its last commit,
    before it was merged.

    :param also: further commits by which it reached the branch, when it was rebased.
    """
    approved: list[Approval] = []
    reason, undecided = "", False
    try:
        approved, reason = _approvals(github, pull, may_write)
    except CannotLook as error:
        reason, undecided = f"{error.reason}. {error.remedy}", True
    return Request(
        pull.id,
        pull.author or "unknown",
        pull.merged_at,
        tuple(dict.fromkeys((pull.merged_as, pull.head, *also))),
        tuple(sorted(a.by for a in approved)),
        min((a.at for a in approved), default=None),
        reason,
        undecided,
        _checks(github, pull),
        pull.url,
    )


def _approvals(github: GitHub, pull: Pull, may_write: Writers) -> tuple[list[Approval], str]:
    """The approvals that count, and why there is none when there is none."""
    given = _standing(github.list(REVIEWS, pull_number=pull.number, **pull.repository.place), pull)
    left, reason = given, "nobody approved it"
    for why, counts in (
        ("approved by its author alone", lambda a: a.by != pull.author),
        ("approved by no person", lambda a: a.person),
        ("approved, and pushed to after that", lambda a: a.commit == pull.head),
    ):
        left, reason = _sieve(left, counts, why, reason)
    if not left:
        return [], reason
    if pull.author is None:
        raise CannotLook("its author is not known any more", "Say in an exception who wrote it.")
    able = may_write()
    left, reason = _sieve(left, lambda a: a.by in able, "approved without write access", reason)
    if not left:
        return [], reason
    wrote = _wrote(github, pull)
    left, reason = _sieve(
        left, lambda a: a.by not in wrote, "approved by who wrote part of it", reason
    )
    return left, "" if left else reason


def _sieve(
    given: list[Approval], counts: Callable[[Approval], bool], why: str, reason: str
) -> tuple[list[Approval], str]:
    left = [a for a in given if counts(a)]
    who = ", ".join(dict.fromkeys(a.by for a in given))
    return left, reason if left or not given else f"{why}: {who}"


def _standing(reviews: list[Mapping[str, Any]], pull: Pull) -> list[Approval]:
    """Each reviewer's last verdict before the merge, where it approves."""
    last: dict[str, tuple[datetime, str, Approval]] = {}
    for review in reviews:
        at, state = moment_if(review, "submitted_at"), want(review, "state", str).upper()
        user = may(review, "user", dict) or {}
        login = may(user, "login", str)
        if at is None or login is None or state not in DECISIVE or at > pull.merged_at:
            continue
        approval = Approval(
            login, user.get("type") == "User", may(review, "commit_id", str) or "", at
        )
        if login not in last or at >= last[login][0]:
            last[login] = (at, state, approval)
    return [approval for _, state, approval in last.values() if state == "APPROVED"]


def _wrote(github: GitHub, pull: Pull) -> set[str]:
    """Who wrote or committed any of it."""
    commits = github.list(PULL_COMMITS, pull_number=pull.number, **pull.repository.place)
    if len(commits) >= COMMITS_LISTED:
        raise CannotLook(
            f"GitHub lists {COMMITS_LISTED} of its commits; who wrote the others is not known",
            "Make smaller requests, or have this one accepted as an exception.",
        )
    return {
        login
        for commit in commits
        for field in ("author", "committer")
        for login in [may(may(commit, field, dict) or {}, "login", str)]
        if login is not None
    }


def _checks(github: GitHub, pull: Pull) -> str:
    """What the checks of the last commit said; evidence, not a verdict."""
    try:
        found = github.list(CHECK_RUNS, ref=pull.head, **pull.repository.place)
    except CannotLook as error:
        return f"not seen: {error.reason}"
    told = Counter(str(run.get("conclusion") or run.get("status")) for run in found)
    return ", ".join(f"{n} {word}" for word, n in sorted(told.items())) or "none"
