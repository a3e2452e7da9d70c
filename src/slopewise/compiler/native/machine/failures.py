"""Errors that only values show, between machine code and Python: a number that says it all.

Code cannot raise; it stores a number and an i64 to speak of (`Emitter.fail`). The number holds the message's
other parts, so that code from the disk cache needs no table beside it.
"""

from __future__ import annotations

from slopewise.engine.errors import IndexOutOfRange, SlopewiseError

_INDEX_OUT_OF_RANGE = 1  # the kind of an error is the number's lowest byte; 0 is no error
NEGATIVE_POWER = 2


def index_failure(axis: int, size: int) -> int:
    """Return the number of the error that an index is out of range for an axis; it speaks of the index."""
    return _INDEX_OUT_OF_RANGE | axis << 8 | size << 16


def failure(number: int, about: int) -> SlopewiseError:
    """Return the error that code has noted, the one that the interpreter raises.

    Examples
    --------
    >>> failure(index_failure(axis=0, size=5), about=7)
    IndexOutOfRange('index 7 is out of range for axis 0 of size 5')
    """
    kind, axis, size = number & 0xFF, number >> 8 & 0xFF, number >> 16
    if kind == NEGATIVE_POWER:
        return SlopewiseError("pow: Integers to negative integer powers are not allowed.")
    if kind != _INDEX_OUT_OF_RANGE:
        raise ValueError(f"machine code noted an error of no known kind: {number}")
    return IndexOutOfRange(f"index {about} is out of range for axis {axis} of size {size}")
