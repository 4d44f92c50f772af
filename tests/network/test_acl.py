"""Network ACLs: exact sets against a verdict on every single packet."""

import ipaddress
import time
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdk_soc2.control import CannotLook
from cdk_soc2.network.acl import Acl, admitted, counterexample, first_match
from cdk_soc2.network.entries import acl
from cdk_soc2.network.packets import Packet, everything, packets_from
from tests.network.single import passes

BLOCKS = (
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.0.0/16",
    "10.0.1.0/24",
    "10.128.0.0/9",
    "192.168.0.0/16",
    "10.0.1.7/32",
    "::/0",
    "fd00::/8",
    "fd00:1::/32",
)
EDGES = sorted(
    {
        (n.version, min(max(int(n[0]) + step, 0), 2**n.max_prefixlen - 1))
        for n in map(ipaddress.ip_network, BLOCKS)
        for step in (-1, 0, 1, n.num_addresses - 1, n.num_addresses)
    }
)
PORT = st.sampled_from((0, 21, 22, 23, 443, 1023, 1024, 65535))
TYPE = st.sampled_from((0, 3, 8, 128, 255))


@st.composite
def entries(draw: st.DrawFn, number: int) -> dict[str, Any]:
    block = draw(st.sampled_from(BLOCKS))
    protocol = draw(st.sampled_from(("-1", "6", "17", "1", "58", "50", "0")))
    low, high = sorted((draw(PORT), draw(PORT)))
    type = draw(st.one_of(st.just(-1), TYPE))
    record: dict[str, Any] = {
        "RuleNumber": number,
        "Egress": draw(st.booleans()),
        "RuleAction": draw(st.sampled_from(("allow", "deny"))),
        "Ipv6CidrBlock" if ":" in block else "CidrBlock": block,
        "Protocol": protocol,
    }
    # EC2 shows ports that a caller gave for a protocol without any; they mean nothing.
    if protocol in ("6", "17") or draw(st.booleans()):
        record["PortRange"] = {"From": low, "To": high}
    if protocol in ("1", "58"):
        code = -1 if type == -1 else draw(st.one_of(st.just(-1), TYPE))
        record["IcmpTypeCode"] = {"Type": type, "Code": code}
    return record


@st.composite
def lists(draw: st.DrawFn) -> list[dict[str, Any]]:
    numbers = draw(st.lists(st.integers(1, 32767), max_size=9, unique=True))
    return [draw(entries(number)) for number in numbers]


@st.composite
def packets(draw: st.DrawFn) -> Packet:
    version, source = draw(st.sampled_from(EDGES))
    _, destination = draw(st.sampled_from([e for e in EDGES if e[0] == version]))
    protocol = draw(st.sampled_from((0, 1, 6, 17, 50, 58, 255)))
    if protocol in (6, 17):
        return Packet(version, source, destination, protocol, draw(PORT), draw(PORT))
    if protocol in (1, 58):
        return Packet(version, source, destination, protocol, draw(TYPE), draw(TYPE))
    return Packet(version, source, destination, protocol)


def ways(made: Acl) -> list[tuple[bool, Any]]:
    return [(False, made.ingress), (True, made.egress)]


ALL = everything(4) | everything(6)


@settings(max_examples=150, deadline=None)
@given(lists(), st.lists(packets(), min_size=15, max_size=15))
def test_same_verdict_as_packet_by_packet(given: list[dict[str, Any]], some: list[Packet]) -> None:
    made = acl({"NetworkAclId": "acl-1", "Entries": given})
    for egress, rules in ways(made):
        found = admitted(rules, ALL)
        for packet in some:
            expected = passes(given, packet, egress=egress)
            assert (packet in found) == expected
            decided = first_match(rules, packet)
            assert (decided is not None and decided.allow) == expected


SOURCES = [ipaddress.ip_network(block) for block in BLOCKS]


@settings(max_examples=150, deadline=None)
@given(lists(), st.lists(st.sampled_from(SOURCES), min_size=1, max_size=3), st.data())
def test_a_counterexample_is_one_and_none_means_none(
    given: list[dict[str, Any]], sources: list[Any], data: st.DataObject
) -> None:
    made = acl({"NetworkAclId": "acl-1", "Entries": given})
    suspects = packets_from(sources)
    found = counterexample(made.ingress, suspects)
    if found is not None:
        assert found.packet in suspects
        assert passes(given, found.packet, egress=False)
        assert first_match(made.ingress, found.packet) == found.entry
        return
    for _ in range(30):
        packet = data.draw(packets())
        assert packet not in suspects or not passes(given, packet, egress=False)


def random_list(random: Random) -> list[dict[str, Any]]:
    def record(number: int) -> dict[str, Any]:
        block, protocol = random.choice(BLOCKS), random.choice(("-1", "6", "17", "1", "58", "50"))
        low, high = sorted(random.choices((0, 22, 443, 1024, 65535), k=2))
        type = random.choice((-1, 0, 8))
        return {
            "RuleNumber": number,
            "Egress": random.random() < 0.2,
            "RuleAction": random.choice(("allow", "deny")),
            "Ipv6CidrBlock" if ":" in block else "CidrBlock": block,
            "Protocol": protocol,
            "PortRange": {"From": low, "To": high},
            "IcmpTypeCode": {"Type": type, "Code": -1 if type == -1 else random.choice((-1, 0, 8))},
        }

    return [record(number) for number in range(1, random.randint(2, 12))]


def random_packet(random: Random) -> Packet:
    version, source = random.choice(EDGES)
    destination = random.choice([e for e in EDGES if e[0] == version])[1]
    protocol = random.choice((1, 6, 17, 50, 58))
    ports = {6: (0, 22, 443, 1024, 65535), 17: (22, 1024), 1: (0, 3, 8), 58: (0, 3, 8), 50: (0,)}
    first, second = random.choices(ports[protocol], k=2)
    return Packet(version, source, destination, protocol, first, second)


def test_thousands_of_random_lists() -> None:
    """As above, by the thousand; hypothesis finds the small cases, this the crowded ones."""
    random = Random(3)
    for _ in range(3000):
        records = random_list(random)
        made = acl({"NetworkAclId": "acl-1", "Entries": records})
        among = packets_from(random.sample(SOURCES, 3))
        found = admitted(made.ingress, among)
        for packet in (random_packet(random) for _ in range(10)):
            expected = packet in among and passes(records, packet, egress=False)
            assert (packet in found) == expected, (records, packet)
        shown = counterexample(made.ingress, among)
        assert (shown is None) == found.is_empty
        assert shown is None or passes(records, shown.packet, egress=False)


def rule(number: int, action: str, block: str = "0.0.0.0/0", **also: Any) -> dict[str, Any]:
    name = "Ipv6CidrBlock" if ":" in block else "CidrBlock"
    base = {"RuleNumber": number, "RuleAction": action, "Egress": False, "Protocol": "-1"}
    return {**base, name: block, **also}


PORTS = {"From": 80, "To": 80}
MALFORMED = {
    "protocol by name": rule(1, "allow", Protocol="tcp", PortRange=PORTS),
    "protocol 256": rule(1, "allow", Protocol="256"),
    "protocol null": rule(1, "allow", Protocol=None),
    "another digit": rule(1, "allow", Protocol="²"),
    "tcp without ports": rule(1, "allow", Protocol="6"),
    "ports reversed": rule(1, "allow", Protocol="6", PortRange={"From": 9, "To": 8}),
    "ports beyond": rule(1, "allow", Protocol="6", PortRange={"From": 0, "To": 65536}),
    "icmp without type": rule(1, "allow", Protocol="1"),
    "icmpv6 without type": rule(1, "allow", "::/0", Protocol="58"),
    "icmp type 256": rule(1, "allow", Protocol="1", IcmpTypeCode={"Type": 256, "Code": 0}),
    "action": rule(1, "ALLOW"),
    "no block": {k: v for k, v in rule(1, "allow").items() if k != "CidrBlock"},
    "two blocks": rule(1, "allow", Ipv6CidrBlock="::/0"),
    "block of words": rule(1, "allow", "everywhere"),
    "egress null": rule(1, "allow", Egress=None),
    "number is a word": rule(1, "allow", RuleNumber="1"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_not_understood_is_not_guessed(name: str) -> None:
    with pytest.raises(CannotLook):
        acl({"NetworkAclId": "acl-1", "Entries": [MALFORMED[name]]})


def test_two_rules_of_one_number_have_no_order() -> None:
    twice = [rule(1, "allow"), rule(1, "deny")]
    with pytest.raises(CannotLook, match="which is first"):
        acl({"NetworkAclId": "acl-1", "Entries": twice})
    acl({"NetworkAclId": "acl-1", "Entries": [rule(1, "allow"), rule(1, "deny", Egress=True)]})


def test_icmpv6_in_an_ipv4_rule_has_no_types() -> None:
    made = acl({"NetworkAclId": "acl-1", "Entries": [rule(1, "allow", Protocol="58")]})
    assert first_match(made.ingress, Packet(4, 1, 1, 58, 135, 0)) is not None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (rule(7, "allow"), "rule 7 (allow all from 0.0.0.0/0)"),
        (rule(8, "deny", Protocol="6", PortRange=PORTS), "rule 8 (deny tcp 80 from 0.0.0.0/0)"),
        (
            rule(9, "allow", "::/0", Protocol="17", PortRange={"From": 1, "To": 9}, Egress=True),
            "rule 9 (allow udp 1-9 to ::/0)",
        ),
        (rule(9, "allow", Protocol="50"), "rule 9 (allow 50 from 0.0.0.0/0)"),
    ],
)
def test_a_rule_reads_like_one(given: dict[str, Any], told: str) -> None:
    made = acl({"NetworkAclId": "acl-1", "Entries": [given]})
    assert [str(e) for e in (*made.ingress, *made.egress)] == [told]


def test_forty_rules_are_judged_in_a_blink() -> None:
    """One ACL for all of 200 subnets: it is judged once."""
    denies = [rule(n, "deny", f"10.{n}.0.0/16") for n in range(1, 21)]
    allows = [
        rule(n, "allow", f"172.16.{n}.0/24", Protocol="6", PortRange={"From": n, "To": n + 900})
        for n in range(21, 41)
    ]
    suspects = packets_from([ipaddress.ip_network("10.0.0.0/8")])
    start = time.perf_counter()
    made = acl({"NetworkAclId": "acl-1", "Entries": [*denies, *allows]})
    assert counterexample(made.ingress, suspects) is None
    assert time.perf_counter() - start < 0.05
