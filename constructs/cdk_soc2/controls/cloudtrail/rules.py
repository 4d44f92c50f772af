"""Control 3 in a template: every trail that is deployed records everything and shows tampering."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_soc2.control import Observed
from cdk_soc2.controls.cloudtrail.control import CLOUDTRAIL
from cdk_soc2.template import Template

TRAIL = "AWS::CloudTrail::Trail"


@CLOUDTRAIL.rule(fix="Set IsMultiRegionTrail and IncludeGlobalServiceEvents to true.")
def trail_covers_all_regions(template: Template) -> Iterator[Observed]:
    """A trail records every region and the global services."""
    for trail in template.resources(TRAIL):
        # CloudFormation leaves global services out unless told otherwise.
        ok = trail.is_true("IsMultiRegionTrail") and trail.is_true("IncludeGlobalServiceEvents")
        yield Observed(ok, trail.id, "all regions" if ok else "not all regions and services")


@CLOUDTRAIL.rule(fix="Set EnableLogFileValidation to true.")
def trail_validates_log_files(template: Template) -> Iterator[Observed]:
    """A trail validates its log files."""
    for trail in template.resources(TRAIL):
        ok = trail.is_true("EnableLogFileValidation")
        yield Observed(ok, trail.id, f"log file validation is {'on' if ok else 'off'}")


@CLOUDTRAIL.rule(fix="Set IsLogging to true.")
def trail_is_logging(template: Template) -> Iterator[Observed]:
    """A trail that is deployed is logging."""
    for trail in template.resources(TRAIL):
        ok = trail.is_true("IsLogging")
        yield Observed(ok, trail.id, "logging" if ok else "not logging")
