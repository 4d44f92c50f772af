"""What a check sees of an account: questions that read, and answers that are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from cdk_soc2.verdict import Observed

Item = TypeVar("Item")


class Region(Protocol):
    """A read-only window on one region of one account. Every answer it gives is kept as evidence."""

    @property
    def name(self) -> str: ...

    @property
    def account(self) -> str:
        """The account's id; empty before it is known whose credentials these are."""
        ...

    def read(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """The one answer of *operation* (named as in boto3). Raises :class:`CannotLook`."""
        ...

    def find(
        self, service: str, operation: str, /, *, absent: str, **parameters: Any
    ) -> dict[str, Any] | None:
        """As ``read``; ``None`` where the service says, by error code *absent*, there is none."""
        ...

    def list(
        self, service: str, operation: str, key: str, /, **parameters: Any
    ) -> list[dict[str, Any]]:
        """The items under *key* of every page of *operation*. Raises :class:`CannotLook`."""
        ...

    def first(
        self, service: str, operation: str, key: str, /, *, pages: int, **parameters: Any
    ) -> tuple[list[dict[str, Any]], bool]:
        """The items of the first *pages* pages, and whether there are more. The evidence says that
        reading stopped there. Raises :class:`CannotLook`."""
        ...

    def poll(
        self,
        service: str,
        operation: str,
        /,
        *,
        until: Callable[[Mapping[str, Any]], bool],
        **parameters: Any,
    ) -> dict[str, Any]:
        """The answer of *operation*, asked anew, within seconds, *until* it is as wanted; else the
        last one. Every answer is kept. Raises :class:`CannotLook`."""
        ...

    def each(
        self,
        items: Iterable[Item],
        subject: Callable[[Item], str],
        look: Callable[[Item], Observed],
    ) -> Iterator[Observed]:
        """``look`` at every item, concurrently. One that cannot be looked at costs no other."""
        ...


class Account(Protocol):
    """A read-only window on one AWS account."""

    @property
    def id(self) -> str: ...

    @property
    def home(self) -> Region:
        """The region that services without regions are asked in."""
        ...

    @property
    def regions(self) -> Sequence[Region]:
        """The regions in scope."""
        ...

    def region(self, name: str) -> Region:
        """Any region, in scope or not: a trail's home may be elsewhere."""
        ...
