"""What ECR's basic scanner found in images: it does not tell since when, so the age is bounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from cdk_soc2.answers import malformed, records, want
from cdk_soc2.context import Context
from cdk_soc2.control import Observed, Region
from cdk_soc2.controls.image_scanning.enhanced import OTHERS, REBUILD, SEVERE, days_of, recent
from cdk_soc2.controls.image_scanning.images import Image, past

SCAN = "Start a scan of the image, or use enhanced scanning, which looks continuously."
ENHANCE = "Rebuild the image, or use enhanced scanning, which tells when a finding was first seen."
MOST = 1000  # findings a page, as many as ECR gives


def judged(images: Iterable[Image], region: Region, context: Context) -> Iterator[Observed]:
    """Is any severe finding of the image older than it may be?"""
    yield from region.each(images, lambda i: i.arn, lambda i: _judge(i, region, context))


def _judge(image: Image, region: Region, context: Context) -> Observed:
    def verdict(ok: bool | None, detail: str, remedy: str | None = None) -> Observed:
        return Observed(ok, image.arn, f"{image.name}: {detail}", region.name, remedy)

    if image.index:
        lists = "an index, whose images basic scanning looks at one by one"
        return verdict(None, lists, "Use enhanced scanning, which knows the images of an index.")
    answer = region.find(
        "ecr",
        "describe_image_scan_findings",
        absent="ScanNotFoundException",
        repositoryName=image.repository,
        imageId={"imageDigest": image.digest},
        maxResults=MOST,
    )
    if answer is None:
        return verdict(None, "never scanned", SCAN)
    status = want(want(answer, "imageScanStatus", dict), "status", str)
    if status != "COMPLETE":
        return verdict(None, f"the scan is {status}", SCAN)
    found = want(answer, "imageScanFindings", dict)
    scanned = past(found, "imageScanCompletedAt", context.now)
    counts = _counts(found)
    told = ", ".join(f"{counts[s]} {s}" for s in SEVERE)
    told += f" by the scan of {scanned:%Y-%m-%dT%H:%M:%SZ}"
    ages = [_age(s, image, scanned, context) for s in SEVERE if counts[s]]
    if False in ages:
        return verdict(False, f"{told}, known for longer than allowed", REBUILD)
    if None in ages:
        return verdict(None, f"{told}; it is not told when each was first found", ENHANCE)
    if not recent(scanned, context):
        return verdict(None, f"{told}, too long ago to tell of today", SCAN)
    return verdict(True, told)


def _age(severity: str, image: Image, scanned: datetime, context: Context) -> bool | None:
    """Young enough? No finding is older than its image, and each is as old as the scan, or older."""
    allowed = timedelta(days=days_of(severity, context.boundary.sla_days))
    if context.now - scanned > allowed:
        return False
    return True if context.now - image.pushed <= allowed else None


def _counts(found: Mapping[str, Any]) -> dict[str, int]:
    """How many findings of each severity: counted, and held against ECR's own count."""
    listed = [want(f, "severity", str) for f in records(found, "findings")]
    if unknown := set(listed) - {*SEVERE, *OTHERS}:
        raise malformed(f"findings of severity {sorted(unknown)}")
    told = want(found, "findingSeverityCounts", dict)
    counts = {s: listed.count(s) for s in SEVERE}
    if any(want({s: told.get(s, 0)}, s, int) != n for s, n in counts.items()):
        raise malformed(f"{counts} findings are listed, {told} counted")
    return counts
