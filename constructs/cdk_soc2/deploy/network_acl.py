"""A network ACL that has its rules before it has its subnets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_soc2.controls.boundary.tiers import TierRule, is_ipv6


class RuledAcl(Construct):
    """A network ACL of *vpc_id* with *rules*, for *subnets*.

    A subnet moves over when all rules are there, so that one in use is not cut off meanwhile.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc_id: str,
        subnets: Sequence[ec2.ISubnet],
        rules: Iterable[TierRule],
    ) -> None:
        super().__init__(scope, id)
        self.acl = ec2.CfnNetworkAcl(self, "Acl", vpc_id=vpc_id)
        cdk.Tags.of(self.acl).add("Name", self.node.path)
        entries = [self._entry(rule) for rule in rules]
        for n, subnet in enumerate(subnets):
            association = ec2.CfnSubnetNetworkAclAssociation(
                self,
                f"Subnet{n}",
                network_acl_id=self.acl.attr_id,
                subnet_id=subnet.subnet_id,
            )
            for entry in entries:
                association.add_resource_dependency(entry)

    def _entry(self, rule: TierRule) -> ec2.CfnNetworkAclEntry:
        # Named by direction and number: what changes is then updated in place. A rule that moved
        # would be made anew, while the old one still has its number.
        return ec2.CfnNetworkAclEntry(
            self,
            f"{'Egress' if rule.egress else 'Ingress'}{rule.number}",
            network_acl_id=self.acl.attr_id,
            rule_number=rule.number,
            egress=rule.egress,
            rule_action="allow" if rule.allow else "deny",
            protocol=rule.protocol,
            cidr_block=None if is_ipv6(rule.block) else rule.block,
            ipv6_cidr_block=rule.block if is_ipv6(rule.block) else None,
            port_range=ec2.CfnNetworkAclEntry.PortRangeProperty(
                from_=rule.ports[0], to=rule.ports[1]
            )
            if rule.ports
            else None,
            icmp=ec2.CfnNetworkAclEntry.IcmpProperty(type=rule.icmp[0], code=rule.icmp[1])
            if rule.icmp
            else None,
        )
