"""Settings for all tests."""

import os
import signal

import pytest
from hypothesis import settings

# No deadline: timings on shared machines mean nothing. Derandomized: the same examples each time.
settings.register_profile("slopewise", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("slopewise")

# Tests that interrupt themselves need Ctrl-C to be Python's; a shell's background job inherits it ignored.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Run the slow tests last, each kind in its order: what is broken shows early."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.fixture(scope="session", autouse=True)
def _compiled_objects_of_this_run(tmp_path_factory):
    """Keep compiled objects in a folder of this test run, which all its workers and subprocesses share."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLOPEWISE_CACHE", str(base / "cache"))
        yield
