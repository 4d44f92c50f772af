"""Control 3: nothing happens in the account without a record of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from cdk_soc2.answers import may, records, want, when
from cdk_soc2.context import Context
from cdk_soc2.control import Account, Control, Excluded, Observed

CLOUDTRAIL = Control(
    number=3,
    key="cloudtrail",
    name="CloudTrail",
    claim="Every management API call in every region is recorded, and the record shows tampering.",
    criteria=("CC7.2", "CC7.3", "CC2.1", "CC4.1"),
    handbook="CC7.1",
    reads=(
        "cloudtrail:DescribeTrails",
        "cloudtrail:GetTrailStatus",
        "cloudtrail:GetEventSelectors",
    ),
)

DELIVERS_WITHIN = timedelta(hours=24)  # CloudTrail delivers within minutes; a day is its trouble
REMEDY = (
    "Create a multi-region trail that logs all management events, or mend this one; "
    "the construct CloudTrail of cdk-soc2 does."
)
VALIDATION_REMEDY = "Turn on log file validation for the trail (UpdateTrail)."


@CLOUDTRAIL.check(of="trails")
def cloudtrail(account: Account, context: Context) -> Iterator[Observed | Excluded]:
    """A multi-region trail is logging all management events, read and write, global services
    included, and delivers them."""
    seen = _judged(account, context)
    if not seen:
        yield Observed(False, account.id, "no trail", remedy=REMEDY)
    yield from _the_ones_that_count(seen)


@CLOUDTRAIL.check(of="trails")
def cloudtrail_validation(account: Account, context: Context) -> Iterator[Observed | Excluded]:
    """The trail that records everything validates its log files."""
    trails = [t for t in _trails(account) if want(t, "IsMultiRegionTrail", bool)]
    if not trails:
        yield Observed(False, account.id, "no multi-region trail", remedy=REMEDY)
    validates = {
        want(t, "TrailARN", str): want(t, "LogFileValidationEnabled", bool) for t in trails
    }
    count = dict.fromkeys(validates, True)
    if len(set(validates.values())) > 1:  # only then does it matter which of them counts
        judged = {o.subject: o for o in _judged(account, context)}
        holding = [arn for arn in validates if judged[arn].ok is True]
        count = {arn: arn in holding for arn in validates} if holding else count
    seen = [
        Observed(
            ok,
            arn,
            f"log file validation is {'on' if ok else 'off'}",
            remedy=None if ok else VALIDATION_REMEDY,
        )
        for arn, ok in validates.items()
        if count[arn]
    ]
    yield from _the_ones_that_count(seen)
    for arn in validates:
        if not count[arn]:
            yield Excluded(arn, "does not record everything; another trail does")


def _the_ones_that_count(seen: Sequence[Observed]) -> Iterator[Observed | Excluded]:
    """One trail that holds the control is enough; the others are named beside it."""
    holds = any(o.ok is True for o in seen)
    for o in seen:
        if holds and o.ok is not True:
            yield Excluded(o.subject, f"not needed, another trail holds the control: {o.detail}")
        else:
            yield o


def _trails(account: Account) -> Sequence[Mapping[str, Any]]:
    """Those of the home region and the shadows of all that reach into it, organization's too."""
    return records(account.home.read("cloudtrail", "describe_trails"), "trailList")


def _judged(account: Account, context: Context) -> list[Observed]:
    return list(
        account.home.each(
            _trails(account),
            lambda trail: str(trail.get("TrailARN")),
            lambda trail: _judge(trail, account, context),
        )
    )


def _judge(trail: Mapping[str, Any], account: Account, context: Context) -> Observed:
    arn = want(trail, "TrailARN", str)
    if not want(trail, "IsMultiRegionTrail", bool):
        return Observed(False, arn, "records one region only", remedy=REMEDY)
    if not want(trail, "IncludeGlobalServiceEvents", bool):
        return Observed(False, arn, "leaves out global services", remedy=REMEDY)
    home = account.region(want(trail, "HomeRegion", str))
    status = home.read("cloudtrail", "get_trail_status", Name=arn)
    selectors = home.read("cloudtrail", "get_event_selectors", TrailName=arn)
    wrong = _delivery(status, context) or _left_out(selectors)
    if wrong:
        return Observed(False, arn, wrong, remedy=REMEDY)
    delivered = when(status, "LatestDeliveryTime")
    last = f"last delivery {delivered:%Y-%m-%dT%H:%M:%SZ}" if delivered else "first delivery is due"
    return Observed(True, arn, f"logging all management events in all regions; {last}")


def _delivery(status: Mapping[str, Any], context: Context) -> str | None:
    """What is wrong with how the trail delivers, if anything."""
    if not want(status, "IsLogging", bool):
        return "logging is stopped"
    error = may(status, "LatestDeliveryError", str)
    if error:
        return f"the last delivery failed: {error}"
    delivered, started = when(status, "LatestDeliveryTime"), when(status, "StartLoggingTime")
    if delivered is None and started is None:
        return "has never delivered, and does not say since when it logs"
    latest = max(t for t in (delivered, started) if t is not None)
    if context.now - latest > DELIVERS_WITHIN:
        return f"no delivery since {delivered or started:%Y-%m-%dT%H:%M:%SZ}"
    return None


def _left_out(selectors: Mapping[str, Any]) -> str | None:
    """Which management events the selectors leave out, if any."""
    basic = may(selectors, "EventSelectors", list) or []
    advanced = may(selectors, "AdvancedEventSelectors", list) or []
    recorded: set[str] = set()
    limits: list[str] = []
    for selector in records({"s": basic}, "s"):
        if want(selector, "IncludeManagementEvents", bool):
            without = may(selector, "ExcludeManagementEventSources", list) or []
            if without:
                limits.append(f"leaves out {', '.join(map(str, without))}")
            else:
                recorded |= _kinds(may(selector, "ReadWriteType", str) or "All")
    for selector in records({"s": advanced}, "s"):
        kinds, limit = _advanced(selector)
        recorded |= kinds
        limits += limit
    missing = {"read", "write"} - recorded
    if not missing:
        return None
    return "; ".join([f"does not record all {' and '.join(sorted(missing))} events", *limits])


def _kinds(read_write_type: str) -> set[str]:
    kinds = {"All": {"read", "write"}, "ReadOnly": {"read"}, "WriteOnly": {"write"}}
    return kinds.get(read_write_type, set())


def _advanced(selector: Mapping[str, Any]) -> tuple[set[str], list[str]]:
    """What an advanced selector records of the management events, and what limits it."""
    fields = {want(f, "Field", str): f for f in records(selector, "FieldSelectors")}
    category = fields.pop("eventCategory", {})
    if category.get("Equals") != ["Management"]:
        return set(), []
    read_only = fields.pop("readOnly", None)
    if fields:
        return set(), [f"limited by {', '.join(sorted(fields))}"]
    if read_only is None:
        return {"read", "write"}, []
    return {"read" if v == "true" else "write" for v in want(read_only, "Equals", list)}, []
