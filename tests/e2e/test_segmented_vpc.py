"""A deployed ``SegmentedVpc``: packets that must pass and must not, by the ACLs that EC2 tells.

One without IPv6: the local AWS has no type for a VPC's IPv6 block. Its rules with IPv6 are judged on the
template, in tests/deploy/test_segmented_vpc.py.
"""

from __future__ import annotations

import ipaddress
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cdk_soc2.network import packets
from cdk_soc2.network.acl import first_match
from cdk_soc2.network.entries import acl as read_acl
from tests.e2e.conftest import ROOT, Deployed

pytestmark = pytest.mark.local_aws

APP = ROOT / "tests/e2e/apps/segmented_vpc.py"
STACK = "Network"
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
PUBLIC, PRIVATE, ISOLATED = "public", "private", "isolated"
EVERY = (PUBLIC, PRIVATE, ISOLATED)
HERE, BESIDE = "10.1.2.3", "10.1.255.254"
CLIENT, DEV, OFFICE = "203.0.113.9", "10.9.0.1", "192.168.4.4"
CLIENT6, DEV6 = "2001:db8::1", "fd00::1"

Tiers = Mapping[str, dict[str, Any]]


class Packet(NamedTuple):
    source: str
    destination: str
    protocol: int = TCP
    first: int = 50000  # source port, or ICMP type
    second: int = 443  # destination port, or ICMP code

    @property
    def reply(self) -> Packet:
        return Packet(self.destination, self.source, self.protocol, self.second, self.first)


def passes(acl: Mapping[str, Any], egress: bool, packet: Packet) -> bool:
    """What EC2 documents, and nothing of ``cdk_soc2.network``: the lowest number that matches."""
    for entry in sorted(acl["Entries"], key=lambda e: e["RuleNumber"]):
        if entry["Egress"] is egress and matches(entry, packet):
            return bool(entry["RuleAction"] == "allow")
    return False


def matches(entry: Mapping[str, Any], packet: Packet) -> bool:
    address = ipaddress.ip_address(packet.destination if entry["Egress"] else packet.source)
    block = ipaddress.ip_network(entry.get("CidrBlock") or entry["Ipv6CidrBlock"])
    if address not in block or entry["Protocol"] not in ("-1", str(packet.protocol)):
        return False
    if entry["Protocol"] in (str(TCP), str(UDP)):
        return bool(entry["PortRange"]["From"] <= packet.second <= entry["PortRange"]["To"])
    if entry["Protocol"] in (str(ICMP), str(ICMP6)):
        type, code = entry["IcmpTypeCode"]["Type"], entry["IcmpTypeCode"]["Code"]
        return type in (-1, packet.first) and code in (-1, packet.second)
    return True


def passes_as_proved(acl: Mapping[str, Any], egress: bool, packet: Packet) -> bool:
    """The same question to what the daily check proves with."""
    ends = [ipaddress.ip_address(end) for end in packet[:2]]
    one = packets.Packet(ends[0].version, int(ends[0]), int(ends[1]), *packet[2:])
    its = read_acl(acl)
    decided = first_match(its.egress if egress else its.ingress, one)
    return decided is not None and decided.allow


@pytest.fixture(scope="module")
def tiers(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiers]:
    out = tmp_path_factory.mktemp("network")
    done = subprocess.run(
        [
            *("cdk", "deploy", STACK, "--app", f"python {APP}", "--output", str(out)),
            *("--require-approval", "never"),
        ],
        env=deployed.environment,
        cwd=ROOT,
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    yield read(deployed)
    cloudformation = deployed.client("cloudformation")
    cloudformation.delete_stack(StackName=STACK)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1}
    )


def vpc_id(deployed: Deployed) -> str:
    [vpc] = deployed.client("ec2").describe_vpcs(
        Filters=[{"Name": "cidr", "Values": ["10.1.0.0/16"]}]
    )["Vpcs"]
    return str(vpc["VpcId"])


def of_the_vpc(deployed: Deployed) -> dict[str, Any]:
    return {"Filters": [{"Name": "vpc-id", "Values": [vpc_id(deployed)]}]}


def read(deployed: Deployed) -> Tiers:
    """Each tier's ACL, by the subnets that are in it; asserts that a tier has one."""
    ec2, its = deployed.client("ec2"), of_the_vpc(deployed)
    tier_of = {
        subnet["SubnetId"]: next(
            tag["Value"] for tag in subnet["Tags"] if tag["Key"] == "aws-cdk:subnet-name"
        )
        for subnet in ec2.describe_subnets(**its)["Subnets"]
    }
    assert sorted(tier_of.values()) == sorted(EVERY * 2)
    found: dict[str, dict[str, Any]] = {}
    for acl in ec2.describe_network_acls(**its)["NetworkAcls"]:
        subnets = [association["SubnetId"] for association in acl["Associations"]]
        for tier in {tier_of.pop(subnet) for subnet in subnets}:
            assert tier not in found and not acl["IsDefault"]
            found[tier] = acl
    assert not tier_of
    return found


IN = [
    # Who in the tier is called, by whom, and does it come in and the answer go out?
    *((EVERY, Packet(BESIDE, HERE, p, 50000, port), True) for p, port in ((TCP, 5432), (UDP, 53))),
    *(
        (EVERY, Packet(source, HERE, protocol, 50000, port), False)
        for source in (DEV, OFFICE, "10.0.255.255", "10.2.0.0")
        for protocol, port in ((TCP, 443), (TCP, 22), (TCP, 50000), (UDP, 50000))
    ),
    ((PUBLIC,), Packet(CLIENT, HERE), True),
    ((PRIVATE, ISOLATED), Packet(CLIENT, HERE), False),
    (EVERY, Packet(CLIENT6, "2600::1"), False),
    (EVERY, Packet(CLIENT, HERE, second=22), False),
    (EVERY, Packet(CLIENT, HERE, second=1023), False),
    (EVERY, Packet(CLIENT, HERE, UDP, 50000, 53), False),
    (EVERY, Packet(DEV6, "2600::1"), False),
    (EVERY, Packet(DEV6, "2600::1", second=50000), False),
    ((ISOLATED,), Packet(CLIENT, HERE, second=50000), False),
]
OUT = [
    ((PUBLIC, PRIVATE), Packet(HERE, CLIENT), True),
    ((PUBLIC, PRIVATE), Packet(HERE, CLIENT, UDP, 1024, 123), True),
    ((ISOLATED,), Packet(HERE, CLIENT), False),
    (EVERY, Packet("2600::1", CLIENT6), False),
    (EVERY, Packet(HERE, BESIDE, second=5432), True),
    *((EVERY, Packet(HERE, other), False) for other in (DEV, OFFICE)),
    (EVERY, Packet("2600::1", DEV6), False),
]


@pytest.mark.parametrize("judge", [passes, passes_as_proved])
@pytest.mark.parametrize(
    ("egress", "who", "packet", "expected"),
    [
        *((False, who, packet, expected) for who, packet, expected in IN),
        *((True, who, packet, expected) for who, packet, expected in OUT),
    ],
)
def test_what_passes(
    judge: Any, tiers: Tiers, egress: bool, who: tuple[str, ...], packet: Packet, expected: bool
) -> None:
    for tier in who:
        there = judge(tiers[tier], egress, packet)
        assert (there and judge(tiers[tier], not egress, packet.reply)) is expected, tier


@pytest.mark.parametrize("tier", EVERY)
def test_both_judge_every_packet_alike(tiers: Tiers, tier: str) -> None:
    """At and beside every bound that a rule has."""
    four = (HERE, BESIDE, CLIENT, DEV, OFFICE, "10.0.255.255", "10.1.0.0", "10.2.0.0", "11.0.0.0")
    six = ("2600::1", CLIENT6, DEV6, "fc00::", "fe00::", "fdff:ffff::")
    ports = (0, 1, 22, 442, 443, 444, 1023, 1024, 65535)
    kinds = [(p, 50000, port) for p in (TCP, UDP) for port in ports]
    kinds += [(p, *type_code) for p in (ICMP, ICMP6) for type_code in ((3, 4), (2, 0), (8, 0))]
    kinds += [(50, 0, 0)]
    for family in (four, six):
        for source in family:
            for destination in family:
                for kind in kinds:
                    one = Packet(source, destination, *kind)
                    for egress in (False, True):
                        answers = {f(tiers[tier], egress, one) for f in (passes, passes_as_proved)}
                        assert len(answers) == 1, (one, egress)


def test_no_rule_is_in_the_default_group(deployed: Deployed, tiers: Tiers) -> None:
    groups = deployed.client("ec2").describe_security_groups(**of_the_vpc(deployed))
    [group] = [g for g in groups["SecurityGroups"] if g["GroupName"] == "default"]
    assert group["IpPermissions"] == group["IpPermissionsEgress"] == []


BOUNDARY = """
regions: [us-east-1]
non_production_cidrs: ["10.0.0.0/8", "192.168.0.0/16", "fd00::/8"]
"""


def segmentation(deployed: Deployed, folder: Path) -> dict[str, Any]:
    """What ``soc2 collect`` says of it, with a boundary that names what is not production."""
    (folder / "boundary.yaml").write_text(BOUNDARY)
    done = deployed.soc2(
        *("collect", "--boundary", str(folder / "boundary.yaml"), "--unsigned", "--json"),
        *("--vault", str(folder / "evidence")),
    )
    controls = json.loads(done.stdout)["controls"]
    return dict(controls["boundary"]["checks"]["network_segmentation"])


def test_the_daily_check_passes(deployed: Deployed, tiers: Tiers, tmp_path: Path) -> None:
    check = segmentation(deployed, tmp_path)
    assert check["status"] == "PASS", check
    proved = [o for o in check["observations"] if "admits no packet" in o["detail"]]
    assert len(proved) == 6


ADMITTED = [
    # (tier, a rule that somebody adds by hand, a packet that it lets in)
    (ISOLATED, {"CidrBlock": "10.9.0.0/16", "Protocol": "-1"}, Packet(DEV, HERE, second=22)),
    (
        PRIVATE,
        {"CidrBlock": "192.168.4.4/32", "Protocol": "6", "PortRange": {"From": 5432, "To": 5432}},
        Packet(OFFICE, HERE, second=5432),
    ),
    (PUBLIC, {"Ipv6CidrBlock": "::/0", "Protocol": "-1"}, Packet(DEV6, "2600::1", UDP)),
]


@pytest.mark.parametrize(("tier", "added", "packet"), ADMITTED)
def test_the_daily_check_fails_once_a_packet_is_let_in(
    deployed: Deployed, tiers: Tiers, tmp_path: Path, tier: str, added: Any, packet: Packet
) -> None:
    ec2 = deployed.client("ec2")
    rule = {"NetworkAclId": tiers[tier]["NetworkAclId"], "RuleNumber": 50, "Egress": False}
    ec2.create_network_acl_entry(**rule, RuleAction="allow", **added)
    try:
        assert passes(read(deployed)[tier], False, packet)
        check = segmentation(deployed, tmp_path)
    finally:
        ec2.delete_network_acl_entry(**rule)
    failed = [o["detail"] for o in check["observations"] if o["status"] == "FAIL"]
    assert check["status"] == "FAIL"
    assert len(failed) == 2  # the tier's subnets, and no other
    assert all(f"{rule['NetworkAclId']} rule 50 " in detail for detail in failed)
