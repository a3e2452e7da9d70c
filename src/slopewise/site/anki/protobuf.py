"""The little of Google's wire format that packages use: numbers and messages, one level at a time."""

from __future__ import annotations

from collections.abc import Iterator

from slopewise.engine.errors import DataError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def messages(data: bytes, field: int) -> Iterator[bytes]:
    """Yield the contents of all fields of a number that hold bytes, text or a message.

    Examples
    --------
    >>> list(messages(bytes([0x0A, 2, 104, 105, 0x10, 7]), 1))
    [b'hi']
    """
    for number, value in _fields(data):
        if number == field and isinstance(value, bytes):
            yield value


def number(data: bytes, field: int) -> int:
    """Return the first field of a number that holds a whole number, or 0.

    Examples
    --------
    >>> number(bytes([0x0A, 2, 104, 105, 0x10, 7]), 2)
    7
    """
    return next((value for found, value in _fields(data) if found == field and isinstance(value, int)), 0)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        kind = key & 7
        if kind == _VARINT:
            value, place = _varint(data, place)
            yield key >> 3, value
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(kind)
        if kind == _BYTES:
            size, place = _varint(data, place)
        if size is None or place + size > len(data):
            raise DataError("the package is damaged: a list in it ends too early")
        yield key >> 3, data[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            break
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise DataError("the package is damaged: a list in it ends too early")
