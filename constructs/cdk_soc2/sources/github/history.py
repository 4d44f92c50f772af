"""What reached a default branch, commit by commit, since it was last looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cdk_soc2.answers import malformed, may, records, want
from cdk_soc2.control import CannotLook
from cdk_soc2.sources.github.moments import moment
from cdk_soc2.sources.github.questions import COMMITS
from cdk_soc2.sources.github.window import GitHub, Page, Reach, Refused, Repository

EMPTY = 409
COMMITS_AT_MOST = 10_000  # further back than any run should have to look


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit. ``at`` is the committer's own word; ``by`` who committed it, as far as known."""

    sha: str
    parent: str | None
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class History:
    """The first parents of a default branch, newest first: what it was at, one after the other.

    :param head: its last commit; ``None`` for an empty repository.
    :param rewritten: the commit that it was at before, and that is no longer in it.
    """

    commits: tuple[Commit, ...]
    head: str | None
    rewritten: str | None = None


def history(github: GitHub, repository: Repository, reach: Reach) -> History:
    """What the default branch took in within *reach*.

    Back to the commit that the last run saw, where there was one, since dates in commits are
    whatever their makers wrote. Else every commit under the deepest one that is dated in reach.
    Raises :class:`CannotLook`.
    """
    pages = github.pages(COMMITS, {"sha": repository.default_branch}, **repository.place)
    known: dict[str, Commit] = {}
    try:
        first = next(pages, Page(()))
    except Refused as error:
        if error.status == EMPTY:
            return History((), None)
        raise
    _learn(known, first)
    head = next(iter(known), None)
    chain, end = _walk(known, head, pages, reach, repository)
    if end is not None and end != reach.head and end not in known and chain[-1].at >= reach.since:
        chain, end = _as_listed(known, reach.head)
    if reach.head is not None and end == reach.head:
        return History(tuple(chain), head)
    deepest = max((n for n, c in enumerate(chain) if c.at >= reach.since), default=-1)
    return History(tuple(chain[: deepest + 1]), head, reach.head)


def _walk(
    known: dict[str, Commit],
    head: str | None,
    pages: Iterator[Page],
    reach: Reach,
    repository: Repository,
) -> tuple[list[Commit], str | None]:
    """From *head* down the first parents; and the commit before which it ended, if any."""
    chain: list[Commit] = []
    met: set[str] = set()
    sha = head
    while sha is not None and sha != reach.head:
        if sha not in known and reach.head is None and chain[-1].at < reach.since:
            break
        while sha not in known:
            if len(known) >= COMMITS_AT_MOST:
                raise CannotLook(
                    f"{repository.full}: more than {COMMITS_AT_MOST} commits, and {reach.head} "
                    "is not among them",
                    "Give --from, to look by date, if the history was rewritten on purpose.",
                )
            page = next(pages, None)
            if page is None:
                return chain, sha
            _learn(known, page)
        if sha in met:
            raise malformed(f"commit {sha} descends from itself")
        met.add(sha)
        chain.append(known[sha])
        sha = known[sha].parent
    return chain, sha


def _as_listed(known: Mapping[str, Commit], head: str | None) -> tuple[list[Commit], str | None]:
    """Everything that was listed, down to the commit *head*: where a parent is missing from the
    list, nothing may be passed over."""
    listed = list(known.values())
    if head is None or head not in known:
        return listed, None
    return listed[: list(known).index(head)], head


def _learn(known: dict[str, Commit], page: Page) -> None:
    for item in page.items:
        sha = want(item, "sha", str)
        parents = records(item, "parents")
        git = want(item, "commit", dict)
        known[sha] = Commit(
            sha,
            want(parents[0], "sha", str) if parents else None,
            moment(want(git, "committer", dict), "date"),
            _login(item, "author") or _login(item, "committer") or _name(git),
        )


def _login(item: Mapping[str, Any], field: str) -> str | None:
    return may(may(item, field, dict) or {}, "login", str)


def _name(git: Mapping[str, Any]) -> str:
    return may(may(git, "author", dict) or {}, "name", str) or "unknown"
