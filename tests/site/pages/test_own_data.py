"""Deleting an account: nothing is left, nobody else loses anything, and a restored backup forgets again."""

import shutil
import uuid
from datetime import UTC, datetime

import pytest
import sqlalchemy
from site_databases import KIND

from slopewise.engine.errors import DataError
from slopewise.site.storage.database import back_up, open_database
from slopewise.site.storage.erasure import erase_again
from slopewise.site.storage.tables import Account, AuditEntry

PASSWORD = "correct horse battery staple"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def somebody_with_reviews(browser):
    somebody = browser().sign_up()
    card = somebody.get("/api/queue").json()["cards"][0]["card"]
    review = {
        "id": str(uuid.uuid4()),
        "kind": "review",
        "card": card,
        "grade": "good",
        "at": "2026-01-05T12:00:00Z",
    }
    undo = {"id": str(uuid.uuid4()), "kind": "undo", "review": review["id"], "at": "2026-01-05T12:01:00Z"}
    assert len(somebody.send("/api/log", {"entries": [review, undo]}).json()["stored"]) == 2
    item = {"kind": "draft", "item": "a/b", "value": "mine", "at": "2026-01-05T12:00:00Z"}
    assert somebody.send("/api/progress", {"items": [item]}).status_code == 200
    assert somebody.post("/cards/own", {"front": "q", "back": "a"}).status_code == 303
    return somebody


def rows_of(database, learner):
    """Count what any table holds of a learner."""
    found = {}
    with database.engine.connect() as connection:
        inspector = sqlalchemy.inspect(connection)
        for table in inspector.get_table_names():
            if "learner_id" in {column["name"] for column in inspector.get_columns(table)}:
                column = sqlalchemy.column("learner_id", sqlalchemy.Uuid)
                query = sqlalchemy.select(sqlalchemy.func.count()).select_from(
                    sqlalchemy.table(table, column)
                )
                found[table] = connection.execute(query.where(column == learner)).scalar()
    return found


def learner_of(database, email):
    with database.reading() as session:
        return session.query(Account.learner_id, Account.id).where(Account.email == email).one()


def test_deletion_asks_for_the_password_and_leaves_nothing_but_the_note_that_it_was_done(site, browser):
    database = site.app.state.database
    somebody, other = somebody_with_reviews(browser), somebody_with_reviews(browser)
    learner, account = learner_of(database, somebody.email)
    kept = rows_of(database, learner_of(database, other.email)[0])
    assert somebody.post("/account/delete", {"password": "wrong"}, page="/account/delete").status_code == 400
    assert rows_of(database, learner)["reviews"] == 1
    answer = somebody.post("/account/delete", {"password": PASSWORD}, page="/account/delete")
    assert answer.status_code == 303
    assert not somebody.is_signed_in
    assert browser().log_in(somebody.email).status_code == 400
    left = rows_of(database, learner)
    assert left.pop("erasures") == 1
    assert set(left.values()) == {0}
    assert rows_of(database, learner_of(database, other.email)[0]) == kept
    with database.engine.connect() as connection:
        query = sqlalchemy.select(AuditEntry.action).where(AuditEntry.account_id == account)
        assert list(connection.scalars(query.order_by(AuditEntry.id))) == ["sign-up", "erase"]
        for table in ("accounts", "login_sessions", "mail_tokens"):
            assert somebody.email not in str(connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall())


def test_the_address_of_a_deleted_account_can_be_used_anew(browser):
    somebody = browser().sign_up("again@example.org")
    somebody.post("/account/delete", {"password": PASSWORD}, page="/account/delete")
    anew = browser().sign_up("again@example.org")
    assert anew.get("/account/export.json").json()["reviews"] == []


@pytest.mark.skipif(KIND != "sqlite", reason="a copy of the file of SQLite")
def test_a_backup_that_is_restored_forgets_again_who_was_erased_later(site, browser, tmp_path):
    database = site.app.state.database
    erased, kept = somebody_with_reviews(browser), somebody_with_reviews(browser)
    learners = [learner_of(database, person.email)[0] for person in (erased, kept)]
    back_up(database, tmp_path / "site.db")
    erased.post("/account/delete", {"password": PASSWORD}, page="/account/delete")
    shutil.copy(database.beside("erased"), tmp_path / "site.db.erased")
    restored = open_database(f"sqlite:///{tmp_path / 'site.db'}")
    assert [rows_of(restored, learner)["reviews"] for learner in learners] == [1, 1]
    assert erase_again(restored, NOW) == 1
    assert [rows_of(restored, learner)["reviews"] for learner in learners] == [0, 1]
    assert erase_again(restored, NOW) == 0
    restored.close()


def test_a_damaged_list_of_the_erased_is_said(new_database, tmp_path):
    database = open_database(new_database(), tmp_path)
    database.beside("erased").write_text("nobody\n")
    with pytest.raises(DataError, match=r"\.erased: each line"):
        erase_again(database, NOW)
    database.close()
