"""Gathers what changed in production, as far as GitHub and the vault know, and who approved it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from cdk_soc2.control import CannotLook, Observed, could_not
from cdk_soc2.sources.changes import Change, Job, Kind, Matched, Request, reconcile
from cdk_soc2.sources.github.deployments import Deployed, deployments
from cdk_soc2.sources.github.history import Commit, History, history
from cdk_soc2.sources.github.moments import moment
from cdk_soc2.sources.github.pulls import Pull, merged_since, pull_of, request_of, writers
from cdk_soc2.sources.github.questions import COMMITS, PULLS_OF_COMMIT, RULE_SUITES
from cdk_soc2.sources.github.runs import runs
from cdk_soc2.sources.github.window import GitHub, Refused, Repository, Unseen
from cdk_soc2.sources.production import Running

T = TypeVar("T")


@dataclass
class Gathered:
    """What one repository, or all of them, brought."""

    changes: list[Change] = field(default_factory=list[Change])
    requests: list[Request] = field(default_factory=list[Request])
    jobs: list[Job] = field(default_factory=list[Job])
    running: list[Running] = field(default_factory=list[Running])
    unseen: list[Observed] = field(default_factory=list[Observed])

    def add(self, other: Gathered) -> None:
        self.changes += other.changes
        self.requests += other.requests
        self.jobs += other.jobs
        self.running += other.running
        self.unseen += other.unseen


def gathered(github: GitHub) -> Gathered:
    """The production changes of every repository, and the requests they came from."""

    def one(repository: Repository | Unseen) -> Gathered:
        if isinstance(repository, Unseen):
            return Gathered(unseen=[could_not(repository.why, repository.full)])
        try:
            return _Gathering(github, repository).done()
        except Exception as error:  # noqa: BLE001  one repository's trouble costs no other
            return Gathered(unseen=[could_not(error, repository.full)])

    whole = Gathered()
    for part in github.map(one, github.repositories()):
        whole.add(part)
    return whole


def reconciled(
    found: Gathered, others: Iterable[Change], deploy_roles: Collection[str]
) -> list[Matched]:
    """Every change, GitHub's own and the *others*, with its request."""
    return reconcile([*found.changes, *others], found.requests, found.jobs, deploy_roles)


class _Gathering:
    """One repository. What cannot be seen of it costs nothing else of it."""

    def __init__(self, github: GitHub, repository: Repository) -> None:
        self._github = github
        self._repository = repository
        self._reach = github.reach(repository)
        self._found = Gathered()
        self._lock = threading.Lock()
        self._writers: set[str] | CannotLook | None = None
        self._former: dict[str, bool] = {}

    def done(self) -> Gathered:
        github, repository, reach = self._github, self._repository, self._reach
        past = self._seen(
            "its history", lambda: history(github, repository, reach), History((), None)
        )
        if past.head is None:
            return self._found  # empty, or unseen and said so
        whole = not self._found.unseen
        merged = self._seen("its pull requests", lambda: self._merged(past), None)
        if merged is not None:
            pulls, pushed = merged
            self._requests(pulls, past)
            self._found.changes += pushed
        deployed = self._seen(
            "its deployments", lambda: deployments(github, repository, reach), Deployed()
        )
        self._deployed(deployed.changes)
        self._found.running += deployed.running
        self._found.jobs += self._seen(
            "its workflow runs", lambda: runs(github, repository, reach), []
        )
        self._found.changes += self._bypasses()
        if past.rewritten:
            self._found.changes.append(self._rewritten(past.rewritten))
        if whole and not self._found.unseen and self._decided():
            github.reached(repository, past.head)
        return self._found

    def _decided(self) -> bool:
        """Could everything be told? What could not is looked at again by the next run."""
        undecided = any(r.undecided for r in self._found.requests)
        return not undecided and not any(c.trouble for c in self._found.changes)

    def _seen(self, what: str, look: Callable[[], T], otherwise: T) -> T:
        try:
            return look()
        except Exception as error:  # noqa: BLE001  told as what could not be seen
            self._found.unseen.append(could_not(error, f"{self._repository.full}: {what}"))
            return otherwise

    def _merged(self, past: History) -> tuple[dict[Pull, list[str]], list[Change]]:
        """The requests merged into the default branch, each with the commits it brought, and the
        commits that no request brought."""
        listed = [p for p in merged_since(self._github, self._repository, self._reach.since)
                  if p.merged_at <= self._github.until]  # fmt: skip
        by_commit = {p.merged_as: p for p in listed}
        pulls: dict[Pull, list[str]] = {
            p: [] for p in listed if p.base == self._repository.default_branch
        }
        pushed: list[Change] = []
        inside = past.commits
        if self._github.historic:
            inside = [c for c in inside if c.at <= self._github.until]
        known = [by_commit.get(commit.sha) for commit in inside]
        asked = iter([*self._github.map(
            self._pull_if_seen, [c.sha for c, p in zip(inside, known, strict=True) if p is None]
        )])  # fmt: skip
        for commit, listed_one in zip(inside, known, strict=True):
            pull = listed_one or next(asked)
            if isinstance(pull, CannotLook):
                pushed.append(self._push(commit, f"{pull.reason}. {pull.remedy}"))
            elif pull is not None and self._into_default(pull):
                pulls.setdefault(pull, []).append(commit.sha)
            else:
                pushed.append(self._push(commit))
        return pulls, pushed

    def _pull_if_seen(self, sha: str) -> Pull | CannotLook | None:
        try:
            return self._pull_with(sha)
        except CannotLook as error:
            return error

    def _pull_with(self, sha: str) -> Pull | None:
        """The merged pull request that brought *sha*, where there is one."""
        found = self._github.list(PULLS_OF_COMMIT, commit_sha=sha, **self._repository.place)
        pulls = [p for p in (pull_of(self._repository, item) for item in found) if p is not None]
        return min(pulls, key=lambda p: (not self._into_default(p), p.merged_at), default=None)

    def _into_default(self, pull: Pull) -> bool:
        """Was it merged into the default branch, under this name or one that it had before?"""
        if pull.base == self._repository.default_branch:
            return True
        with self._lock:
            if pull.base not in self._former:
                self._former[pull.base] = not self._exists(pull.base)
            return self._former[pull.base]

    def _exists(self, branch: str) -> bool:
        try:
            next(
                self._github.pages(
                    COMMITS, {"sha": branch, "per_page": 1}, **self._repository.place
                )
            )
        except Refused as error:
            if error.status == 404:
                return False
            raise
        return True

    def _requests(self, pulls: dict[Pull, list[str]], past: History) -> None:
        made = self._github.map(
            lambda p: request_of(self._github, p, self._may_write, pulls[p]), list(pulls)
        )
        for pull, request in zip(pulls, made, strict=True):
            self._found.requests.append(request)
            self._found.changes.append(
                Change(
                    f"github-{self._github.id}",
                    Kind.MERGE,
                    f"#{pull.number}",
                    self._repository.full,
                    pull.merged_at,
                    pull.author or "unknown",
                    (pull.merged_as,),
                    request=request.id,
                )
            )

    def _may_write(self) -> set[str]:
        with self._lock:
            if self._writers is None:
                try:
                    self._writers = writers(self._github, self._repository)
                except CannotLook as error:
                    self._writers = error
        if isinstance(self._writers, CannotLook):
            raise self._writers
        return self._writers

    def _deployed(self, found: Sequence[Change]) -> None:
        """Deployments, and the requests of those that brought an older commit."""
        known = {c for r in self._found.requests for c in r.commits}
        pushed = {c.id for c in self._found.changes if c.kind is Kind.PUSH}
        for change in found:
            [sha] = change.commits
            if sha not in known and sha not in pushed:
                pull = self._seen(
                    f"what {change.id} brought", lambda s=sha: self._pull_with(s), None
                )
                if pull is not None and self._into_default(pull):
                    request = request_of(self._github, pull, self._may_write, ())
                    self._found.requests.append(request)
                    known |= set(request.commits)
            self._found.changes.append(change)

    def _bypasses(self) -> Iterator[Change]:
        """Where GitHub itself recorded that rules were bypassed; few tokens may see it, and the
        history shows direct pushes without it."""
        given = {"ref": self._repository.default_branch, "rule_suite_result": "bypass",
                 "time_period": "month"}  # fmt: skip
        try:
            found = self._github.list(RULE_SUITES, given, **self._repository.place)
            told = [(moment(suite, "pushed_at"), suite) for suite in found]
        except CannotLook:
            return
        for at, suite in told:
            if suite.get("result") == "bypass" and self._reach.since < at <= self._github.until:
                sha = str(suite.get("after_sha"))
                yield Change(
                    f"github-{self._github.id}", Kind.BYPASS, f"bypass {suite.get('id')}",
                    self._repository.full, at, str(suite.get("actor_name")), (sha,),
                )  # fmt: skip

    def _push(self, commit: Commit, trouble: str = "") -> Change:
        return Change(
            f"github-{self._github.id}", Kind.PUSH, commit.sha, self._repository.full,
            commit.at, commit.by, (commit.sha,), trouble=trouble,
        )  # fmt: skip

    def _rewritten(self, sha: str) -> Change:
        return Change(
            f"github-{self._github.id}", Kind.PUSH, f"rewritten after {sha}", self._repository.full,
            self._github.until, "unknown", (sha,),
        )  # fmt: skip
