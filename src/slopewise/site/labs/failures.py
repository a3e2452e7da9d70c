"""What the log is told of a mistake of ours: where it happened, never the words of the error.

The words may quote what was worked on: a cell of a learner's table, a card.
"""

from __future__ import annotations

import traceback


def place_of(error: BaseException) -> str:
    """Return the traceback of an error with its kind, without its text.

    Examples
    --------
    >>> try:
    ...     int("a secret")
    ... except ValueError as error:
    ...     told = place_of(error)
    >>> "secret" in told.splitlines()[-1], told.splitlines()[-1]
    (False, 'ValueError')
    """
    return "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__
