"""Control 10 in a template: what runs is what was scanned, on a runtime that is still mended."""

from __future__ import annotations

from cdk_soc2.control import Observed
from cdk_soc2.controls.image_scanning.control import IMAGE_SCANNING
from cdk_soc2.controls.image_scanning.runtimes import DEPRECATED
from cdk_soc2.template import Resource


@IMAGE_SCANNING.rule_for(
    "AWS::ECR::Repository",
    fix="Set ImageTagMutability to IMMUTABLE.",
    criteria=("CC6.8", "CC8.1"),
)
def repository_tags_are_immutable(repository: Resource) -> Observed:
    """A repository's tags stay with the images that were scanned under them."""
    said = repository.value("ImageTagMutability") or "MUTABLE"
    return repository.seen(
        str(said).startswith("IMMUTABLE"), f"tags are {said}", "ImageTagMutability"
    )


@IMAGE_SCANNING.rule_for(
    "AWS::Lambda::Function",
    fix="Move it to a runtime that AWS still mends.",
    criteria=("CC7.1", "CC6.8"),
)
def function_runtime_is_supported(function: Resource) -> Observed | None:
    """A function's runtime still gets security updates."""
    if function.value("PackageType") == "Image" or function.value("Runtime") is None:
        return None
    runtime = str(function.value("Runtime"))
    today = function.template.today if function.template else None
    ends = DEPRECATED.get(runtime)
    if ends is None or today is None:
        told = "of which no end is known here" if ends is None else f"until {ends}; what is today?"
        return function.seen(ends is None or None, f"{runtime}, {told}", "Runtime")
    over = ends <= today
    return function.seen(not over, f"{runtime}, mended until {ends}", "Runtime")
