"""New databases for tests: files of SQLite, or of a PostgreSQL cluster that lives as long as the tests.

SLOPEWISE_TEST_DATABASE says which: `sqlite`, the default, or `postgresql`.
"""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import sqlalchemy

from slopewise.site.storage.database import open_database

KIND = os.environ.get("SLOPEWISE_TEST_DATABASE", "sqlite")
_BINARIES = Path("/usr/lib/postgresql")  # where Debian puts each version, off the PATH
_USER = "postgres"  # the package makes this user; PostgreSQL refuses to run as root
_SITE = "slopewise"  # who owns the databases, as on an operator's machine, and may do nothing else


class Cluster:
    """A PostgreSQL server of one's own, on a socket in a folder, with no port."""

    def __init__(self, folder):
        self.folder = folder
        self.data = folder / "data"
        self._numbers = itertools.count(1)

    def start(self):
        self.folder.chmod(0o755)
        if os.getuid() == 0:
            shutil.chown(self.folder, _USER)
        self._run("initdb", "-D", self.data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        settings = ("listen_addresses=", "fsync=off", "max_connections=200")
        options = [part for setting in settings for part in ("-c", setting)]
        command = self._command("postgres", "-D", self.data, "-k", self.folder, *options)
        with open(self.folder / "log", "w") as log:
            # it dies with the tests, however they end
            self.process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while subprocess.run(self._command("pg_isready", "-q", "-h", self.folder), cwd="/").returncode:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, "PostgreSQL does not answer"
            time.sleep(0.1)
        self._do(f"CREATE ROLE {_SITE} LOGIN")

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # ends sessions that are open, then itself
        self.process.wait(60)

    def new_database(self):
        """Return the URL of a new, empty database."""
        name = f"site{next(self._numbers)}"
        self._do(f"CREATE DATABASE {name} OWNER {_SITE}")
        return self._url(_SITE, name)

    def _do(self, statement):
        engine = sqlalchemy.create_engine(self._url(_USER, "postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    def _url(self, user, name):
        return f"postgresql+psycopg://{user}@/{name}?host={self.folder}"

    def _run(self, program, *arguments):
        command = self._command(program, *arguments)
        subprocess.run(command, check=True, cwd="/", timeout=90, stdout=subprocess.DEVNULL)

    def _command(self, program, *arguments):
        found = shutil.which(program) or max(map(str, _BINARIES.glob(f"*/bin/{program}")), default=None)
        assert found, "PostgreSQL is missing: make test-site-deps"
        command = [found, *map(str, arguments)]
        who = [f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"] if os.getuid() == 0 else []
        return ["setpriv", *who, "--pdeathsig=INT", *command]


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL server for the tests of this run."""
    folder = Path(tempfile.mkdtemp(prefix="slopewise-pg-"))  # short: a socket's path has 107 letters at most
    made = Cluster(folder)
    try:
        made.start()
        yield made
        made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_database(request, tmp_path_factory):
    """Makes new, empty databases of the kind that is being tested; returns their URLs."""
    if KIND == "postgresql":
        return request.getfixturevalue("cluster").new_database
    assert KIND == "sqlite", f"SLOPEWISE_TEST_DATABASE is sqlite or postgresql, not {KIND}"
    return lambda: f"sqlite:///{tmp_path_factory.mktemp('database') / 'site.db'}"


@pytest.fixture(scope="session")
def ready_database(new_database, tmp_path_factory):
    """Makes databases that have their tables already: of SQLite by a copy, which takes no migrations."""
    if KIND != "sqlite":
        return new_database
    template = tmp_path_factory.mktemp("database") / "template.db"
    open_database(f"sqlite:///{template}").close()

    def make():
        return f"sqlite:///{shutil.copy(template, tmp_path_factory.mktemp('database') / 'site.db')}"

    return make


@pytest.fixture
def database(ready_database, tmp_path):
    """A database that is open and empty, with a folder for files."""
    made = open_database(ready_database(), tmp_path)
    yield made
    made.close()
