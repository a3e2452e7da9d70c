"""scikit-learn is an extra: whoever lacks it reads how to install it."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version

from slopewise.engine.errors import MissingLibraryError

OLDEST = (1, 6)  # `validate_data` and the tags of today are public since then
_COMMAND = 'pip install "slopewise[sklearn]"'


def require_scikit_learn() -> None:
    """Raise an error with the command to install, unless scikit-learn is there and new enough.

    Raises
    ------
    MissingLibraryError

    Examples
    --------
    >>> require_scikit_learn()
    """
    wanted = ".".join(map(str, OLDEST))
    try:
        found = version("scikit-learn")
    except PackageNotFoundError:
        raise MissingLibraryError(
            f"slopewise.sklearn needs scikit-learn {wanted} or later; install it with: {_COMMAND}"
        ) from None
    if tuple(map(int, re.findall(r"\d+", found)[:2])) < OLDEST:
        raise MissingLibraryError(
            f"slopewise.sklearn needs scikit-learn {wanted} or later, found {found}; "
            f"install it with: {_COMMAND}"
        )
