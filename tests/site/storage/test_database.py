"""The database: migrations against the tables, transactions, logs that nobody can change."""

import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from site_databases import KIND
from sqlalchemy.exc import DBAPIError, IntegrityError, TimeoutError

from slopewise.engine.errors import DataError, SlopewiseError
from slopewise.site.accounts.accounts import add_account
from slopewise.site.storage.database import migrate, newest_revision, open_database
from slopewise.site.storage.engines import for_writing, has_safe_wal
from slopewise.site.storage.erasure import erase
from slopewise.site.storage.tables import AuditEntry, Base, CardEvent, Erasure, Learner, Review

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
of_sqlite = pytest.mark.skipif(KIND != "sqlite", reason="about the file of SQLite")


def add_review(session):
    learner, review = uuid.uuid4(), uuid.uuid4()
    session.add(Learner(id=learner, created_at=NOW))
    session.flush()
    session.add(
        Review(
            id=review,
            learner_id=learner,
            card_id=uuid.uuid4(),
            grade=3,
            reviewed_at=NOW,
            received_at=NOW,
            scheduler="test",
        )
    )
    return learner, review


def test_the_migrations_make_exactly_the_tables_of_the_code(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []


@of_sqlite
def test_an_older_database_is_backed_up_and_brought_up_to_date_with_its_rows(tmp_path):
    import sqlite3

    from alembic import command

    from slopewise.site.storage import database as module

    file = tmp_path / "old.db"
    engine = sqlalchemy.create_engine(f"sqlite:///{file}")
    config = module._alembic()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql(
            f"INSERT INTO learners VALUES ('{uuid.uuid4().hex}', '2026-01-01 00:00:00')"
        )
    engine.dispose()
    opened = open_database(f"sqlite:///{file}")
    assert opened.revision() == newest_revision()
    with opened.reading() as session:
        assert session.query(Learner).count() == 1
    opened.close()
    copy = sqlite3.connect(tmp_path / f"old.db.before-{newest_revision()}")
    assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    assert copy.execute("SELECT count(*) FROM learners").fetchone() == (1,)
    copy.close()


@of_sqlite
def test_a_new_database_can_be_read_by_its_owner_only(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'new.db'}")
    with database.writing() as session:
        add_account(session, "ada@example.org", datetime.now(UTC))
        session.flush()
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    database.close()
    assert len(modes) > 1  # there is a journal
    assert set(modes.values()) == {0o600}


def test_a_database_of_a_later_version_is_refused(new_database):
    address = new_database()
    opened = open_database(address)
    with for_writing(opened.engine).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    opened.close()
    with pytest.raises(DataError, match=r"revision 9999.*use the version that made it"):
        open_database(address)


def test_the_migrations_can_be_taken_back(database):
    from alembic import command

    from slopewise.site.storage import database as module

    config = module._alembic()
    with for_writing(database.engine).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    database.engine.dispose()
    tables = set(sqlalchemy.inspect(database.engine).get_table_names())
    assert tables == {"alembic_version", "learners", "reviews"}
    migrate(database)
    assert database.is_ready()


@pytest.mark.parametrize(
    "action",
    [
        "UPDATE reviews SET grade = 1",
        "DELETE FROM reviews",
        "INSERT INTO reviews SELECT * FROM reviews WHERE true ON CONFLICT (id) DO UPDATE SET grade = 1",
        "UPDATE card_events SET kind = 'resume'",
        "DELETE FROM card_events",
        pytest.param("INSERT OR REPLACE INTO reviews SELECT * FROM reviews", marks=of_sqlite),
        pytest.param("INSERT OR REPLACE INTO card_events SELECT * FROM card_events", marks=of_sqlite),
        pytest.param(
            "INSERT OR REPLACE INTO reviews (rowid, id, learner_id, card_id, grade, reviewed_at, "
            "received_at, scheduler) "
            "SELECT rowid, 'x', learner_id, card_id, 1, reviewed_at, received_at, '' FROM reviews",
            marks=of_sqlite,
        ),
    ],
)
def test_the_log_of_reviews_can_not_be_changed(database, action):
    with database.writing() as session:
        learner, _ = add_review(session)
        rest = {"id": uuid.uuid4(), "learner_id": learner, "card_id": uuid.uuid4(), "kind": "suspend"}
        session.add(CardEvent(**rest, happened_at=NOW, received_at=NOW))
    with pytest.raises(IntegrityError, match="rows are added only"), database.writing() as session:
        session.execute(sqlalchemy.text(action))


def test_only_the_reviews_of_an_erased_learner_can_be_deleted(database):
    with database.writing() as session:
        erased, _ = add_review(session)
        kept, _ = add_review(session)
        session.add(Erasure(learner_id=erased, erased_at=NOW))
    with database.writing() as session:
        session.execute(sqlalchemy.delete(Review).where(Review.learner_id == erased))
    with pytest.raises(IntegrityError), database.writing() as session:
        session.execute(sqlalchemy.delete(Review).where(Review.learner_id == kept))


@pytest.mark.parametrize(
    "action",
    [
        "UPDATE audit SET action = 'x'",
        "DELETE FROM audit",
        pytest.param("INSERT OR REPLACE INTO audit SELECT * FROM audit", marks=of_sqlite),
    ],
)
def test_the_audit_log_can_not_be_changed(database, action):
    with database.writing() as session:
        session.add(AuditEntry(at=NOW, actor="owner", action="test"))
    with pytest.raises(IntegrityError), database.writing() as session:
        session.execute(sqlalchemy.text(action))


def test_a_session_for_reading_cannot_write(database):
    with pytest.raises(DBAPIError, match=r"read-?only"), database.reading() as session:
        session.add(Learner(id=uuid.uuid4(), created_at=NOW))


def test_what_a_writer_read_stays_true_until_it_commits(database):
    """Eight threads count rows, then add one: without a queue of writers some counts would be the same."""
    counts = []

    def count_and_add():
        with database.writing() as session:
            counts.append(session.query(Learner).count())
            session.add(Learner(id=uuid.uuid4(), created_at=NOW))

    threads = [threading.Thread(target=count_and_add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == list(range(8))


@of_sqlite
@pytest.mark.skipif(not has_safe_wal(), reason="this SQLite's write-ahead log could lose a commit")
def test_readers_and_a_writer_do_not_wait_for_each_other(database):
    with database.reading() as reader:
        assert reader.query(Learner).count() == 0
        with database.writing() as writer:
            add_review(writer)
            writer.flush()
            with database.reading() as other:
                assert other.query(Learner).count() == 0
        with database.reading() as other:  # it is committed, though somebody still reads
            assert other.query(Learner).count() == 1
        assert reader.query(Learner).count() == 0  # and sees one state all the while


def test_many_writers_at_once_take_turns_and_none_is_turned_away(database):
    failed = []

    def write():
        try:
            for _ in range(3):
                with database.writing() as session:
                    add_review(session)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=write) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with database.reading() as session:
        assert session.query(Review).count() == 120


@of_sqlite
def test_a_writer_who_waits_for_very_long_is_told_that_others_write(database, monkeypatch):
    monkeypatch.setattr("slopewise.site.storage.database.WAIT_SECONDS", 0.05)
    with database.writing(), pytest.raises(TimeoutError, match="others write"), database.writing():
        pass
    with database.writing() as session:  # and whoever comes later writes
        add_review(session)


@of_sqlite
def test_no_file_holds_what_was_said_by_somebody_who_was_erased(database, tmp_path):
    with database.writing() as session:
        account = add_account(session, "somebody-unmistakable@example.org", NOW)
    files = [Path(database.name), Path(f"{database.name}-wal"), Path(f"{database.name}-journal")]

    def found():
        return [file.name for file in files if file.exists() and b"unmistakable" in file.read_bytes()]

    assert found()
    erase(database, account.learner_id, NOW)
    assert found() == []


def test_writers_of_one_learners_rows_wait_for_each_other_and_for_those_who_write_all(database):
    """Eight threads count what is theirs, then add one, now of all rows, now of one learner's."""
    counts = []

    def count_and_add(of):
        with database.writing(of) as session:
            counts.append(session.query(Learner).count())
            session.add(Learner(id=uuid.uuid4(), created_at=NOW))

    threads = [threading.Thread(target=count_and_add, args=(of,)) for of in ("ada", None) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == list(range(8))


@pytest.mark.skipif(KIND != "postgresql", reason="SQLite has one writer at a time")
def test_writers_of_different_learners_do_not_wait(database):
    with database.writing("ada") as held:
        assert held.query(Learner).count() == 0  # the first statement takes the locks
        done = threading.Event()

        def write():
            with database.writing("grace") as session:
                session.add(Learner(id=uuid.uuid4(), created_at=NOW))
            done.set()

        thread = threading.Thread(target=write)
        thread.start()
        assert done.wait(5)
        thread.join()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "--database is a URL such as"),
        ("postgresql+psycopg://ada@host:port/name", "--database is a URL such as .*, not 'host:port/name'"),
        ("postgresql+psycopg://ada:p@ss:secret@host/name", "--database is a URL such as .*, not 'host/name'"),
        ("mysql://ada:secret@host/name", r"not 'mysql://ada:\*\*\*@host/name'"),
        ("sqlite://", "the URL of an SQLite file"),
        ("postgresql://ada@host/name", r"postgresql\+psycopg://user@host/name"),
        ("postgresql+psycopg://ada:secret@127.0.0.1:1/name", "cannot open the database name: .*refused"),
    ],
)
def test_a_database_that_cannot_be_used_is_said_without_its_password(url, says):
    with pytest.raises(SlopewiseError, match=says) as caught:
        open_database(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
