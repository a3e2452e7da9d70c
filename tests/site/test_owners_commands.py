"""The owner's commands, on a database file beside no server."""

import re

import pytest
from sqlalchemy import select

from slopewise.cli.app import run
from slopewise.site.storage.database import open_database
from slopewise.site.storage.tables import DIGEST_BYTES, Account, Code


@pytest.fixture
def owner(ready_database, capsys):
    """Run a command on a database of its own; return status, output and error."""
    address = ready_database()

    def command(*arguments):
        status = run(["site", *arguments, "--database", address])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    command.address = address
    return command


def test_an_owner_is_made_and_gets_a_link_to_choose_the_password(owner):
    status, out, _ = owner("create-admin", "owner@example.org", "--public-url", "https://learn.example.org")
    assert status == 0
    assert re.search(r"^https://learn\.example\.org/reset/[\w-]{43}$", out, re.MULTILINE)
    database = open_database(owner.address)
    with database.reading() as session:
        rows = session.query(Account.email, Account.is_owner, Account.password_hash).all()
    database.close()
    assert rows == [("owner@example.org", True, None)]


def test_the_link_of_create_admin_works_on_the_site(site, browser, capsys):
    address = site.app.state.configuration.database
    assert run(["site", "create-admin", "root@example.org", "--database", address]) == 0
    link = re.search(r"/reset/\S+", capsys.readouterr().out)[0]
    somebody = browser()
    assert somebody.post(link, {"password": "correct horse battery staple"}, page=link).status_code == 303
    assert "owner</span>" in somebody.get("/account").text


def test_membership_is_given_and_taken(owner):
    owner("create-admin", "a@example.org")
    assert owner("grant-pro", "a@example.org", "--until", "2100-01-01")[0] == 0
    assert owner("revoke-pro", "A@example.org")[1] == "A@example.org is no Pro member any more\n"
    assert owner("revoke-pro", "a@example.org")[1] == "a@example.org was no Pro member\n"


def test_codes_are_printed_once_and_stored_as_digests(owner):
    status, out, _ = owner("make-codes", "--count", "3", "--days", "30", "--expires", "2100-01-01")
    codes = out.split()
    assert status == 0
    assert len(set(codes)) == 3
    assert all(re.fullmatch(r"(\w{5}-){4}\w{5}", code) for code in codes)
    database = open_database(owner.address)
    with database.reading() as session:
        stored = list(session.scalars(select(Code.digest)))
    database.close()
    assert len(stored) == 3
    assert all(len(digest) == DIGEST_BYTES for digest in stored)
    assert not {code.encode() for code in codes} & set(stored)


def test_the_database_may_be_named_before_the_command(owner, capsys):
    assert run(["site", "--database", owner.address, "create-admin", "a@example.org"]) == 0
    assert owner("grant-pro", "a@example.org", "--until", "2100-01-01")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("reset-password", "nobody@example.org"), "no account has the address"),
        (("grant-pro", "nobody@example.org", "--until", "2100-01-01"), "no account has the address"),
        (("grant-pro", "nobody@example.org", "--until", "2001-01-01"), "--until is a day that is past"),
        (("grant-pro", "nobody@example.org", "--until", "tomorrow"), "--until is a day such as"),
        (("grant-pro", "nobody@example.org", "--until", "9999-12-31"), "--until is a day such as"),
        (("make-codes", "--expires", "2100-01-01", "--count", "0"), "--count"),
        (("make-codes", "--expires", "2100-01-01", "--days", "99999"), "--days"),
        (("make-codes", "--expires", "2001-01-01"), "--expires is a day that is past"),
        (("create-admin", "nobody"), "no e-mail address"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(owner, arguments, says):
    status, _, error = owner(*arguments)
    assert status == 2
    assert says in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        ("create-admin", "a@example.org"),
        ("reset-password", "a@example.org"),
        ("grant-pro", "a@example.org", "--until", "2100-01-01"),
        ("revoke-pro", "a@example.org"),
        ("make-codes", "--expires", "2100-01-01"),
        ("check-payments",),
        ("import-content", "decks.zip"),
        ("backup", "backup.zip"),
    ],
    ids=lambda command: command[0],
)
def test_a_database_that_is_not_there_is_said_and_none_is_begun(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["site", *command, "--database", "sqlite:///folder/stie.db"]) == 2
    error = capsys.readouterr().err
    assert "there is no database folder/stie.db; name another with --database" in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_link_has_one_slash_behind_the_public_address(owner):
    out = owner("create-admin", "a@example.org", "--public-url", "https://learn.example.org:8443/")[1]
    assert re.search(r"^https://learn\.example\.org:8443/reset/[\w-]{43}$", out, re.MULTILINE)
