"""What a deployed network lets through: packets that must pass and packets that must not, both ways."""

import ipaddress
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from cdk_nag import AwsSolutionsChecks

from cdk_soc2.controls.boundary import setting
from cdk_soc2.controls.boundary.construct import SegmentedVpc
from cdk_soc2.controls.boundary.control import BOUNDARY
from cdk_soc2.custom_resource import NotMade
from cdk_soc2.deploy.segmented_nacls import SegmentedNacls
from cdk_soc2.network.acl import Acl, counterexample, first_match
from cdk_soc2.network.entries import acl
from cdk_soc2.network.packets import Packet, packets_from
from cdk_soc2.settings import make
from cdk_soc2.template import Template as Plain
from tests.deploy.synth import (
    ACCOUNT,
    NO_FLAGS,
    OUR_FLAGS,
    REGION,
    Build,
    Template,
    app,
    statements,
)

CIDR = "10.1.0.0/16"
NOT_PRODUCTION = ["10.0.0.0/8", "192.168.0.0/16", "fd00::/8"]
S3 = ec2.GatewayVpcEndpointAwsService.S3
ECR = ec2.InterfaceVpcEndpointAwsService.ECR
OWN_SIX = "2600:1f18:1::/56"
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58


class Network(Template):
    """A template in which zones, and the blocks cut from another, have names enough to select from."""

    def resolve(self, value: Any) -> Any:
        for name in ("Fn::GetAZs", "Fn::Cidr"):
            if isinstance(value, dict) and name in value:
                return [f"{name} {n}" for n in range(16)]
        return super().resolve(value)


def synth(build: Build) -> Network:
    it = app(OUR_FLAGS)
    build(cdk.Stack(it, "S"))
    return Network(json.loads(Path(it.synth().stacks[0].template_full_path).read_text()))


def vpc(**also: Any) -> Network:
    given = {"cidr": CIDR, "non_production_cidrs": NOT_PRODUCTION, **also}
    return synth(lambda s: SegmentedVpc(s, "Net", **given))


def acls(template: Template) -> dict[str, Acl]:
    """The ACL of each tier, as EC2 would tell it."""
    return {
        tier: acl({"NetworkAclId": id, "Entries": list(_entries(template, id))})
        for id in template.all("AWS::EC2::NetworkAcl")
        for tier in ("public", "private", "isolated")
        if tier in id.lower()
    }


def _entries(template: Template, id: str) -> Iterator[dict[str, Any]]:
    for entry in template.all("AWS::EC2::NetworkAclEntry").values():
        if entry["NetworkAclId"] != f"{id}.Id":
            continue
        record = {**entry, "Protocol": str(entry["Protocol"])}
        if "Icmp" in entry:
            record["IcmpTypeCode"] = entry["Icmp"]
        if "Ipv6CidrBlock" in entry and ":" not in entry["Ipv6CidrBlock"]:
            record["Ipv6CidrBlock"] = OWN_SIX  # Amazon's choice, known when it is deployed
        yield record


def packet(
    source: str, destination: str, protocol: int = TCP, first: int = 50000, second: int = 443
) -> Packet:
    ends = [ipaddress.ip_address(a) for a in (source, destination)]
    return Packet(ends[0].version, int(ends[0]), int(ends[1]), protocol, first, second)


def reply(to: Packet) -> Packet:
    """TCP and UDP only."""
    return to._replace(
        source=to.destination,
        destination=to.source,
        source_port=to.destination_port,
        destination_port=to.source_port,
    )


def passes(rules: Sequence[Any], one: Packet) -> bool:
    decided = first_match(rules, one)
    return decided is not None and decided.allow


def enters(tier: Acl, one: Packet) -> bool:
    """It comes in from beyond the subnet, and the reply goes out."""
    return passes(tier.ingress, one) and passes(tier.egress, reply(one))


def leaves(tier: Acl, one: Packet) -> bool:
    """It goes out, and the reply comes back."""
    return passes(tier.egress, one) and passes(tier.ingress, reply(one))


OURS, CLIENT, DEV, OFFICE = "10.1.2.3", "203.0.113.9", "10.9.0.1", "192.168.4.4"
PUBLIC, PRIVATE, ISOLATED = "public", "private", "isolated"

WAYS = [
    # (tier, from, to, protocol, destination port, passes)
    *(
        (tier, source, OURS, protocol, port, True)
        for tier in (PUBLIC, PRIVATE, ISOLATED)
        for source in ("10.1.0.1", "10.1.255.254")
        for protocol, port in ((TCP, 5432), (TCP, 22), (UDP, 53))
    ),
    (PUBLIC, CLIENT, OURS, TCP, 443, True),
    (PUBLIC, CLIENT, OURS, TCP, 80, False),
    (PUBLIC, CLIENT, OURS, TCP, 22, False),
    (PUBLIC, CLIENT, OURS, UDP, 53, False),
    (PUBLIC, CLIENT, OURS, TCP, 1023, False),
    (PRIVATE, CLIENT, OURS, TCP, 443, False),
    (PRIVATE, CLIENT, OURS, TCP, 22, False),
    (ISOLATED, CLIENT, OURS, TCP, 443, False),
    (ISOLATED, CLIENT, OURS, TCP, 50000, False),
    *(
        (tier, source, OURS, protocol, port, False)
        for tier in (PUBLIC, PRIVATE, ISOLATED)
        for source in (DEV, OFFICE, "10.0.255.255", "10.2.0.0")
        for protocol, port in ((TCP, 443), (TCP, 22), (TCP, 50000), (UDP, 50000))
    ),
]


@pytest.fixture(scope="module")
def full() -> Template:
    return vpc(nat_gateways=1)


@pytest.mark.parametrize(("tier", "source", "to", "protocol", "port", "expected"), WAYS)
def test_what_comes_in(
    full: Template, tier: str, source: str, to: str, protocol: int, port: int, expected: bool
):
    one = packet(source, to, protocol, 50000, port)
    assert enters(acls(full)[tier], one) is expected


@pytest.mark.parametrize(
    ("tier", "to", "protocol", "port", "expected"),
    [
        (PUBLIC, CLIENT, TCP, 443, True),
        (PUBLIC, CLIENT, UDP, 123, True),
        (PRIVATE, CLIENT, TCP, 443, True),
        (PRIVATE, CLIENT, TCP, 80, True),
        (PRIVATE, CLIENT, UDP, 53, True),
        (ISOLATED, CLIENT, TCP, 443, False),
        (ISOLATED, OURS, TCP, 5432, True),
        (PUBLIC, DEV, TCP, 443, False),
        (PRIVATE, DEV, TCP, 443, False),
        (PRIVATE, OFFICE, UDP, 53, False),
        (ISOLATED, DEV, TCP, 443, False),
    ],
)
def test_what_goes_out_and_comes_back(
    full: Template, tier: str, to: str, protocol: int, port: int, expected: bool
):
    one = packet("10.1.64.5", to, protocol, 1024, port)
    assert leaves(acls(full)[tier], one) is expected


@pytest.mark.parametrize("tier", [PUBLIC, PRIVATE, ISOLATED])
def test_no_packet_at_all_from_non_production(full: Template, tier: str):
    named = [ipaddress.ip_network(block) for block in NOT_PRODUCTION]
    own = packets_from([ipaddress.ip_network(CIDR)])
    assert counterexample(acls(full)[tier].ingress, packets_from(named) - own) is None


@pytest.mark.parametrize("tier", [PUBLIC, PRIVATE, ISOLATED])
def test_no_ipv6_without_ipv6(full: Template, tier: str):
    everybody = packets_from([ipaddress.ip_network("::/0")])
    assert counterexample(acls(full)[tier].ingress, everybody) is None


def test_is_told_when_packets_are_too_big(full: Template):
    too_big = packet(CLIENT, OURS, ICMP, 3, 4)
    ping = packet(CLIENT, OURS, ICMP, 8, 0)
    found = {
        tier: (passes(a.ingress, too_big), passes(a.ingress, ping))
        for tier, a in acls(full).items()
    }
    assert found == {PUBLIC: (True, False), PRIVATE: (True, False), ISOLATED: (False, False)}


def test_port_80_by_choice():
    tier = acls(vpc(public_ports=[443, 80]))[PUBLIC]
    assert enters(tier, packet(CLIENT, OURS, second=80))


class TestIpv6:
    @pytest.fixture(scope="class")
    @classmethod
    def six(cls) -> dict[str, Acl]:
        return acls(vpc(nat_gateways=1, ipv6=True))

    OURS, CLIENT, DEV = "2600:1f18:1:2::5", "2001:db8::1", "fd00::1"

    @pytest.mark.parametrize(
        ("tier", "source", "port", "expected"),
        [
            (PUBLIC, CLIENT, 443, True),
            (PUBLIC, CLIENT, 22, False),
            (PUBLIC, DEV, 443, False),
            (PRIVATE, CLIENT, 443, False),
            (PRIVATE, DEV, 50000, False),
            (PRIVATE, "2600:1f18:1:2:3::1", 5432, True),
            (ISOLATED, "2600:1f18:1:2:3::1", 5432, True),
            (ISOLATED, CLIENT, 50000, False),
        ],
    )
    def test_what_comes_in(self, six: Any, tier: str, source: str, port: int, expected: bool):
        assert enters(six[tier], packet(source, self.OURS, second=port)) is expected

    def test_too_big(self, six: Any):
        assert passes(six[PRIVATE].ingress, packet(self.CLIENT, self.OURS, ICMP6, 2, 0))

    def test_four_is_as_before(self, six: Any):
        assert not enters(six[PUBLIC], packet(DEV, OURS))
        assert enters(six[PUBLIC], packet(CLIENT, OURS))


def test_endpoints_take_https_from_the_vpc_only():
    template = vpc(endpoints=[S3, ECR])
    [group] = template.all("AWS::EC2::SecurityGroup").values()
    assert [
        (r["CidrIp"], r["IpProtocol"], r["FromPort"], r["ToPort"])
        for r in group["SecurityGroupIngress"]
    ] == [(CIDR, "tcp", 443, 443)]
    kinds = {e["VpcEndpointType"]: e for e in template.all("AWS::EC2::VPCEndpoint").values()}
    assert set(kinds) == {"Gateway", "Interface"}
    assert all("private" in subnet for subnet in kinds["Interface"]["SubnetIds"])
    assert all("private" in table for table in kinds["Gateway"]["RouteTableIds"])


class TestTiers:
    @pytest.mark.parametrize(
        ("also", "tiers", "private_reaches_out"),
        [
            ({}, {PUBLIC, ISOLATED}, None),
            ({"nat_gateways": 1}, {PUBLIC, PRIVATE, ISOLATED}, True),
            ({"endpoints": [S3]}, {PUBLIC, PRIVATE, ISOLATED}, True),
            ({"endpoints": [ECR]}, {PUBLIC, PRIVATE, ISOLATED}, False),
        ],
        ids=["none", "nat", "gateway endpoint", "interface endpoint"],
    )
    def test_private_is_there_for_something(
        self, also: Any, tiers: set[str], private_reaches_out: bool | None
    ):
        found = acls(vpc(**also))
        assert set(found) == tiers
        if private_reaches_out is not None:
            s3 = packet(OURS, "52.216.0.1")
            assert leaves(found[PRIVATE], s3) is private_reaches_out

    @pytest.mark.parametrize("azs", [1, 2])
    def test_every_subnet_has_its_tiers_acl(self, azs: int):
        template = vpc(nat_gateways=1, max_azs=azs)
        placed = {
            a["SubnetId"]: a["NetworkAclId"]
            for a in template.all("AWS::EC2::SubnetNetworkAclAssociation").values()
        }
        assert set(placed) == set(template.all("AWS::EC2::Subnet"))
        assert len(placed) == 3 * azs
        for subnet, its in placed.items():
            [tier] = [t for t in (PUBLIC, PRIVATE, ISOLATED) if f"Vpc{t}Subnet" in subnet]
            assert tier.title() in its

    def test_subnet_moves_over_when_all_rules_are_there(self, full: Template):
        for association in full.raw.values():
            if association["Type"] == "AWS::EC2::SubnetNetworkAclAssociation":
                its = association["Properties"]["NetworkAclId"]["Fn::GetAtt"][0]
                rules = {
                    id
                    for id, r in full.raw.items()
                    if r["Type"] == "AWS::EC2::NetworkAclEntry"
                    and r["Properties"]["NetworkAclId"]["Fn::GetAtt"][0] == its
                }
                assert rules <= set(association["DependsOn"])

    def test_nothing_gets_a_public_address_by_itself(self, full: Template):
        subnets = full.all("AWS::EC2::Subnet").values()
        assert [s["MapPublicIpOnLaunch"] for s in subnets] == [False] * len(subnets)

    def test_isolated_has_no_way_out(self, full: Template):
        tables = {
            a["RouteTableId"]
            for a in full.all("AWS::EC2::SubnetRouteTableAssociation").values()
            if "isolated" in a["SubnetId"]
        }
        routes = full.all("AWS::EC2::Route").values()
        assert tables and not tables & {route["RouteTableId"] for route in routes}

    def test_a_changed_list_changes_rules_in_place(self):
        def rules(*blocks: str) -> dict[str, int]:
            found = vpc(non_production_cidrs=blocks).all("AWS::EC2::NetworkAclEntry")
            return {id: entry["RuleNumber"] for id, entry in found.items()}

        before, after = rules("10.0.0.0/8"), rules("10.0.0.0/8", "192.168.0.0/16")
        assert before.items() <= after.items()


WRONG = {
    "not a CIDR": ({"cidr": "10.1.0.0/99"}, r"cidr: '10.1.0.0/99' is not a CIDR block"),
    "host bits": ({"cidr": "10.1.2.3/16"}, r"host bits set; write it as"),
    "too wide": ({"cidr": "10.0.0.0/8"}, r"/16 to /28"),
    "too narrow": ({"cidr": "10.0.0.0/29"}, r"/16 to /28"),
    "IPv6 as the VPC's": ({"cidr": "fd00::/48"}, r"IPv4 block from /16"),
    "denied, not a CIDR": (
        {"non_production_cidrs": ["dev"]},
        r"non_production_cidrs: 'dev' is not",
    ),
    "denied, host bits": ({"non_production_cidrs": ["10.9.1.1/16"]}, r"10.9.1.1/16.*host bits"),
    "the VPC denied": (
        {"non_production_cidrs": [CIDR]},
        r"10.1.0.0/16 is the VPC's own CIDR block",
    ),
    "part of the VPC denied": (
        {"non_production_cidrs": ["10.1.7.0/24"]},
        r"10.1.7.0/24 lies inside the VPC's own CIDR block 10.1.0.0/16; take it out",
    ),
    "everybody denied": ({"non_production_cidrs": ["0.0.0.0/0"]}, r"the internet too; name the"),
    "too many": (
        {"non_production_cidrs": [f"172.{n}.0.0/24" for n in range(20)]},
        r"public tier needs 26 rules in.*quota is 20",
    ),
    "quota beyond what there is": ({"rule_quota": 41}, r"rule_quota: 41 is not between 1 and 40"),
}


@pytest.mark.parametrize("name", WRONG)
def test_refuses(name: str):
    also, words = WRONG[name]
    with pytest.raises((ValueError, RuntimeError), match=words):
        vpc(**also)


def test_takes_more_where_the_quota_was_raised():
    many = [f"172.{n}.0.0/24" for n in range(20)]
    assert acls(vpc(non_production_cidrs=many, rule_quota=40))


def test_overlapping_networks_take_one_rule():
    blocks = ["10.0.0.0/8", "10.9.0.0/16", "192.168.0.0/17", "192.168.128.0/17"]
    ingress = acls(vpc(non_production_cidrs=blocks))[PUBLIC].ingress
    assert [str(e.network) for e in ingress if not e.allow] == ["10.0.0.0/8", "192.168.0.0/16"]


class TestNaclsOfAVpcThatExists:
    @staticmethod
    def imported(stack: cdk.Stack, **also: Any) -> ec2.IVpc:
        return ec2.Vpc.from_vpc_attributes(
            stack,
            "Theirs",
            **{
                "vpc_id": "vpc-1",
                "availability_zones": ["eu-west-1a"],
                "vpc_cidr_block": CIDR,
                "public_subnet_ids": ["subnet-a"],
                "private_subnet_ids": ["subnet-b"],
                "isolated_subnet_ids": ["subnet-c"],
                **also,
            },
        )

    def build(self, *, vpc: Any = None, **also: Any) -> Template:
        def make(stack: cdk.Stack) -> None:
            theirs = self.imported(stack, **(vpc or {}))
            given = {"vpc": theirs, "non_production_cidrs": NOT_PRODUCTION, **also}
            SegmentedNacls(stack, "Acls", **given)

        return synth(make)

    def test_takes_its_subnets_and_its_block(self):
        template = self.build()
        placed = template.all("AWS::EC2::SubnetNetworkAclAssociation").values()
        assert sorted(a["SubnetId"] for a in placed) == ["subnet-a", "subnet-b", "subnet-c"]
        found = acls(template)
        assert enters(found[PRIVATE], packet("10.1.9.9", OURS, second=5432))
        assert not enters(found[PRIVATE], packet(DEV, OURS, second=5432))
        assert leaves(found[PRIVATE], packet(OURS, CLIENT))

    def test_takes_every_block_it_is_told(self):
        found = acls(self.build(own_cidrs=[CIDR, "100.64.0.0/16", OWN_SIX]))
        assert enters(found[ISOLATED], packet("100.64.9.9", OURS, second=5432))
        assert enters(found[PUBLIC], packet("2001:db8::1", "2600:1f18:1:2::5"))
        assert not enters(found[PUBLIC], packet("fd00::1", "2600:1f18:1:2::5"))

    def test_without_nat_private_speaks_to_its_vpc_only(self):
        found = acls(self.build(private_reaches_out=False))
        assert not leaves(found[PRIVATE], packet(OURS, CLIENT))

    @pytest.mark.parametrize(
        ("vpc", "also", "words"),
        [
            ({"vpc_cidr_block": None}, {}, r"not known at synth; pass own_cidrs"),
            ({}, {"own_cidrs": [CIDR, "10.1.3.0/24"]}, r"own_cidrs: .* overlap"),
            ({}, {"public": [], "private": [], "isolated": []}, r"no subnets"),
            ({"isolated_subnet_ids": ["subnet-a"]}, {}, r"in the public and in the isolated tier"),
            ({}, {"own_cidrs": ["10.0.0.0/8"]}, r"10.0.0.0/8 is the VPC's own"),
        ],
    )
    def test_refuses(self, vpc: Any, also: Any, words: str):
        with pytest.raises(ValueError, match=words):
            self.build(vpc=vpc, **also)


@dataclass
class FakeEc2:
    """The default group of one VPC."""

    groups: int = 1
    ingress: list[Any] = field(default_factory=lambda: [{"IpProtocol": "-1"}])
    egress: list[Any] = field(default_factory=lambda: [{"IpProtocol": "-1"}])
    calls: list[str] = field(default_factory=list[str])

    def describe_security_groups(self, Filters: Any) -> Any:
        assert Filters == [
            {"Name": "vpc-id", "Values": ["vpc-1"]},
            {"Name": "group-name", "Values": ["default"]},
        ]
        group = {
            "GroupId": "sg-1",
            "IpPermissions": self.ingress,
            "IpPermissionsEgress": self.egress,
        }
        return {"SecurityGroups": [group] * self.groups}

    def revoke_security_group_ingress(self, GroupId: str, IpPermissions: Any) -> None:
        self.calls.append("ingress")
        self.ingress = [r for r in self.ingress if r not in IpPermissions]

    def revoke_security_group_egress(self, GroupId: str, IpPermissions: Any) -> None:
        self.calls.append("egress")
        self.egress = [r for r in self.egress if r not in IpPermissions]


def bring(client: FakeEc2) -> Any:
    wanted = {"Setting": "boundary", "Regions": ["eu-west-1"], "Wanted": {"Vpc": "vpc-1"}}
    return make(wanted, 60, client=lambda service, region: client, pause=lambda seconds: None)


class TestDefaultGroup:
    @pytest.mark.parametrize(
        ("client", "found", "calls"),
        [
            (FakeEc2(), "2 rules", ["ingress", "egress"]),
            (FakeEc2(ingress=[]), "1 rules", ["egress"]),
            (FakeEc2(egress=[]), "1 rules", ["ingress"]),
            (FakeEc2(ingress=[], egress=[]), "no rules", []),
        ],
    )
    def test_is_closed(self, client: FakeEc2, found: str, calls: list[str]):
        assert bring(client) == {
            "Found": f"eu-west-1=sg-1 has {found}",
            "Now": "eu-west-1=sg-1 has no rules",
        }
        assert (client.ingress, client.egress, client.calls) == ([], [], calls)

    @pytest.mark.parametrize("groups", [0, 2])
    def test_must_be_one(self, groups: int):
        with pytest.raises(NotMade, match=f"vpc-1 has {groups} security groups named default"):
            bring(FakeEc2(groups=groups))

    def test_is_asked_for_by_its_vpc(self, full: Template):
        [it] = full.all("Custom::AccountSetting").values()
        [its] = full.all("AWS::EC2::VPC")
        assert (it["Setting"], it["Regions"]) == ("boundary", [REGION])
        assert it["Wanted"] == {"Vpc": its}

    def test_function_can_only_take_rules_away(self, full: Template):
        may = {
            (action, resource)
            for policy in full.all("AWS::IAM::Policy").values()
            for s in statements(policy["PolicyDocument"], "Allow")
            for action in s["Action"]
            for resource in s["Resource"]
            if not action.startswith("logs:")
        }
        groups = f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/*"
        assert may == {
            ("ec2:DescribeSecurityGroups", "*"),
            ("ec2:RevokeSecurityGroupEgress", groups),
            ("ec2:RevokeSecurityGroupIngress", groups),
        }
        assert {action for action, _ in may} == set(setting.actions)

    def test_two_vpcs_share_a_function(self):
        def build(stack: cdk.Stack) -> None:
            for n in (1, 2):
                SegmentedVpc(stack, f"Net{n}", cidr=f"10.{n}.0.0/16", non_production_cidrs=[])

        template = synth(build)
        assert len(template.all("AWS::Lambda::Function")) == 1
        assert len(template.all("Custom::AccountSetting")) == 2


@pytest.mark.parametrize("flags", [OUR_FLAGS, NO_FLAGS], ids=["our flags", "no flags"])
@pytest.mark.parametrize(
    "also",
    [{}, {"nat_gateways": 1, "endpoints": [S3, ECR]}, {"nat_gateways": 1, "ipv6": True}],
    ids=["plain", "endpoints", "IPv6"],
)
def test_passes_the_checks_of_others(flags: dict[str, Any], also: Any):
    it = app(flags)
    SegmentedVpc(
        cdk.Stack(it, "Yours"), "Net", cidr=CIDR, non_production_cidrs=NOT_PRODUCTION, **also
    )
    cdk.Validations.of(it).add_plugins(AwsSolutionsChecks(it))
    it.synth()
    body = json.loads(Path(it.outdir, "Yours.template.json").read_text())
    found = [f for f in BOUNDARY.review(Plain(body)) if f.status != "PASS"]
    assert found == []


def test_claims_its_control(full: Template):
    for type in ("AWS::EC2::VPC", "AWS::EC2::NetworkAcl", "AWS::EC2::Subnet"):
        for properties in full.all(type).values():
            assert {"Key": "soc2:controls", "Value": "boundary"} in properties["Tags"]
