"""What the ledger asks of a place that keeps evidence, so that a bucket, a folder and a test's
memory are alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one object, or a delete marker (``deleted``).

    ``size`` is in bytes, ``modified`` the store's own clock, in UTC. A folder keeps one version a
    key.
    """

    key: str
    id: str
    latest: bool
    deleted: bool
    size: int
    modified: datetime


class Exists(Exception):
    """The key is taken (S3's 412)."""


class Conflict(Exception):
    """Somebody is writing the same key at this moment (S3's 409): try the same key again."""


class StoreRefused(Exception):
    """The store denied a request or failed; the message names the store, the key, the code and the
    remedy."""


class AnswerLost(StoreRefused):
    """A request went out and no answer came back: the write may have been stored or not."""


class NotAFile(StoreRefused):
    """The key names a symbolic link, a pipe or a folder, which is never opened."""


class Readable(Protocol):
    """An open object; ``read(n)`` returns at most n bytes, and none at its end."""

    def read(self, size: int = -1, /) -> bytes: ...


class Store(Protocol):
    """Objects by key, created once and never overwritten."""

    @property
    def address(self) -> str:
        """``s3://bucket``, or the folder's path."""
        ...

    def versions(self, prefix: str = "") -> Iterator[Version]:
        """Yield every version and delete marker under *prefix*, in key order (UTF-8 bytes), newest
        first within a key.

        Raises `StoreRefused` when the store cannot be listed.
        """
        ...

    def open(self, key: str, version: str | None = None) -> AbstractContextManager[Readable]:
        """Open the latest, or the given, version for streaming.

        Raises `KeyError` when there is none, `NotAFile`, or `StoreRefused`.
        """
        ...

    def get(self, key: str, version: str | None = None) -> bytes:
        """Return a whole object; raises as `open` does. For small objects."""
        ...

    def put(self, key: str, body: bytes | Path) -> None:
        """Create *key* with *body* (bytes, or a local file's content), atomically and only when it
        is not there.

        Raises `Exists`, `Conflict`, `AnswerLost` or `StoreRefused`.
        """
        ...


@runtime_checkable
class Locked(Protocol):
    """A store that can tell until when an object is locked."""

    def retention(self, key: str, version: str) -> tuple[str, datetime] | None:
        """Return the lock's mode and end, or None when there is no lock."""
        ...
