"""Puts questions to GitHub, many at once, and those that are shared only once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

from cdk_soc2.sources.github.client import REQUESTS_AT_ONCE, Answer, Client

Item = TypeVar("Item")
Found = TypeVar("Found")


class Reader:
    """Puts questions; those marked ``once`` are asked once, however many checks need the answer."""

    def __init__(self, client: Client, clock: Callable[[], datetime] = lambda: datetime.now(UTC)):
        self.client = client
        self.clock = clock
        self._lock = threading.Lock()
        self._asked: dict[str, tuple[threading.Lock, list[Any]]] = {}
        self._outer = ThreadPoolExecutor(REQUESTS_AT_ONCE, thread_name_prefix="repository")
        self._inner = ThreadPoolExecutor(REQUESTS_AT_ONCE, thread_name_prefix="leaf")

    def ask(self, url: str, *, once: bool) -> Answer:
        if not once:
            return self.client.get(url)
        with self._lock:
            lock, held = self._asked.setdefault(url, (threading.Lock(), []))
        with lock:
            if not held:
                held.append(self.client.get(url))
            return held[0]

    def map(self, look: Callable[[Item], Found], items: Iterable[Item]) -> Iterator[Found]:
        """Two rooms, so that what waits for others never takes the place of those."""
        name = threading.current_thread().name
        if name.startswith("leaf"):
            return map(look, items)
        pool = self._inner if name.startswith("repository") else self._outer
        return pool.map(look, items)

    def close(self) -> None:
        for pool in (self._outer, self._inner):
            pool.shutdown(wait=False, cancel_futures=True)
