"""scikit-learn is an extra."""

import subprocess
import sys

import pytest

import slopewise
from slopewise.engine.errors import MissingLibraryError
from slopewise.estimators import requirement

WITHOUT_SCIKIT_LEARN = """
import importlib.metadata
real = importlib.metadata.version
def version(name):
    if name == "scikit-learn":
        raise importlib.metadata.PackageNotFoundError(name)
    return real(name)
importlib.metadata.version = version
try:
    import slopewise.sklearn
except ImportError as error:
    print(type(error).__name__, error)
"""


def run(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout


def test_slopewise_itself_never_imports_it():
    program = "import sys, slopewise, slopewise.train, slopewise.nn; print('sklearn' in sys.modules)"
    assert run(program) == "False\n"
    assert "sklearn" not in slopewise.__all__  # `from slopewise import *` must work without it


def test_without_it_the_import_says_what_to_install():
    assert run(WITHOUT_SCIKIT_LEARN) == (
        "MissingLibraryError slopewise.sklearn needs scikit-learn 1.6 or later; "
        'install it with: pip install "slopewise[sklearn]"\n'
    )


def test_an_old_one_is_named(monkeypatch):
    monkeypatch.setattr(requirement, "version", lambda name: "1.5.2")
    with pytest.raises(MissingLibraryError, match=r"needs scikit-learn 1\.6 or later, found 1\.5\.2"):
        requirement.require_scikit_learn()


def test_a_release_candidate_is_new_enough(monkeypatch):
    monkeypatch.setattr(requirement, "version", lambda name: "2.0rc1")
    requirement.require_scikit_learn()
