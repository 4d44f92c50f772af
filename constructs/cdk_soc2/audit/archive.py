"""A vault by day: which sources owe a run, and the runs that lie there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from cdk_soc2.audit.ledgers import Entry, Ledger, spread
from cdk_soc2.audit.runs import Run, read_run
from cdk_soc2.evidence.layout import MANUAL, RUN, STATEMENT, run_of
from cdk_soc2.evidence.past import RUNS_WITHIN
from cdk_soc2.evidence.record import STATUS_FILE
from cdk_soc2.evidence.store import Store
from cdk_soc2.evidence.versions import History, histories

LOOK_AHEAD = 31  # days after the newest statement in which a run without one is looked for
A_DAY = timedelta(days=1)

Done = TypeVar("Done")


class Archive:
    """The vault in *store*, as it stands at *now*.

    *only* limits it to those sources; *required* must be there on every day. *workers* threads
    read; one is best for a folder. Methods raise `StoreRefused`.
    """

    def __init__(
        self,
        store: Store,
        now: datetime,
        only: Iterable[str] | None = None,
        required: Iterable[str] = (),
        workers: int = 1,
    ) -> None:
        self.store = store
        self.now = now.astimezone(UTC)
        self.workers = workers
        self._only = None if only is None else frozenset(only)
        self._required = frozenset(required)
        held = [s for s in sources(store) if self._only is None or s in self._only]
        ledgers = spread(lambda s: Ledger(store, s, workers), held, workers)
        spread(lambda ledger: (ledger.first, ledger.newest), ledgers, workers)  # all will be asked
        self._ledgers = {ledger.source: ledger for ledger in ledgers}
        self.manual = self._ledgers.pop(MANUAL, None)

    def first(self) -> date | None:
        """The first day with a statement; without any, with a run."""
        begun = [f for x in self._ledgers.values() if (f := x.first)]
        return min(begun or self._days(), default=None)

    def newest(self) -> date | None:
        """The last day with a run, be it finished or not."""
        newest = max((n for x in self._ledgers.values() if (n := x.newest)), default=None)
        if newest is None:
            return max(self._days(), default=None)
        ahead = max(1, (self.now.date() - newest).days)
        for after in range(min(ahead, LOOK_AHEAD), 0, -1):
            if any(self.day(newest + after * A_DAY).values()):
                return newest + after * A_DAY
        return newest

    def day(self, day: date) -> dict[str, list[Run]]:
        """The runs of *day* by source, in order; a source that owed one and has none is empty."""
        return self._day(day, self.workers)

    def each(
        self, first: date, last: date, work: Callable[[date, dict[str, list[Run]]], Done]
    ) -> list[Done]:
        """*work* on the runs of every day from *first* to *last*, as :meth:`day` tells them."""
        for ledger in self._ledgers.values():
            ledger.back_to(first)  # beforehand: threads only look things up
        days = [first + n * A_DAY for n in range((last - first).days + 1)]
        return spread(lambda day: work(day, self._day(day, 1)), days, self.workers)

    @property
    def begun(self) -> dict[str, date]:
        """The first day of every source that has a statement."""
        return {s: x.first for s, x in self._ledgers.items() if x.first is not None}

    def as_of(self, day: date) -> dict[str, list[Run]]:
        """As :meth:`day`; while the day is not over, a source may still speak by the day before."""
        runs = self.day(day)
        if day == self.now.date() and not all(runs.values()):
            before = self.day(day - A_DAY)
            runs = {source: found or before.get(source, []) for source, found in runs.items()}
        return runs

    def _day(self, day: date, workers: int) -> dict[str, list[Run]]:
        listed = self._listed(day)
        due = sorted(listed.keys() | self._owing(day))
        runs = spread(lambda s: self._runs(s, day, listed.get(s, {})), due, workers)
        return dict(zip(due, runs, strict=True))

    def _days(self) -> set[date]:
        """The days of all runs, without asking the ledgers."""
        found = (run_of(v.key) for v in self.store.versions("daily/"))
        return {date.fromisoformat(f[2]) for f in found if f and f[1] in (self._only or {f[1]})}

    def _listed(self, day: date) -> dict[str, dict[str, list[History]]]:
        """What lies in the runs' folders of *day*, by source and folder."""
        listed: dict[str, dict[str, list[History]]] = {}
        for history in histories(self.store.versions(f"daily/{day}/")):
            found = run_of(history.key)
            if found is not None and (self._only is None or found[1] in self._only):
                listed.setdefault(found[1], {}).setdefault(found[0], []).append(history)
        return listed

    def _owing(self, day: date) -> set[str]:
        return {s for s, first in self.begun.items() if first <= day} | self._required

    def _runs(self, source: str, day: date, folders: Mapping[str, list[History]]) -> list[Run]:
        ledger = self._ledgers.get(source)
        statements = ledger.naming(day) if ledger else []
        signed = ledger is not None and ledger.signed
        prefix = f"daily/{day}/{source}/"
        named = {
            found[0]
            for s in statements
            for path in (*s.named, *s.unsealed)
            if path.startswith(prefix) and (found := run_of(path)) is not None
        }
        return [
            read_run(self.store, source, day, folder, folders.get(folder, []), statements, signed)
            for folder in sorted(folders.keys() | named)
            if not self._under_way(day, folder, statements)
        ]

    def _under_way(self, day: date, folder: str, statements: Sequence[Entry]) -> bool:
        """A run of the last minutes that has no statement yet is neither good nor bad."""
        began = RUN.fullmatch(folder.rstrip("/").rpartition("/")[2])
        if began is None or any(f"{folder}{STATUS_FILE}" in s.named for s in statements):
            return False
        try:
            at = datetime.combine(day, time.fromisoformat(began[1]), UTC)
        except ValueError:
            return False
        return timedelta(0) <= self.now - at < RUNS_WITHIN


def sources(store: Store) -> list[str]:
    """The sources that have a statement in *store*. Raises `StoreRefused`."""
    names = {f[1] for v in store.versions("ledger/") if (f := STATEMENT.fullmatch(v.key))}
    return sorted(names)
