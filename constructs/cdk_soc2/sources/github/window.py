"""What a check may ask of GitHub: one owner's repositories, read-only, every answer kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Control, Excluded, Observed, Status, could_not
from cdk_soc2.sources.changes import Change
from cdk_soc2.sources.github.questions import Question

Item = TypeVar("Item")
Found = TypeVar("Found")


class Refused(CannotLook):
    """GitHub answered with an error: its HTTP status and its own words."""

    def __init__(self, status: int, message: str, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository in scope, under the name that it has now. ``size`` in kilobytes."""

    owner: str
    name: str
    default_branch: str
    archived: bool
    size: int | None = None

    @property
    def full(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def place(self) -> dict[str, str]:
        """How the questions name it."""
        return {"owner": self.owner, "repo": self.name}


@dataclass(frozen=True, slots=True)
class Unseen:
    """A repository in scope that could not be looked at, and why."""

    full: str
    why: CannotLook


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back to look in a repository: to a commit that was judged before, or to a time.

    :param head: the last commit of the default branch that an earlier run has seen.
    """

    since: datetime
    head: str | None = None


class GitHub(Protocol):
    """A read-only window on one owner's repositories."""

    @property
    def id(self) -> str:
        """The owner's name."""
        ...

    @property
    def until(self) -> datetime:
        """The end of the window of changes."""
        ...

    @property
    def historic(self) -> bool:
        """Does the window end before now? Then what came later is left out by its date."""
        ...

    @property
    def settings(self) -> Settings: ...

    def reach(self, repository: Repository) -> Reach: ...

    def reached(self, repository: Repository, head: str) -> None:
        """All changes up to *head* have been seen: the next run begins there."""
        ...

    @property
    def names(self) -> Sequence[str] | None:
        """The repositories that were named; ``None`` when all of the owner's are meant."""
        ...

    def repositories(self) -> Sequence[Repository | Unseen]:
        """Every repository in scope. Raises :class:`CannotLook` when they cannot be listed."""
        ...

    def read(
        self, question: Question, query: Mapping[str, Any] | None = None, /, **place: Any
    ) -> Mapping[str, Any]:
        """The one answer. Raises :class:`Refused`, :class:`CannotLook`."""
        ...

    def pages(
        self, question: Question, query: Mapping[str, Any] | None = None, /, **place: Any
    ) -> Iterator[Page]:
        """Page after page, each asked for when it is wanted. Raises as ``read`` does."""
        ...

    def list(
        self, question: Question, query: Mapping[str, Any] | None = None, /, **place: Any
    ) -> list[Mapping[str, Any]]:
        """The items of every page. Raises as ``read`` does."""
        ...

    def map(self, look: Callable[[Item], Found], items: Iterable[Item]) -> Iterator[Found]:
        """``look`` at every item, concurrently, in order."""
        ...

    def others(self) -> Sequence[Change | Excluded | Observed]:
        """Production changes that other sources recorded in the vault, and the sources that could
        not be read."""
        ...

    def leave(self, name: str, body: bytes) -> None:
        """Put a file, made from the answers, beside them."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; ``total`` where GitHub counts for us."""

    items: Sequence[Mapping[str, Any]]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user decided for this owner.

    :param scanner: the name, in code scanning, of the tool that scans images.
    :param production: environments that are production, whatever GitHub's flag says of them.
    :param export: an owner's export of the rulesets, with the actors that may bypass them.
    """

    scanner: str = "Trivy"
    production: tuple[str, ...] = ("production", "prod")
    export: Mapping[str, Any] | None = None


GitHubLook = Callable[[GitHub, Context], Iterable[Observed | Excluded]]


def github_check(
    control: Control, *, of: str, empty: Status = Status.UNKNOWN
) -> Callable[[GitHubLook], GitHubLook]:
    """Add to *control* a question that is put to GitHub."""

    def add(look: GitHubLook) -> GitHubLook:
        control.check(of=of, empty=empty)(cast(Any, look))
        return look

    return add


def each_repository(
    github: GitHub, look: Callable[[Repository], Iterable[Observed | Excluded]]
) -> Iterator[Observed | Excluded]:
    """What *look* sees of every repository, concurrently. One's trouble costs no other."""

    def one(repository: Repository | Unseen) -> list[Observed | Excluded]:
        if isinstance(repository, Unseen):
            return [could_not(repository.why, repository.full)]
        seen: list[Observed | Excluded] = []
        try:
            seen.extend(look(repository))
        except Exception as error:  # noqa: BLE001  told as what could not be seen
            seen.append(could_not(error, repository.full))
        return seen

    for found in github.map(one, github.repositories()):
        yield from found
