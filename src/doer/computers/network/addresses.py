"""Which addresses are the public internet. Everything else needs `private` in the rules.

IANA's special-purpose registries (RFC 6890 and its updates), the metadata services of clouds, and
the addresses of this very machine. IPv4 inside IPv6 is judged as what it carries (mapped, NAT64) or
refused (6to4, Teredo, IPv4-compatible).
"""

import errno
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from doer.computers.network.hosts import Address

_CLOSED_4 = [
    (IPv4Network(net), name)
    for net, name in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "cloud metadata"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
]
_OPEN_6 = IPv6Network("2000::/3")
_CLOSED_6 = [
    (IPv6Network(net), name)
    for net, name in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("64:ff9b:1::/48", "local NAT64"),
        ("2001::/32", "Teredo"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("ff00::/8", "multicast"),
    )
]
_NAT64 = IPv6Network("64:ff9b::/96")


def closed(address: Address) -> str:
    """Why an address is not the public internet, in a word or two; "" when it is."""
    if isinstance(address, IPv6Address):
        inner = carried(address)
        if inner:
            return closed(inner)
        for net, name in _CLOSED_6:
            if address in net:
                return name
        if address not in _OPEN_6:
            return "reserved"
    else:
        for net, name in _CLOSED_4:
            if address in net:
                return name
    return "this machine" if is_own(address) else ""


def carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a mapped or NAT64 address stands for."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped


def is_own(address: Address) -> bool:
    """Whether the address belongs to this machine: only such ones can be bound."""
    unowned = "192.0.2.1" if address.version == 4 else "2001:db8::1"
    return _can_bind(str(address)) and not _can_bind(unowned)


def _can_bind(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError as error:
        return error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL)
    return True
