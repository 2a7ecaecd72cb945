"""What a rulebook allows, without any network."""

from posixpath import normpath
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doer.computers.network.rules import Rulebook, plain_path
from doer.errors import ConfigError
from doer.records.computer import HostRule, NetworkRules, Route

BOOK = Rulebook(
    NetworkRules(
        mode="allowlist",
        allow=(
            HostRule(host="Docs.Test"),
            HostRule(host="*.cdn.test", ports=(443,)),
            HostRule(host="api.test", methods=("get",), paths=("/v1/*", "/status")),
            HostRule(host="api.test", methods=("POST",), paths=("/v1/jobs",)),
            HostRule(host="bücher.test", ports=(8443,)),
        ),
        routes=(Route(host="shop.test", to="127.0.0.1:8000"),),
        terminate=("api.test",),
    )
)


def test_off_reaches_routes_only():
    book = Rulebook(NetworkRules(routes=(Route(host="shop.test", to="unix:/run/shop.sock"),)))
    assert not book.host("docs.test", 443).allowed
    assert "is off" in book.host("docs.test", 443).why
    assert book.host("shop.test", 443).route == "unix:/run/shop.sock"


def test_open_reaches_every_host():
    assert Rulebook(NetworkRules(mode="open")).request("any.test", 9, "PUT", "/").allowed


def test_hosts_and_ports():
    assert BOOK.host("docs.test", 443).allowed
    assert BOOK.host("a.cdn.test", 443).allowed
    assert BOOK.host("xn--bcher-kva.test", 8443).allowed
    assert not BOOK.host("a.cdn.test", 80).allowed
    assert not BOOK.host("cdn.test", 443).allowed
    assert not BOOK.host("docs.test.evil", 443).allowed
    assert not BOOK.host("sub.docs.test", 443).allowed
    assert "port 80, 443 only" in BOOK.host("docs.test", 22).why


def test_methods_and_paths():
    assert BOOK.request("api.test", 443, "GET", "/v1/x/y").allowed
    assert BOOK.request("api.test", 443, "GET", "/status").allowed
    assert BOOK.request("api.test", 443, "POST", "/v1/jobs").allowed
    assert not BOOK.request("api.test", 443, "POST", "/v1/x").allowed
    assert not BOOK.request("api.test", 443, "get", "/status").allowed
    assert not BOOK.request("api.test", 443, "GET", "/admin").allowed
    assert BOOK.host("api.test", 443).narrowed
    assert not BOOK.host("docs.test", 443).narrowed


DOUBTFUL = [
    "/v1/../admin",
    "/v1/%2e%2e/admin",
    "/v1/.%2E/admin",
    "/v1/%2E%2E%2Fadmin",
    "/v1/..%5cadmin",
    "/v1/..\\admin",
    "/v1/./x",
    "/v1//admin",
    "/v1/%252e%252e/admin",
    "/v1/..;/admin",
    "/v1/%00",
    "/v1/%zz",
    "/v1/%",
]


@pytest.mark.parametrize("path", DOUBTFUL)
def test_a_path_that_can_be_read_in_two_ways_fits_no_pattern(path):
    assert plain_path(path) is None
    assert not BOOK.request("api.test", 443, "GET", path).allowed


def test_needless_escapes_are_undone():
    assert plain_path("/%76%31/a%20b%c3%a9") == "/v1/a%20b%C3%A9"
    assert BOOK.request("api.test", 443, "GET", "/%76%31/x").allowed


@given(st.text("/.%25eEfF\\;av1", max_size=14))
def test_an_allowed_path_decodes_to_nothing_above_its_pattern(text):
    path = "/v1/" + text
    if BOOK.request("api.test", 443, "GET", path).allowed:
        for _ in range(3):
            path = unquote(path)
        assert (normpath(path.replace("\\", "/")) + "/").startswith("/v1/")


@pytest.mark.parametrize(
    "rules",
    [
        NetworkRules(allow=(HostRule(host="a b"),)),
        NetworkRules(allow=(HostRule(host="*"),)),
        NetworkRules(allow=(HostRule(host="*.10.0.0.1"),)),
        NetworkRules(private=("http://x",)),
        NetworkRules(terminate=("",)),
        NetworkRules(routes=(Route(host="a.test", to="evil.test:80"),)),
        NetworkRules(routes=(Route(host="a.test", to="127.0.0.1"),)),
        NetworkRules(routes=(Route(host="a.test", to="127.0.0.1:0"),)),
        NetworkRules(routes=(Route(host="a.test", to="unix:relative"),)),
    ],
)
def test_rules_that_make_no_sense_are_refused(rules):
    with pytest.raises(ConfigError):
        Rulebook(rules)
