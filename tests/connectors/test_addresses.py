"""Which addresses are public, however they are spelled."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.addresses import Gate, is_public, literal
from connectors.errors import AddressRefused, TryAgainLater


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"],
)
def test_an_address_on_the_internet_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.255.1.2", "10.1.1.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.251", "255.255.255.255", "240.0.0.1",
     "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
     "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2001:db8::1", "page.example", ""],
)  # fmt: skip
def test_an_address_that_only_we_could_ask_is_not_public(address):
    assert not is_public(address)


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_an_ipv4_address_inside_ipv6_is_as_public_as_it_is_by_itself(address: IPv4Address):
    carried = [
        f"::ffff:{address}",
        f"64:ff9b::{address}",
        str(IPv6Address((0x2002 << 112) | int(address) << 80)),
    ]
    assert {is_public(one) for one in carried} == {is_public(str(address))}


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_a_number_in_disguise_is_the_address_that_it_is(address: IPv4Address):
    number = int(address)
    first, rest = number >> 24, number & 0xFFFFFF
    for spelled in [
        str(number),
        hex(number),
        f"0{number:o}",
        f"{first}.{rest}",
        f"{hex(first)}.{rest}",
        f"0{first:o}.{rest}",
        f"{address}.",
    ]:
        assert literal(spelled) == address


@pytest.mark.parametrize(
    "host", ["page.example", "face", "dead.beef", "1.2.3.4.5", "1.2.3.999", "0x", "", "."]
)
def test_a_name_is_no_number(host):
    assert literal(host) is None


def test_a_host_is_allowed_alone_or_with_its_port_and_no_other():
    found = {"wiki.town.lan": ["10.0.0.8"], "other.lan": ["10.0.0.9"]}
    gate = Gate(["Wiki.town.lan", "other.lan:8080", "[::1]:99"], lambda host, port: found[host])
    assert gate.addresses(gate.read("http://WIKI.town.lan:81/")) == ["10.0.0.8"]
    assert gate.addresses(gate.read("http://other.lan:8080/")) == ["10.0.0.9"]
    assert gate.addresses(gate.read("http://[::1]:99/")) == ["::1"]
    for url in ["http://other.lan/", "http://other.lan:8081/", "http://[::1]/"]:
        with pytest.raises(AddressRefused):
            gate.addresses(gate.read(url))


def test_private_addresses_beside_a_public_one_are_left_out():
    gate = Gate([], lambda host, port: ["10.0.0.1", "8.8.8.8", "::1"])
    assert gate.addresses(gate.read("https://page.example/")) == ["8.8.8.8"]


def test_a_name_with_no_address_is_asked_again_later():
    gate = Gate([], lambda host, port: [])
    with pytest.raises(TryAgainLater):
        gate.addresses(gate.read("https://page.example/"))


def test_python_and_we_agree_on_plain_addresses():
    assert ip_address("127.1.2.3").is_loopback
    assert not is_public("127.1.2.3")
