"""Which documents people must make soon, or should have made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from cdk_soc2.audit.calendar import DUTIES, standing
from cdk_soc2.audit.documents import Document
from cdk_soc2.boundary import Period
from cdk_soc2.verdict import Status

SOON = timedelta(days=14)
SUBJECT_LENGTH = 100  # SNS refuses more


@dataclass(frozen=True, slots=True)
class Reminder:
    """One document that is due within two weeks, or overdue."""

    document: str
    due: date
    overdue: bool
    detail: str

    def to_json(self) -> dict[str, Any]:
        return {
            "document": self.document,
            "control": DUTIES[self.document].control,
            "due": self.due.isoformat(),
            "overdue": self.overdue,
            "detail": self.detail,
        }

    def __str__(self) -> str:
        return f"{self.document} {'was' if self.overdue else 'is'} due on {self.due}"


def reminders(
    documents: Mapping[str, list[Document]], period: Period | None, today: date
) -> list[Reminder]:
    """What is overdue on *today* or due within 14 days, the earliest first."""
    found: list[Reminder] = []
    for check, duty in DUTIES.items():
        now = standing(check, documents.get(check, []), today, period)
        again = duty.cadence != "once a period" and (
            period is None or (now.due or today) < period.end
        )
        if now.due is None or (now.status is Status.PASS and not again):
            continue
        if now.due <= today + SOON:
            found.append(Reminder(check, now.due, now.status is Status.FAIL, now.detail))
    return sorted(found, key=lambda r: (r.due, r.document))


def message(due: Sequence[Reminder], vault: str) -> tuple[str, str]:
    """Subject and body of one message, as SNS takes them."""
    late = sum(r.overdue for r in due)
    subject = f"SOC 2 documents: {late} overdue, {len(due) - late} due within {SOON.days} days"
    lines = [f"{r}: {r.detail}\n  -> soc2 attach {r.document} FILE --vault {vault}" for r in due]
    return subject[:SUBJECT_LENGTH], "\n".join([*lines, f"Vault: {vault}"])
