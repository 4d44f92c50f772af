"""Control 0: which ways in are found, and which packets the network ACLs let in."""

import time
from typing import Any

import pytest

from cdk_soc2.boundary import parse
from cdk_soc2.controls.boundary.control import BOUNDARY
from cdk_soc2.controls.boundary.rules import PUBLIC_PORTS
from cdk_soc2.template import Template
from tests.controls.states import findings
from tests.fakes import ACCOUNT, HOME, Denied, FakeAccount, context

P, F, U = "PASS", "FAIL", "UNKNOWN"
OTHER = "999999999999"
VPC, SUBNET, ACL = "vpc-1", "subnet-1", "acl-1"
ARN = f"arn:aws:ec2:{HOME}:{ACCOUNT}:subnet/{SUBNET}"
SHARE = f"arn:aws:ram:{HOME}:{ACCOUNT}:resource-share/1"
CORE = f"arn:aws:networkmanager::{ACCOUNT}:core-network/core-network-1"
PORT = {"From": 443, "To": 443}


def vpc(id: str = VPC, block: str = "10.0.0.0/16", **also: Any) -> dict[str, Any]:
    state = {"State": "associated"}
    return {
        "VpcId": id,
        "OwnerId": ACCOUNT,
        "IsDefault": False,
        "CidrBlock": block,
        "CidrBlockAssociationSet": [{"CidrBlock": block, "CidrBlockState": state}],
        **also,
    }


def subnet(id: str = SUBNET, vpc: str = VPC, **also: Any) -> dict[str, Any]:
    return {
        "SubnetId": id,
        "SubnetArn": ARN.replace(SUBNET, id),
        "VpcId": vpc,
        "OwnerId": ACCOUNT,
        "CidrBlock": "10.0.1.0/24",
        "Ipv6CidrBlockAssociationSet": [],
        **also,
    }


def rule(number: int, action: str, block: str = "0.0.0.0/0", **also: Any) -> dict[str, Any]:
    name = "Ipv6CidrBlock" if ":" in block else "CidrBlock"
    base = {"RuleNumber": number, "RuleAction": action, "Egress": False, "Protocol": "-1"}
    return {**base, name: block, **also}


def acl(*rules: dict[str, Any], subnets: tuple[str, ...] = (SUBNET,)) -> dict[str, Any]:
    return {
        "NetworkAclId": ACL,
        "Entries": [*rules, rule(32767, "deny"), rule(100, "allow", Egress=True)],
        "Associations": [{"SubnetId": id, "NetworkAclId": ACL} for id in subnets],
    }


OWN_FIRST = (rule(100, "allow", "10.0.0.0/16"), rule(200, "deny", "10.0.0.0/8"))
TIGHT = acl(*OWN_FIRST, rule(300, "allow", Protocol="6", PortRange=PORT))
OPEN = acl(rule(100, "allow"))
OPEN6 = acl(rule(100, "allow", "::/0"))


def ec2(name: str) -> tuple[str, str]:
    return "ec2", f"describe_{name}"


def state(**changed: Any) -> dict[tuple[str, ...], Any]:
    """A region with one VPC of one subnet and nothing that leads into it; *changed* by operation."""
    lists = {
        "vpcs": ("Vpcs", [vpc()]),
        "network_interfaces": ("NetworkInterfaces", []),
        "subnets": ("Subnets", [subnet()]),
        "network_acls": ("NetworkAcls", [TIGHT]),
        "route_tables": ("RouteTables", []),
        "vpc_peering_connections": ("VpcPeeringConnections", []),
        "transit_gateway_vpc_attachments": ("TransitGatewayVpcAttachments", []),
        "vpn_gateways": ("VpnGateways", []),
        "client_vpn_endpoints": ("ClientVpnEndpoints", []),
        "client_vpn_target_networks": ("ClientVpnTargetNetworks", []),
        "vpc_endpoint_service_configurations": ("ServiceConfigurations", []),
        "vpc_endpoint_service_permissions": ("AllowedPrincipals", []),
    }
    answers: dict[tuple[str, ...], Any] = {
        ec2(name): {key: changed.pop(name, items)} for name, (key, items) in lists.items()
    }
    answers |= {ec2(name): Denied() for name in changed.pop("denied", ())}
    answers["directconnect", "describe_direct_connect_gateway_associations"] = {
        "directConnectGatewayAssociations": changed.pop("direct_connect", [])
    }
    answers["ram", "get_resource_share_associations"] = {
        "resourceShareAssociations": changed.pop("shares", [])
    }
    assert not changed
    return answers


def peering(state: str = "active", ours: str = "Requester", id: str = "pcx-1") -> dict[str, Any]:
    other = {"Requester": "Accepter", "Accepter": "Requester"}[ours]
    return {
        "VpcPeeringConnectionId": id,
        "Status": {"Code": state},
        f"{ours}VpcInfo": {"VpcId": VPC, "OwnerId": ACCOUNT, "CidrBlock": "10.0.0.0/16"},
        f"{other}VpcInfo": {
            "VpcId": "vpc-9",
            "OwnerId": OTHER,
            "CidrBlock": "10.9.0.0/16",
            "CidrBlockSet": [{"CidrBlock": "10.9.0.0/16"}, {"CidrBlock": "10.10.0.0/16"}],
            "Ipv6CidrBlockSet": [{"Ipv6CidrBlock": "fd09::/64"}],
        },
    }


def transit(state: str = "available", vpc: str = VPC) -> dict[str, Any]:
    return {
        "TransitGatewayAttachmentId": "tgw-attach-1",
        "TransitGatewayId": "tgw-1",
        "VpcId": vpc,
        "State": state,
    }


def gateway(state: str = "attached", vpc: str = VPC) -> dict[str, Any]:
    return {"VpnGatewayId": "vgw-1", "VpcAttachments": [{"VpcId": vpc, "State": state}]}


def direct(state: str = "associated") -> dict[str, Any]:
    return {
        "directConnectGatewayId": "dx-1",
        "directConnectGatewayOwnerAccount": OTHER,
        "associationState": state,
    }


def client(code: str = "associated", vpc: str = VPC) -> dict[str, Any]:
    return {
        "client_vpn_endpoints": [{"ClientVpnEndpointId": "cvpn-1"}],
        "client_vpn_target_networks": [
            {"VpcId": vpc, "TargetNetworkId": SUBNET, "Status": {"Code": code}}
        ],
    }


def service(*principals: str, state: str = "Available") -> dict[str, Any]:
    return {
        "vpc_endpoint_service_configurations": [{"ServiceId": "vpce-svc-1", "ServiceState": state}],
        "vpc_endpoint_service_permissions": [{"Principal": p} for p in principals],
    }


def share(status: str = "ASSOCIATED", arn: str = ARN) -> dict[str, Any]:
    return {"associatedEntity": arn, "resourceShareArn": SHARE, "status": status}


def route(vpc: str = VPC, **target: str) -> dict[str, Any]:
    return {"RouteTableId": "rtb-1", "VpcId": vpc, "Routes": [{"GatewayId": "local"}, target]}


def iam(account: str) -> str:
    return f"arn:aws:iam::{account}:root"


TENS = {"non_production_cidrs": ["10.0.0.0/8"]}


def boundary(**also: Any) -> Any:
    return parse({**TENS, **also})


def reviewed(id: str, until: str = "2026-11-23") -> Any:
    review = {"id": id, "reason": "partner", "reviewed_by": "ada", "until": until}
    return boundary(reviewed_connections=[review])


def verdict(answers: Any, given: Any = None, regions: tuple[str, ...] = (HOME,)) -> Any:
    given = boundary() if given is None else given
    return findings(BOUNDARY, answers, boundary=given, regions=regions)["network_segmentation"]


WAYS_IN = {
    # name: (what is there, verdict, whose)
    "nothing": ({}, P, VPC),
    "peering": ({"vpc_peering_connections": [peering()]}, F, "pcx-1"),
    "peering, accepted here": (
        {"vpc_peering_connections": [peering(ours="Accepter")]},
        F,
        "pcx-1",
    ),
    "peering, asked for": (
        {"vpc_peering_connections": [peering("pending-acceptance")]},
        F,
        "pcx-1",
    ),
    "peering, being made": ({"vpc_peering_connections": [peering("provisioning")]}, F, "pcx-1"),
    "peering, being deleted": ({"vpc_peering_connections": [peering("deleting")]}, F, "pcx-1"),
    "peering, in a state unheard of": (
        {"vpc_peering_connections": [peering("reviving")]},
        F,
        "pcx-1",
    ),
    "peering, gone": (
        {
            "vpc_peering_connections": [
                peering(s) for s in ("deleted", "rejected", "failed", "expired")
            ]
        },
        P,
        VPC,
    ),
    "transit gateway": ({"transit_gateway_vpc_attachments": [transit()]}, F, "tgw-attach-1"),
    "transit gateway, asked for": (
        {"transit_gateway_vpc_attachments": [transit("pendingAcceptance")]},
        F,
        "tgw-attach-1",
    ),
    "transit gateway, gone": (
        {"transit_gateway_vpc_attachments": [transit("deleted"), transit("rejected")]},
        P,
        VPC,
    ),
    "transit gateway of another VPC": (
        {"transit_gateway_vpc_attachments": [transit(vpc="vpc-2")]},
        P,
        VPC,
    ),
    "VPN gateway": ({"vpn_gateways": [gateway()]}, F, "vgw-1"),
    "VPN gateway, being attached": ({"vpn_gateways": [gateway("attaching")]}, F, "vgw-1"),
    "VPN gateway, detached": ({"vpn_gateways": [gateway("detached")]}, P, VPC),
    "VPN gateway of another VPC": ({"vpn_gateways": [gateway(vpc="vpc-2")]}, P, VPC),
    "VPN gateway of none": (
        {"vpn_gateways": [{"VpnGatewayId": "vgw-1", "VpcAttachments": []}]},
        P,
        VPC,
    ),
    "Direct Connect gateway": (
        {"vpn_gateways": [gateway()], "direct_connect": [direct()]},
        F,
        "dx-1",
    ),
    "Client VPN": (client(), F, "cvpn-1"),
    "Client VPN, gone": (client("disassociated"), P, VPC),
    "Client VPN of another VPC": (client(vpc="vpc-2"), P, VPC),
    "subnet of another account": ({"subnets": [subnet(OwnerId=OTHER)]}, F, SUBNET),
    "subnet shared with another": ({"shares": [share()]}, F, SUBNET),
    "subnet being shared": ({"shares": [share("ASSOCIATING")]}, F, SUBNET),
    "subnet shared no longer": ({"shares": [share("DISASSOCIATED")]}, P, VPC),
    "something else shared": ({"shares": [share(arn="arn:aws:ec2:::subnet/subnet-9")]}, P, VPC),
    "PrivateLink for nobody": (service(), P, VPC),
    "PrivateLink for ourselves": (service(iam(ACCOUNT)), P, VPC),
    "PrivateLink for another": (service(iam(ACCOUNT), iam(OTHER)), F, "vpce-svc-1"),
    "PrivateLink for everybody": (service("*"), F, "vpce-svc-1"),
    "PrivateLink for an organization": (
        service(f"arn:aws:organizations::{ACCOUNT}:ou/o-1/ou-1"),
        F,
        "vpce-svc-1",
    ),
    "PrivateLink, gone": (service("*", state="Deleted"), P, VPC),
    "route to a core network": ({"route_tables": [route(CoreNetworkArn=CORE)]}, F, CORE),
    "route to a local gateway": ({"route_tables": [route(LocalGatewayId="lgw-1")]}, F, "lgw-1"),
    "route of another VPC": (
        {"route_tables": [route("vpc-2", LocalGatewayId="lgw-1")]},
        P,
        VPC,
    ),
    "route to the internet": ({"route_tables": [route(GatewayId="igw-1")]}, P, VPC),
}


@pytest.mark.parametrize("name", WAYS_IN)
def test_way_in(name: str) -> None:
    changed, status, subject = WAYS_IN[name]
    found = verdict(state(**changed))
    assert str(found.status) == status
    assert subject in [o.subject for o in found.observations if str(o.status) == status]
    if status == F:
        assert all(o.remedy for o in found.observations if o.status == "FAIL")
        # What was found leads into the VPC, which is then not told to be closed.
        assert VPC not in [o.subject for o in found.observations]


QUESTIONS = {
    "vpcs",
    "subnets",
    "network_acls",
    "route_tables",
    "vpc_peering_connections",
    "transit_gateway_vpc_attachments",
    "vpn_gateways",
    "client_vpn_endpoints",
    "vpc_endpoint_service_configurations",
}


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_what_may_not_be_asked_is_unknown(name: str) -> None:
    found = verdict(state(denied=(name,)))
    assert str(found.status) == U
    assert all(o.remedy for o in found.observations if o.status == "UNKNOWN")


@pytest.mark.parametrize("name", sorted(QUESTIONS - {"vpcs", "network_acls", "subnets"}))
def test_one_denied_question_hides_no_packet_and_no_other_way_in(name: str) -> None:
    answers = state(denied=(name,), network_acls=[OPEN], shares=[share()])
    failed = [o.subject for o in verdict(answers).observations if o.status == "FAIL"]
    assert failed == [SUBNET, SUBNET]


@pytest.mark.parametrize(
    ("also", "question"),
    [
        ({"vpn_gateways": [gateway()]}, ("directconnect",)),
        (client(), ("ec2", "describe_client_vpn_target_networks")),
        (service("*"), ("ec2", "describe_vpc_endpoint_service_permissions")),
        ({}, ("ram",)),
    ],
)
def test_what_may_not_be_asked_further_is_unknown(also: Any, question: tuple[str, ...]) -> None:
    answers = state(**also)
    for key in [k for k in answers if k[: len(question)] == question]:
        answers[key] = Denied()
    assert U in [str(o.status) for o in verdict(answers).observations]


CONNECTIONS = {
    "pcx-1": {"vpc_peering_connections": [peering()]},
    "tgw-attach-1": {"transit_gateway_vpc_attachments": [transit()]},
    "vgw-1": {"vpn_gateways": [gateway()]},
    "cvpn-1": client(),
    SUBNET: {"shares": [share()]},
    "vpce-svc-1": service("*"),
    CORE: {"route_tables": [route(CoreNetworkArn=CORE)]},
}


@pytest.mark.parametrize("id", CONNECTIONS)
def test_a_reviewed_connection_is_an_exclusion_until_its_end(id: str) -> None:
    answers = state(**CONNECTIONS[id])
    found = verdict(answers, reviewed(id))
    assert str(found.status) == P
    [excluded] = found.exclusions
    assert (excluded.subject, excluded.reason, excluded.reviewed_by, excluded.until) == (
        id,
        "partner",
        "ada",
        "2026-11-23",
    )
    assert VPC in [o.subject for o in found.observations]
    late = verdict(answers, reviewed(id, "2026-11-22"))
    assert str(late.status) == F and not late.exclusions
    assert "review expired on 2026-11-22" in late.detail


def test_a_review_of_the_gateway_is_none_of_direct_connect_behind_it() -> None:
    answers = state(vpn_gateways=[gateway()], direct_connect=[direct()])
    assert str(verdict(answers, reviewed("vgw-1")).status) == F


def test_a_peering_of_two_vpcs_in_scope_leads_into_both() -> None:
    between = peering()
    between["AccepterVpcInfo"] |= {"VpcId": "vpc-2", "OwnerId": ACCOUNT}
    found = verdict(state(vpcs=[vpc(), vpc("vpc-2")], vpc_peering_connections=[between]))
    subjects = [o.subject for o in found.observations]
    assert subjects.count("pcx-1") == 2 and not {VPC, "vpc-2"} & set(subjects)


def outside(*blocks: str) -> Any:
    return parse({"non_production_cidrs": list(blocks)})


SIX = {"Ipv6CidrBlock": "2600::/64", "Ipv6CidrBlockState": {"State": "associated"}}
PEER_ALLOWED = acl(rule(50, "allow", "10.9.0.0/16"), *OWN_FIRST)

PACKETS = {
    # name: (what is there, boundary, verdict, words of the subnet's detail)
    "own first, then denied": ({}, None, P, "acl-1 admits no packet from 10.0.0.0/8"),
    "open": (
        {"network_acls": [OPEN]},
        None,
        F,
        "acl-1 rule 100 (allow all from 0.0.0.0/0) admits tcp from 10.1.0.1 to 10.0.1.4 port 22",
    ),
    "denied too late": (
        {"network_acls": [acl(rule(100, "allow"), rule(200, "deny", "10.0.0.0/8"))]},
        None,
        F,
        "rule 100",
    ),
    "deny does not cover": (
        {"network_acls": [acl(rule(1, "deny", "10.0.0.0/9"), rule(2, "allow"))]},
        None,
        F,
        "tcp from 10.128.0.1",
    ),
    "own and deny swapped": (
        {"network_acls": [acl(rule(1, "deny", "10.0.0.0/8"), rule(2, "allow", "10.0.0.0/16"))]},
        None,
        P,
        "admits no packet",
    ),
    "one port": (
        {"network_acls": [acl(rule(1, "allow", Protocol="6", PortRange=PORT))]},
        None,
        F,
        "port 443",
    ),
    "pings": (
        {
            "network_acls": [
                acl(rule(1, "allow", Protocol="1", IcmpTypeCode={"Type": 8, "Code": -1}))
            ]
        },
        None,
        F,
        "icmp from 10.1.0.1 to 10.0.1.4 type 8 code 0",
    ),
    "tcp and udp denied, the rest not": (
        {
            "network_acls": [
                acl(
                    rule(1, "deny", Protocol="6", PortRange={"From": 0, "To": 65535}),
                    rule(2, "deny", Protocol="17", PortRange={"From": 0, "To": 65535}),
                    rule(3, "allow"),
                )
            ]
        },
        None,
        F,
        "rule 3 (allow all from 0.0.0.0/0) admits icmp",
    ),
    "only the internet": (
        {"network_acls": [acl(rule(1, "allow", "52.0.0.0/8"))]},
        None,
        P,
        "admits no packet",
    ),
    "second block is the VPC's own": (
        {
            "vpcs": [
                vpc(
                    CidrBlockAssociationSet=[
                        {"CidrBlock": b, "CidrBlockState": {"State": "associated"}}
                        for b in ("10.0.0.0/16", "10.7.0.0/16")
                    ]
                )
            ],
            "network_acls": [acl(rule(1, "allow", "10.7.0.0/16"))],
        },
        None,
        P,
        "admits no packet",
    ),
    "second block is gone": (
        {
            "vpcs": [
                vpc(
                    CidrBlockAssociationSet=[
                        {"CidrBlock": "10.7.0.0/16", "CidrBlockState": {"State": "disassociated"}}
                    ]
                )
            ],
            "network_acls": [acl(rule(1, "allow", "10.7.0.0/16"))],
        },
        None,
        F,
        "from 10.7.0.1",
    ),
    "IPv4 deny does not cover IPv6": (
        {
            "network_acls": [acl(*OWN_FIRST, rule(300, "allow", "::/0"))],
            "subnets": [subnet(Ipv6CidrBlockAssociationSet=[SIX])],
        },
        outside("10.0.0.0/8", "fd00::/8"),
        F,
        "rule 300 (allow all from ::/0) admits tcp from fd00::1 to 2600::4 port 22",
    ),
    "IPv6 admitted, though the subnet has none": (
        {"network_acls": [OPEN6]},
        outside("fd00::/8"),
        F,
        "has no IPv6 addresses yet",
    ),
    "own IPv6": (
        {
            "vpcs": [vpc(Ipv6CidrBlockAssociationSet=[SIX | {"Ipv6CidrBlock": "fd00::/56"}])],
            "network_acls": [acl(rule(1, "allow", "fd00::/56"))],
        },
        outside("fd00::/8"),
        P,
        "admits no packet",
    ),
    "IPv6 unnamed": ({"network_acls": [OPEN6]}, None, P, "admits no packet from 10.0.0.0/8 "),
    "none named": ({"network_acls": [OPEN]}, parse({}), P, "names no non-production CIDR"),
    "everything named": ({}, outside("0.0.0.0/0"), F, "port 443"),
    "everything named, and denied": (
        {"network_acls": [acl(rule(1, "allow", "10.0.0.0/16"))]},
        outside("0.0.0.0/0"),
        P,
        "admits no packet from 0.0.0.0/0",
    ),
    "reviewed peering": (
        {"network_acls": [PEER_ALLOWED], "vpc_peering_connections": [peering()]},
        reviewed("pcx-1"),
        P,
        "reviewed peerings apart",
    ),
    "peering, its review over": (
        {"network_acls": [PEER_ALLOWED], "vpc_peering_connections": [peering()]},
        reviewed("pcx-1", "2026-11-22"),
        F,
        "from 10.9.0.1",
    ),
    "peering reviewed, another network let in": (
        {
            "network_acls": [acl(rule(50, "allow", "10.11.0.0/16"))],
            "vpc_peering_connections": [peering()],
        },
        reviewed("pcx-1"),
        F,
        "from 10.11.0.1",
    ),
    "no ACL": ({"network_acls": []}, None, U, "no network ACL for subnet-1"),
    "ACL of another": ({"network_acls": [acl(subnets=("subnet-2",))]}, None, U, "no network ACL"),
    "protocol not understood": (
        {"network_acls": [acl(rule(1, "allow", Protocol="all"))]},
        None,
        U,
        "protocol 'all'",
    ),
}


@pytest.mark.parametrize("name", PACKETS)
def test_packets(name: str) -> None:
    changed, given, status, words = PACKETS[name]
    found = verdict(state(**changed), given)
    [seen] = [o for o in found.observations if o.subject == SUBNET]
    assert str(seen.status) == status
    assert words in seen.detail
    assert status == P or seen.remedy


def test_everything_is_more_than_non_production() -> None:
    [seen] = [o for o in verdict(state(), outside("0.0.0.0/0")).observations if o.subject == SUBNET]
    assert seen.remedy is not None and "the internet too" in seen.remedy


@pytest.mark.parametrize(
    ("block", "words"),
    [("10.0.0.0/16", "is its own CIDR block"), ("10.0.3.0/24", "lies inside its own CIDR block")],
)
def test_a_vpc_cannot_be_its_own_non_production(block: str, words: str) -> None:
    found = verdict(state(network_acls=[OPEN]), outside(block))
    [seen] = [o for o in found.observations if o.status == "UNKNOWN"]
    assert seen.subject == VPC and words in seen.detail
    assert seen.remedy is not None and block in seen.remedy
    # What else is named is still proved.
    assert str(verdict(state(network_acls=[OPEN]), outside(block, "10.0.0.0/8")).status) == F


PROD = {"Tags": [{"Key": "Environment", "Value": "production"}]}
TAGGED = {"vpcs": {"tags": {"Environment": "production"}}}

SCOPES = {
    # name: (VPCs, network interfaces, boundary, verdict, how many are left out)
    "a default VPC that is empty": ([vpc(IsDefault=True)], [], {}, P, 1),
    "a default VPC in use": ([vpc(IsDefault=True)], [{}], {}, F, 0),
    "none": ([], [], {}, P, 0),
    "tagged": ([vpc(**PROD)], [], TAGGED, F, 0),
    "a default VPC, tagged": ([vpc(IsDefault=True, **PROD)], [], TAGGED, F, 0),
    "one of two tagged": ([vpc(), vpc("vpc-2", **PROD)], [], TAGGED, P, 1),
    "none tagged": ([vpc(), vpc("vpc-2", Tags=[])], [], TAGGED, U, 2),
    "tag of another value": (
        [vpc(Tags=[{"Key": "Environment", "Value": "Production"}])],
        [],
        TAGGED,
        U,
        1,
    ),
}


@pytest.mark.parametrize("name", SCOPES)
def test_scope(name: str) -> None:
    vpcs, interfaces, given, status, left_out = SCOPES[name]
    answers = state(vpcs=vpcs, network_interfaces=interfaces, network_acls=[OPEN])
    found = verdict(answers, boundary(**given))
    assert (str(found.status), len(found.exclusions)) == (status, left_out)


def test_a_tag_that_matches_in_one_region_is_enough() -> None:
    answers = state(vpcs=[vpc(**PROD)])
    answers["eu-west-1", *ec2("vpcs")] = {"Vpcs": [vpc("vpc-9")]}
    found = verdict(answers, boundary(**TAGGED), regions=("eu-west-1", HOME))
    assert str(found.status) == P and [e.subject for e in found.exclusions] == ["vpc-9"]


def test_it_asks_what_it_says_it_reads_and_nothing_else() -> None:
    everything = {
        **client(),
        **service("*"),
        "vpcs": [vpc(), vpc("vpc-2", IsDefault=True)],
        "vpn_gateways": [gateway()],
    }
    account = FakeAccount(state(**everything))
    look = BOUNDARY.checks["network_segmentation"].look
    assert list(look(account.home, context(boundary())))
    assert account.asked == set(BOUNDARY.reads)


def test_an_acl_of_200_subnets_is_judged_once() -> None:
    ids = [f"subnet-{n}" for n in range(200)]
    rules = [rule(n, "deny", f"10.{n}.0.0/16") for n in range(1, 21)]
    rules += [rule(n, "allow", f"172.{n}.0.0/16") for n in range(21, 41)]
    answers = state(
        subnets=[subnet(id) for id in ids], network_acls=[acl(*rules, subnets=tuple(ids))]
    )
    start = time.perf_counter()
    found = verdict(answers)
    assert found.population == 201 and str(found.status) == P
    assert time.perf_counter() - start < 0.5  # all of it, threads and fakes included


def template(**resources: tuple[str, dict[str, Any]]) -> Template:
    return Template(
        {"Resources": {id: {"Type": t, "Properties": p} for id, (t, p) in resources.items()}}
    )


GROUP, INGRESS = "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"
WEB = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}
NACL = ("AWS::EC2::NetworkAcl", {"VpcId": "vpc-1"})


def group(*rules: Any) -> Template:
    return template(It=(GROUP, {"SecurityGroupIngress": list(rules)}))


def placed(reference: Any) -> Template:
    properties = {"NetworkAclId": reference, "SubnetId": "subnet-1"}
    return template(It=NACL, On=("AWS::EC2::SubnetNetworkAclAssociation", properties))


TEMPLATES = {
    # name: (rule, template, verdict)
    "a peering": (
        "way_in_is_reviewed",
        template(It=("AWS::EC2::VPCPeeringConnection", {"VpcId": "vpc-1"})),
        F,
    ),
    "a transit gateway": (
        "way_in_is_reviewed",
        template(It=("AWS::EC2::TransitGatewayAttachment", {"VpcId": "vpc-1"})),
        F,
    ),
    "a VPN": (
        "way_in_is_reviewed",
        template(It=("AWS::EC2::VPCGatewayAttachment", {"VpnGatewayId": "vgw-1"})),
        F,
    ),
    "an internet gateway": (
        "way_in_is_reviewed",
        template(It=("AWS::EC2::VPCGatewayAttachment", {"InternetGatewayId": "igw-1"})),
        None,
    ),
    "ACL on no subnet": ("network_acl_is_associated", template(It=NACL), F),
    "ACL on a subnet, by Ref": ("network_acl_is_associated", placed({"Ref": "It"}), P),
    "ACL on a subnet, by its id": (
        "network_acl_is_associated",
        placed({"Fn::GetAtt": ["It", "Id"]}),
        P,
    ),
    "ACL, another on the subnet": ("network_acl_is_associated", placed({"Ref": "Other"}), F),
    "no rules": ("security_group_is_closed_to_the_world", template(It=(GROUP, {})), P),
    "web": ("security_group_is_closed_to_the_world", group(WEB), P),
    "web, as words": (
        "security_group_is_closed_to_the_world",
        group({**WEB, "FromPort": "80", "ToPort": "80", "IpProtocol": "6"}),
        P,
    ),
    "ssh": (
        "security_group_is_closed_to_the_world",
        group({**WEB, "FromPort": 22, "ToPort": 22}),
        F,
    ),
    "80 to 443": ("security_group_is_closed_to_the_world", group({**WEB, "FromPort": 80}), F),
    "everything": (
        "security_group_is_closed_to_the_world",
        group({"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}),
        F,
    ),
    "IPv6": (
        "security_group_is_closed_to_the_world",
        group({"IpProtocol": "-1", "CidrIpv6": "::/0"}),
        F,
    ),
    "half the world": (
        "security_group_is_closed_to_the_world",
        group({"IpProtocol": "-1", "CidrIp": "128.0.0.0/1"}),
        F,
    ),
    "a network": (
        "security_group_is_closed_to_the_world",
        group({"IpProtocol": "-1", "CidrIp": "10.0.0.0/8"}),
        P,
    ),
    "another group": (
        "security_group_is_closed_to_the_world",
        group({"IpProtocol": "-1", "SourceSecurityGroupId": {"Ref": "Sg"}}),
        P,
    ),
    "the VPC's own": (
        "security_group_is_closed_to_the_world",
        template(
            Vpc=("AWS::EC2::VPC", {}),
            It=(INGRESS, {"IpProtocol": "-1", "CidrIp": {"Fn::GetAtt": ["Vpc", "CidrBlock"]}}),
        ),
        P,
    ),
    "an attribute of something else": (
        "security_group_is_closed_to_the_world",
        group({"IpProtocol": "-1", "CidrIp": {"Fn::GetAtt": ["Vpc", "CidrBlock"]}}),
        U,
    ),
    "a parameter": (
        "security_group_is_closed_to_the_world",
        group({"IpProtocol": "-1", "CidrIp": {"Ref": "Cidr"}}),
        U,
    ),
    "a parameter, on 443": (
        "security_group_is_closed_to_the_world",
        group({**WEB, "CidrIp": {"Ref": "Cidr"}}),
        P,
    ),
    "a port known later": (
        "security_group_is_closed_to_the_world",
        group({**WEB, "FromPort": {"Ref": "Port"}}),
        U,
    ),
    "a list known later": (
        "security_group_is_closed_to_the_world",
        template(It=(GROUP, {"SecurityGroupIngress": {"Fn::GetAtt": ["A", "Rules"]}})),
        U,
    ),
    "a prefix list": (
        "security_group_is_closed_to_the_world",
        group({"IpProtocol": "-1", "SourcePrefixListId": "pl-1"}),
        U,
    ),
    "not a CIDR": (
        "security_group_is_closed_to_the_world",
        group({"IpProtocol": "-1", "CidrIp": "anywhere"}),
        U,
    ),
    "a rule of its own": (
        "security_group_is_closed_to_the_world",
        template(
            It=(INGRESS, {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"})
        ),
        F,
    ),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_template(name: str) -> None:
    rule, given, expected = TEMPLATES[name]
    found = [str(f.status) for f in BOUNDARY.review(given) if f.rule == rule]
    assert found == ([] if expected is None else [expected])


def test_one_bad_rule_of_a_group_is_enough() -> None:
    bad = {**WEB, "FromPort": 22, "ToPort": 22}
    unknown = {"IpProtocol": "-1", "CidrIp": {"Ref": "Cidr"}}
    [found] = BOUNDARY.review(group(WEB, unknown, bad))
    assert str(found.status) == F and "22" in found.detail
    assert sorted(PUBLIC_PORTS) == [80, 443]
