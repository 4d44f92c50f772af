"""Control 0 in a template: no way in that nobody reviewed, no filter that filters nothing."""

from __future__ import annotations

import ipaddress
from typing import Any

from cdk_soc2.answers import malformed
from cdk_soc2.control import CannotLook, Observed, could_not
from cdk_soc2.controls.boundary import rules_exposed as rules_exposed  # they attach themselves
from cdk_soc2.controls.boundary import rules_in_transit as rules_in_transit
from cdk_soc2.controls.boundary import rules_network_acl as rules_network_acl
from cdk_soc2.controls.boundary.control import BOUNDARY
from cdk_soc2.template import Resource

WAYS_IN = {
    "AWS::EC2::VPCPeeringConnection": "a VPC peering connection",
    "AWS::EC2::TransitGatewayAttachment": "a transit gateway attachment",
    "AWS::EC2::TransitGatewayVpcAttachment": "a transit gateway attachment",
    "AWS::EC2::TransitGatewayPeeringAttachment": "a peering of transit gateways",
    "AWS::EC2::ClientVpnTargetNetworkAssociation": "a Client VPN endpoint in a subnet",
    "AWS::EC2::VPNConnection": "a site-to-site VPN connection",
    "AWS::NetworkManager::VpcAttachment": "a Cloud WAN attachment",
    "AWS::DirectConnect::DirectConnectGatewayAssociation": "a Direct Connect gateway",
    "AWS::VpcLattice::ServiceNetworkVpcAssociation": "a VPC Lattice service network",
}
ATTACHMENT = "AWS::EC2::VPCGatewayAttachment"  # of an internet gateway, too
ASSOCIATION = "AWS::EC2::SubnetNetworkAclAssociation"
PUBLIC_PORTS = frozenset({80, 443})
# No organization's own network is wider: below this, a CIDR block is a good part of the internet.
WIDEST = {4: 8, 6: 16}


@BOUNDARY.rule_for(
    *WAYS_IN,
    ATTACHMENT,
    fix="Leave it out. Or have it reviewed: acknowledge this finding with who reviewed it and why, and "
    "once it is deployed list its id under reviewed_connections in the boundary file.",
)
def way_in_is_reviewed(way: Resource) -> Observed | None:
    """A connection into a VPC was reviewed, and its finding acknowledged."""
    if way.type != ATTACHMENT:
        return way.seen(False, WAYS_IN[way.type])
    if way.properties.get("VpnGatewayId") is None:
        return None
    return way.seen(False, "a virtual private gateway attached to a VPC", "VpnGatewayId")


@BOUNDARY.rule_for(
    "AWS::EC2::NetworkAcl",
    fix=f"Associate it with subnets ({ASSOCIATION}), or leave it out.",
)
def network_acl_is_associated(acl: Resource) -> Observed | None:
    """A network ACL is associated with a subnet: alone, it has no effect."""
    if acl.template is None:
        return None
    subnets = sum(
        a.template.refers(a.properties.get("NetworkAclId"), acl)
        for a in acl.template.everywhere(ASSOCIATION)
        if a.template
    )
    return acl.seen(subnets > 0, f"associated with {subnets or 'no'} subnets")


@BOUNDARY.rule_for(
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupIngress",
    fix="Name the networks or the security groups that may come in, in place of everybody.",
)
def security_group_is_closed_to_the_world(group: Resource) -> Observed | None:
    """A security group lets the whole internet in on ports 80 and 443 only."""
    if group.type.endswith("Ingress"):
        return _rule(group)
    # The worst of its rules; one that cannot be judged does not hide one that is too open.
    seen = [_rule(group.part(rule)) for rule in group.nodes("SecurityGroupIngress")]
    order = {False: 0, None: 1, True: 2}
    nothing = Observed(True, group.id, "lets nobody in")
    return min(seen, key=lambda o: order[o.ok], default=nothing)


def _rule(rule: Resource) -> Observed:
    web = _is_web(rule)
    if web:
        return Observed(True, rule.id, "open on a web port only")
    try:
        world = _world(rule)
    except CannotLook as error:
        return could_not(error, rule.id)
    if world is None:
        return Observed(True, rule.id, "not open to the world")
    if web is None:
        return Observed(None, rule.id, f"lets {world} in on ports known only at deploy time")
    ports = f"{rule.properties.get('FromPort')} to {rule.properties.get('ToPort')}"
    protocol = rule.properties.get("IpProtocol")
    return Observed(False, rule.id, f"lets {world} in: protocol {protocol}, ports {ports}")


def _is_web(rule: Resource) -> bool | None:
    """Is it for one web port? ``None``: only CloudFormation will know."""
    try:
        protocol, low, high = (rule.value(n) for n in ("IpProtocol", "FromPort", "ToPort"))
    except CannotLook:
        return None
    tcp_or_udp = str(protocol).lower() in ("tcp", "6", "udp", "17")
    return tcp_or_udp and str(low) == str(high) and str(low) in map(str, PUBLIC_PORTS)


def _world(rule: Resource) -> str | None:
    """The CIDR block that is the world, or a good part of it; ``None``: the rule names none such."""
    if rule.properties.get("SourcePrefixListId") is not None:
        raise CannotLook(
            f"{rule.id} lets a prefix list in, whose entries no template tells",
            "Name the CIDR blocks; or acknowledge this finding with what the list holds.",
        )
    for name in ("CidrIp", "CidrIpv6"):
        given = rule.properties.get(name)
        if given is None or _is_a_vpcs_own(given, rule):
            continue
        block = rule.value(name)
        try:
            network = ipaddress.ip_network(str(block), strict=False)
        except ValueError:
            raise malformed(f"{name} is {block!r}, not a CIDR block") from None
        if network.prefixlen < WIDEST[network.version]:
            return str(network)
    return None


def _is_a_vpcs_own(block: Any, rule: Resource) -> bool:
    """A VPC's own block is a /16 at most, whatever it will be."""
    if rule.template is None or not isinstance(block, dict):
        return False
    vpcs = list(rule.template.everywhere("AWS::EC2::VPC"))
    return any(
        rule.template.refers(block, vpc)
        or (vpc.template is rule.template and vpc.properties.get("CidrBlock") == block)
        for vpc in vpcs
    )
