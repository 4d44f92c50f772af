"""What a network ACL does with a packet: rules in order of their numbers, the first match decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from cdk_soc2.network.packets import (
    ADDRESSES,
    BYTE,
    ICMP,
    ICMP6,
    NAMES,
    PORTS,
    TCP,
    UDP,
    Box,
    Interval,
    Network,
    Packet,
    PacketSet,
    Sides,
    everything,
    interval,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule of a network ACL.

    :param network: of the source on the way in, of the destination on the way out.
    :param protocol: its number; ``None``, every protocol.
    :param ports: of the destination, for TCP and UDP; they mean nothing for any other protocol.
    :param icmp: type and code, each ``-1`` for any.
    """

    number: int
    egress: bool
    allow: bool
    network: Network
    protocol: int | None = None
    ports: Interval = PORTS
    icmp: tuple[int, int] = (-1, -1)

    @property
    def packets(self) -> PacketSet:
        """Every packet that the rule speaks of."""
        protocol = (0, 255) if self.protocol is None else (self.protocol, self.protocol)
        first, second = self._fields()
        any_address = ADDRESSES[self.network.version]
        side = interval(self.network)
        source, destination = (any_address, side) if self.egress else (side, any_address)
        bounds = Box(self.network.version, Sides(source, destination, protocol, first, second))
        return everything(self.network.version) & PacketSet((bounds,))

    def _fields(self) -> tuple[Interval, Interval]:
        """The ranges of ports, or of ICMP type and code.

        As EC2 documents it for CreateNetworkAclEntry: for every protocol but TCP, UDP and ICMP they
        are ignored, and so they are for ICMPv6 in a rule of an IPv4 network.
        """
        if self.protocol in (TCP, UDP):
            return PORTS, self.ports
        if self.protocol == ICMP or (self.protocol == ICMP6 and self.network.version == 6):
            type, code = self.icmp
            if type == -1:
                return BYTE, BYTE
            return (type, type), BYTE if code == -1 else (code, code)
        return PORTS, PORTS

    def __str__(self) -> str:
        protocol = "all" if self.protocol is None else NAMES.get(self.protocol, str(self.protocol))
        ports = ""
        if self.protocol in (TCP, UDP):
            low, high = self.ports
            ports = f" {low}" if low == high else f" {low}-{high}"
        way = "to" if self.egress else "from"
        verb = "allow" if self.allow else "deny"
        return f"rule {self.number} ({verb} {protocol}{ports} {way} {self.network})"


@dataclass(frozen=True, slots=True)
class Acl:
    """A network ACL. It keeps no state: a reply is judged like any other packet.

    :param ingress: the rules on the way in, by number.
    :param egress: the rules on the way out, by number.
    """

    id: str
    ingress: tuple[Entry, ...]
    egress: tuple[Entry, ...]

    @classmethod
    def of(cls, id: str, entries: Iterable[Entry]) -> Acl:
        """Raises ``ValueError`` where two rules of a direction share a number."""
        ordered = sorted(entries, key=lambda e: e.number)
        ways = tuple(tuple(e for e in ordered if e.egress is egress) for egress in (False, True))
        for way in ways:
            for one, other in pairwise(way):
                if one.number == other.number:
                    raise ValueError(f"{id}: two rules are number {one.number}; which is first?")
        return cls(id, *ways)


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A packet that must not pass, and the rule that lets it."""

    packet: Packet
    entry: Entry


def first_match(entries: Iterable[Entry], packet: Packet) -> Entry | None:
    """The rule of one direction that decides on *packet*; ``None``: none does, it is denied."""
    return next((e for e in entries if packet in e.packets), None)


def admitted(entries: Iterable[Entry], among: PacketSet) -> PacketSet:
    """Those of the packets *among* that the rules of one direction let pass."""
    found: list[PacketSet] = [passed for _, passed in _passing(entries, among)]
    return PacketSet(tuple(box for part in found for box in part.boxes))


def counterexample(entries: Iterable[Entry], among: PacketSet) -> Counterexample | None:
    """One of the packets *among* that the rules let pass, and the first rule that does; or ``None``."""
    for entry, passed in _passing(entries, among):
        packet = passed.witness()
        if packet is not None:
            return Counterexample(packet, entry)
    return None


def _passing(entries: Iterable[Entry], left: PacketSet) -> Iterator[tuple[Entry, PacketSet]]:
    """Each allowing rule with what it lets pass that no rule before it decided on."""
    for entry in entries:
        if left.is_empty:
            return
        spoken_of = entry.packets
        if entry.allow:
            passed = left & spoken_of
            if passed.is_empty:
                continue
            yield entry, passed
        left = left - spoken_of
