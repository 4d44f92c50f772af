"""Network ACLs, a tier each, that keep non-production networks out of a VPC."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_soc2.controls.boundary.control import BOUNDARY
from cdk_soc2.controls.boundary.tiers import (
    HTTPS,
    QUOTA,
    Tier,
    check_quota,
    cidr,
    not_production,
    rules_of,
)
from cdk_soc2.deploy.claim import claim
from cdk_soc2.deploy.network_acl import RuledAcl


class SegmentedNacls(Construct):
    """Network ACLs for the subnets of a VPC, one a tier, that keep non-production networks out.

    :param non_production_cidrs: whose packets never enter or leave; they may contain the VPC.
    :param own_cidrs: every CIDR block of the VPC, IPv6 too; absent, the one that *vpc* tells.
    :param public: subnets that the internet reaches on *public_ports*; absent, those of *vpc*.
    :param private: subnets that reach out through NAT; absent, those of *vpc*.
    :param isolated: subnets that speak to their own VPC only; absent, those of *vpc*.
    :param private_reaches_out: false, where there is neither NAT nor a gateway endpoint.
    :param rule_quota: EC2's 'Rules per network ACL', where it was raised from 20.
    :raises ValueError: a CIDR block is not one, or would deny the VPC to itself; a subnet is in two
        tiers; a tier needs more rules than the quota lets it have.

    Deleting it gives the subnets back to the VPC's default ACL, which as a rule admits everything.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.IVpc,
        non_production_cidrs: Sequence[str],
        own_cidrs: Sequence[str] | None = None,
        public: Sequence[ec2.ISubnet] | None = None,
        private: Sequence[ec2.ISubnet] | None = None,
        isolated: Sequence[ec2.ISubnet] | None = None,
        public_ports: Sequence[int] = (HTTPS,),
        private_reaches_out: bool = True,
        rule_quota: int = QUOTA,
    ) -> None:
        super().__init__(scope, id)
        own = list(own_cidrs) if own_cidrs is not None else [_told_by(vpc)]
        known = [cidr(block, "own_cidrs") for block in own if not cdk.Token.is_unresolved(block)]
        for n, block in enumerate(known):
            for other in known[n + 1 :]:
                if block.version == other.version and block.overlaps(other):
                    raise ValueError(
                        f"own_cidrs: {block} and {other} overlap; name each block once"
                    )
        denied = not_production(non_production_cidrs, known)
        tiers = (
            (Tier("public", tuple(public_ports), True), vpc.public_subnets, public),
            (Tier("private", (), private_reaches_out), vpc.private_subnets, private),
            (Tier("isolated"), vpc.isolated_subnets, isolated),
        )
        self.acls: dict[str, ec2.CfnNetworkAcl] = {}
        seen: dict[str, str] = {}
        for tier, theirs, given in tiers:
            subnets = theirs if given is None else list(given)
            for subnet in subnets:
                _once(subnet, tier, seen)
            if not subnets:
                continue
            rules = rules_of(tier, own, denied)
            check_quota(tier, rules, rule_quota)
            made = RuledAcl(
                self, tier.name.title(), vpc_id=vpc.vpc_id, subnets=subnets, rules=rules
            )
            self.acls[tier.name] = made.acl
        if not self.acls:
            raise ValueError(f"{self.node.path}: no subnets; pass public, private or isolated ones")
        cdk.Validations.of(self).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions::AwsSolutions-VPC3",
                reason="Network ACLs are used on purpose: they keep named networks out of whole subnets "
                "whatever their security groups say, and what they admit is proved packet by packet.",
            )
        )
        claim(self, BOUNDARY)


def _told_by(vpc: ec2.IVpc) -> str:
    try:
        block = vpc.vpc_cidr_block
    except RuntimeError:  # the CDK's words for a VPC imported without it
        block = None
    if block is None or cdk.Token.is_unresolved(block):
        raise ValueError(
            f"{vpc.node.path}: its CIDR block is not known at synth; pass own_cidrs=['10.0.0.0/16'], "
            "every block it has"
        )
    return block


def _once(subnet: ec2.ISubnet, tier: Tier, seen: dict[str, str]) -> None:
    other = seen.setdefault(subnet.subnet_id, tier.name)
    if other != tier.name:
        raise ValueError(
            f"{subnet.node.path} is in the {other} and in the {tier.name} tier; a subnet has one ACL"
        )
