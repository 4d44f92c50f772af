"""A vault's observation period, put together from all that lies in the vault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from cdk_soc2.audit.archive import Archive
from cdk_soc2.audit.cells import Coverage
from cdk_soc2.audit.coverage import coverage
from cdk_soc2.audit.documents import Document, read_documents
from cdk_soc2.audit.explanations import Explanation, read_explanations
from cdk_soc2.audit.gap import Gap
from cdk_soc2.audit.gaps import gaps, period_begins
from cdk_soc2.audit.heard import Heard, hear
from cdk_soc2.audit.reminders import Reminder, reminders
from cdk_soc2.boundary import BoundaryError, Period

A_DAY = timedelta(days=1)
LONGEST = 3660  # days; no period is longer, and a forged date must not keep anybody waiting
FIRST_YEAR, LAST_YEAR = 1970, 9000  # of a period; beyond, days cannot be counted on
LATE = 31  # days from its effect to its attachment after which a document's date is doubted


class NothingToObserve(Exception):
    """There is no evidence of the days asked for; says of which there is."""


@dataclass(frozen=True)
class Observation:
    """:param words: what the reader must know of how it was put together."""

    period: Period | None
    coverage: Coverage
    gaps: list[Gap]
    begins: Mapping[str, date | None]
    documents: Mapping[str, list[Document]]
    explanations: Sequence[Explanation]
    reminders: Sequence[Reminder]
    words: tuple[str, ...]

    @property
    def settled(self) -> bool:
        """Is every gap over and explained?"""
        return all(gap.settled for gap in self.gaps)


def observe(
    archive: Archive,
    matrix: Sequence[Mapping[str, Any]],
    first: date | None = None,
    last: date | None = None,
    period: Period | None = None,
) -> Observation:
    """Everything from *first* to *last*.

    :param period: the observation period; without it, the one that the newest run was told. It says
        when documents are due, and is the default of *first* and *last*.

    Raises :class:`NothingToObserve` and `StoreRefused`.
    """
    begun, newest = archive.first(), archive.newest()
    if begun is None or newest is None:
        raise NothingToObserve(f"{archive.store.address} holds no evidence")
    told = hear(newest, archive.day(newest))
    period = period or _told(told)
    if period and not FIRST_YEAR <= period.start.year <= period.end.year < LAST_YEAR:
        raise NothingToObserve(f"no period goes from {period.start} to {period.end}")
    ended = max(newest, archive.now.date() - A_DAY)
    running = period if period and period.start <= ended else None
    start = first or (running.start if running else begun)
    end = min(last or (running.end if running else ended), ended)
    if end < start:
        raise NothingToObserve(
            f"no finished day from {start} to {last or end}: there is evidence from {begun} to "
            f"{newest}"
        )
    if (end - start).days > LONGEST:
        raise NothingToObserve(
            f"{start} to {end} are more than {LONGEST} days: ask for less, with --from and --to"
        )
    heard = [h for day in archive.each(start, end, hear) for h in day]
    heard = [h for h in heard if h.runs or h.day != archive.now.date()]  # today is not over
    heard += _before(archive.begun, heard, start, end)
    documents = read_documents(archive.store, archive.manual) if archive.manual else {}
    explained: list[Explanation] = []
    doubts: list[str] = []
    if archive.manual:
        explained, doubts = read_explanations(archive.store, archive.manual)
    covered = coverage(matrix, heard, documents, explained, start, end, period)
    found = gaps(covered, explained)
    words = [*doubts, *_words(period, last, end, documents)]
    begins = period_begins(covered, found)
    due = reminders(documents, period, archive.now.date())
    return Observation(period, covered, found, begins, documents, explained, due, tuple(words))


def _told(heard: Sequence[Heard]) -> Period | None:
    for h in heard:
        if h.period is not None:
            try:
                start, end = map(date.fromisoformat, h.period)
                return Period(start, end)
            except (ValueError, BoundaryError):
                continue
    return None


def _before(
    begun: Mapping[str, date], heard: Sequence[Heard], start: date, end: date
) -> Iterator[Heard]:
    """The days before the first source of each kind began: nothing was recorded of its controls."""
    there = {(h.source, h.day) for h in heard}
    first: dict[str, str] = {}
    for source in sorted(begun, key=lambda s: (begun[s], s)):
        first.setdefault(source.partition("-")[0], source)
    for source in first.values():
        for n in range((min(begun[source], end + A_DAY) - start).days):
            if (source, start + n * A_DAY) not in there:
                yield Heard(source, start + n * A_DAY, 0, {}, {}, (), None, None)


def _words(
    period: Period | None,
    last: date | None,
    end: date,
    documents: Mapping[str, list[Document]],
) -> Iterator[str]:
    if period is None:
        yield (
            "No period is stated, so nothing says when the first documents are due: state it in "
            "the boundary file."
        )
    if last and end < last:
        yield f"Up to {end}: the days after it are not over."
    for held in documents.values():
        for d in held:
            late = (d.statement.day - d.effective).days
            if late > LATE:
                yield (
                    f"{d.path}: attached {late} days after it took effect; an auditor will ask how "
                    "its date is known."
                )
