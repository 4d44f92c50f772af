"""When people owe a document, and what a day is worth on which there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from cdk_soc2.boundary import Period
from cdk_soc2.verdict import Status

if TYPE_CHECKING:
    from cdk_soc2.audit.documents import Document

Cadence = Literal["daily", "quarterly", "yearly", "once a period"]
QUARTER = 92
YEAR = 365


@dataclass(frozen=True, slots=True)
class Duty:
    """A document that people owe.

    :param first: the day of the period by which the first one is due; the next is due when the
        last one is no longer current.
    :param days: for how many days it is current, from the day it takes effect.
    """

    control: str
    cadence: Cadence
    first: Callable[[Period], date]
    days: int


def _at_start(period: Period) -> date:
    return period.start


def _within_a_quarter(period: Period) -> date:
    return period.start + timedelta(days=QUARTER)


def _by_the_end(period: Period) -> date:
    return period.end


DUTIES: Mapping[str, Duty] = {
    "runbook": Duty("incident_response", "yearly", _at_start, YEAR),
    "identity_provider_mfa": Duty("mfa", "quarterly", _at_start, QUARTER),
    "tabletop": Duty("incident_response", "once a period", _by_the_end, YEAR),
    "access_review": Duty("access_reviews", "quarterly", _within_a_quarter, QUARTER),
    "restore_test": Duty("backup_verification", "quarterly", _within_a_quarter, QUARTER),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a document stands on a day. ``due``: the day by which one is, or was, due; ``None`` when
    nobody named a period."""

    status: Status
    detail: str
    due: date | None


def standing(check: str, documents: list[Document], day: date, period: Period | None) -> Standing:
    """Present and current is ``PASS``, overdue ``FAIL``, not due yet ``UNKNOWN``.

    Without *period* nobody said when a first one is due: its absence is ``UNKNOWN``.
    """
    duty = DUTIES[check]
    begun = [d for d in documents if d.effective <= day]
    sound = [d for d in begun if d.trouble is None]
    current = next((d for d in sound if day <= d.until), None)
    if current is not None:
        return Standing(Status.PASS, current.detail, current.until)
    doubtful = next((d for d in begun if day <= d.until), None)
    trouble = f"; {doubtful.trouble}" if doubtful else ""
    last = max((d.until for d in sound), default=None)
    first = duty.first(period) if period else None
    due = last if last and (first is None or duty.cadence != "once a period") else first
    if due is None:
        return Standing(
            Status.UNKNOWN, f"no {check}, and no period says when it is due{trouble}", None
        )
    if last and first:
        due = max(due, first)
    if day < due:
        return Standing(Status.UNKNOWN, f"no {check} yet; it is due on {due}{trouble}", due)
    ended = f"the last {check} was current to {last}" if last else f"no {check}"
    return Standing(Status.FAIL, f"{ended}; it was due on {due}{trouble}", due)
