"""Control 3 in a template: every trail that is deployed records everything and shows tampering."""

from __future__ import annotations

from cdk_soc2.control import Observed
from cdk_soc2.controls.cloudtrail import rules_logs as rules_logs  # they attach themselves
from cdk_soc2.controls.cloudtrail.control import CLOUDTRAIL
from cdk_soc2.template import Resource

TRAIL = "AWS::CloudTrail::Trail"


@CLOUDTRAIL.rule_for(TRAIL, fix="Set IsMultiRegionTrail and IncludeGlobalServiceEvents to true.")
def trail_covers_all_regions(trail: Resource) -> Observed:
    """A trail records every region and the global services."""
    # CloudFormation leaves global services out unless told otherwise.
    needed = ("IsMultiRegionTrail", "IncludeGlobalServiceEvents")
    missing = [path for path in needed if not trail.is_true(path)]
    told = f"{' and '.join(missing)} not true" if missing else "all regions and global services"
    return trail.seen(not missing, told, missing[0] if missing else needed[0])


@CLOUDTRAIL.rule_for(TRAIL, fix="Set EnableLogFileValidation to true.")
def trail_validates_log_files(trail: Resource) -> Observed:
    """A trail validates its log files."""
    return trail.true("EnableLogFileValidation")


@CLOUDTRAIL.rule_for(TRAIL, fix="Set IsLogging to true.")
def trail_is_logging(trail: Resource) -> Observed:
    """A trail that is deployed is logging."""
    return trail.true("IsLogging")


@CLOUDTRAIL.rule_for(
    TRAIL,
    fix="Set ReadWriteType to All and IncludeManagementEvents to true; exclude no event source.",
)
def trail_records_all_management_events(trail: Resource) -> Observed | None:
    """A trail that selects events selects all management events, read and write."""
    if trail.has("AdvancedEventSelectors") or not trail.has("EventSelectors"):
        return None
    selectors = [trail.part(node) for node in trail.nodes("EventSelectors")]
    ok = any(
        s.value("ReadWriteType") in (None, "All")
        and s.value("IncludeManagementEvents") in (None, True, "true")
        and not s.value("ExcludeManagementEventSources")
        for s in selectors
    )
    return trail.seen(ok, f"{'all' if ok else 'not all'} management events", "EventSelectors")
