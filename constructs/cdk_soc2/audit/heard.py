"""What the runs of one day say, each day as bad as its worst run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cdk_soc2.audit.runs import Run
from cdk_soc2.audit.verdicts import status_of
from cdk_soc2.verdict import WORST_FIRST, Status

SCHEDULE = "evidence_schedule"
Said = tuple[Status, str]
Stretch = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Heard:
    """One source on one day.

    :param runs: how many there were; none, when it owed one, is a missing run.
    :param said: by check id, the worst that a run said, and why.
    :param controls: the control of every check id.
    :param trouble: why a run is not whole evidence, for each that is not.
    :param holes: the days that ``evidence_schedule`` found without a finished run; ``None`` when it
        says anything else.
    :param period: the observation period that its runs were told.
    """

    source: str
    day: date
    runs: int
    said: Mapping[str, Said]
    controls: Mapping[str, str]
    trouble: tuple[str, ...]
    holes: tuple[Stretch, ...] | None
    period: tuple[str, str] | None


def hear(day: date, runs: Mapping[str, Sequence[Run]]) -> list[Heard]:
    """What every source that owed a run says on *day*."""
    return [_of_source(source, day, of_source) for source, of_source in runs.items()]


def _of_source(source: str, day: date, runs: Sequence[Run]) -> Heard:
    said: dict[str, Said] = {}
    controls: dict[str, str] = {}
    holes: list[Stretch] | None = []
    trouble = tuple(f"run {run.id}: {run.trouble}" for run in runs if run.trouble is not None)
    period = None
    for run in runs:
        if run.verdicts is None:
            continue
        for id, verdict in run.verdicts.checks.items():
            if _of_people(run.verdicts.document, verdict.control, id):
                continue  # a collector cannot see documents; what it says of one is no evidence
            status, detail = verdict.status, verdict.detail
            if run.trouble is not None and status is not Status.FAIL:
                status, detail = Status.UNKNOWN, f"run {run.id}: {run.trouble}"
            controls[id] = verdict.control
            if id not in said or _worse(status, said[id][0]):
                said[id] = status, detail
        period = _period(run.verdicts.document) or period
        if holes is not None and SCHEDULE in run.verdicts.checks:
            found = holes_of(run.verdicts.document)
            holes = None if found is None else holes + found
    if trouble:  # whatever a whole run says, the worst run of the day cannot be shown
        for id, (status, _) in said.items():
            if status is not Status.FAIL:
                said[id] = Status.UNKNOWN, trouble[0]
    return Heard(
        source,
        day,
        len(runs),
        said,
        controls,
        trouble,
        tuple(holes) if holes else None,
        period,
    )


def _of_people(document: Mapping[str, Any], control: str, check: str) -> bool:
    return document["controls"][control]["checks"][check].get("automated") is False


def _worse(one: Status, other: Status) -> bool:
    return WORST_FIRST.index(one) < WORST_FIRST.index(other)


def _period(document: Mapping[str, Any]) -> tuple[str, str] | None:
    period: Any = document.get("period")
    if isinstance(period, dict) and all(isinstance(period.get(k), str) for k in ("start", "end")):
        return str(period["start"]), str(period["end"])
    return None


def holes_of(document: Mapping[str, Any]) -> list[Stretch] | None:
    """The stretches that fail ``evidence_schedule``; ``None`` where one cannot be read as days."""
    holes: list[Stretch] = []
    for control in document["controls"].values():
        for o in control["checks"].get(SCHEDULE, {}).get("observations", ()):
            if status_of(o.get("status")) is not Status.FAIL:
                continue
            first, _, last = str(o.get("subject")).partition(" to ")
            try:
                holes.append((date.fromisoformat(first), date.fromisoformat(last or first)))
            except ValueError:
                return None
    return holes
