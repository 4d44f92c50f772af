"""Keeps answers between runs, so that asking again whether they changed costs nothing."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any


class FolderCache:
    """A file an address, readable by its owner alone: answers may be private."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def get(self, url: str) -> tuple[str, Any, str | None] | None:
        """The ETag, the body and the next page's address; ``None`` for what is not whole."""
        try:
            kept = json.loads(self._path(url).read_bytes())
            return (kept["etag"], kept["body"], kept["next"]) if kept["url"] == url else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, url: str, etag: str, body: Any, next: str | None) -> None:
        path = self._path(url)
        part = path.with_name(f"{path.name}.{os.getpid()}.{id(body)}")
        part.touch(mode=0o600)
        part.write_text(json.dumps({"url": url, "etag": etag, "body": body, "next": next}))
        part.replace(path)

    def _path(self, url: str) -> Path:
        return self._folder / hashlib.sha256(url.encode()).hexdigest()
