"""Control 10: a vulnerable image is found as it is pushed, and not left as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdk_soc2.context import Context
from cdk_soc2.control import Control, Excluded, Observed, Region, Status
from cdk_soc2.controls.image_scanning import basic, enhanced
from cdk_soc2.controls.image_scanning.images import counted_images
from cdk_soc2.controls.image_scanning.registry import (
    inspector_of,
    judge,
    registry_of,
    repositories,
)

IMAGE_SCANNING = Control(
    number=10,
    key="image_scanning",
    name="Container image scanning",
    claim="Every image is scanned as it is pushed, and no severe finding is left for long.",
    criteria=("CC7.1", "CC6.8", "CC8.1"),
    handbook="CC7.4",
    reads=(
        "ecr:BatchGetRepositoryScanningConfiguration",
        "ecr:DescribeImageScanFindings",
        "ecr:DescribeImages",
        "ecr:DescribeRepositories",
        "ecr:GetRegistryScanningConfiguration",
        "inspector2:BatchGetAccountStatus",
        "inspector2:ListFindings",
    ),
)


@IMAGE_SCANNING.check_each_region(of="repositories", empty=Status.NOT_APPLICABLE)
def image_scanning(region: Region, context: Context) -> Iterator[Observed]:
    """Every ECR repository scans on push, or continuously."""
    found = repositories(region)
    if not found:
        return
    registry = registry_of(region)
    inspector = None
    if registry.enhanced:
        [inspector] = region.each([region], lambda r: r.name, inspector_of)
    yield from region.each(found, _subject, lambda r: judge(r, registry, inspector, region))


@IMAGE_SCANNING.check_each_region(of="images and findings", empty=Status.NOT_APPLICABLE)
def image_findings(region: Region, context: Context) -> Iterator[Observed | Excluded]:
    """No CRITICAL finding is older than the stated days, by default 30, and no HIGH one older than
    90."""
    found = repositories(region)
    if not found:
        return
    registry = registry_of(region)
    if registry.enhanced:
        yield from enhanced.findings(region, context)
    images, rest = counted_images(found, registry.enhanced, region, context)
    yield from rest
    if registry.enhanced:
        yield from enhanced.looked_at(images, region, context)
    else:
        yield from basic.judged(images, region, context)


def _subject(repository: Mapping[str, Any]) -> str:
    return str(repository.get("repositoryArn") or repository.get("repositoryName"))
