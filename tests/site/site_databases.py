"""New databases for tests: files of SQLite, or of a PostgreSQL cluster that lives as long as the tests.

SLOPEWISE_TEST_DATABASE says which: `sqlite`, the default, or `postgresql`.
"""

import itertools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import sqlalchemy

KIND = os.environ.get("SLOPEWISE_TEST_DATABASE", "sqlite")
_BINARIES = Path("/usr/lib/postgresql")  # where Debian puts each version, off the PATH
_USER = "postgres"  # the package makes this user; PostgreSQL refuses to run as root


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
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c max_connections=200"
        self._run(
            "pg_ctl", "-D", self.data, "-w", "-t", "60", "-l", self.data / "log", "-o", options, "start"
        )

    def stop(self):
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    def new_database(self):
        """Return the URL of a new, empty database."""
        name = f"site{next(self._numbers)}"
        engine = sqlalchemy.create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return self._url(name)

    def _url(self, name):
        return f"postgresql+psycopg://{_USER}@/{name}?host={self.folder}"

    def _run(self, program, *arguments):
        found = shutil.which(program) or max(map(str, _BINARIES.glob(f"*/bin/{program}")), default=None)
        assert found, "PostgreSQL is missing: make test-site-deps"
        command = [found, *map(str, arguments)]
        if os.getuid() == 0:
            command = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups", *command]
        subprocess.run(command, check=True, cwd="/", timeout=90, stdout=subprocess.DEVNULL)


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
