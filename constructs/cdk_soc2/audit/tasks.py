"""What is to be done on the way to the audit, and what the evidence shows of each task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cdk_soc2.audit.calendar import DUTIES, standing
from cdk_soc2.audit.cells import Cell, Line, by_day
from cdk_soc2.audit.observation import Observation
from cdk_soc2.evidence.layout import MANUAL
from cdk_soc2.verdict import Status

STEADY = 7  # days of evidence in a row that show a collector works
GOOD = (Cell.PASS, Cell.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Task:
    """:param done: as the evidence shows; ``None`` where evidence cannot show it.
    :param shown: the evidence, or what is missing.
    """

    what: str
    done: bool | None
    shown: str
    command: str | None = None


class Facts:
    """What the newest day of a vault shows; of no vault, nothing."""

    def __init__(self, seen: Observation | None) -> None:
        self.seen = seen
        self.lines: Sequence[Line] = seen.coverage.lines if seen else ()
        self.day = max((d for x in self.lines if x.source != MANUAL for d in x.days), default=None)

    def check(self, *ids: str) -> tuple[bool, str]:
        """Do these checks hold on the newest day? And what was seen of the first that does not."""
        for id in ids:
            lines = [x for x in self.lines if x.check == id]
            cell = by_day(lines).get(self.day, Cell.MISSING) if self.day else Cell.MISSING
            if cell not in GOOD:
                said = [x.days[self.day] for x in lines if self.day and self.day in x.days]
                return False, f"{id} is {cell}: {said[0].detail if said else 'no evidence'}"[:160]
        return True, f"{', '.join(ids)} held on {self.day}"

    def automated(self) -> Mapping[str, bool]:
        """Every check that services answer: did it hold on the newest day?"""
        ids = dict.fromkeys(x.check for x in self.lines if x.source != MANUAL)
        return {id: self.check(id)[0] for id in ids}

    def document(self, id: str, on: date) -> tuple[bool, str]:
        held = list(self.seen.documents.get(id, ())) if self.seen else []
        found = standing(id, held, on, self.seen.period if self.seen else None)
        return found.status is Status.PASS, found.detail


def _task(what: str, shown: tuple[bool, str], command: str | None = None) -> Task:
    return Task(what, shown[0], shown[1], command)


def scope(facts: Facts) -> Iterator[Task]:
    period = facts.seen.period if facts.seen else None
    stated = f"the period is {period.start} to {period.end}" if period else "no period is stated"
    yield _task(
        "State boundary and period in boundary.yaml", (period is not None, stated), "soc2 init"
    )
    proved = facts.check("network_segmentation")
    yield _task("Separate production's network, and prove it", proved, "cdk deploy --all")
    yield Task(
        "Answer the four questions for every system", None, "people decide; the boundary says"
    )


def controls(facts: Facts) -> Iterator[Task]:
    checks = facts.automated()
    bad = [id for id, ok in checks.items() if not ok]
    some = f": {', '.join(bad[:6])}{', ...' if len(bad) > 6 else ''}" if bad else ""
    told = f"{len(checks) - len(bad)} of {len(checks)} automated checks hold{some}"
    ok = bool(checks) and not bad
    yield _task("Every automated check holds", (ok, told), "soc2 readiness VAULT")


def evidence(facts: Facts) -> Iterator[Task]:
    heard = facts.seen.coverage.heard if facts.seen else ()
    whole = {h.day for h in heard if h.runs} - {h.day for h in heard if not h.runs or h.trouble}
    steady, day = 0, facts.day
    while day is not None and day in whole:
        steady, day = steady + 1, day - timedelta(days=1)
    told = f"{steady} day(s) in a row with whole evidence of every source, up to {facts.day}"
    yield _task("The collector runs every day", (steady >= STEADY, told), "soc2 coverage VAULT")
    yield _task("Evidence is locked, versioned and private", facts.check("evidence_store"))
    kinds = sorted({h.source.partition("-")[0] for h in heard})
    told = f"sources in the vault: {', '.join(kinds) or 'none'}"
    yield _task("GitHub's evidence comes too", ("github" in kinds, told), "soc2 github collect")


def readiness(facts: Facts, on: date) -> Iterator[Task]:
    gaps = facts.seen.gaps if facts.seen else []
    open = [g for g in gaps if not g.settled]
    told = f"{len(gaps)} gap(s), {len(open)} of them open or not explained"
    shown = (facts.seen is not None and not open, told)
    yield _task("A mock audit leaves no gap", shown, "soc2 gaps VAULT")
    for id in ("runbook", "identity_provider_mfa"):
        yield _task(f"Document: {id}", facts.document(id, on), f"soc2 attach {id} FILE")
    yield Task("Choose the auditor, and agree the period", None, "people decide")


def observation(facts: Facts, on: date) -> Iterator[Task]:
    begins = facts.seen.begins if facts.seen else {}
    late = [c for c, day in begins.items() if day is None]
    first = max((day for day in begins.values() if day), default=None)
    told = f"unbroken from {first} for every control" if first else "no control has begun"
    shown = (bool(begins) and not late, f"not yet: {', '.join(late)}" if late else told)
    yield _task("Every control's period runs without a break", shown, "soc2 coverage VAULT")
    for id in DUTIES:
        if id not in ("runbook", "identity_provider_mfa"):
            yield _task(f"Document: {id}", facts.document(id, on), f"soc2 attach {id} FILE")
