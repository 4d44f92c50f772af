"""What Amazon Inspector found in images, and whether it looks at them at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from cdk_soc2.answers import malformed, may, records, want
from cdk_soc2.boundary import SlaDays
from cdk_soc2.context import Context
from cdk_soc2.control import Excluded, Observed, Region, could_not
from cdk_soc2.controls.image_scanning.images import Image, past
from cdk_soc2.controls.image_scanning.registry import inspector_of

IMAGE = "AWS_ECR_CONTAINER_IMAGE"
SEVERE = ("CRITICAL", "HIGH")
OTHERS = ("INFORMATIONAL", "LOW", "MEDIUM", "UNDEFINED", "UNTRIAGED")
ELSEWHERE = (
    "AWS_EC2_INSTANCE",
    "AWS_ECR_REPOSITORY",
    "AWS_LAMBDA_FUNCTION",
    "CODE_REPOSITORY",
    "MACHINE_IMAGE",
)
REBUILD = "Rebuild the image with the fixed packages, deploy it, and delete this one."
SCAN = "Push the image anew, or let the registry's rules scan the repository continuously."


def days_of(severity: str, sla: SlaDays) -> int:
    """How many days a finding of *severity* may stay open."""
    return sla.critical if severity == "CRITICAL" else sla.high


def findings(region: Region, context: Context) -> Iterator[Observed | Excluded]:
    """Every severe finding that Inspector has open in an image of this account: is it young enough?"""
    for finding in records({"f": _listed(region)}, "f"):
        try:
            yield from _judge(finding, region, context)
        except Exception as error:  # noqa: BLE001  one finding's trouble costs no other
            yield could_not(error, str(finding.get("findingArn")), region.name)


def looked_at(images: Iterable[Image], region: Region, context: Context) -> Iterator[Observed]:
    """That no finding is open says something only of images that Inspector looks at."""
    [inspector] = region.each([region], lambda r: r.name, inspector_of)

    def look(image: Image) -> Observed:
        if inspector.ok is not True:
            return Observed(None, image.arn, inspector.detail, region.name, inspector.remedy)
        status = may(image.answer, "imageScanStatus", dict) or {}
        told = may(status, "status", str) or "no scan"
        fresh = told == "ACTIVE"  # looked at continuously
        if told == "COMPLETE":  # scanned once, when it was pushed
            summary = want(image.answer, "imageScanFindingsSummary", dict)
            scanned = past(summary, "imageScanCompletedAt", context.now)
            fresh = recent(scanned, context)
            told = f"scanned once, at {scanned:%Y-%m-%dT%H:%M:%SZ}"
        detail = f"{image.name}: Amazon Inspector: {told}"
        return Observed(fresh or None, image.arn, detail, region.name, None if fresh else SCAN)

    yield from region.each(images, lambda image: image.arn, look)


def recent(scanned: datetime, context: Context) -> bool:
    """Would a scan of that time have seen whatever is now older than a CRITICAL finding may be?"""
    days = max(context.boundary.sla_days.critical, 1)
    return context.now - scanned <= timedelta(days=days)


def _listed(region: Region) -> list[dict[str, Any]]:
    def equals(*values: str) -> list[dict[str, str]]:
        return [{"comparison": "EQUALS", "value": value} for value in values]

    criteria = {
        "resourceType": equals(IMAGE),
        "severity": equals(*SEVERE),
        "findingStatus": equals("ACTIVE", "SUPPRESSED"),
    }
    if region.account:  # an administrator is told of all its members' findings
        criteria["awsAccountId"] = equals(region.account)
    return region.list("inspector2", "list_findings", "findings", filterCriteria=criteria)


def _judge(
    finding: Mapping[str, Any], region: Region, context: Context
) -> Iterator[Observed | Excluded]:
    arn, severity = want(finding, "findingArn", str), want(finding, "severity", str)
    kinds = {want(resource, "type", str) for resource in records(finding, "resources")}
    if region.account and want(finding, "awsAccountId", str) != region.account:
        return
    if (kinds and kinds <= set(ELSEWHERE)) or severity in OTHERS:
        return
    status, since = want(finding, "status", str), past(finding, "firstObservedAt", context.now)
    known = severity in SEVERE and status in ("ACTIVE", "SUPPRESSED", "CLOSED")
    if IMAGE not in kinds or not known:
        raise malformed(f"a finding of {sorted(kinds)}, severity {severity!r}, {status!r}")
    allowed = days_of(severity, context.boundary.sla_days)
    told = f"{severity}, {may(finding, 'title', str) or 'untitled'}"
    told += f", open since {since:%Y-%m-%dT%H:%M:%SZ}, {allowed} days allowed"
    if status == "SUPPRESSED":
        yield Excluded(arn, f"suppressed by a rule in Amazon Inspector: {told}", region.name)
    elif status == "ACTIVE":
        late = context.now - since > timedelta(days=allowed)
        yield Observed(not late, arn, told, region.name, REBUILD if late else None)
