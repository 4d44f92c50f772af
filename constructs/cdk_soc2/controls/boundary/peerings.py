"""The peerings of VPCs in scope, seen from either side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cdk_soc2.answers import may, records, want
from cdk_soc2.control import Region
from cdk_soc2.controls.boundary.vpcs import Vpc
from cdk_soc2.network.entries import network
from cdk_soc2.network.packets import Network

GONE = {"deleted", "failed", "rejected", "expired"}


@dataclass(frozen=True, slots=True)
class Peering:
    """A peering, with one VPC in scope. *blocks*: the other side's, as far as they are known."""

    id: str
    state: str
    vpc: str
    other: str
    blocks: tuple[Network, ...]


def peerings(region: Region, vpcs: Sequence[Vpc]) -> Iterator[Peering]:
    """Every peering of *vpcs*; of two of them, one for each."""
    ours = {vpc.id for vpc in vpcs}
    for record in region.list("ec2", "describe_vpc_peering_connections", "VpcPeeringConnections"):
        id = want(record, "VpcPeeringConnectionId", str)
        state = want(want(record, "Status", dict), "Code", str)
        sides = [want(record, f"{side}VpcInfo", dict) for side in ("Requester", "Accepter")]
        for mine, other in (sides, sides[::-1]):
            vpc = may(mine, "VpcId", str)
            if vpc and vpc in ours:
                told = f"{may(other, 'VpcId', str)} of account {may(other, 'OwnerId', str)}"
                yield Peering(id, state, vpc, told, tuple(_blocks(other)))


def _blocks(side: Mapping[str, Any]) -> Iterator[Network]:
    block = may(side, "CidrBlock", str)
    if block:
        yield network(block)
    for name, key in (("CidrBlockSet", "CidrBlock"), ("Ipv6CidrBlockSet", "Ipv6CidrBlock")):
        if side.get(name) is not None:
            yield from (network(want(one, key, str)) for one in records(side, name))
