"""Backups: a rehearsed restore on both databases, from either into either, and what damaged files do."""

import json
import os
import shutil
import sqlite3
import uuid
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy
from site_databases import KIND

from slopewise.cli.app import run
from slopewise.engine.errors import ArgumentError, DataError
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


def restored_without_list(url, folder, file):
    """Restore where it is known that no list is there."""
    with pytest.raises(ArgumentError, match="no list tells who deleted their account"):
        restore(url, folder, file, NOW)
    return restore(url, folder, file, NOW, without_erasures=True)


def emails(url, folder):
    """Return the addresses of all accounts."""
    opened = open_database(url, folder)
    with opened.reading() as session:
        found = sorted(account.email for account in session.query(Account))
    opened.close()
    return found


@pytest.fixture
def backup(database, tmp_path):
    make_backup(database, tmp_path / "backup.zip", NOW)
    return tmp_path / "backup.zip"


def test_a_restore_into_an_empty_database_brings_back_every_row_and_file(
    database, backup, new_database, tmp_path
):
    url, folder = new_database(), tmp_path / "there"
    assert restore(url, folder, backup, NOW).manifest.rows["reviews"] == 1
    restored = open_database(url, folder)
    assert rows(restored) == rows(database)
    assert (restored.beside("data") / "1f" / "table.csv").read_bytes() == b"a,b\n1,2\n"
    made = [restored.beside("data"), *restored.beside("data").rglob("*")]
    assert {path.stat().st_mode & 0o077 for path in made} == {0}  # for the site's user alone
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
    database.close()
    with pytest.raises(ArgumentError, match="--replace"):
        restore(url, tmp_path / "here", backup, NOW)
    database.beside("erased").unlink()  # both lists are lost: the database itself knows who was erased
    (tmp_path / "slopewise.erased").unlink()
    database.close()
    done = restore(url, tmp_path / "here", backup, NOW + timedelta(days=2), replace=True)
    assert (done.erased, done.may_bring_back) == (1, False)
    restored = open_database(url, tmp_path / "here")
    with restored.reading() as session:
        assert [account.email for account in session.query(Account)] == ["ada@example.org"]
        assert session.query(Review).count() == 1
        assert [row.action for row in session.query(AuditEntry)].count("erase") == 1
    assert (restored.beside("data") / "1f" / "table.csv").exists()
    restored.close()


@pytest.mark.parametrize("how", ["beside the backup", "named", "beside the old database"])
def test_who_was_erased_after_a_backup_stays_gone_on_another_machine(database, new_database, tmp_path, how):
    grace = add_learner(database, "grace@example.org")
    kept = tmp_path / "kept"
    kept.mkdir()
    made = make_backup(database, kept, NOW)
    erase(database, grace, NOW + timedelta(days=1))
    options = {}
    if how != "beside the backup":
        (kept / "slopewise.erased").unlink()
    if how == "named":
        options["erasures"] = database.beside("erased")
    url, there = new_database(), tmp_path / "there"
    if how == "beside the old database":
        there.mkdir()
        shutil.copy(database.beside("erased"), connect(url, there).beside("erased"))
    done = restore(url, there, made.file, NOW + timedelta(days=2), **options)
    assert (done.erased, done.may_bring_back) == (1, False)
    assert emails(url, there) == ["ada@example.org"]
    beside = connect(url, there).beside("erased")
    assert str(grace) in beside.read_text()  # for the restore after this one


def test_a_list_that_is_not_newer_than_the_backup_says_so_and_none_stops_the_restore(
    database, backup, new_database, tmp_path
):
    done = restore(new_database(), tmp_path / "there", backup, NOW)
    assert done.may_bring_back
    assert done.known_until == NOW
    (tmp_path / "slopewise.erased").unlink()
    url = new_database()
    fresh = open_database(url, tmp_path / "fresh")  # a server that was started once knows nobody
    fresh.close()
    with pytest.raises(ArgumentError, match="no list tells"):
        restore(url, tmp_path / "fresh", backup, NOW, replace=True)
    assert restore(url, tmp_path / "fresh", backup, NOW, replace=True, without_erasures=True).may_bring_back
    with pytest.raises(ArgumentError, match="there is no such file"):
        restore(url, tmp_path / "fresh", backup, NOW, replace=True, erasures=tmp_path / "nowhere")
    (tmp_path / "slopewise.erased").write_bytes(b"\xff")
    with pytest.raises(DataError, match=r"slopewise\.erased: each line"):
        restore(url, tmp_path / "fresh", backup, NOW, replace=True)


def test_a_folder_of_backups_that_is_away_gets_the_erasures_with_the_next_backup(database, tmp_path, caplog):
    kept, away = tmp_path / "kept", tmp_path / "away"
    kept.mkdir()
    make_backup(database, kept, NOW)
    kept.rename(away)
    erase(database, first := add_learner(database, "a@example.org"), NOW)
    away.rename(kept)
    listed = kept / "slopewise.erased"
    assert str(first) not in listed.read_text()
    listed.unlink()
    listed.mkdir()
    erase(database, second := add_learner(database, "b@example.org"), NOW)  # a deletion never fails for that
    assert "cannot be written" in caplog.text
    listed.rmdir()
    make_backup(database, kept, NOW + timedelta(days=1))
    assert {str(first), str(second)} <= set(listed.read_text().split())
    assert listed.stat().st_mode & 0o777 == 0o600


def test_a_backup_leaves_out_files_that_are_just_being_made(database, tmp_path):
    for name in ("new-00ff/table.csv", "work-abc/request.json", "2e/new-table.csv"):
        file = database.beside("data") / name
        file.parent.mkdir()
        file.write_text("x")
    made = make_backup(database, tmp_path / "backup.zip", NOW)
    assert made.manifest.files == ["files/1f/table.csv", "files/2e/new-table.csv"]


def test_copies_from_before_updates_and_what_killed_commands_left_expire(database, tmp_path):
    old = [database.beside("before-0007"), database.beside("before-0008.zip"), database.beside("backup-x7")]
    new = [database.beside("before-0009"), database.beside("restore-k2")]
    for path in (*old, *new):
        path.mkdir() if path.name.endswith(("x7", "k2")) else path.write_text("x")
    for path in old:
        os.utime(path, (moment := (NOW - timedelta(days=30)).timestamp(), moment))
    for path in new:
        os.utime(path, (moment := (NOW - timedelta(hours=20)).timestamp(), moment))
    others = [tmp_path / "here" / "backup-of-mine", tmp_path / "here" / "before-0001"]
    for path in others:
        path.mkdir()
        os.utime(path, (0, 0))
    make_backup(database, tmp_path / "backup.zip", NOW)
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in (*new, *others))


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
    database.close()
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
        "slopewise.erased",
    ]
    assert last_backup(database) == NOW + timedelta(days=3)
    assert (folder / "slopewise-20260304T120000Z.zip").stat().st_mode & 0o777 == 0o600


def test_an_older_database_is_never_migrated_without_a_backup(new_database, tmp_path):
    url, folder = new_database(), tmp_path / "here"
    old = connect(url, folder)
    migrate(old, "0003")
    old.close()
    folder.mkdir(exist_ok=True)
    name = f"before-{newest_revision()}"
    blocked = old.beside(name if KIND == "sqlite" else f"{name}.zip")
    blocked.mkdir()
    with pytest.raises(DataError, match=rf"^cannot write the backup {blocked}: [^\n]+$"):
        open_database(url, folder)
    assert [file.name for file in folder.glob("*.unfinished")] == []
    still = connect(url, folder)
    assert still.revision() == "0003"
    still.close()
    blocked.rmdir()
    opened = open_database(url, folder)
    assert opened.is_ready()
    opened.close()
    assert blocked.stat().st_mode & 0o777 == 0o600
    if KIND == "sqlite":
        with sqlite3.connect(blocked) as copy:
            assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0003",)]
        copy.close()
    else:
        assert restored_without_list(new_database(), tmp_path / "there", blocked).manifest.revision == "0003"


def test_the_commands_back_up_list_and_restore(database, new_database, tmp_path, capsys):
    url, folder = database.engine.url.render_as_string(hide_password=False), tmp_path / "kept"
    folder.mkdir()
    options = ["--database", url, "--files", str(tmp_path / "here")]
    assert run(["site", "backup", str(folder), "--keep-days", "7", *options]) == 0
    out = capsys.readouterr().out
    file = next(folder.glob("*.zip"))
    assert f"{file}: " in out
    assert "1 files" in out
    assert "kept until" in out
    there = ["--database", new_database(), "--files", str(tmp_path / "there")]
    assert run(["site", "restore", str(file), *there]) == 0
    printed = capsys.readouterr()
    assert "erased since is erased again: 0" in printed.out
    assert printed.err.count("\n") == 1
    assert "--erasures LIST" in printed.err
    assert run(["site", "restore", str(file), *there]) == 2
    assert "--replace" in capsys.readouterr().err
    assert run(["site", "restore", str(tmp_path / "none.zip"), *there]) == 2
    assert "cannot read" in capsys.readouterr().err
    assert run(["site", "backup", str(tmp_path / "no" / "folder.zip"), *options]) == 2
    assert "cannot write the backup" in capsys.readouterr().err


def test_a_backup_replaces_no_file_but_a_backup(database, tmp_path, capsys):
    url = database.engine.url.render_as_string(hide_password=False)
    mine = tmp_path / "thesis.odt"
    mine.write_text("three years of work")
    options = ["--database", url, "--files", str(tmp_path / "here")]
    assert run(["site", "backup", str(mine), *options]) == 2
    assert "thesis.odt is there already and is no backup" in capsys.readouterr().err
    assert mine.read_text() == "three years of work"
    assert run(["site", "backup", str(tmp_path / "not-mounted"), *options]) == 2
    assert f"there is no folder {tmp_path / 'not-mounted'}; make it first" in capsys.readouterr().err
    assert not (tmp_path / "not-mounted").exists()
    for _ in range(2):
        assert run(["site", "backup", str(tmp_path / "again.zip"), *options]) == 0
