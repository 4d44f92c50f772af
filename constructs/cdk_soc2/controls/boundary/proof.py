"""Proves, packet by packet, what the network ACLs of the subnets in scope let in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cdk_soc2.answers import records, want
from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Excluded, Observed, Region, could_not
from cdk_soc2.controls.boundary.peerings import peerings
from cdk_soc2.controls.boundary.reviews import is_reviewed
from cdk_soc2.controls.boundary.vpcs import Vpc, blocks, holder
from cdk_soc2.network.acl import Counterexample, counterexample
from cdk_soc2.network.entries import acl
from cdk_soc2.network.packets import Network, PacketSet, packets_from

APART = " (the VPC's own CIDR blocks and reviewed peerings apart)"


def judge_subnets(
    region: Region, vpcs: Sequence[Vpc], context: Context
) -> Iterator[Observed | Excluded]:
    """Each subnet's ACL against every packet that comes from a non-production CIDR."""
    named = context.boundary.non_production_cidrs
    subnets = region.list("ec2", "describe_subnets", "Subnets")
    acls = _by_subnet(region.list("ec2", "describe_network_acls", "NetworkAcls"))
    for vpc in vpcs:
        for block in named:
            own = holder(block, vpc.blocks)
            if own is not None:
                yield _contradiction(block, own, vpc, region)
        outside = tuple(block for block in named if holder(block, vpc.blocks) is None)
        question = _Question(outside, vpc, region, context)
        for subnet in subnets:
            if want(subnet, "VpcId", str) == vpc.id:
                id = want(subnet, "SubnetId", str)
                try:
                    yield question.judge(id, subnet, acls.get(id))
                except Exception as error:  # noqa: BLE001  one subnet's trouble costs no other
                    yield could_not(error, id, region.name)


class _Question:
    """What must not enter one VPC. Each ACL is asked once, however many subnets it has."""

    def __init__(
        self, outside: Sequence[Network], vpc: Vpc, region: Region, context: Context
    ) -> None:
        self._outside = outside
        self._vpc = vpc
        self._region = region
        self._context = context
        self._suspects: PacketSet | None = None
        self._answers: dict[str, Counterexample | None] = {}

    def judge(
        self, id: str, subnet: Mapping[str, Any], record: Mapping[str, Any] | None
    ) -> Observed:
        where = self._region.name
        if record is None:
            raise CannotLook(
                f"DescribeNetworkAcls shows no network ACL for {id}",
                "If the subnet is another account's, its owner must prove it; or run again.",
            )
        name = want(record, "NetworkAclId", str)
        if not self._outside:
            detail = f"nothing to hold {name} against: the boundary names no non-production CIDR"
            return Observed(True, id, detail, where)
        found = self._ask(name, record)
        told = ", ".join(map(str, self._outside[:3])) + (", ..." if self._outside[3:] else "")
        if found is None:
            return Observed(True, id, f"{name} admits no packet from {told}{APART}", where)
        packet = _towards(found, list(blocks(subnet)))
        return Observed(
            False, id, f"{name} {found.entry} admits {packet}", where, self._remedy(found, name)
        )

    def _ask(self, name: str, record: Mapping[str, Any]) -> Counterexample | None:
        if name not in self._answers:
            self._answers[name] = counterexample(acl(record).ingress, self._packets())
        return self._answers[name]

    def _packets(self) -> PacketSet:
        """From a non-production CIDR, but neither from the VPC nor through a reviewed peering."""
        if self._suspects is None:
            apart = packets_from([*self._vpc.blocks, *self._reviewed_blocks()])
            self._suspects = packets_from(self._outside) - apart
        return self._suspects

    def _reviewed_blocks(self) -> Iterator[Network]:
        if not self._context.boundary.reviewed_connections:
            return
        for peering in peerings(self._region, [self._vpc]):
            if peering.state == "active" and is_reviewed(peering.id, self._context):
                yield from peering.blocks

    def _remedy(self, found: Counterexample, name: str) -> str:
        source = found.packet
        cidr = next(b for b in self._outside if source in packets_from([b]))
        if cidr.prefixlen == 0:
            return (
                f"{cidr} is every address there is, the internet too: name the networks that are not "
                "production; or let no address but the VPC's own in."
            )
        return (
            f"In {name}, allow the VPC's own CIDR blocks and then deny {cidr}, both by rules with lower "
            f"numbers than {found.entry.number}; the construct SegmentedNacls of cdk-soc2 does."
        )


def _by_subnet(acls: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {
        want(association, "SubnetId", str): record
        for record in acls
        for association in records(record, "Associations")
    }


def _contradiction(block: Network, own: Network, vpc: Vpc, region: Region) -> Observed:
    how = "is" if block == own else "lies inside"
    return Observed(
        None,
        vpc.id,
        f"non-production CIDR {block} {how} its own CIDR block {own}",
        region.name,
        f"Take {block} out of non_production_cidrs in the boundary file; or, if what is there is not "
        "production, give it a VPC of its own.",
    )


def _towards(found: Counterexample, own: Sequence[Network]) -> str:
    """The packet, addressed to a host of the subnet; to any, where that has no such address."""
    packet = found.packet
    block = next((b for b in own if b.version == packet.version), None)
    if block is None:
        return f"{packet} (the subnet has no IPv{packet.version} addresses yet)"
    host = block.network_address + min(4, block.num_addresses - 1)  # EC2 keeps the first four
    return str(packet._replace(destination=int(host)))
