"""Backups: a rehearsed restore on both databases, from either into either, and what damaged files do."""

import json
import sqlite3
import uuid
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy
from site_databases import KIND

from slopewise.cli.app import run
from slopewise.engine.errors import ArgumentError, DataError, SlopewiseError
from slopewise.site.accounts.accounts import add_account
from slopewise.site.accounts.audit import note
from slopewise.site.accounts.links import make_link
from slopewise.site.accounts.progress import Item, merge
from slopewise.site.accounts.sessions import open_session
from slopewise.site.scheduling.log import Entry, append
from slopewise.site.storage.backups import last_backup, make_backup, restore
from slopewise.site.storage.database import connect, migrate, newest_revision, open_database
from slopewise.site.storage.dump import tables_of
from slopewise.site.storage.engines import for_writing
from slopewise.site.storage.erasure import erase
from slopewise.site.storage.tables import Account, AuditEntry, Review

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOORS = ("login_sessions", "mail_tokens", "card_tokens")


def add_learner(database, email):
    """Add an account with a review, an answer and a line in the audit log; return its learner."""
    with database.writing() as session:
        account = add_account(session, email, NOW)
        note(session, NOW, "sign-up", account.id)
        learner = account.learner_id
        append(session, learner, [Entry(uuid.uuid4(), "review", NOW, uuid.uuid4(), grade="good")], NOW)
        merge(session, learner, [Item("answer", "a/b", {"chosen": [1, None], "text": "é"}, NOW)], NOW)
    return learner


def rows(database, *, without=("backups",)):
    """Return all rows of all tables."""
    with database.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(table.select())))
            for table in tables_of(connection)
            if table.name not in without
        }


@pytest.fixture
def database(new_database, tmp_path):
    made = open_database(new_database(), tmp_path / "here")
    add_learner(made, "ada@example.org")
    file = made.beside("data") / "1f" / "table.csv"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"a,b\n1,2\n")
    yield made
    made.close()


@pytest.fixture
def backup(database, tmp_path):
    make_backup(database, tmp_path / "backup.zip", NOW)
    return tmp_path / "backup.zip"


def test_a_restore_into_an_empty_database_brings_back_every_row_and_file(
    database, backup, new_database, tmp_path
):
    url, folder = new_database(), tmp_path / "there"
    manifest = restore(url, folder, backup, NOW)
    assert manifest.rows["reviews"] == 1
    restored = open_database(url, folder)
    assert rows(restored) == rows(database)
    assert (restored.beside("data") / "1f" / "table.csv").read_bytes() == b"a,b\n1,2\n"
    with restored.writing() as session:  # numbers go on, and the log is a log again
        note(session, NOW, "sign-up", None)
    with pytest.raises(sqlalchemy.exc.IntegrityError), restored.writing() as session:
        session.execute(sqlalchemy.delete(Review))
    restored.close()


def test_a_restore_opens_no_door_that_was_shut_since(database, new_database, tmp_path):
    with database.writing() as session:
        account = session.scalars(sqlalchemy.select(Account)).one()
        open_session(session, account.id, NOW)
        make_link(session, "reset", account.email, NOW, account.id)
    make_backup(database, tmp_path / "with-doors.zip", NOW)
    url = new_database()
    restore(url, tmp_path / "there", tmp_path / "with-doors.zip", NOW)
    restored = open_database(url, tmp_path / "there")
    with restored.engine.connect() as connection:
        counts = [connection.scalar(sqlalchemy.text(f"SELECT count(*) FROM {name}")) for name in DOORS]
    assert counts == [0, 0, 0]
    restored.close()


@pytest.mark.skipif(KIND != "postgresql", reason="needs both databases")
def test_a_site_moves_from_sqlite_to_postgresql_and_back(new_database, tmp_path):
    small = open_database(f"sqlite:///{tmp_path / 'small.db'}")
    add_learner(small, "ada@example.org")
    make_backup(small, tmp_path / "small.zip", NOW)
    url = new_database()
    restore(url, tmp_path / "large", tmp_path / "small.zip", NOW)
    large = open_database(url, tmp_path / "large")
    assert rows(large) == rows(small)
    make_backup(large, tmp_path / "large.zip", NOW)
    restore(f"sqlite:///{tmp_path / 'again.db'}", None, tmp_path / "large.zip", NOW)
    again = open_database(f"sqlite:///{tmp_path / 'again.db'}")
    assert rows(again) == rows(small)
    for opened in (small, large, again):
        opened.close()


def test_a_restore_replaces_only_when_told_and_forgets_again_who_was_erased_since(database, tmp_path):
    url = database.engine.url.render_as_string(hide_password=False)
    grace = add_learner(database, "grace@example.org")
    backup = tmp_path / "both.zip"
    make_backup(database, backup, NOW)
    erase(database, grace, NOW + timedelta(days=1))
    add_learner(database, "later@example.org")
    (database.beside("data") / "1f" / "table.csv").unlink()
    with pytest.raises(ArgumentError, match="--replace"):
        restore(url, tmp_path / "here", backup, NOW)
    database.beside("erased").unlink()  # lost with the machine: the database itself knows who was erased
    restore(url, tmp_path / "here", backup, NOW + timedelta(days=2), replace=True)
    restored = open_database(url, tmp_path / "here")
    with restored.reading() as session:
        assert [account.email for account in session.query(Account)] == ["ada@example.org"]
        assert session.query(Review).count() == 1
        assert [row.action for row in session.query(AuditEntry)].count("erase") == 1
    assert (restored.beside("data") / "1f" / "table.csv").exists()
    restored.close()


def test_a_backup_that_does_not_fit_leaves_everything_as_it_was(database, backup, tmp_path):
    url = database.engine.url.render_as_string(hide_password=False)
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(backup) as old, zipfile.ZipFile(changed, "w") as new:
        manifest = json.loads(old.read("manifest.json"))
        manifest["rows"]["accounts"] = 7
        for name in manifest["digests"]:
            new.writestr(name, old.read(name))
        new.writestr("manifest.json", json.dumps(manifest))
    before = rows(database)
    with pytest.raises(DataError, match="accounts has 1 rows, not 7"):
        restore(url, tmp_path / "here", changed, NOW, replace=True)
    assert rows(database) == before
    assert (database.beside("data") / "1f" / "table.csv").exists()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda data: data[: len(data) // 2], "is no backup"),
        (lambda data: b"", "is no backup"),
        (lambda data: data[:40] + bytes([data[40] ^ 1, data[41] ^ 1]) + data[42:], "damaged|no backup"),
    ],
)
def test_a_damaged_backup_is_refused_before_anything_is_touched(backup, tmp_path, new_database, damage, says):
    broken = tmp_path / "broken.zip"
    broken.write_bytes(damage(backup.read_bytes()))
    with pytest.raises(DataError, match=says):
        restore(new_database(), tmp_path / "there", broken, NOW)


def test_names_in_a_backup_that_lead_elsewhere_are_refused(backup, tmp_path, new_database):
    evil = tmp_path / "evil.zip"
    with zipfile.ZipFile(backup) as old, zipfile.ZipFile(evil, "w") as new:
        manifest = json.loads(old.read("manifest.json"))
        manifest["digests"] = {"files/../../evil": "0" * 64}
        new.writestr("files/../../evil", "x")
        new.writestr("manifest.json", json.dumps(manifest))
    with pytest.raises(DataError, match="has the name"):
        restore(new_database(), tmp_path / "there", evil, NOW)


def test_a_database_with_tables_of_others_is_left_alone(backup, tmp_path, new_database):
    url = new_database()
    other = connect(url, tmp_path / "there")
    (tmp_path / "there").mkdir()
    with for_writing(other.engine).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (id INTEGER)")
    other.close()
    with pytest.raises(ArgumentError, match="'theirs'"):
        restore(url, tmp_path / "there", backup, NOW, replace=True)


def test_backups_expire_and_are_recorded(database, tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "mine.zip").write_text("not a backup: it stays")
    for day in range(4):
        make_backup(database, folder, NOW + timedelta(days=day), keep_days=2)
    assert sorted(file.name for file in folder.iterdir()) == [
        "mine.zip",
        "slopewise-20260303T120000Z.zip",
        "slopewise-20260304T120000Z.zip",
    ]
    assert last_backup(database) == NOW + timedelta(days=3)
    assert (folder / "slopewise-20260304T120000Z.zip").stat().st_mode & 0o777 == 0o600


def test_an_older_database_is_never_migrated_without_a_backup(new_database, tmp_path):
    url, folder = new_database(), tmp_path / "here"
    old = connect(url, folder)
    migrate(old, "0003")
    with old.engine.begin() as connection:
        connection.exec_driver_sql("SELECT 1")
    old.close()
    folder.mkdir(exist_ok=True)
    name = f"before-{newest_revision()}"
    blocked = old.beside(name if KIND == "sqlite" else f"{name}.zip")
    blocked.mkdir()
    with pytest.raises((SlopewiseError, OSError)):
        open_database(url, folder)
    still = connect(url, folder)
    assert still.revision() == "0003"
    still.close()
    blocked.rmdir()
    opened = open_database(url, folder)
    assert opened.is_ready()
    opened.close()
    if KIND == "sqlite":
        with sqlite3.connect(blocked) as copy:
            assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0003",)]
        copy.close()
    else:
        assert restore(new_database(), tmp_path / "there", blocked, NOW).revision == "0003"


def test_the_commands_back_up_list_and_restore(database, new_database, tmp_path, capsys):
    url, folder = database.engine.url.render_as_string(hide_password=False), tmp_path / "kept"
    folder.mkdir()
    options = ["--database", url, "--files", str(tmp_path / "here")]
    assert run(["site", "backup", str(folder), "--keep-days", "7", *options]) == 0
    out = capsys.readouterr().out
    file = next(folder.iterdir())
    assert f"{file}: " in out
    assert "1 files" in out
    assert "kept until" in out
    there = ["--database", new_database(), "--files", str(tmp_path / "there")]
    assert run(["site", "restore", str(file), *there]) == 0
    assert "erased since is erased again" in capsys.readouterr().out
    assert run(["site", "restore", str(file), *there]) == 2
    assert "--replace" in capsys.readouterr().err
    assert run(["site", "restore", str(tmp_path / "none.zip"), *there]) == 2
    assert "cannot read" in capsys.readouterr().err
    assert run(["site", "backup", str(tmp_path / "no" / "folder.zip"), *options]) == 2
    assert "cannot write the backup" in capsys.readouterr().err
