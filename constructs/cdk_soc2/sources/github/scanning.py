"""Control 10 as GitHub decides it: images are scanned, and what was found does not stay open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cdk_soc2.answers import may, want
from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Check, Excluded, Observed, Rule, Status
from cdk_soc2.controls.image_scanning.control import IMAGE_SCANNING
from cdk_soc2.sources.github.moments import moment
from cdk_soc2.sources.github.questions import ANALYSES, CODE_ALERTS
from cdk_soc2.sources.github.window import (
    GitHub,
    Refused,
    Repository,
    each_repository,
    github_check,
)

WITHIN = timedelta(days=7)
NOTHING_THERE = ("no analysis found", "must be enabled", "not enabled")
SEVERE = ("critical", "high")

GITHUB_IMAGE_SCANNING = replace(
    IMAGE_SCANNING,
    reads=("security_events:read",),
    checks=dict[str, Check](),
    rules=dict[str, Rule](),
)


@github_check(GITHUB_IMAGE_SCANNING, of="repositories", empty=Status.NOT_APPLICABLE)
def image_scanning(github: GitHub, context: Context) -> Iterator[Observed | Excluded]:
    """The configured scanner has analysed every default branch within the last 7 days."""
    tool = github.settings.scanner
    remedy = f"Let {tool} scan the default branch at least weekly and upload its results."

    def look(repository: Repository) -> Iterator[Observed | Excluded]:
        if repository.archived:
            yield Excluded(repository.full, "archived: nothing is built from it")
            return
        ref = f"refs/heads/{repository.default_branch}"
        given = {"ref": ref, "tool_name": tool, "sort": "created", "direction": "desc"}
        last = _last(github, repository, {**given, "per_page": 10}, tool, ref)
        if last is None:
            yield Observed(False, repository.full, f"no analysis of {ref} by {tool}", remedy=remedy)
            return
        at, trouble = moment(last, "created_at"), want(last, "error", str)
        told = f"last analysis of {ref} by {tool} on {at:%Y-%m-%dT%H:%M:%SZ}"
        if trouble:
            yield Observed(
                None, repository.full, f"{told}, with an error: {trouble}", remedy=remedy
            )
            return
        good = timedelta(minutes=-10) <= context.now - at <= WITHIN
        yield Observed(good, repository.full, told, remedy=None if good else remedy)

    yield from each_repository(github, look)


@github_check(GITHUB_IMAGE_SCANNING, of="repositories", empty=Status.NOT_APPLICABLE)
def image_findings(github: GitHub, context: Context) -> Iterator[Observed | Excluded]:
    """No CRITICAL alert of the configured scanner is open for more than 30 days, no HIGH one for
    more than 90, or what the boundary states."""
    sla = context.boundary.sla_days
    days = {"critical": sla.critical, "high": sla.high}

    def look(repository: Repository) -> Iterator[Observed | Excluded]:
        if repository.archived:
            yield Excluded(repository.full, "archived: nothing is built from it")
            return
        given = {
            "tool_name": github.settings.scanner,
            "ref": f"refs/heads/{repository.default_branch}",
        }
        try:
            alerts = github.list(CODE_ALERTS, given, **repository.place)
        except Refused as error:
            if not _nothing_there(error):
                raise
            raise CannotLook("nothing scans it, so nothing is found", error.remedy) from None
        yield _judged(repository, alerts, days, context.now)

    yield from each_repository(github, look)


def _judged(
    repository: Repository,
    alerts: list[Mapping[str, Any]],
    days: Mapping[str, int],
    now: datetime,
) -> Observed:
    """All alerts of one repository; the overdue are named, and those dismissed when overdue."""
    late: list[str] = []
    dismissed: list[str] = []
    unrated: list[str] = []
    for alert in alerts:
        state, number = want(alert, "state", str), f"#{want(alert, 'number', int)}"
        severity = may(want(alert, "rule", dict), "security_severity_level", str)
        if state not in ("open", "dismissed"):
            continue
        if severity is None:
            unrated += [number] if state == "open" else []
            continue
        if severity not in days:
            continue
        ends = now if state == "open" else moment(alert, "dismissed_at")
        age = (ends - moment(alert, "created_at")).days
        if age > days[severity]:
            told = f"{number} {severity.upper()}, {age} days"
            (late if state == "open" else dismissed).append(told)
    counted = f"{len(alerts)} alerts"
    overdue = f"; dismissed when overdue: {', '.join(dismissed)}" if dismissed else ""
    if late:
        detail = f"{counted}; overdue: {', '.join(late)}{overdue}"
        return Observed(False, repository.full, detail, remedy="Mend or dismiss with a reason.")
    if unrated:
        detail = f"{counted}; without a severity: {', '.join(unrated)}{overdue}"
        remedy = "Let the scanner upload a security severity for each of its rules."
        return Observed(None, repository.full, detail, remedy=remedy)
    return Observed(True, repository.full, f"{counted}, none overdue{overdue}")


def _last(
    github: GitHub, repository: Repository, given: Mapping[str, Any], tool: str, ref: str
) -> Mapping[str, Any] | None:
    """The newest analysis of *ref* by *tool* that went well, else the newest one; ``None``: none.

    Every analysis is held against the question: a filter that GitHub passed over hides nothing.
    """
    failed: list[Mapping[str, Any]] = []
    try:
        for page in github.pages(ANALYSES, given, **repository.place):
            found = [a for a in page.items if _is(a, tool, ref)]
            well = [a for a in found if not want(a, "error", str)]
            if well:
                return max(well, key=lambda a: moment(a, "created_at"))
            failed += found
    except Refused as error:
        if not _nothing_there(error):
            raise
    return max(failed, key=lambda a: moment(a, "created_at"), default=None)


def _is(analysis: Mapping[str, Any], tool: str, ref: str) -> bool:
    name = want(want(analysis, "tool", dict), "name", str)
    return name.lower() == tool.lower() and want(analysis, "ref", str) == ref


def _nothing_there(error: Refused) -> bool:
    """Does GitHub say that there is nothing, rather than that we may not see it?"""
    told = error.message.lower()
    return error.status in (403, 404) and any(words in told for words in NOTHING_THERE)
