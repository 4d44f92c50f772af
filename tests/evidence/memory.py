"""A vault in memory that behaves as S3 does, and fails when it is told to."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Literal

from cdk_soc2.evidence.store import AnswerLost, Conflict, Exists, StoreRefused, Version

Fault = Literal["lost", "never sent", "412", "409", "denied"]
START = datetime(2026, 9, 1, tzinfo=UTC)


@dataclass
class _Held:
    id: str
    body: bytes | None
    modified: datetime


class MemoryStore:
    """A versioned bucket; *fault* may spoil a write, and is asked with its key and number.

    ``lost``: stored, but no answer came. ``never sent``: neither. ``412``: as boto3's own retry of a lost
    answer shows it. ``409``: a write of the same key is under way. ``denied``: not allowed.
    """

    address = "s3://memory"

    def __init__(self, fault: Callable[[str, int], Fault | None] | None = None) -> None:
        self._held: dict[str, list[_Held]] = {}
        self._fault = fault or (lambda key, number: None)
        self._lock = Lock()
        self._writes = 0
        self.unreadable: tuple[str, ...] = ()
        self.locks: dict[str, tuple[str, datetime] | None] = {}

    def versions(self, prefix: str = "") -> Iterator[Version]:
        with self._lock:
            keys = sorted((k for k in self._held if k.startswith(prefix)), key=str.encode)
            found = [
                Version(key, h.id, at == 0, h.body is None, len(h.body or b""), h.modified)
                for key in keys
                for at, h in enumerate(reversed(self._held[key]))
            ]
        yield from found

    def open(self, key: str, version: str | None = None) -> closing[io.BytesIO]:
        return closing(io.BytesIO(self.get(key, version)))

    def get(self, key: str, version: str | None = None) -> bytes:
        if key.startswith(self.unreadable or ("\0",)):
            raise StoreRefused(f"{self.address}: s3:GetObject of {key!r}: AccessDenied")
        with self._lock:
            held = self._held.get(key, [])
            wanted = held[-1:] if version is None else [h for h in held if h.id == version]
            if not wanted or wanted[0].body is None:
                raise KeyError(key)
            return wanted[0].body

    def put(self, key: str, body: bytes | Path) -> None:
        with self._lock:
            self._writes += 1
            fault = self._fault(key, self._writes)
            held = self._held.get(key)
            if fault == "denied":
                raise StoreRefused(f"{self.address}: s3:PutObject of {key!r}: AccessDenied")
            if fault == "409":
                raise Conflict(key)
            if fault == "never sent":
                raise AnswerLost(key)
            if held and held[-1].body is not None:
                raise Exists(key)
            self._store(key, body if isinstance(body, bytes) else body.read_bytes())
            if fault == "lost":
                raise AnswerLost(key)
            if fault == "412":
                raise Exists(key)

    def delete(self, key: str) -> None:
        """Put a delete marker over *key*, as a plain DELETE does."""
        self._store(key, None)

    def overwrite(self, key: str, body: bytes) -> None:
        """Write a further version, as a writer without the condition does."""
        self._store(key, body)

    def purge(self, key: str) -> None:
        """Remove *key* with all its versions, as nothing may do under a lock."""
        del self._held[key]

    def replace(self, key: str, body: bytes) -> None:
        """Change *key* where it lies, as happens to a copy."""
        self._held[key] = [_Held("v0", body, START)]

    def _store(self, key: str, body: bytes | None) -> None:
        versions = self._held.setdefault(key, [])
        modified = START + timedelta(seconds=self._writes)
        versions.append(_Held(f"v{len(versions)}", body, modified))


class LockedMemoryStore(MemoryStore):
    """A bucket with Object Lock: what ``locks`` does not name is locked for two years."""

    def retention(self, key: str, version: str) -> tuple[str, datetime] | None:
        return self.locks.get(key, ("GOVERNANCE", START + timedelta(days=730)))
