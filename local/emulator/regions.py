"""Regions as a new AWS account sees them: those that need an opt-in are there, and off."""

from collections.abc import Mapping

from emulator.answers import Answer
from ministack.services import ec2

ENABLED = "opt-in-not-required"
NOT_OPTED_IN = "not-opted-in"


def install() -> None:
    ec2._ACTION_MAP["DescribeRegions"] = _describe


def _describe(request: Mapping[str, object]) -> Answer:
    """AllRegions also lists the regions that are off; naming one that is off shows it."""
    known = {
        name: status if status == ENABLED else NOT_OPTED_IN for name, status in ec2._AWS_REGIONS
    }
    named = ec2._parse_member_list(request, "RegionName")
    filters = ec2._parse_filters(request)
    unknown = sorted(set(named) - set(known))
    if unknown:
        return ec2._error("InvalidParameterValue", f"Invalid region names: {unknown}", 400)
    show_all = ec2._p(request, "AllRegions").lower() == "true"
    items = "".join(
        f"<item><regionName>{name}</regionName>"
        f"<regionEndpoint>ec2.{name}.amazonaws.com</regionEndpoint>"
        f"<optInStatus>{status}</optInStatus></item>"
        for name, status in known.items()
        if (not named or name in named)
        and (show_all or status == ENABLED)
        and status in filters.get("opt-in-status", [status])
        and name in filters.get("region-name", [name])
    )
    return ec2._xml(200, "DescribeRegionsResponse", f"<regionInfo>{items}</regionInfo>")
