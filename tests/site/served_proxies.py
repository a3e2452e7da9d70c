"""Whose address limits count by, as the served site finds it: behind proxies that are trusted, and others."""

import itertools
import re

import pytest
from site_process import running_site

from slopewise.site.accounts.limits import RULES

# What is counted by network, and needs no account: a token that is wrong.
PATH, RULE = "/api/terminal/queue", "wrong token from a network"
MOST = int(re.match(r"\d+", RULES[RULE])[0])
NUMBERS = itertools.count(1)


def new_address():
    """Return an address of documentation (RFC 5737) that no test has used."""
    number = next(NUMBERS)
    return f"{('192.0.2', '198.51.100', '203.0.113')[number // 254]}.{1 + number % 254}"


def tried(site, *forwarded):
    """Try a wrong token; return the status. Each of `forwarded` is a header of its own."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    try:
        connection.putrequest("GET", PATH)
        connection.putheader("Authorization", "Bearer wrong")
        for value in forwarded:
            connection.putheader("X-Forwarded-For", value)
        connection.endheaders()
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def use_up(site, *forwarded):
    """Try as often as one network may."""
    assert {tried(site, *forwarded) for _ in range(MOST)} == {401}


@pytest.fixture
def site(new_database, tmp_path):
    """Starts a site; without options it trusts the proxy on its own machine."""
    started = []

    def start(*options):
        made = running_site(new_database(), tmp_path, *options)
        started.append(made)
        return made.__enter__()

    yield start
    for made in started:
        made.__exit__(None, None, None)


def test_behind_a_trusted_proxy_each_visitor_is_counted_alone_and_spoofs_in_vain(site):
    site = site("--trusted-proxy", "127.0.0.1", "--trusted-proxy", "10.0.0.0/24")
    visitor, other = new_address(), new_address()
    use_up(site, visitor)
    assert tried(site, visitor) == 429
    assert tried(site, other) == 401
    assert tried(site) == 401  # the proxy itself
    # what a visitor writes into the header stands left of what the proxy saw
    assert [tried(site, f"{new_address()}, {visitor}") for _ in range(3)] == [429] * 3
    assert tried(site, f"{visitor}, {other}") == 401
    # a second proxy of ours on the way, and one that adds a header instead of a part
    assert tried(site, f"{new_address()}, {visitor}, 10.0.0.7") == 429
    assert tried(site, f"{visitor}, {other}, 10.0.0.7") == 401
    assert tried(site, new_address(), visitor) == 429
    assert tried(site, f"{new_address()}, {visitor}", "10.0.0.7") == 429
    assert tried(site, f"{visitor}, {other}", "10.0.0.7") == 401
    # one that is not ours is where the visitor came from
    assert tried(site, f"{visitor}, 10.9.0.7") == 401
    # as some proxies write it
    assert tried(site, f"{visitor}:50123") == 429
    assert [tried(site, f"[2001:db8::{part}]:443") for part in (1, 2)] == [401, 401]
    for strange in ("", ",", "unknown", "x" * 3000, "\xff", "127.0.0.1"):
        assert tried(site, strange) == 401


def test_a_visitor_with_ipv6_is_counted_by_network(site):
    site = site()
    use_up(site, "2001:db8:1:2::1")
    assert tried(site, "2001:db8:1:2:ffff::9") == 429
    assert tried(site, "2001:db8:1:3::1") == 401


def test_who_is_no_trusted_proxy_is_counted_by_where_they_are(site):
    site = site("--trusted-proxy", "10.0.0.0/24")
    assert {tried(site, new_address()) for _ in range(MOST)} == {401}
    assert [tried(site, new_address()), tried(site, "10.0.0.7"), tried(site)] == [429] * 3
