"""Reads a network ACL from EC2's answer. What is not understood is said, never guessed."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from cdk_soc2.answers import malformed, may, records, want
from cdk_soc2.network.acl import Acl, Entry
from cdk_soc2.network.packets import ICMP, ICMP6, PORTS, TCP, UDP, Interval, Network


def acl(answer: Mapping[str, Any]) -> Acl:
    """The ACL in one record of ``DescribeNetworkAcls``. Raises :class:`CannotLook`."""
    id = want(answer, "NetworkAclId", str)
    try:
        return Acl.of(id, [entry(one) for one in records(answer, "Entries")])
    except ValueError as error:
        raise malformed(str(error)) from None


def entry(record: Mapping[str, Any]) -> Entry:
    """One rule. Raises :class:`CannotLook`."""
    network = _network(record)
    protocol = _protocol(want(record, "Protocol", str))
    return Entry(
        number=want(record, "RuleNumber", int),
        egress=want(record, "Egress", bool),
        allow=_allows(want(record, "RuleAction", str)),
        network=network,
        protocol=protocol,
        ports=_ports(record) if protocol in (TCP, UDP) else PORTS,
        icmp=_icmp(record)
        if protocol == ICMP or (protocol == ICMP6 and network.version == 6)
        else (-1, -1),
    )


def _network(record: Mapping[str, Any]) -> Network:
    given = [block for name in ("CidrBlock", "Ipv6CidrBlock") if (block := may(record, name, str))]
    if len(given) != 1:
        raise malformed(f"rule {record.get('RuleNumber')} has {given}, not one CIDR block")
    return network(given[0])


def network(block: str) -> Network:
    """The addresses of a CIDR block; EC2 takes host bits and drops them. Raises :class:`CannotLook`."""
    try:
        return ipaddress.ip_network(block, strict=False)
    except ValueError:
        raise malformed(f"{block!r} is not a CIDR block") from None


def _protocol(number: str) -> int | None:
    if number == "-1":
        return None
    if not number.isascii() or not number.isdigit() or int(number) > 255:
        raise malformed(f"protocol {number!r} is neither -1 nor a number up to 255")
    return int(number)


def _allows(action: str) -> bool:
    if action not in ("allow", "deny"):
        raise malformed(f"rule action {action!r} is neither allow nor deny")
    return action == "allow"


def _ports(record: Mapping[str, Any]) -> Interval:
    ports = want(record, "PortRange", dict)
    low, high = want(ports, "From", int), want(ports, "To", int)
    if not PORTS[0] <= low <= high <= PORTS[1]:
        raise malformed(f"ports {low} to {high} are not a range")
    return low, high


def _icmp(record: Mapping[str, Any]) -> tuple[int, int]:
    given = want(record, "IcmpTypeCode", dict)
    type, code = want(given, "Type", int), want(given, "Code", int)
    if not (-1 <= type <= 255 and -1 <= code <= 255):
        raise malformed(f"ICMP type {type} code {code} do not exist")
    return type, code
