"""Keeps a run's answers on disk, and beside them the tables that were made from the answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from cdk_soc2.evidence.spool import Spool


class RunFiles(Spool):
    """A spool that also takes whole files."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._beside = folder
        self._whole: dict[str, str] = {}

    def add(self, name: str, body: bytes) -> None:
        """Keep *body* as *name*, once."""
        path = self._beside / name
        with path.open("xb") as stream:
            stream.write(body)
        self._whole[name] = hashlib.sha256(body).hexdigest()

    def files(self) -> Iterator[tuple[str, Path, str]]:
        yield from super().files()
        for name, digest in sorted(self._whole.items()):
            yield name, self._beside / name, digest
