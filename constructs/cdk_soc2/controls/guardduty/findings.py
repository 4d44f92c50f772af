"""GuardDuty's findings: listed by severity, then read one by one, for a filter proves nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cdk_soc2.answers import malformed, may, records, want
from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Observed, Region, could_not

SEVERE = 7.0  # HIGH begins here, and CRITICAL at 9.0
BATCH = 50  # GetFindings takes no more
TRIAGE = "Investigate the finding, mend its cause, then archive it."
AGAIN = "Run again: findings changed while they were read."


@dataclass(frozen=True, slots=True)
class Found:
    """One finding, as far as it is judged."""

    id: str
    arn: str
    type: str
    severity: float
    created: datetime
    archived: bool

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Found:
        """Raises :class:`CannotLook`."""
        id = want(answer, "Id", str)
        return cls(
            id,
            may(answer, "Arn", str) or id,
            may(answer, "Type", str) or "finding",
            _severity(answer),
            _time(answer, "CreatedAt"),
            want(want(answer, "Service", dict), "Archived", bool),
        )


def open_findings(region: Region, detector: str, context: Context) -> Iterator[Observed]:
    """Every severe finding that is not archived: is it younger than the boundary's days?"""
    ids = listed(region, detector, {**SEVERE_ONES, "service.archived": {"Equals": ["false"]}})
    found, troubles = severe(ids, region, detector)
    yield from troubles
    days = context.boundary.sla_days.guardduty
    for finding in found:
        if finding.archived:
            continue  # since it was listed
        late = days == 0 or context.now - finding.created > timedelta(days=days)
        yield Observed(
            not late,
            finding.arn,
            f"{finding.type}, severity {finding.severity}, open since "
            f"{finding.created:%Y-%m-%dT%H:%M:%SZ}, {days} days allowed",
            region.name,
            TRIAGE if late else None,
        )


SEVERE_ONES = {"severity": {"GreaterThanOrEqual": int(SEVERE)}}


def listed(region: Region, detector: str, criterion: Mapping[str, Any]) -> list[str]:
    """The ids of all findings that meet *criterion*. Raises :class:`CannotLook`."""
    ids: list[object] = [
        *region.list(
            "guardduty",
            "list_findings",
            "FindingIds",
            DetectorId=detector,
            FindingCriteria={"Criterion": dict(criterion)},
        )
    ]
    if not all(isinstance(id, str) for id in ids):
        raise malformed("FindingIds holds what is no id")
    return [str(id) for id in ids]


def severe(
    ids: Sequence[str], region: Region, detector: str
) -> tuple[Sequence[Found], Sequence[Observed]]:
    """The findings *ids* of severity 7.0 or higher, and what could not be read of the others."""
    batches = [ids[n : n + BATCH] for n in range(0, len(ids), BATCH)]
    answers: dict[str, Mapping[str, Any]] = {}
    read: set[str] = set()

    def fetch(batch: Sequence[str]) -> Observed:
        answer = region.read(
            "guardduty", "get_findings", DetectorId=detector, FindingIds=list(batch)
        )
        answers.update({want(f, "Id", str): f for f in records(answer, "Findings")})
        read.update(batch)
        return Observed(True, batch[0], f"{len(batch)} findings read")

    fetched = region.each(batches, lambda batch: f"{len(batch)} findings", fetch)
    troubles = [o for o in fetched if o.ok is not True]
    troubles += [
        Observed(None, id, "is listed, but was not told of", region.name, AGAIN)
        for id in sorted(read - set(answers))
    ]
    found: list[Found] = []
    for id in dict.fromkeys(ids):
        try:
            found += [Found.of(answers[id])] if id in answers else []
        except CannotLook as error:
            troubles.append(could_not(error, id, region.name))
    return [f for f in found if f.severity >= SEVERE], troubles


def _time(finding: Mapping[str, Any], field: str) -> datetime:
    """A time, which GuardDuty writes as text."""
    text = want(finding, field, str)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise malformed(f"{field} is {text!r}, not a time") from None
    if time.tzinfo is None:
        raise malformed(f"{field} is {text}, without a time zone")
    return time.astimezone(UTC)


def _severity(finding: Mapping[str, Any]) -> float:
    value = finding.get("Severity")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 10:
        raise malformed(f"Severity is {value!r}, not a number up to 10")
    return float(value)
