"""Control 0 in a template, for a known boundary: the network ACLs deny what it denies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cdk_soc2.control import CannotLook, Observed
from cdk_soc2.controls.boundary.control import BOUNDARY
from cdk_soc2.intrinsics import mentions
from cdk_soc2.network.acl import Entry, counterexample
from cdk_soc2.network.entries import entry, network
from cdk_soc2.network.packets import Network, packets_from
from cdk_soc2.template import Resource

ACL, ENTRY, VPC = "AWS::EC2::NetworkAcl", "AWS::EC2::NetworkAclEntry", "AWS::EC2::VPC"
ASSOCIATION = "AWS::EC2::SubnetNetworkAclAssociation"


@BOUNDARY.rule_for(
    ACL,
    fix="Deny the non-production CIDR blocks by rules with lower numbers than those that allow; the "
    "construct SegmentedNacls of cdk-soc2 does.",
)
def network_acl_denies_non_production(acl: Resource) -> Observed | None:
    """A network ACL lets no packet in from a CIDR that the boundary calls non-production."""
    named = _denied(acl)
    vpc = _vpc(acl)
    if not named or not _in_scope(acl, vpc):
        return None
    own = [network(str(vpc.value("CidrBlock")))] if vpc and vpc.has("CidrBlock") else []
    suspects = packets_from(named) - packets_from(own)
    found = counterexample(tuple(sorted(_entries(acl, vpc), key=lambda e: e.number)), suspects)
    if found is None:
        return acl.seen(True, f"admits no packet from {', '.join(map(str, named))}")
    return acl.seen(False, f"{found.entry} admits {found.packet}")


@BOUNDARY.rule_for(
    "AWS::EC2::Subnet",
    fix=f"Associate it with a network ACL of its own ({ASSOCIATION}) that denies non-production.",
)
def subnet_has_network_acl(subnet: Resource) -> Observed | None:
    """A subnet has a network ACL of its own, where the boundary calls networks non-production."""
    if not _denied(subnet) or subnet.template is None or not _in_scope(subnet, _vpc(subnet)):
        return None
    ok = any(
        a.template and a.template.refers(a.properties.get("SubnetId"), subnet)
        for a in subnet.template.everywhere(ASSOCIATION)
    )
    told = "has a network ACL of its own" if ok else "has the VPC's default ACL, which admits all"
    return subnet.seen(ok, told)


def _denied(resource: Resource) -> tuple[Network, ...]:
    boundary = resource.template.boundary if resource.template else None
    return boundary.non_production_cidrs if boundary else ()


def _vpc(resource: Resource) -> Resource | None:
    """The VPC that it is in, if a template of these makes it."""
    found = (
        resource.template.target(resource.properties.get("VpcId")) if resource.template else None
    )
    return found[0].find(found[1]) if found else None


def _in_scope(resource: Resource, vpc: Resource | None) -> bool:
    """By the tags that the boundary names; a VPC that is not shown may have them."""
    boundary = resource.template.boundary if resource.template else None
    if boundary is None or boundary.vpcs is None or vpc is None:
        return True
    tags = {t.get("Key"): t.get("Value") for t in vpc.nodes("Tags")}
    return all(tags.get(name, value) == value for name, value in boundary.vpcs.tags.items())


def _entries(acl: Resource, vpc: Resource | None) -> Iterator[Entry]:
    """Its rules on the way in, but those that speak of the VPC itself."""
    for rule in acl.template.everywhere(ENTRY) if acl.template else ():
        if rule.template is None or not rule.template.refers(
            rule.properties.get("NetworkAclId"), acl
        ):
            continue
        if rule.is_true("Egress") or (vpc and _speaks_of(rule, vpc)):
            continue
        yield entry(_record(rule))


def _speaks_of(rule: Resource, vpc: Resource) -> bool:
    blocks = [rule.properties.get(name) for name in ("CidrBlock", "Ipv6CidrBlock")]
    return any(mentions(block, vpc.id) for block in blocks)


def _record(rule: Resource) -> dict[str, Any]:
    """The rule as EC2 would tell of it."""
    record = {name: rule.value(name) for name in ("CidrBlock", "Ipv6CidrBlock") if rule.has(name)}
    ports = {name: int(rule.value(f"PortRange.{name}") or 0) for name in ("From", "To")}
    icmp = {name: int(_or(rule.value(f"Icmp.{name}"), -1)) for name in ("Type", "Code")}
    number, protocol = rule.value("RuleNumber"), rule.value("Protocol")
    if number is None or protocol is None:
        raise CannotLook(f"{rule.id} has no number or no protocol", "Give it both.")
    return {
        **record,
        "RuleNumber": int(number),
        "Protocol": str(protocol),
        "RuleAction": str(rule.value("RuleAction")),
        "Egress": False,
        **({"PortRange": ports} if rule.has("PortRange") else {}),
        **({"IcmpTypeCode": icmp} if rule.has("Icmp") else {}),
    }


def _or(value: Any, default: int) -> Any:
    return default if value is None else value
