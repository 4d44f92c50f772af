"""Who archived findings since the last run: a caller, by CloudTrail, or a rule that does it at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cdk_soc2.answers import malformed, may, records, want, when
from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Observed, Region
from cdk_soc2.controls.guardduty.findings import SEVERE_ONES, Found, listed, severe

PAGES = 5
FIRST_RUN = timedelta(days=1)  # how far a run looks back that has no earlier one
DELAY = timedelta(hours=1)  # CloudTrail shows a call some minutes late; the last run missed those
ARCHIVED = {"service.archived": {"Equals": ["true"]}}
UNEXPLAINED = (
    "Find out who archived it: an account that administers GuardDuty has the call in its own "
    "CloudTrail. Unarchive the finding if nobody can say."
)


def archived(region: Region, detector: str, context: Context) -> Iterator[Observed]:
    """Every finding archived since the last run, and who did it."""
    since = _since(context)
    called: set[str] = set()
    for observed in _by_callers(region, detector, since, context.now):
        called.add(observed.subject)
        yield observed
    # Archiving is no update of a finding: one made earlier was archived earlier, or by a call.
    recent = {"updatedAt": {"GreaterThanOrEqual": int(since.timestamp() * 1000)}}
    found, troubles = severe(
        listed(region, detector, {**SEVERE_ONES, **ARCHIVED, **recent}), region, detector
    )
    yield from troubles
    silent = [f for f in found if f.archived and f.created >= since and f.id not in called]
    rules = _rules(region, detector) if silent else {}
    for finding in silent:
        yield _silently(finding, rules, region)
    if not (called or silent or troubles):
        told = f"0 findings archived since {since:%Y-%m-%dT%H:%M:%SZ}"
        yield Observed(True, region.name, told, region.name)


def _since(context: Context) -> datetime:
    earlier = context.vault.earlier()
    if earlier is None:
        return context.now - FIRST_RUN
    began = datetime.fromisoformat(want(earlier, "collection_timestamp", str))
    return began.astimezone(UTC) - DELAY


def _by_callers(
    region: Region, detector: str, since: datetime, now: datetime
) -> Iterator[Observed]:
    """What CloudTrail says of every finding that somebody archived, or tried to."""
    events, more = region.first(
        "cloudtrail",
        "lookup_events",
        "Events",
        pages=PAGES,
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "ArchiveFindings"}],
        StartTime=since,
        EndTime=now,
    )
    for event in records({"Events": events}, "Events"):
        yield from _call(event, region, detector)
    if more:
        raise CannotLook(
            f"more than {PAGES} pages of calls of ArchiveFindings",
            "Look the calls up in the trail's log files.",
        )


def _call(event: Mapping[str, Any], region: Region, detector: str) -> Iterator[Observed]:
    time = when(event, "EventTime")
    told: Any = json.loads(want(event, "CloudTrailEvent", str))
    if not isinstance(told, dict) or time is None:
        raise malformed(f"event {event.get('EventId')} tells no call, or no time")
    if told.get("errorCode") is not None:
        return  # refused: nothing was archived
    asked, caller = want(told, "requestParameters", dict), want(told, "userIdentity", dict)
    if (may(asked, "detectorId", str) or detector) != detector:
        return
    who = caller.get("arn") or caller.get("invokedBy")
    for id in want(asked, "findingIds", list):
        yield Observed(
            True if isinstance(who, str) else None,
            str(id),
            f"archived by {who or 'nobody named'} at {time:%Y-%m-%dT%H:%M:%SZ}",
            region.name,
            None if isinstance(who, str) else UNEXPLAINED,
        )


def _rules(region: Region, detector: str) -> dict[str, set[str]]:
    """The suppression rules, and the ids of the archived findings that each matches."""
    rules: dict[str, set[str]] = {}
    for name in region.list("guardduty", "list_filters", "FilterNames", DetectorId=detector):
        rule = region.read("guardduty", "get_filter", DetectorId=detector, FilterName=name)
        if want(rule, "Action", str) == "ARCHIVE":
            criteria = want(want(rule, "FindingCriteria", dict), "Criterion", dict)
            rules[str(name)] = set(listed(region, detector, {**criteria, **ARCHIVED}))
    return rules


def _silently(finding: Found, rules: Mapping[str, set[str]], region: Region) -> Observed:
    made = f"{finding.type}, severity {finding.severity}, of {finding.created:%Y-%m-%dT%H:%M:%SZ}"
    by = [name for name, ids in rules.items() if finding.id in ids]
    if by:
        told = f"{made}, archived as it was made by the suppression rule {' and '.join(by)}"
        return Observed(True, finding.arn, told, region.name)
    return Observed(
        None, finding.arn, f"{made}, archived, nothing tells by whom", region.name, UNEXPLAINED
    )
