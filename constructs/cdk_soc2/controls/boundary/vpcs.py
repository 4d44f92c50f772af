"""Which VPCs the boundary speaks of, and which addresses are their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cdk_soc2.answers import may, records, want
from cdk_soc2.boundary import Boundary
from cdk_soc2.control import Excluded, Region
from cdk_soc2.network.entries import network
from cdk_soc2.network.packets import Network, interval


@dataclass(frozen=True, slots=True)
class Vpc:
    """A VPC in scope. *blocks*: its own CIDR blocks, of either IP version."""

    id: str
    owner: str
    blocks: tuple[Network, ...]


def in_scope(region: Region, boundary: Boundary) -> tuple[list[Vpc], list[Excluded]]:
    """The VPCs of *region* that the boundary's tags name; without tags, all but empty default ones."""
    vpcs: list[Vpc] = []
    left_out: list[Excluded] = []
    for record in region.list("ec2", "describe_vpcs", "Vpcs"):
        vpc = Vpc(want(record, "VpcId", str), want(record, "OwnerId", str), tuple(blocks(record)))
        why_not = _why_not(region, record, vpc.id, boundary)
        if why_not is None:
            vpcs.append(vpc)
        else:
            left_out.append(Excluded(vpc.id, why_not, region.name))
    return vpcs, left_out


def _why_not(region: Region, record: Mapping[str, Any], id: str, boundary: Boundary) -> str | None:
    if boundary.vpcs is not None:
        tags = records(record, "Tags") if record.get("Tags") is not None else []
        has = {want(tag, "Key", str): want(tag, "Value", str) for tag in tags}
        lacks = [f"{k}={v}" for k, v in boundary.vpcs.tags.items() if has.get(k) != v]
        return f"not in the boundary: lacks the tag {', '.join(lacks)}" if lacks else None
    if not want(record, "IsDefault", bool):
        return None
    interfaces = region.list(
        "ec2",
        "describe_network_interfaces",
        "NetworkInterfaces",
        Filters=[{"Name": "vpc-id", "Values": [id]}],
    )
    return None if interfaces else "an empty default VPC: no network interface is in it"


def blocks(record: Mapping[str, Any]) -> Iterator[Network]:
    """The CIDR blocks that a VPC or a subnet really has, of either IP version."""
    given = [may(record, "CidrBlock", str)]  # absent where there is only IPv6
    for associations, block in (
        ("CidrBlockAssociationSet", "CidrBlock"),
        ("Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock"),
    ):
        if record.get(associations) is None:
            continue
        for association in records(record, associations):
            if want(want(association, f"{block}State", dict), "State", str) == "associated":
                given.append(want(association, block, str))
    yield from dict.fromkeys(network(block) for block in given if block)


def holder(block: Network, own: Sequence[Network]) -> Network | None:
    """Which of *own* equals *block* or contains it; ``None``: none does."""
    first, last = interval(block)
    for one in own:
        low, high = interval(one)
        if one.version == block.version and low <= first and last <= high:
            return one
    return None
