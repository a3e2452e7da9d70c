"""One running application for all tests over HTTP."""

import pytest
from starlette.testclient import TestClient

from slopewise.site.app import create_app
from slopewise.site.configuration import Configuration
from slopewise.site.content import load_course


@pytest.fixture(scope="session")
def course():
    return load_course()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A client of a site with a new database and a real worker process."""
    database = tmp_path_factory.mktemp("site") / "site.db"
    application = create_app(Configuration(database=f"sqlite:///{database}"))
    with TestClient(application, base_url="http://127.0.0.1") as client:
        yield client
