"""Limits on tries."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from site_databases import KIND

from slopewise.site.accounts.limits import RULES, SharedTries, TryLimits, network, tries_of
from slopewise.site.storage.service_tables import Try


class Clock:
    """A clock that stands until it is set ahead."""

    def __init__(self):
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self):
        return self.now


@pytest.fixture(params=["in memory", "in the database"])
def tries(request):
    if request.param == "in memory":
        return TryLimits()
    return SharedTries(request.getfixturevalue("database"))


def test_a_limit_counts_each_separately_and_can_be_forgotten(tries):
    rule = "log-in of an account"
    assert [tries.allow(rule, "ada") for _ in range(12)] == [True] * 10 + [False] * 2
    assert tries.allow(rule, "grace")
    assert tries.allow("password again", "ada")
    assert tries.has_any(rule, "ada")
    tries.forget(rule, "ada")
    assert not tries.has_any(rule, "ada")
    assert tries.allow(rule, "ada")


def test_a_limit_says_when_it_lets_the_next_try_through(tries):
    rule = "mail to an address"
    assert all(tries.allow(rule, "ada") for _ in range(4))
    assert 3590 < tries.seconds_left(rule, "ada") <= 3600
    assert tries.seconds_left(rule, "grace") >= 1


def test_tries_are_counted_where_all_server_processes_see_them(database):
    found = tries_of(database)
    assert type(found) is (SharedTries if KIND == "postgresql" else TryLimits)
    one, other = SharedTries(database), SharedTries(database)
    assert [one.allow("mail to an address", "ada") for _ in range(3)] == [True] * 3
    assert [other.allow("mail to an address", "ada") for _ in range(2)] == [True, False]


def test_of_many_at_once_no_more_get_through_than_may(database):
    tries, allowed = SharedTries(database), []

    def hit():
        allowed.append(tries.allow("code of an account", "ada"))

    threads = [threading.Thread(target=hit) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 10


def test_the_window_moves_along_and_rows_that_no_longer_count_are_deleted(database):
    clock = Clock()
    tries = SharedTries(database, clock)
    assert [tries.allow("mail to an address", "ada") for _ in range(5)] == [True] * 4 + [False]
    clock.now += timedelta(minutes=59)
    assert not tries.allow("mail to an address", "ada")
    assert tries.seconds_left("mail to an address", "ada") == 60
    clock.now += timedelta(minutes=2)
    assert tries.allow("mail to an address", "ada")
    for number in range(200):
        tries.allow("log of an account", str(number % 2))
    with database.reading() as session:
        assert session.query(Try).where(Try.expires_at <= clock.now).count() == 0


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
