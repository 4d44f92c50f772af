"""The handbook's 18 weeks with dates, and what of them the evidence shows to be done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from cdk_soc2.audit.observation import Observation
from cdk_soc2.audit.tasks import (
    Facts,
    Task,
    controls,
    evidence,
    observation,
    readiness,
    scope,
)

WEEK = timedelta(days=7)
HONEST = (
    "18 weeks are 126 days, of which the last four are observed. A Type II report usually covers "
    "three months or more: agree the period with the auditor; three months from week 15 end on {}."
)


@dataclass(frozen=True, slots=True)
class Phase:
    weeks: tuple[int, int]
    focus: str
    first: date
    last: date
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    start: date
    on: date
    phases: tuple[Phase, ...]

    @property
    def week(self) -> int:
        """The week of the day it is made on, counting from 1; before the start it is 0 or less."""
        return (self.on - self.start).days // 7 + 1

    @property
    def next(self) -> tuple[Phase, Task] | None:
        """The first thing that is not shown to be done."""
        return next(((p, t) for p in self.phases for t in p.tasks if t.done is False), None)

    @property
    def behind(self) -> bool:
        """Is anything not done whose weeks are over?"""
        return any(t.done is False for p in self.phases if p.last < self.on for t in p.tasks)

    @property
    def note(self) -> str:
        begin = self.phases[-1].first
        month = begin.month + 3
        end = date(begin.year + (month > 12), (month - 1) % 12 + 1, min(begin.day, 28))
        return HONEST.format(end - timedelta(days=1))

    def to_json(self) -> dict[str, Any]:
        coming = self.next
        return {
            "start": self.start.isoformat(),
            "on": self.on.isoformat(),
            "week": self.week,
            "behind": self.behind,
            "phases": [
                {
                    "weeks": list(p.weeks),
                    "focus": p.focus,
                    "from": p.first.isoformat(),
                    "to": p.last.isoformat(),
                    "tasks": [
                        {"task": t.what, "done": t.done, "shown": t.shown, "command": t.command}
                        for t in p.tasks
                    ],
                }
                for p in self.phases
            ],
            "next": coming[1].what if coming else None,
            "note": self.note,
        }


def plan(start: date, on: date, seen: Observation | None) -> Plan:
    """The weeks from *start*, as they stand on the day *on* by what was *seen* of the vault."""
    facts = Facts(seen)
    parts: list[tuple[tuple[int, int], str, Iterator[Task]]] = [
        ((1, 2), "Scope", scope(facts)),
        ((3, 6), "Controls", controls(facts)),
        ((7, 10), "Evidence", evidence(facts)),
        ((11, 14), "Readiness and auditor", readiness(facts, on)),
        ((15, 18), "Observation", observation(facts, on)),
    ]
    return Plan(
        start,
        on,
        tuple(
            Phase(
                weeks,
                focus,
                start + (weeks[0] - 1) * WEEK,
                start + weeks[1] * WEEK - timedelta(days=1),
                tuple(tasks),
            )
            for weeks, focus, tasks in parts
        ),
    )
