"""Exact sets of packets: what a filter admits can be computed, rather than sampled."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Interval = tuple[int, int]  # first and last, both included

ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
NAMES = {ICMP: "icmp", TCP: "tcp", UDP: "udp", ICMP6: "icmpv6"}
PORTS: Interval = (0, 65535)
BYTE: Interval = (0, 255)
NONE: Interval = (0, 0)
ADDRESSES: dict[int, Interval] = {4: (0, 2**32 - 1), 6: (0, 2**128 - 1)}
# Which packet of many is shown: one that a reader recognizes.
TELLING = {TCP: (49152, 22), UDP: (49152, 53), ICMP: (8, 0), ICMP6: (128, 0)}


class Packet(NamedTuple):
    """One packet. An ICMP packet's type and code stand where others have their ports."""

    version: int
    source: int
    destination: int
    protocol: int
    source_port: int = 0
    destination_port: int = 0

    def __str__(self) -> str:
        source, destination = (_address(self.version, a) for a in (self.source, self.destination))
        return f"{self.carries} from {source} to {destination}{self._port}"

    @property
    def sender(self) -> str:
        return _address(self.version, self.source)

    @property
    def carries(self) -> str:
        return NAMES.get(self.protocol, f"protocol {self.protocol}")

    @property
    def _port(self) -> str:
        if self.protocol in (TCP, UDP):
            return f" port {self.destination_port}"
        if self.protocol in (ICMP, ICMP6):
            return f" type {self.source_port} code {self.destination_port}"
        return ""


class Sides(NamedTuple):
    """An interval for each field of a packet but its version."""

    source: Interval
    destination: Interval
    protocol: Interval
    source_port: Interval
    destination_port: Interval


class Box(NamedTuple):
    """All packets of one IP version whose every field lies in its interval."""

    version: int
    sides: Sides


@dataclass(frozen=True, slots=True)
class PacketSet:
    """A set of packets, as boxes of which no two share a packet."""

    boxes: tuple[Box, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.boxes

    def __contains__(self, packet: Packet) -> bool:
        return any(
            box.version == packet.version
            and all(low <= n <= high for n, (low, high) in zip(packet[1:], box.sides, strict=True))
            for box in self.boxes
        )

    def __and__(self, other: PacketSet) -> PacketSet:
        common = (_common(a, b) for a in self.boxes for b in other.boxes)
        return PacketSet(tuple(box for box in common if box is not None))

    def __sub__(self, other: PacketSet) -> PacketSet:
        left = list(self.boxes)
        for cut in other.boxes:
            left = [piece for box in left for piece in _without(box, cut)]
        return PacketSet(tuple(left))

    def __or__(self, other: PacketSet) -> PacketSet:
        return PacketSet(self.boxes + (other - self).boxes)

    def witness(self) -> Packet | None:
        """A packet of the set, the same one every time; ``None`` of the empty set."""
        return min(map(_telling, self.boxes), key=_preference, default=None)


@cache
def everything(version: int) -> PacketSet:
    """Every packet of IP *version*: only TCP and UDP have ports, only ICMP has types and codes."""
    any_address = ADDRESSES[version]
    return PacketSet(
        tuple(
            Box(version, Sides(any_address, any_address, protocol, first, second))
            for protocol, first, second in _PROTOCOLS
        )
    )


def packets_from(networks: Iterable[Network]) -> PacketSet:
    """Every packet whose source lies in one of *networks*."""
    return PacketSet(
        tuple(
            Box(box.version, box.sides._replace(source=interval(network)))
            for network in apart(networks)
            for box in everything(network.version).boxes
        )
    )


def apart(networks: Iterable[Network]) -> Iterator[Network]:
    """The same addresses as *networks*, each once, in as few networks as they fit."""
    every = list(networks)
    yield from ipaddress.collapse_addresses(n for n in every if n.version == 4)
    yield from ipaddress.collapse_addresses(n for n in every if n.version == 6)


def interval(network: Network) -> Interval:
    return int(network.network_address), int(network.broadcast_address)


def _protocols() -> Iterator[tuple[Interval, Interval, Interval]]:
    """Every protocol number, with the ranges of its two further fields."""
    fields = {ICMP: BYTE, TCP: PORTS, UDP: PORTS, ICMP6: BYTE}
    start = 0
    for number, both in fields.items():
        if start < number:
            yield (start, number - 1), NONE, NONE
        yield (number, number), both, both
        start = number + 1
    yield (start, 255), NONE, NONE


_PROTOCOLS = tuple(_protocols())


def _common(a: Box, b: Box) -> Box | None:
    if a.version != b.version:
        return None
    sides: list[Interval] = []
    for (low, high), (other_low, other_high) in zip(a.sides, b.sides, strict=True):
        first, last = max(low, other_low), min(high, other_high)
        if first > last:
            return None
        sides.append((first, last))
    return Box(a.version, Sides(*sides))


def _without(box: Box, cut: Box) -> Iterator[Box]:
    """*box* without *cut*: slices on either side of it, field by field."""
    common = _common(box, cut)
    if common is None:
        yield box
        return
    rest = box.sides
    for name, (low, high), (first, last) in zip(
        Sides._fields, box.sides, common.sides, strict=True
    ):
        if low < first:
            yield Box(box.version, rest._replace(**{name: (low, first - 1)}))
        if high > last:
            yield Box(box.version, rest._replace(**{name: (last + 1, high)}))
        rest = rest._replace(**{name: (first, last)})


def _telling(box: Box) -> Packet:
    sides = box.sides
    low, high = sides.protocol
    protocol = next((p for p in TELLING if low <= p <= high), low)
    first, second = TELLING.get(protocol, (0, 0))
    return Packet(
        box.version,
        _clip(sides.source[0] + 1, sides.source),  # a network's first address is no host's
        _clip(sides.destination[0] + 1, sides.destination),
        protocol,
        _clip(first, sides.source_port),
        _clip(second, sides.destination_port),
    )


def _preference(packet: Packet) -> tuple[int, Packet]:
    order = list(TELLING)
    return order.index(packet.protocol) if packet.protocol in order else len(order), packet


def _clip(value: int, within: Interval) -> int:
    return min(max(value, within[0]), within[1])


def _address(version: int, number: int) -> str:
    return str(ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number))
