"""Control 10 in a template: a repository that is deployed is scanned on push."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from cdk_soc2.control import Observed
from cdk_soc2.controls.image_scanning import rules_images as rules_images  # they attach themselves
from cdk_soc2.controls.image_scanning.control import IMAGE_SCANNING
from cdk_soc2.controls.image_scanning.registry import CONTINUOUS, PUSH
from cdk_soc2.template import Template


@IMAGE_SCANNING.rule(fix="Set ImageScanningConfiguration.ScanOnPush to true.")
def repository_scans_on_push(template: Template) -> Iterator[Observed]:
    """A repository scans on push, by itself or because the template's registry scans all of them."""
    everything = any(
        _scans_all(rule)
        for registry in template.resources("AWS::ECR::RegistryScanningConfiguration")
        for rule in cast(list[Any], registry.value("Rules") or [])
    )
    for repository in template.resources("AWS::ECR::Repository"):
        own = everything or repository.is_true("ImageScanningConfiguration.ScanOnPush")
        told = "the registry scans all on push" if everything else "scans on push"
        yield Observed(own, repository.id, told if own else "not scanned on push")


def _scans_all(rule: Mapping[str, Any]) -> bool:
    filters: list[Any] = rule.get("RepositoryFilters") or []
    return rule.get("ScanFrequency") in (PUSH, CONTINUOUS) and any(
        isinstance(f, Mapping) and cast(Mapping[str, Any], f).get("Filter") == "*" for f in filters
    )
