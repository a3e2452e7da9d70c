"""The check on kinds of progress, which a migration widened."""

import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import IntegrityError

from slopewise.site.storage import open_database
from slopewise.site.storage.tables import Learner, Progress

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def database(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'site.db'}")
    yield database
    database.close()


def kept(database, kind):
    learner = uuid.uuid4()
    with database.writing() as session:
        session.add(Learner(id=learner, created_at=NOW))
        session.flush()
        session.add(Progress(learner_id=learner, kind=kind, item="a/b", value=1, changed_at=NOW))


@pytest.mark.parametrize("kind", ["answer", "draft", "last", "prediction", "prompt", "done"])
def test_a_known_kind_is_kept(database, kind):
    kept(database, kind)


def test_another_kind_is_refused_by_the_database_itself(database):
    with pytest.raises(IntegrityError):
        kept(database, "secret")
