"""Hosts in one spelling, and which addresses are the public internet."""

import random
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doer.computers.network.addresses import carried, closed, is_own
from doer.computers.network.hosts import (
    address,
    canonical,
    canonical_pattern,
    covers,
    split_port,
)

SPELLINGS = [
    ("Example.COM", "example.com"),
    ("example.com.", "example.com"),
    ("bücher.example", "xn--bcher-kva.example"),
    ("BÜCHER.example", "xn--bcher-kva.example"),
    ("faß.de", "xn--fa-hia.de"),
    ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
    ("127.1", "127.0.0.1"),
    ("2130706433", "127.0.0.1"),
    ("0x7f000001", "127.0.0.1"),
    ("0x7f.1", "127.0.0.1"),
    ("0177.0.0.1", "127.0.0.1"),
    ("017700000001", "127.0.0.1"),
    ("127.0.0.1.", "127.0.0.1"),
    ("127.0.1", "127.0.0.1"),
    ("0", "0.0.0.0"),
    ("0x", "0.0.0.0"),
    ("127。0。0。1", "127.0.0.1"),
    ("①②⑦.0.0.1", "127.0.0.1"),
    ("0XA9FEA9FE", "169.254.169.254"),
    ("[::1]", "::1"),
    ("[0:0:0:0:0:0:0:1]", "::1"),
    ("[::FFFF:127.0.0.1]", "::ffff:7f00:1"),
    ("::ffff:7f00:1", "::ffff:7f00:1"),
]

NO_HOSTS = [
    "",
    " ",
    "a b",
    "a\tb",
    "user@host",
    "user:pass@host",
    "host/path",
    "host?x",
    "host#x",
    "host\\x",
    "ho%73t",
    "a..b",
    ".a",
    "a..",
    "-a.test",
    "a-.test",
    "[::1",
    "::1]",
    "[fe80::1%25eth0]",
    "fe80::1%eth0",
    "1.2.3.4.5",
    "256.1.1.1",
    "1.2.3.256",
    "1.2.65536",
    "4294967296",
    "08.1.1.1",
    "0xg.1",
    "a.0x1.09",
    "x" * 64 + ".test",
    ".".join(["abcdefgh"] * 40),
    "a\0b",
    "host\r\nEvil: 1",
    "1:2:3",
]


@pytest.mark.parametrize(("text", "expected"), SPELLINGS)
def test_a_host_has_one_spelling(text, expected):
    assert canonical(text) == expected
    assert canonical(expected) == expected


@pytest.mark.parametrize("text", NO_HOSTS)
def test_what_is_no_host_is_refused(text):
    with pytest.raises(ValueError, match="."):
        canonical(text)


@given(st.text(max_size=80))
def test_any_text_is_refused_or_gets_a_spelling_that_stays(text):
    try:
        host = canonical(text)
    except ValueError:
        return
    assert canonical(host) == host
    assert host.isascii()
    assert not set(host) & set(" @/?#\\%[]\r\n\0")
    assert host == host.lower()


def spelled(number: int, choose: random.Random) -> str:
    """An IPv4 address in one of the many ways in which URL parsers read it."""
    count = choose.randint(1, 4)
    parts = [(number >> (24 - 8 * at)) & 255 for at in range(count - 1)]
    parts.append(number & ((1 << (32 - 8 * (count - 1))) - 1))
    forms = ("{}", "0x{:x}", "0X{:X}", "0{:o}", "000{:o}", "0x000{:x}")
    text = ".".join(choose.choice(forms).format(part) for part in parts)
    return text + choose.choice(("", "."))


@given(st.integers(0, 2**32 - 1), st.randoms(use_true_random=False))
def test_every_spelling_of_an_ipv4_address_is_that_address(number, choose):
    assert canonical(spelled(number, choose)) == str(IPv4Address(number))


@given(st.ip_addresses(v=6), st.booleans())
def test_every_spelling_of_an_ipv6_address_is_that_address(number, exploded):
    text = number.exploded.upper() if exploded else str(number)
    assert canonical(f"[{text}]") == canonical(text) == str(number)
    assert address(canonical(text)) == number


labels = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)


@given(st.lists(labels, min_size=1, max_size=4), st.lists(labels, min_size=0, max_size=3))
def test_a_star_covers_what_is_below_and_nothing_else(base, front):
    name = ".".join(base)
    host = ".".join([*front, name])
    assert covers(canonical_pattern(f"*.{name}"), host) is bool(front)
    assert covers(canonical_pattern(name), host) is (not front)
    assert not covers(canonical_pattern(f"*.{name}"), f"evil{name}")
    assert not covers(canonical_pattern(f"*.{name}"), f"{host}.evil")


def test_a_port_is_a_number_in_range():
    assert split_port("a.test:8080") == ("a.test", 8080)
    assert split_port("[::1]:443") == ("::1", 443)
    assert split_port("[::1]", 80) == ("::1", 80)
    assert split_port("a.test", 80) == ("a.test", 80)
    for wrong in ("a.test", "a.test:", "a.test:0", "a.test:65536", "a:-1", "a:+1", "a:8 0", "a:²"):
        with pytest.raises(ValueError, match="."):
            split_port(wrong)


CLOSED = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1
127.1.2.3 168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255
192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9
224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::ffff:127.0.0.1
::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe
64:ff9b::10.1.2.3 64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:db8::1
2002:7f00:1:: 2002:a9fe:a9fe::1 2002:808:808::1 3fff::1 fc00::1 fd00:ec2::254 fd12:3456::1
fe80::1 fe80::a9fe:a9fe fec0::1 ff02::1 5f00::1 4000::1
"""

OPEN = """
1.1.1.1 8.8.8.8 9.9.9.9 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1 151.101.1.69
169.253.255.255 172.15.255.255 172.32.0.1 192.167.255.255 192.169.0.1 198.17.255.255 198.20.0.1
223.255.255.255 2001:4860:4860::8888 2606:4700::1111 2a00:1450:4001::8a ::ffff:8.8.8.8
64:ff9b::8.8.8.8
"""


@pytest.mark.parametrize("text", CLOSED.split())
def test_an_address_off_the_public_internet_is_closed(text):
    assert closed(ip_address(text))


@pytest.mark.parametrize("text", OPEN.split())
def test_a_public_address_is_open(text):
    assert closed(ip_address(text)) == ""


def test_this_machine_knows_its_own_addresses():
    assert is_own(IPv4Address("127.0.0.1"))
    assert not is_own(IPv4Address("8.8.8.8"))
    assert not is_own(IPv6Address("2606:4700::1111"))


@given(st.ip_addresses())
def test_what_is_not_global_is_never_open(number):
    if not closed(number):
        inner = carried(number) if isinstance(number, IPv6Address) else number
        assert (inner or number).is_global
