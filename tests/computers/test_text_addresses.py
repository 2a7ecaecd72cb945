"""The addresses of a page's links."""

from urllib.parse import urljoin

from hypothesis import given
from hypothesis import strategies as st

from doer.computers.text.addresses import Addresses

BASE = "http://a.test:80/b/c.html"


@given(st.text("/ab.?#&=%-:", max_size=12).filter(lambda href: href == href.strip()))
def test_addresses_are_made_whole_as_the_standard_library_does(href: str):
    try:
        expected = urljoin(BASE, href)
    except ValueError:
        expected = ""
    got = Addresses(BASE, BASE).absolute(href)
    assert got.rstrip("#?") == expected.rstrip("#?")


def test_other_hosts_and_schemes_are_named():
    addresses = Addresses(BASE, "http://cdn.test/")
    assert addresses.linked("/x", "X") == "【1†X†cdn.test】"
    assert addresses.linked("http://a.test:80/y", "Y") == "【2†Y】"
    assert addresses.linked("mailto:ann@a.test", "Ann") == "【3†Ann†mailto:】"
    assert addresses.linked("javascript:go()", "Go") == "Go"
    assert addresses.linked("http://[", "Broken") == "Broken"
