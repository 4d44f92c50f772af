"""A flow log for every VPC of the account that has none, the default VPCs among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cdk_soc2.custom_resource import NotMade
from cdk_soc2.settings import State, Wanted

service = "ec2"
regional = True
actions = (
    "ec2:CreateFlowLogs",
    "ec2:CreateTags",
    "ec2:DescribeFlowLogs",
    "ec2:DescribeVpcs",
    "logs:CreateLogDelivery",
)

AT_ONCE = 300  # CreateFlowLogs takes no more
TAGS = [{"Key": "soc2:controls", "Value": "vpc_flow_logs"}]


def read(client: Any, wanted: Wanted) -> State:
    """Has every VPC of the client's region a flow log that holds?"""
    vpcs = _own(client, wanted)
    lacking = _lacking(client, vpcs)
    return State(not lacking, f"{len(vpcs) - len(lacking)} of {len(vpcs)} VPCs")


def apply(client: Any, wanted: Wanted) -> None:
    """Give each VPC that has none a flow log of all traffic, to the wanted bucket.

    Flow logs that are there stay, whatever they record and wherever they deliver to.
    """
    lacking = _lacking(client, _own(client, wanted))
    refused: list[Mapping[str, Any]] = []
    for start in range(0, len(lacking), AT_ONCE):
        answer = client.create_flow_logs(
            ResourceIds=lacking[start : start + AT_ONCE],
            ResourceType="VPC",
            TrafficType="ALL",
            LogDestinationType="s3",
            LogDestination=wanted["BucketArn"],
            MaxAggregationInterval=int(wanted["AggregationSeconds"]),
            TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": TAGS}],
        )
        refused += answer.get("Unsuccessful", [])
    if refused:
        told = "; ".join(f"{r['ResourceId']}: {r['Error']['Message']}" for r in refused)
        raise NotMade(
            f"{told}; see that the policy of {wanted['BucketArn']} lets delivery.logs.amazonaws.com "
            "write, and delete flow logs of these VPCs that do not deliver"
        )


def _own(client: Any, wanted: Wanted) -> list[str]:
    """The VPCs of this account; those that others share with it are theirs to record."""
    pages = client.get_paginator("describe_vpcs").paginate()
    vpcs = [vpc for page in pages for vpc in page["Vpcs"]]
    return [vpc["VpcId"] for vpc in vpcs if vpc.get("OwnerId") in (None, wanted["Account"])]


def _lacking(client: Any, vpcs: Sequence[str]) -> list[str]:
    pages = client.get_paginator("describe_flow_logs").paginate()
    recorded = {log["ResourceId"] for page in pages for log in page["FlowLogs"] if _holds(log)}
    return [vpc for vpc in vpcs if vpc not in recorded]


def _holds(log: Mapping[str, Any]) -> bool:
    """As the control's check sees it: active, of all traffic, and no trouble with its delivery."""
    return (
        log["FlowLogStatus"] == "ACTIVE"
        and log["TrafficType"] == "ALL"
        and not log.get("DeliverLogsErrorMessage")
        and log.get("DeliverLogsStatus") != "FAILED"
    )
