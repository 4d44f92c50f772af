"""Control 0: production is a network of its own, and every way into it was reviewed."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_soc2.context import Context
from cdk_soc2.control import Control, Excluded, Observed, Region, could_not
from cdk_soc2.controls.boundary.proof import judge_subnets
from cdk_soc2.controls.boundary.vpcs import in_scope
from cdk_soc2.controls.boundary.ways_in import judge_ways_in

BOUNDARY = Control(
    number=0,
    key="boundary",
    name="Boundary",
    claim="Production is a network of its own: nothing enters it from outside but what was reviewed.",
    criteria=("CC6.1", "CC6.6", "CC2.1"),
    handbook=None,
    reads=(
        "ec2:DescribeVpcs",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DescribeNetworkAcls",
        "ec2:DescribeRouteTables",
        "ec2:DescribeVpcPeeringConnections",
        "ec2:DescribeTransitGatewayVpcAttachments",
        "ec2:DescribeVpnGateways",
        "ec2:DescribeClientVpnEndpoints",
        "ec2:DescribeClientVpnTargetNetworks",
        "ec2:DescribeVpcEndpointServiceConfigurations",
        "ec2:DescribeVpcEndpointServicePermissions",
        "directconnect:DescribeDirectConnectGatewayAssociations",
        "ram:GetResourceShareAssociations",
    ),
)


@BOUNDARY.check_each_region(of="VPCs, ways in and subnets")
def network_segmentation(region: Region, context: Context) -> Iterator[Observed | Excluded]:
    """No VPC in scope has a way in that nobody reviewed, and no network ACL of its subnets admits a
    packet from a non-production CIDR."""
    vpcs, left_out = in_scope(region, context.boundary)
    yield from left_out
    if vpcs:
        for subject, judge in (("ways in", judge_ways_in), ("subnets", judge_subnets)):
            try:
                yield from judge(region, vpcs, context)
            except Exception as error:  # noqa: BLE001  what cannot be seen of one hides nothing of the other
                yield could_not(error, subject, region.name)
    elif context.boundary.vpcs is None:
        yield Observed(True, region.name, "no VPC but empty default ones", region.name)
