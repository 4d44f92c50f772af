"""A source's statements, read from the newest back, and no further than somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from functools import cached_property
from typing import Any, TypeVar

from cdk_soc2.evidence.chain import LARGEST_STATEMENT
from cdk_soc2.evidence.layout import run_of
from cdk_soc2.evidence.reading import began_at, numbers
from cdk_soc2.evidence.statement import Malformed, parse_envelope, parse_statement
from cdk_soc2.evidence.store import NotAFile, Store, Version

AT_ONCE = 8  # statements that are read ahead

Job = TypeVar("Job")
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Entry:
    """One statement, not verified.

    :param day: the UTC day on which its run began.
    :param named: digests of the run's files, by path.
    :param unsealed: digests of earlier runs' files, which it names in place of their statements.
    """

    number: int
    day: date
    signed: bool
    finished: bool
    named: Mapping[str, str]
    unsealed: Mapping[str, str]
    window: Mapping[str, Any]


class Ledger:
    """The ledger of *source*; statements that cannot be read name nothing, as if they were absent.

    Raises `StoreRefused` when the store cannot be listed or read.
    """

    def __init__(self, store: Store, source: str, workers: int = 1) -> None:
        self.source = source
        self._store = store
        self._workers = workers
        held, _ = numbers(store, source)
        self._pending = [(n, v) for n, v in sorted(held.items()) if v is not None]
        self._read: list[Entry] = []
        self._of_day: dict[str, list[Entry]] = {}
        self.signed = False  # is any statement that was read?

    @property
    def newest(self) -> date | None:
        """The day of the newest statement that can be read."""
        while not self._read and self._pending:
            self._more(1)
        return self._read[0].day if self._read else None

    @cached_property
    def first(self) -> date | None:
        """The day of the first statement that can be read."""
        for at in self._pending:
            if (entry := self._entry(at)) is not None:
                return entry.day
        return self._read[-1].day if self._read else None

    def back_to(self, day: date) -> list[Entry]:
        """Every statement down to *day*, newest first."""
        # Runs at the same time are numbered in any order, so one more day is read.
        while self._pending and not (self._read and self._read[-1].day < day - timedelta(days=1)):
            self._more(AT_ONCE)
        return self._read

    def naming(self, day: date) -> list[Entry]:
        """The statements that name a file of a run of *day*, newest first."""
        self.back_to(day)
        return self._of_day.get(day.isoformat(), [])

    def _more(self, count: int) -> None:
        batch = self._pending[: -count - 1 : -1]
        del self._pending[-count:]
        for entry in spread(self._entry, batch, min(self._workers, AT_ONCE)):
            if entry is None:
                continue
            self._read.append(entry)
            self.signed = self.signed or entry.signed
            runs = (run_of(path) for path in (*entry.named, *entry.unsealed))
            for day in {run[2] for run in runs if run is not None}:
                self._of_day.setdefault(day, []).append(entry)

    def _entry(self, at: tuple[int, Version]) -> Entry | None:
        number, version = at
        if version.size > LARGEST_STATEMENT:
            return None
        try:
            body = self._store.get(version.key, None if version.latest else version.id)
            envelope = parse_envelope(body)
            statement = parse_statement(envelope)
            began = began_at(statement)
            day = began.astimezone(UTC).date() if began else None
        except (KeyError, NotAFile, Malformed, OverflowError):
            return None
        if day is None or not 1970 <= day.year < 9999:  # beyond, no day follows or precedes it
            return None
        if (statement.source, statement.sequence) != (self.source, number):
            return None
        return Entry(
            number,
            day,
            bool(envelope.signatures),
            statement.predicate.get("finished") is True,
            dict(statement.subject),
            dict(statement.unsealed),
            statement.predicate["window"],
        )


def spread(work: Callable[[Job], Done], jobs: Iterable[Job], workers: int) -> list[Done]:
    """*work* on every job, in order; a bucket answers many at once, a folder's files are near."""
    if workers == 1:
        return [work(job) for job in jobs]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, jobs))
