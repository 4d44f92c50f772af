"""One gap: what it is, what it means, and whether it breaks a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from cdk_soc2.audit.cells import A_DAY
from cdk_soc2.audit.explanations import Explanation, Identity
from cdk_soc2.audit.result import Kind
from cdk_soc2.audit.substitutes import substitute

LONG = 30  # days from which a control gap is no longer short, by the handbook's rule of thumb


@dataclass(frozen=True, slots=True)
class Gap:
    """One stretch of days.

    :param control: ``None`` for a missing or unfinished run, which is a gap of its whole *source*.
    :param open: does it last until the last day on which its source was due?
    :param explained: is every day of it, by ``explanations``?
    :param within: is it of days on which its control did not hold? Then that gap decides: a control
        is as bad as its worst check.
    """

    kind: Kind
    control: str | None
    check: str | None
    source: str | None
    first: date
    last: date
    detail: str
    open: bool
    explained: bool
    explanations: tuple[Explanation, ...]
    within: bool = False

    @property
    def identity(self) -> Identity:
        return self.kind, self.control, self.check, self.source

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def breaks(self) -> bool:
        """Does it end the stretch of days that can be told as one period?"""
        if self.kind == "evidence":
            return not self.within
        return self.days >= LONG or self.open or not self.explained

    @property
    def settled(self) -> bool:
        """Over, and explained: what is left is the auditor's judgement."""
        return self.explained and not self.open

    def to_json(self) -> dict[str, Any]:
        begins = self.last + A_DAY if self.breaks and not self.open else None
        return {
            "kind": self.kind,
            "control": self.control,
            "check": self.check,
            "source": self.source,
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "days": self.days,
            "explained": self.explained,
            "detail": self.detail,
            "substitute": substitute(self.control, self.source)
            if self.kind == "evidence"
            else None,
            "open": self.open,
            "breaks_period": self.breaks,
            "period_begins": begins.isoformat() if begins else None,
            "means": means(self),
            "explanations": [e.to_json() for e in self.explanations],
        }


def means(gap: Gap) -> str:
    """What *gap* means for whoever answers for the period."""
    whose = gap.control or f"every control that {gap.source} shows"
    if gap.within:
        return f"Meanwhile {whose} did not hold, which is a gap of its own, and decides."
    if gap.kind == "evidence":
        if gap.open:
            return f"Nobody can show this today: the period of {whose} cannot begin before it is mended."
        return (
            f"Nobody can show these days from the daily evidence: the period of {whose} begins "
            f"on {gap.last + A_DAY}, or the auditor accepts a substitute for them."
        )
    what = "did not hold" if gap.kind == "control" else "was owed by people, and late"
    if not gap.breaks:
        return f"It {what} for {gap.days} day(s): an exception, remedied and explained."
    if gap.open:
        return f"It {what}, and still is so: mend it today; each further day adds to the exception."
    why = f"lasted {LONG} days or more" if gap.days >= LONG else "is not explained yet"
    return (
        f"It {what} for {gap.days} day(s), and {why}: an exception to tell the auditor; without "
        f"their agreement the period of {whose} begins on {gap.last + A_DAY}."
    )
