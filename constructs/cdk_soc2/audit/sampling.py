"""The spot check: random days of the evidence, recomputed from their bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cdk_soc2.audit.archive import Archive
from cdk_soc2.audit.reconcile import reconcile
from cdk_soc2.audit.runs import Run
from cdk_soc2.evidence.chain import Claim
from cdk_soc2.evidence.layout import moment
from cdk_soc2.evidence.runs import Folder, check_run
from cdk_soc2.evidence.store import NotAFile, Store

SLACK = timedelta(minutes=1)  # between two clocks of one run
AFTER = timedelta(minutes=20)  # how long after midnight a run that began before may end
NOT_COMPARED = "not compared with CloudTrail"
TOLD = 3  # of a day's discrepancies


@dataclass(frozen=True, slots=True)
class Sample:
    """One day's spot check."""

    date: date
    consistent: bool
    detail: str

    def to_json(self) -> dict[str, Any]:
        return {
            "date": self.date.isoformat(),
            "consistent": self.consistent,
            "detail": self.detail,
        }


def pick(first: date, last: date, count: int, seed: str) -> list[date]:
    """*count* days of those from *first* to *last*, in order; the same for the same *seed*, on any
    machine: those whose SHA-256 of ``<seed>:<YYYY-MM-DD>`` is smallest."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return sorted(sorted(days, key=lambda d: _rank(seed, d))[:count])


def spot_check(archive: Archive, day: date) -> Sample:
    """Recompute every run of *day*. Raises `StoreRefused`."""
    found: list[str] = []
    runs = files = checks = 0
    for source, of_source in archive.day(day).items():
        if not of_source:
            found.append(f"no run of {source}")
        for run in of_source:
            runs += 1
            files += len(run.files)
            checks += len(run.verdicts.checks) if run.verdicts else 0
            found += [f"{source}, run {run.id}: {d}" for d in discrepancies(archive.store, run)]
    if not runs and not found:
        found.append("no run")
    more = f"; and {len(found) - TOLD} more" if len(found) > TOLD else ""
    seen = f"runs: {runs}, files recomputed: {files}, verdicts reconciled: {checks}"
    detail = f"{'; '.join(found[:TOLD])}{more}" if found else seen
    return Sample(day, not found, f"{detail}; {NOT_COMPARED}")


def discrepancies(store: Store, run: Run) -> Iterator[str]:
    """Whatever in *run* does not fit its statement, its day, or itself."""
    if run.trouble is not None:
        yield run.trouble
    if run.statement is None:
        return
    named = {p: d for p, d in run.statement.named.items() if p.startswith(run.folder)}
    claim = Claim(run.statement.number, named)
    folder = Folder(run.folder, run.source, run.day.isoformat(), list(run.files))
    for finding in check_run(store, folder, claim, None):
        yield f"{finding.kind}: {finding.path.removeprefix(run.folder)}: {finding.detail}"
    try:
        window = tuple(moment(run.statement.window[edge]) for edge in ("start", "end"))
    except (KeyError, TypeError, ValueError) as error:
        yield f"its window has no time: {error}"
        return
    if run.verdicts is not None:
        yield from _times(run, run.verdicts.document, *window)
        answered, wrong = _answers(store, named, *window)
        yield from wrong
        yield from reconcile(run.verdicts.document, answered)


def _rank(seed: str, day: date) -> bytes:
    return hashlib.sha256(f"{seed}:{day.isoformat()}".encode()).digest()


def _times(run: Run, document: Mapping[str, Any], start: datetime, end: datetime) -> Iterator[str]:
    midnight = datetime.combine(run.day + timedelta(days=1), datetime.min.time(), UTC)
    if not start <= end <= midnight + AFTER:
        yield f"its window, {start} to {end}, is not inside the day"
    said = document.get("collection_timestamp")
    try:
        if moment(str(said)) != start:
            yield f"collection_timestamp is {said}, and its statement says {start}"
    except ValueError:
        yield f"collection_timestamp is {said!r}, no time"
    if document.get("collection_date") != run.day.isoformat():
        yield f"collection_date is {document.get('collection_date')!r}"


def _answers(
    store: Store, named: Mapping[str, str], start: datetime, end: datetime
) -> tuple[set[str], list[str]]:
    """The regions that answered, and the answers that were not given during the run."""
    regions: set[str] = set()
    wrong: list[str] = []
    for path in named:
        name = path.rpartition("/")[2]
        if "/answers/" not in path:
            continue
        try:
            for line in _lines(store, path):
                answer: Any = json.loads(line)
                regions.add(str(answer.get("region")))
                at = answer.get("time")
                if at is not None and not start - SLACK <= moment(str(at)) <= end + SLACK:
                    wrong.append(f"{name}: an answer of {at}, outside the run")
                    break
        except (KeyError, NotAFile):
            continue  # told already, as missing
        except (ValueError, AttributeError, RecursionError) as error:
            wrong.append(f"{name}: an answer cannot be read: {error}")
    return regions, wrong


def _lines(store: Store, path: str) -> Iterator[bytes]:
    rest = b""
    with store.open(path) as file:
        while block := file.read(1 << 20):
            *lines, rest = (rest + block).split(b"\n")
            yield from lines
    if rest:
        yield rest
