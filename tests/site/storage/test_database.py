"""The database: migrations against the tables, transactions, logs that nobody can change."""

import threading
import uuid
from datetime import UTC, datetime

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import IntegrityError, OperationalError

from slopewise.engine.errors import DataError
from slopewise.site.storage.database import migrate, newest_revision, open_database
from slopewise.site.storage.tables import AuditEntry, Base, Erasure, Learner, Review

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path):
    made = open_database(f"sqlite:///{tmp_path / 'site.db'}")
    yield made
    made.close()


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


def test_a_new_database_can_be_read_by_its_owner_only(tmp_path):
    open_database(f"sqlite:///{tmp_path / 'new.db'}").close()
    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600


def test_a_database_of_a_later_version_is_refused(tmp_path):
    address = f"sqlite:///{tmp_path / 'later.db'}"
    opened = open_database(address)
    with opened.engine.execution_options(slopewise_writes=True).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    opened.close()
    with pytest.raises(DataError, match=r"revision 9999.*use the version that made it"):
        open_database(address)


def test_the_migrations_can_be_taken_back(database):
    from alembic import command

    from slopewise.site.storage import database as module

    config = module._alembic()
    with database.engine.execution_options(slopewise_writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    database.engine.dispose()
    tables = set(sqlalchemy.inspect(database.engine).get_table_names())
    assert tables == {"alembic_version", "learners", "reviews"}
    migrate(database)
    assert database.is_ready()


@pytest.mark.parametrize("action", ["UPDATE reviews SET grade = 1", "DELETE FROM reviews"])
def test_the_log_of_reviews_can_not_be_changed(database, action):
    with database.writing() as session:
        add_review(session)
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


@pytest.mark.parametrize("action", ["UPDATE audit SET action = 'x'", "DELETE FROM audit"])
def test_the_audit_log_can_not_be_changed(database, action):
    with database.writing() as session:
        session.add(AuditEntry(at=NOW, actor="owner", action="test"))
    with pytest.raises(IntegrityError), database.writing() as session:
        session.execute(sqlalchemy.text(action))


def test_a_session_for_reading_cannot_write(database):
    with pytest.raises(OperationalError, match="readonly"), database.reading() as session:
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
