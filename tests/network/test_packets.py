"""The algebra of packet sets, held against single packets."""

import ipaddress

from hypothesis import given, settings
from hypothesis import strategies as st

from cdk_soc2.network.packets import (
    ADDRESSES,
    Box,
    Packet,
    PacketSet,
    Sides,
    apart,
    everything,
    packets_from,
)

# Few values, so that random boxes meet, touch and miss each other often.
SMALL = st.integers(0, 7)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    def side() -> tuple[int, int]:
        low, high = sorted((draw(SMALL), draw(SMALL)))
        return low, high

    return Box(draw(st.sampled_from((4, 6))), Sides(side(), side(), side(), side(), side()))


@st.composite
def sets(draw: st.DrawFn) -> PacketSet:
    made = PacketSet()
    for box in draw(st.lists(boxes(), max_size=4)):
        made = made | PacketSet((box,))
    return made


packets = st.builds(Packet, st.sampled_from((4, 6)), SMALL, SMALL, SMALL, SMALL, SMALL)


@settings(max_examples=200, deadline=None)
@given(sets(), sets(), st.lists(packets, min_size=20, max_size=20))
def test_sets_do_as_their_packets_do(a: PacketSet, b: PacketSet, some: list[Packet]) -> None:
    for packet in some:
        assert (packet in (a & b)) == (packet in a and packet in b)
        assert (packet in (a - b)) == (packet in a and packet not in b)
        assert (packet in (a | b)) == (packet in a or packet in b)


@settings(max_examples=200, deadline=None)
@given(sets(), sets())
def test_laws(a: PacketSet, b: PacketSet) -> None:
    assert (a - a).is_empty
    assert ((a - b) & b).is_empty
    assert (a - (a - b) - b).is_empty
    assert ((a | b) - a - b).is_empty


@settings(max_examples=200, deadline=None)
@given(sets())
def test_a_witness_is_of_the_set_and_no_two_boxes_share_a_packet(a: PacketSet) -> None:
    witness = a.witness()
    assert (witness is None) == a.is_empty
    assert witness is None or witness in a
    for i, one in enumerate(a.boxes):
        for other in a.boxes[i + 1 :]:
            assert (PacketSet((one,)) & PacketSet((other,))).is_empty


def test_everything_has_every_protocol_once_and_ports_only_where_there_are_any() -> None:
    for version in (4, 6):
        every = everything(version)
        low, high = ADDRESSES[version]
        for protocol in range(256):
            assert Packet(version, low, high, protocol) in every
            assert (Packet(version, low, high, protocol, 65535, 65535) in every) == (
                protocol in (6, 17)
            )
            assert (Packet(version, low, high, protocol, 255, 255) in every) == (
                protocol in (1, 6, 17, 58)
            )
        assert Packet(version, low, high, 256) not in every
        assert (PacketSet(every.boxes[:4]) & PacketSet(every.boxes[4:])).is_empty


def test_networks_that_overlap_are_each_counted_once() -> None:
    given = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "10.1.0.0/16", "fd00::/8")]
    assert [str(n) for n in apart(given)] == ["10.0.0.0/8", "fd00::/8"]
    found = packets_from(given)
    assert Packet(4, int(ipaddress.IPv4Address("10.1.2.3")), 0, 6, 1, 1) in found
    assert Packet(4, int(ipaddress.IPv4Address("11.0.0.0")), 0, 6, 1, 1) not in found
    assert Packet(6, int(ipaddress.IPv6Address("fd00::1")), 0, 58, 128, 0) in found


def test_a_witness_reads_like_a_packet_somebody_might_send() -> None:
    found = packets_from([ipaddress.ip_network("10.0.0.0/8")]).witness()
    assert found is not None
    assert str(found) == "tcp from 10.0.0.1 to 0.0.0.1 port 22"
    assert found.sender == "10.0.0.1"
