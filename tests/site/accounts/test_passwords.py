"""Passwords: Argon2id, at a cost that can be raised later."""

import argon2
import pytest

from slopewise.engine.errors import ArgumentError
from slopewise.site.accounts.passwords import PasswordCost, Passwords, check_new_password

CHEAP = PasswordCost(1, 8, 1)


def test_a_password_is_stored_as_argon2id_with_a_salt_of_its_own():
    passwords = Passwords(CHEAP)
    first, second = passwords.hash("one two three four"), passwords.hash("one two three four")
    assert first.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert first != second
    assert passwords.matches(first, "one two three four")
    assert not passwords.matches(first, "one two three five")


def test_no_password_matches_where_none_is_stored():
    passwords = Passwords(CHEAP)
    assert not passwords.matches(None, "the password of nobody")
    assert not passwords.matches(None, "")


def test_the_default_cost_is_the_work_that_rfc_9106_recommends_where_memory_is_short():
    assert PasswordCost() == PasswordCost(passes=3, memory=64 * 1024, lanes=1)
    parameters = argon2.extract_parameters(Passwords(PasswordCost())._nobodys)
    assert parameters.type is argon2.Type.ID
    assert (parameters.salt_len, parameters.hash_len) == (16, 32)


def test_a_password_hashed_at_another_cost_is_outdated():
    old = Passwords(CHEAP).hash("one two three four")
    assert not Passwords(CHEAP).is_outdated(old)
    assert Passwords(PasswordCost(2, 8, 1)).is_outdated(old)
    assert Passwords(PasswordCost(2, 8, 1)).matches(old, "one two three four")


def test_it_does_not_matter_how_a_keyboard_composes_a_letter():
    passwords = Passwords(CHEAP)
    assert passwords.matches(passwords.hash("cafe\u0301 im Winterwald"), "caf\u00e9 im Winterwald")


@pytest.mark.parametrize(
    "password", ["correct horse battery staple", "Zw3tschgenkuchen!", "x7#kQ9!vTz2p", "ich mag grünen tee"]
)
def test_good_passwords_are_taken(password):
    check_new_password(password, "ada@example.org")


@pytest.mark.parametrize(
    "password", ["passwordpassword", "Summer2026!!", "qwertzuiop", "0987654321", "Dr4gon!!1234"]
)
def test_common_passwords_are_refused(password):
    with pytest.raises(ArgumentError, match="among the first"):
        check_new_password(password, "ada@example.org")
