"""Whether a stack has drifted, by CloudFormation's last detection, which this never starts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cdk_soc2.answers import malformed, want, when
from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Observed, Region

FRESH = timedelta(days=7)
SKEW = timedelta(minutes=15)  # how far the clocks of AWS and of the collector may differ
EMPTY = ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE")  # not made yet, or all of it unmade
CHANGED = ("CreationTime", "LastUpdatedTime", "DeletionTime")
TOLD = 3  # drifted resources that are named
DETECT = "Detect the stack's drift, on a schedule, at least every seven days."
MEND = "Deploy the stack anew, or bring the change into its template; then detect its drift again."

Answer = Mapping[str, Any]


def status(stack: Answer) -> str:
    return want(stack, "StackStatus", str)


def drifted(stack: Answer, region: Region, context: Context) -> Observed:
    """The stack by its own detection: that of its parent does not cover a nested one."""
    id = want(stack, "StackId", str)
    drift = want(stack, "DriftInformation", dict)
    found, checked = want(drift, "StackDriftStatus", str), when(drift, "LastCheckTimestamp")
    if found not in ("DRIFTED", "IN_SYNC", "UNKNOWN", "NOT_CHECKED"):
        raise malformed(f"StackDriftStatus is {found!r}")
    if checked is None or found == "NOT_CHECKED":
        return Observed(None, id, "its drift was never detected", region.name, DETECT)
    told = f"{found} by the detection of {checked:%Y-%m-%dT%H:%M:%SZ}"
    if context.now - checked > FRESH:
        told = f"{told}, more than {FRESH.days} days ago"
        return Observed(None, id, told, region.name, DETECT)
    if checked - context.now > SKEW:
        raise malformed(f"LastCheckTimestamp is {checked}, in the future")
    if found == "DRIFTED":
        return Observed(False, id, f"{told}{_resources(id, region)}", region.name, MEND)
    if found == "UNKNOWN":
        told = f"{told}: it could not be detected of every resource"
        return Observed(None, id, told, region.name, DETECT)
    since = _changed_since(stack, checked)
    if since:
        return Observed(None, id, f"{told}; {since}", region.name, DETECT)
    return Observed(True, id, told, region.name)


def _changed_since(stack: Answer, checked: datetime) -> str | None:
    """What of the stack is later than its detection, which then told of another state."""
    want(stack, "CreationTime", datetime)
    for field in CHANGED:
        time = when(stack, field)
        if time is not None and time > checked:
            return f"{field} is {time:%Y-%m-%dT%H:%M:%SZ}, later"
    return None


def _resources(id: str, region: Region) -> str:
    """Which resources drifted, as far as it can be told. This lists names, not properties: those
    that drifted may hold secrets, and all answers are kept."""
    try:
        resources = region.list(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=id
        )
        names = [
            f"{r['LogicalResourceId']} {drift}"
            for r in resources
            if (drift := r.get("DriftInformation", {}).get("StackResourceDriftStatus"))
            in ("MODIFIED", "DELETED")
        ]
    except CannotLook as error:
        return f"; which resources cannot be told: {error.reason}"
    except (AttributeError, KeyError, TypeError):
        return "; which resources cannot be told: malformed answer"
    more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
    return f"; {', '.join(names[:TOLD])}{more}" if names else ""
