"""Which rules a tier's network ACL needs, so that non-production stays out and replies come back."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cdk_soc2.controls.boundary.vpcs import holder
from cdk_soc2.network.packets import ICMP, ICMP6, TCP, UDP, Interval, Network, apart

EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}
# Clients choose the port of a reply: NAT gateways and Lambda take any of these.
EPHEMERAL: Interval = (1024, 65535)
# "Too big, send smaller packets": without it, large transfers over a narrower path hang.
TOO_BIG = {4: (ICMP, (3, 4)), 6: (ICMP6, (2, 0))}
QUOTA, MOST = 20, 40
HTTPS = 443


@dataclass(frozen=True, slots=True)
class Tier:
    """Subnets of one kind.

    :param open_ports: TCP ports that the internet may come in on.
    :param reaches_out: does it talk to the internet, through a gateway, NAT or a gateway endpoint?
    """

    name: str
    open_ports: tuple[int, ...] = ()
    reaches_out: bool = False


@dataclass(frozen=True, slots=True)
class TierRule:
    """A rule of a network ACL, before it is deployed. *protocol* is ``-1`` for all."""

    number: int
    egress: bool
    allow: bool
    block: str
    protocol: int = -1
    ports: Interval | None = None
    icmp: tuple[int, int] | None = None


def rules_of(tier: Tier, own: Sequence[str], denied: Sequence[Network]) -> list[TierRule]:
    """The rules of *tier*, both directions: a network ACL keeps no state.

    First the VPC's own CIDR blocks, for the first match decides and a non-production network may
    contain them; then the non-production ones are denied; then what the tier needs. A tier that talks
    to its own VPC only needs neither of these: what no rule admits is denied. So is IPv6 in a VPC
    without it.

    :param own: the VPC's CIDR blocks; one of IPv6 may be a token of the CDK.
    """
    versions = [4, 6] if any(is_ipv6(block) for block in own) else [4]
    rules: list[TierRule] = []
    for egress in (False, True):
        rules += [TierRule(100 + n, egress, True, block) for n, block in enumerate(own)]
        if tier.reaches_out:
            blocks = [str(block) for block in apart(denied) if block.version in versions]
            rules += [TierRule(200 + n, egress, False, block) for n, block in enumerate(blocks)]
            for at, version in zip((300, 400), versions, strict=False):
                rules += _beyond(tier, egress, at, version)
    return rules


def _beyond(tier: Tier, egress: bool, at: int, version: int) -> Iterator[TierRule]:
    """What *tier* exchanges with the rest of the world."""
    world = EVERYWHERE[version]
    if egress:  # what may leave for where is for security groups to say
        yield TierRule(at, True, True, world)
        return
    for n, port in enumerate(tier.open_ports):
        yield TierRule(at + n, False, True, world, TCP, (port, port))
    yield TierRule(at + 50, False, True, world, TCP, EPHEMERAL)
    yield TierRule(at + 51, False, True, world, UDP, EPHEMERAL)
    protocol, icmp = TOO_BIG[version]
    yield TierRule(at + 52, False, True, world, protocol, icmp=icmp)


def is_ipv6(block: str) -> bool:
    """Is it one? What is not known before the deploy is only ever an IPv6 block."""
    return ":" in block or block.startswith("$")


def cidr(value: str, what: str) -> Network:
    """*value* as a CIDR block. Raises ``ValueError``."""
    try:
        return ipaddress.ip_network(value)
    except ValueError as error:
        raise ValueError(
            f"{what}: {value!r} is not a CIDR block: {error}; write it as 10.0.0.0/16"
        ) from None


def not_production(values: Sequence[str], own: Sequence[Network]) -> list[Network]:
    """The CIDR blocks to deny. Raises ``ValueError`` for one that would deny the VPC to itself."""
    denied = [cidr(value, "non_production_cidrs") for value in values]
    for block in denied:
        if block.prefixlen == 0:
            raise ValueError(
                f"non_production_cidrs: {block} is every address there is, the internet too; name the "
                "networks that are not production"
            )
        inside = holder(block, own)
        if inside is not None:
            raise ValueError(
                f"non_production_cidrs: {block} {'is' if block == inside else 'lies inside'} the VPC's "
                f"own CIDR block {inside}; take it out, or give what is there a VPC of its own"
            )
    return denied


def check_quota(tier: Tier, rules: Sequence[TierRule], quota: int) -> None:
    """Raises ``ValueError`` where *tier* needs more rules in a direction than EC2 takes.

    EC2 counts its own last rule, one an IP version, too; 20 by default, and never more than 40.
    """
    if not 1 <= quota <= MOST:
        raise ValueError(
            f"rule_quota: {quota} is not between 1 and {MOST}, the most that EC2 grants"
        )
    versions = 2 if any(is_ipv6(rule.block) for rule in rules) else 1
    for egress in (False, True):
        needed = sum(rule.egress is egress for rule in rules) + versions
        if needed > quota:
            raise ValueError(
                f"the {tier.name} tier needs {needed} rules {'out' if egress else 'in'}, EC2's own last "
                f"ones counted, and the quota is {quota}; name fewer and wider non_production_cidrs, or "
                f"have the quota 'Rules per network ACL' raised and pass rule_quota (at most {MOST})"
            )
