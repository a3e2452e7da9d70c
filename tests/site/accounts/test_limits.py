"""Limits on tries."""

import pytest

from slopewise.site.accounts.limits import RULES, TryLimits, network


def test_a_limit_counts_each_separately_and_can_be_forgotten():
    tries = TryLimits()
    rule = "log-in of an account"
    assert [tries.allow(rule, "ada") for _ in range(12)] == [True] * 10 + [False] * 2
    assert tries.allow(rule, "grace")
    assert tries.allow("password again", "ada")
    tries.forget(rule, "ada")
    assert tries.allow(rule, "ada")


def test_a_class_of_thirty_behind_one_address_gets_in_many_times():
    tries = TryLimits()
    for rule in RULES:
        if "network" in rule:
            assert all(tries.allow(rule, "192.0.2.1") for _ in range(90)), rule


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_one_network_is_one_visitor(host, expected):
    assert network(host) == expected
