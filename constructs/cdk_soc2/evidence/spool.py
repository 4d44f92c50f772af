"""Keeps what the services answered, line by line on disk, so that no run is held in memory."""

from __future__ import annotations

import hashlib
import json
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

PART_BYTES = 64 * 1024 * 1024  # a file an editor still opens


class Spool:
    """The answers of one run, a series of NDJSON files for each control, under *folder*."""

    def __init__(self, folder: Path, part_bytes: int = PART_BYTES) -> None:
        self._folder = folder
        self._part_bytes = part_bytes
        self._lock = threading.Lock()
        self._open: dict[str, _Part] = {}
        self._done: list[_Part] = []

    def write(self, control: str, answer: Mapping[str, Any]) -> None:
        """Add one answer to *control*'s file, as one line of JSON."""
        line = json.dumps(plain(answer), sort_keys=True, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            part = self._open.get(control)
            if part is not None and part.size + len(line) > self._part_bytes:
                self._close(control)
                part = None
            if part is None:
                number = sum(p.control == control for p in self._done)
                part = self._open[control] = _Part(self._folder, control, number)
            part.write(line)

    def files(self) -> Iterator[tuple[str, Path, str]]:
        """Close everything; name, path and SHA-256 in hex of each file, by name."""
        with self._lock:
            for control in list(self._open):
                self._close(control)
            for part in sorted(self._done, key=lambda p: p.path.name):
                yield part.path.name, part.path, part.digest.hexdigest()

    def _close(self, control: str) -> None:
        part = self._open.pop(control)
        part.stream.close()
        self._done.append(part)


class _Part:
    def __init__(self, folder: Path, control: str, number: int) -> None:
        self.control = control
        self.path = folder / (f"{control}-{number}.ndjson" if number else f"{control}.ndjson")
        self.stream: BinaryIO = self.path.open("xb")
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, line: bytes) -> None:
        self.stream.write(line)
        self.digest.update(line)
        self.size += len(line)


def plain(value: Any) -> Any:
    """*value* with what JSON has no word for: times as RFC 3339 UTC, bytes as base64."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in cast(Mapping[Any, Any], value).items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v) for v in cast(list[Any], value)]
    if isinstance(value, datetime):
        return timestamp(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


def timestamp(moment: datetime) -> str:
    """*moment* in RFC 3339, UTC, milliseconds, with ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
