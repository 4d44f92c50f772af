"""Every way into a VPC in scope, and whether somebody reviewed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cdk_soc2.answers import may, records, want
from cdk_soc2.context import Context
from cdk_soc2.control import Excluded, Observed, Region, could_not
from cdk_soc2.controls.boundary.peerings import GONE as PEERING_GONE
from cdk_soc2.controls.boundary.peerings import peerings
from cdk_soc2.controls.boundary.reviews import review_of
from cdk_soc2.controls.boundary.vpcs import Vpc

REMEDY = (
    "Remove it; or have it reviewed, and list its id with reason, reviewer and end under "
    "reviewed_connections in the boundary file."
)
GONE = {"deleted", "failed", "rejected"}
NO_SHARE = {"FAILED", "DISASSOCIATED"}
# Targets of a route that lead out of the VPC and that no other question here shows.
BEYOND = {
    "CoreNetworkArn": "a Cloud WAN core network",
    "LocalGatewayId": "a local gateway",
    "OdbNetworkArn": "an Oracle database network",
}


@dataclass(frozen=True, slots=True)
class Way:
    """A way in. *vpc*: which VPC it leads into; ``None`` where AWS does not say which."""

    id: str
    vpc: str | None
    what: str


Look = Callable[[Region, Sequence[Vpc]], Iterator[Way]]


def judge_ways_in(
    region: Region, vpcs: Sequence[Vpc], context: Context
) -> Iterator[Observed | Excluded]:
    """Every way in that is there; and each VPC that was seen to have none but reviewed ones."""
    found: dict[tuple[str, str | None], Way] = {}  # a peering may lead into two
    all_seen = True
    for subject, look in WAYS_IN.items():
        try:
            found |= {(way.id, way.vpc): way for way in look(region, vpcs)}
        except Exception as error:  # noqa: BLE001  one kind that cannot be seen hides no other
            all_seen = False
            yield could_not(error, subject, region.name)
    entered: set[str | None] = set()
    for way in found.values():
        judged = _judge(way, region, context)
        yield judged
        if isinstance(judged, Observed):
            entered.add(way.vpc)
    for vpc in vpcs:
        if all_seen and not entered & {vpc.id, None}:
            detail = f"no way in that is not reviewed ({', '.join(WAYS_IN)})"
            yield Observed(True, vpc.id, detail, region.name)


def _judge(way: Way, region: Region, context: Context) -> Observed | Excluded:
    review = review_of(way.id, context)
    if review is None:
        return Observed(False, way.id, way.what, region.name, REMEDY)
    until = review.until.isoformat()
    if context.now.date() > review.until:
        detail = f"{way.what}; its review expired on {until}"
        return Observed(False, way.id, detail, region.name, REMEDY)
    return Excluded(way.id, review.reason, region.name, review.reviewed_by, until)


def _peerings(region: Region, vpcs: Sequence[Vpc]) -> Iterator[Way]:
    for peering in peerings(region, vpcs):
        if peering.state not in PEERING_GONE:
            what = f"peering of {peering.vpc} with {peering.other}, {peering.state}"
            yield Way(peering.id, peering.vpc, what)


def _transit_gateways(region: Region, vpcs: Sequence[Vpc]) -> Iterator[Way]:
    for attachment in region.list(
        "ec2", "describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments"
    ):
        vpc, state = want(attachment, "VpcId", str), want(attachment, "State", str)
        if vpc in _ids(vpcs) and state not in GONE:
            gateway = want(attachment, "TransitGatewayId", str)
            what = f"transit gateway {gateway} attached to {vpc}, {state}"
            yield Way(want(attachment, "TransitGatewayAttachmentId", str), vpc, what)


def _gateways(region: Region, vpcs: Sequence[Vpc]) -> Iterator[tuple[str, str]]:
    """Every virtual private gateway that is attached, and to which VPC."""
    for gateway in region.list("ec2", "describe_vpn_gateways", "VpnGateways"):
        for attachment in records(gateway, "VpcAttachments"):
            vpc, state = want(attachment, "VpcId", str), want(attachment, "State", str)
            if vpc in _ids(vpcs) and state != "detached":
                yield want(gateway, "VpnGatewayId", str), vpc


def _vpn(region: Region, vpcs: Sequence[Vpc]) -> Iterator[Way]:
    """Its connections are not asked for: that answer holds their keys, and would be evidence."""
    for gateway, vpc in _gateways(region, vpcs):
        what = f"virtual private gateway attached to {vpc}, with whatever connects to it"
        yield Way(gateway, vpc, what)


def _direct_connect(region: Region, vpcs: Sequence[Vpc]) -> Iterator[Way]:
    for gateway, vpc in _gateways(region, vpcs):
        for association in region.list(
            "directconnect",
            "describe_direct_connect_gateway_associations",
            "directConnectGatewayAssociations",
            virtualGatewayId=gateway,
        ):
            state = want(association, "associationState", str)
            if state != "disassociated":
                id = want(association, "directConnectGatewayId", str)
                owner = may(association, "directConnectGatewayOwnerAccount", str)
                what = f"Direct Connect gateway of account {owner} on {gateway} of {vpc}, {state}"
                yield Way(id, vpc, what)


def _client_vpn(region: Region, vpcs: Sequence[Vpc]) -> Iterator[Way]:
    for endpoint in region.list("ec2", "describe_client_vpn_endpoints", "ClientVpnEndpoints"):
        id = want(endpoint, "ClientVpnEndpointId", str)
        for target in region.list(
            "ec2",
            "describe_client_vpn_target_networks",
            "ClientVpnTargetNetworks",
            ClientVpnEndpointId=id,
        ):
            vpc, state = want(target, "VpcId", str), want(target, "Status", dict)
            code = want(state, "Code", str)
            if vpc in _ids(vpcs) and code not in ("disassociated", "association-failed"):
                subnet = want(target, "TargetNetworkId", str)
                yield Way(id, vpc, f"Client VPN endpoint in {subnet} of {vpc}, {code}")


def _shared_subnets(region: Region, vpcs: Sequence[Vpc]) -> Iterator[Way]:
    """Those that lie in another account's VPC, and those that we share with others."""
    us = region.account
    ours = {
        want(subnet, "SubnetArn", str): subnet
        for subnet in region.list("ec2", "describe_subnets", "Subnets")
        if want(subnet, "VpcId", str) in _ids(vpcs)
    }
    for subnet in ours.values():
        owner, vpc = want(subnet, "OwnerId", str), want(subnet, "VpcId", str)
        if owner != us:
            what = f"subnet of {vpc}, shared by account {owner}, whose VPC it is"
            yield Way(want(subnet, "SubnetId", str), vpc, what)
    for association in region.list(
        "ram",
        "get_resource_share_associations",
        "resourceShareAssociations",
        associationType="RESOURCE",
    ):
        subnet = ours.get(want(association, "associatedEntity", str))
        if subnet is not None and want(association, "status", str) not in NO_SHARE:
            vpc, share = want(subnet, "VpcId", str), want(association, "resourceShareArn", str)
            yield Way(want(subnet, "SubnetId", str), vpc, f"subnet of {vpc}, shared by {share}")


def _services(region: Region, vpcs: Sequence[Vpc]) -> Iterator[Way]:
    us = region.account
    for service in region.list(
        "ec2", "describe_vpc_endpoint_service_configurations", "ServiceConfigurations"
    ):
        id, state = want(service, "ServiceId", str), want(service, "ServiceState", str)
        if state in ("Deleted", "Failed"):
            continue
        allowed = region.list(
            "ec2", "describe_vpc_endpoint_service_permissions", "AllowedPrincipals", ServiceId=id
        )
        principals = [want(one, "Principal", str) for one in allowed]
        others = sorted(p for p in principals if _account(p) != us)
        if others:
            told = ", ".join(others[:3]) + (" and more" if len(others) > 3 else "")
            yield Way(id, None, f"PrivateLink service open to {told}, {state}")


def _routes(region: Region, vpcs: Sequence[Vpc]) -> Iterator[Way]:
    for table in region.list("ec2", "describe_route_tables", "RouteTables"):
        vpc = want(table, "VpcId", str)
        if vpc not in _ids(vpcs):
            continue
        for route in records(table, "Routes"):
            for name, kind in BEYOND.items():
                target = may(route, name, str)
                if target is not None:
                    what = f"route of {want(table, 'RouteTableId', str)} in {vpc} to {kind}"
                    yield Way(target, vpc, what)


WAYS_IN: Mapping[str, Look] = {
    "VPC peering": _peerings,
    "transit gateways": _transit_gateways,
    "VPN": _vpn,
    "Direct Connect": _direct_connect,
    "Client VPN": _client_vpn,
    "shared subnets": _shared_subnets,
    "PrivateLink services": _services,
    "routes beyond the VPC": _routes,
}


def _account(principal: str) -> str | None:
    """The account of an IAM principal's ARN; ``None`` for everybody, services and organizations."""
    parts = principal.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[2] == "iam" else None


def _ids(vpcs: Sequence[Vpc]) -> set[str]:
    return {vpc.id for vpc in vpcs}
