"""Who may work on a database: one server a file of SQLite, nobody during a restore."""

import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from site_databases import KIND

from slopewise.cli.app import run
from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.storage import holders
from slopewise.site.storage.backups import make_backup, restore
from slopewise.site.storage.database import open_database
from slopewise.site.storage.holders import RESTORING, SERVING, held, refuse_sessions

HOLD = """
import sys
from slopewise.site.storage.holders import SERVING, held
with held(sys.argv[1], SERVING):
    print("held", flush=True)
    sys.stdin.read()
"""
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
only_sqlite = pytest.mark.skipif(KIND != "sqlite", reason="PostgreSQL serves several")


@pytest.fixture
def holder():
    """Start processes that hold a database."""
    started = []

    def start(url):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(10)
        process.stdin.close()
        process.stdout.close()


@only_sqlite
def test_a_second_server_and_a_restore_are_told_who_serves_a_file(holder, tmp_path, capsys):
    url = f"sqlite:///{tmp_path / 'site.db'}"
    opened = open_database(url)
    made = make_backup(opened, tmp_path / "backup.zip", NOW)
    opened.close()
    process = holder(url)
    (tmp_path / "link.db").symlink_to(tmp_path / "site.db")
    for arguments in (
        ["--port", "0", "--database", url],
        ["--port", "0", "--database", f"sqlite:///{tmp_path / 'link.db'}"],
        ["restore", str(made.file), "--replace", "--database", url],
    ):
        assert run(["site", *arguments]) == 2
        printed = capsys.readouterr()
        error = printed.err
        assert printed.out == ""
        assert f"slopewise site (process {process.pid}) works on" in error
        assert "--database" in error
        assert error.count("\n") == 1
    assert run(["site", "backup", str(tmp_path / "second.zip"), "--database", url]) == 0  # that may go on


@only_sqlite
def test_the_lock_ends_with_its_process_however_that_ends(holder, tmp_path):
    url = f"sqlite:///{tmp_path / 'site.db'}"
    process = holder(url)
    process.kill()
    process.wait(10)
    with held(url, RESTORING):
        assert f"slopewise site restore (process {os.getpid()})\n" == (tmp_path / "site.db.lock").read_text()
        with pytest.raises(ArgumentError, match="slopewise site restore"), held(url, SERVING):
            pass
    with held(url, SERVING):
        pass


def test_a_lock_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "site.db.lock").mkdir()
    with (
        pytest.raises(DataError, match="cannot make the lock"),
        held(f"sqlite:///{tmp_path}/site.db", SERVING),
    ):
        pass


@pytest.mark.skipif(KIND != "postgresql", reason="sessions are PostgreSQL's")
def test_a_restore_is_refused_while_servers_are_connected(new_database, tmp_path, monkeypatch):
    url = new_database()
    server = open_database(url, tmp_path)
    made = make_backup(server, tmp_path / "backup.zip", NOW)
    with held(url, SERVING), held(url, SERVING):  # several serve it
        pass
    monkeypatch.setattr(holders, "_LEAVING_SECONDS", 0.2)
    with pytest.raises(ArgumentError, match="sessions of slopewise are open on the database: 1"):
        restore(url, tmp_path, made.file, made.manifest.made, replace=True)
    server.close()
    monkeypatch.undo()
    assert restore(url, tmp_path, made.file, made.manifest.made, replace=True).manifest == made.manifest
    other = open_database(new_database(), tmp_path)  # another database of the same server
    refuse_sessions(other)
    other.close()
