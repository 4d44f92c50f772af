"""A network ACL's verdict on one packet, told from EC2's record rule by rule: slow, and plain to read."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from cdk_soc2.network.packets import Packet


def passes(entries: Iterable[Mapping[str, Any]], packet: Packet, *, egress: bool) -> bool:
    mine = [e for e in entries if e["Egress"] is egress]
    for entry in sorted(mine, key=lambda e: e["RuleNumber"]):
        if speaks_of(entry, packet, egress=egress):
            return entry["RuleAction"] == "allow"
    return False


def speaks_of(entry: Mapping[str, Any], packet: Packet, *, egress: bool) -> bool:
    block = ipaddress.ip_network(entry.get("CidrBlock") or entry["Ipv6CidrBlock"])
    number = packet.destination if egress else packet.source
    kind = ipaddress.IPv4Address if packet.version == 4 else ipaddress.IPv6Address
    if block.version != packet.version or kind(number) not in block:
        return False
    if entry["Protocol"] == "-1":
        return True
    if int(entry["Protocol"]) != packet.protocol:
        return False
    if packet.protocol in (6, 17):
        return entry["PortRange"]["From"] <= packet.destination_port <= entry["PortRange"]["To"]
    if packet.protocol == 1 or (packet.protocol == 58 and packet.version == 6):
        type, code = entry["IcmpTypeCode"]["Type"], entry["IcmpTypeCode"]["Code"]
        return type == -1 or (type == packet.source_port and code in (-1, packet.destination_port))
    return True
