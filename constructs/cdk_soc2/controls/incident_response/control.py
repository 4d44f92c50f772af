"""Control 11: somebody hears of an incident, knows what to do, and has rehearsed it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cdk_soc2.answers import malformed, records, want
from cdk_soc2.assess import NOT_LISTED
from cdk_soc2.context import Context
from cdk_soc2.control import Account, CannotLook, Control, Excluded, Observed, could_not
from cdk_soc2.controls.incident_response.route import judge_route
from cdk_soc2.controls.incident_response.wiring import wire

INCIDENT_RESPONSE = Control(
    number=11,
    key="incident_response",
    name="Incident response",
    claim="Somebody is told of every severe finding, knows what to do, and has rehearsed it.",
    criteria=("CC7.4", "CC7.3", "CC7.5", "CC2.2"),
    handbook="CC9.2",
    reads=(
        "ec2:DescribeRegions",
        "events:ListRules",
        "events:ListTargetsByRule",
        "kms:GetKeyPolicy",
        "sns:GetSubscriptionAttributes",
        "sns:GetTopicAttributes",
        "sns:ListSubscriptionsByTopic",
    ),
)


@INCIDENT_RESPONSE.check(of="regions")
def alert_route(account: Account, context: Context) -> Iterator[Observed | Excluded]:
    """In every region, all findings of severity 7.0 or higher reach a confirmed subscriber."""
    # Asked for the account, since a region's findings may be forwarded to another's event bus.
    names = [region.name for region in account.regions]
    wiring = wire(account, names)

    for name in names:
        try:
            yield judge_route(name, account.id, wiring)
        except CannotLook as error:
            yield could_not(error, name, name)
    yield from _unlisted(account, names, context)


INCIDENT_RESPONSE.document(
    "runbook",
    "There is a runbook for incidents, effective within the last 365 days.",
    due=lambda period: period.start,
    valid_days=365,
)
INCIDENT_RESPONSE.document(
    "tabletop",
    "An incident was rehearsed at the table within the last 365 days.",
    due=lambda period: period.end,
    valid_days=365,
)


def _unlisted(account: Account, names: Sequence[str], context: Context) -> Iterator[Excluded]:
    """The regions that are enabled and not in scope. Raises :class:`CannotLook` where it is not known
    which are enabled, and the boundary lists none."""
    try:
        regions = account.home.list("ec2", "describe_regions", "Regions")
        enabled = [want(r, "RegionName", str) for r in records({"Regions": regions}, "Regions")]
        if not enabled:
            raise malformed("DescribeRegions names no region")
    except CannotLook:
        if context.boundary.regions:
            return
        raise
    for name in sorted(set(enabled) - set(names)):
        yield Excluded(name, NOT_LISTED, name)
