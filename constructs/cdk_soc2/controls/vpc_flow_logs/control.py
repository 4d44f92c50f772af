"""Control 5: no packet enters, leaves or is refused in a VPC without a record of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cdk_soc2.answers import malformed, may, records, want
from cdk_soc2.context import Context
from cdk_soc2.control import Control, Excluded, Observed, Region, Status
from cdk_soc2.controls.vpc_flow_logs.samples import sample

VPC_FLOW_LOGS = Control(
    number=5,
    key="vpc_flow_logs",
    name="VPC flow logs",
    claim="The traffic of every VPC is recorded, accepted and rejected, in every region.",
    criteria=("CC7.2", "CC7.3", "CC6.6"),
    handbook="CC6.1",
    reads=("ec2:DescribeFlowLogs", "ec2:DescribeVpcs", "logs:FilterLogEvents"),
)

REMEDY = (
    "Give the VPC a flow log of its own for ALL traffic, or mend this one: its destination must "
    "exist and its role must be allowed to write there."
)
SAMPLED = 5  # log groups a region that sample entries are kept of: CloudWatch Logs limits the rate
DESTINATIONS = ("cloud-watch-logs", "s3", "kinesis-data-firehose")

Answer = Mapping[str, Any]


@VPC_FLOW_LOGS.check_each_region(of="VPCs", empty=Status.NOT_APPLICABLE)
def vpc_flow_logs(region: Region, context: Context) -> Iterator[Observed | Excluded]:
    """Every VPC has a flow log of its own, active, of all traffic, and it is delivered."""
    vpcs = records({"Vpcs": region.list("ec2", "describe_vpcs", "Vpcs")}, "Vpcs")
    shared = [v for v in vpcs if may(v, "OwnerId", str) not in (None, region.account)]
    own = [v for v in vpcs if v not in shared]
    for vpc in shared:
        reason = f"shared by account {vpc['OwnerId']}, which is to record its traffic"
        yield Excluded(_id(vpc), reason, region.name)
    if not own:
        return
    logs = records({"FlowLogs": region.list("ec2", "describe_flow_logs", "FlowLogs")}, "FlowLogs")
    of_vpc: dict[str, list[Answer]] = {}
    for log in logs:
        of_vpc.setdefault(want(log, "ResourceId", str), []).append(log)
    below = sum(not id.startswith("vpc-") for id in of_vpc)
    sampled = sorted({g for log in logs if (g := may(log, "LogGroupName", str))})[:SAMPLED]

    def look(vpc: Answer) -> Observed:
        return _judge(vpc, of_vpc.get(_id(vpc), []), below, sampled, region, context)

    yield from region.each(own, lambda vpc: str(vpc.get("VpcId")), look)


def _id(vpc: Answer) -> str:
    return want(vpc, "VpcId", str)


def _judge(
    vpc: Answer,
    logs: Sequence[Answer],
    below: int,
    sampled: Sequence[str],
    region: Region,
    context: Context,
) -> Observed:
    """One flow log that holds is enough; failing that, one that cannot be judged decides."""
    id = _id(vpc)
    seen = list(region.each(logs, lambda log: str(log.get("FlowLogId")), _log))
    for log, observed in zip(logs, seen, strict=True):
        if observed.ok is True:
            told = sample(log, sampled, region, context)
            return Observed(True, id, f"{observed.subject}: {observed.detail}{told}", region.name)
    if not seen:
        less = f"; the {below} flow logs of less than a VPC do not count" if below else ""
        return Observed(False, id, f"no flow log of the VPC{less}", region.name, REMEDY)
    unseen = any(o.ok is None for o in seen)
    told = "; ".join(f"{o.subject}: {o.detail}" for o in seen)
    return Observed(None if unseen else False, id, told, region.name, REMEDY)


def _log(log: Answer) -> Observed:
    """Is the flow log active, of all traffic, and delivered?"""
    id = want(log, "FlowLogId", str)
    status, traffic = want(log, "FlowLogStatus", str), want(log, "TrafficType", str)
    to = may(log, "LogDestinationType", str) or DESTINATIONS[0]
    if to not in DESTINATIONS or traffic not in ("ACCEPT", "REJECT", "ALL"):
        raise malformed(f"{id} records {traffic!r} to {to!r}")
    delivery, error = may(log, "DeliverLogsStatus", str), may(log, "DeliverLogsErrorMessage", str)
    told = f"{status}, {traffic} traffic to {to}"
    if status != "ACTIVE" or traffic != "ALL":
        return Observed(False, id, told)
    if error or delivery == "FAILED":
        return Observed(False, id, f"{told}, delivery failed: {error or delivery}")
    if delivery == "SUCCESS":
        return Observed(True, id, f"{told}, delivered")
    if delivery is None and to != DESTINATIONS[0]:  # AWS may leave it out for buckets and streams
        return Observed(True, id, f"{told}, no delivery error")
    raise malformed(f"{told}, DeliverLogsStatus is {delivery!r}")
