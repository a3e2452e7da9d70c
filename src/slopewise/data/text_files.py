"""Tables in text (CSV, TSV): what must hold of the bytes, and which line a row stands on.

polars does the reading. It fills a row that is too short with nulls, renames columns of the same name and
does not say at which line it stopped, so the checks here look at the text itself. They read the file as a
stream, never whole.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slopewise.data.tables import counted
from slopewise.engine.errors import DataError

_CHUNK = 1 << 22
_QUOTE = b'"'

# First bytes of files that people rename or export by mistake, and the way out.
_MAGIC = {
    b"\x1f\x8b": "it is compressed with gzip; unpack it first",
    b"PK\x03\x04": "it is a zip archive or an Excel workbook; unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "it is an old Excel workbook; save the sheet as CSV",
    b"PAR1\x15": "it is a Parquet file; name it .parquet",
    b"ARROW1\x00": "it is an Arrow file; name it .arrow",
    b"%PDF-": "it is a PDF document; save the table as CSV",
    b"SQLite format 3\x00": "it is an SQLite database; export the table as CSV",
    b"\xff\xfe": "it is text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "it is text in UTF-16; save it as UTF-8",
}


class Record(NamedTuple):
    """A row of text: the line at which it begins (1-based), and what it holds."""

    line: int
    cells: int
    blank: bool
    text: bytes


@dataclass
class TextFile:
    """A text table on disk.

    Attributes
    ----------
    path : the file
    separator : str of one character
    blank : int64 array, which records below the header (0-based) are blank lines and so no rows
    """

    path: str
    separator: str
    blank: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def records(self) -> Iterator[Record]:
        """Yield the records of the file, header first; a quoted cell may span lines.

        Raises
        ------
        DataError
            If the last quote is never closed.
        """
        separator = self.separator.encode()
        start, quotes = 0, 0
        parts: list[bytes] = []
        with open(self.path, "rb") as file:
            for number, line in enumerate(file, start=1):
                if number == 1:
                    line = line.removeprefix(codecs.BOM_UTF8)
                in_line = line.count(_QUOTE)
                if not parts and not in_line:  # nearly every line of nearly every file
                    yield Record(number, line.count(separator) + 1, not line.strip(b" \r\n"), line)
                    continue
                start = start if parts else number
                parts.append(line)
                quotes += in_line
                if quotes % 2 == 0:
                    yield self._quoted_record(start, b"".join(parts), separator)
                    parts, quotes = [], 0
        if parts:
            raise DataError(
                f"{self.path}: line {start}: a quote is opened and never closed; close it, or write a quote "
                'sign inside of a cell as ""'
            )

    @staticmethod
    def _quoted_record(line: int, text: bytes, separator: bytes) -> Record:
        # Splitting at every quote leaves what is outside of quotes at the even places; "" is two of them.
        outside = text.split(_QUOTE)[::2]
        return Record(line, sum(part.count(separator) for part in outside) + 1, False, text)

    def header(self) -> Record:
        """Return the first record that is not blank.

        Raises
        ------
        DataError
            If there is none.
        """
        for record in self.records():
            if not record.blank:
                return record
        raise DataError(f"{self.path}: the file is empty; it needs a line of column names and rows below it")

    def names(self, header: Record) -> list[str]:
        """Return the column names as written.

        Raises
        ------
        DataError
            If the header is not well formed.
        """
        try:
            text = header.text.decode("utf-8")
            rows = list(csv.reader(io.StringIO(text.rstrip("\r\n"), newline=""), delimiter=self.separator))
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(f"{self.path}: line {header.line}: the header cannot be read: {error}") from error
        if len(rows) != 1 or len(rows[0]) != header.cells:
            raise DataError(
                f"{self.path}: line {header.line}: the quotes of the header do not pair up around its names"
            )
        return rows[0]

    def check_rows(self, width: int) -> tuple[int, NDArray[np.int64]]:
        """Check that every row has `width` cells, and find blank lines.

        Returns
        -------
        int
            How many records there are below the header.
        int64 array
            Which of them (0-based) are blank lines.

        Raises
        ------
        DataError
            If a row has more or fewer cells.
        """
        blank: list[int] = []
        row = 0
        for index, record in enumerate(self._records_below_header()):
            if record.blank and width > 1:
                blank.append(index)
                continue
            row += 1
            if record.cells != width:
                more = "more" if record.cells > width else "fewer"
                raise DataError(
                    f"{self.path}: row {row} (line {record.line}) has {counted(record.cells, 'cell')}, "
                    f"{more} than the {width} of the header; look for a separator "
                    f"({self.separator!r}) that is missing, or that stands in a cell without quotes"
                )
        return row + len(blank), np.array(blank, dtype=np.int64)

    def blocks(self, header_line: int, size: int) -> Iterator[bytes]:
        """Yield what is below the header in pieces of about `size` bytes, each of whole records.

        A block ends outside of quotes, where a record ends that no blank line follows: a reader that skips
        blank lines at its start then skips none.
        """
        with open(self.path, "rb") as file:
            for _ in range(header_line - 1):
                file.readline()
            header = file.readline()
            while header.count(_QUOTE) % 2:
                header += file.readline()
            pending = b""
            while chunk := file.read(size):
                pending += chunk
                end = _last_end(pending)
                if end:
                    yield pending[:end]
                    pending = pending[end:]
        if pending:
            yield pending

    def lines_of_rows(self, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Return the line at which each row (0-based) begins; None if the file has changed since."""
        last = int(rows.max(initial=0)) + len(self.blank)
        try:
            lines = self._lines_without_quotes()
            if lines is None:
                records = islice(self._records_below_header(), last + 1)
                lines = np.array([record.line for record in records], np.int64)
        except (OSError, DataError):
            return None
        kept = np.delete(lines, self.blank[self.blank < len(lines)])
        return kept[rows] if rows.max(initial=-1) < len(kept) else None

    def _lines_without_quotes(self) -> NDArray[np.int64] | None:
        """Return the line of each record below the header, quickly; None if quotes may hide ends of lines."""
        ends, chunk, last = 0, b"", b""
        with open(self.path, "rb") as file:
            while chunk := file.read(_CHUNK):
                if _QUOTE in chunk:
                    return None
                ends += chunk.count(b"\n")
                last = chunk
        unfinished = not last.endswith(b"\n")
        return np.arange(self.header().line + 1, ends + unfinished + 1)

    def _records_below_header(self) -> Iterator[Record]:
        records = self.records()
        for record in records:
            if not record.blank:
                break
        yield from records


def _last_end(text: bytes) -> int:
    """Return where the last record ends that is known to be followed by one with cells; 0 if none is."""
    end, quotes = len(text), text.count(_QUOTE)
    while True:
        newline = text.rfind(b"\n", 0, end)
        if newline < 0:
            return 0
        quotes -= text.count(_QUOTE, newline, end)
        end = newline
        if quotes % 2 == 0 and text[newline + 1 : newline + 2].strip():
            return newline + 1


def guess_separator(header: bytes) -> str:
    """Return the separator of a CSV: the comma, unless the header has none but a semicolon, a tab or a bar.

    Examples
    --------
    >>> guess_separator(b"a;b"), guess_separator(b"a,b;c"), guess_separator(b"a")
    (';', ',', ',')
    """
    return next((mark for mark in ",;\t|" if mark.encode() in header), ",")


def inspect_text(path: str) -> str:
    """Return the SHA-256 of a text file, after checking that its bytes are text.

    Raises
    ------
    DataError
        If it is empty, binary, not UTF-8, or has old line ends.
    """
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset = newlines = returns = 0
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            if offset == 0:
                _refuse_magic(path, chunk)
            digest.update(chunk)
            _refuse_binary(path, chunk, offset)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise _wrong_encoding(path, offset - pending + error.start) from error
            newlines += chunk.count(b"\n")
            returns += chunk.count(b"\r")
            offset += len(chunk)
    if offset == 0:
        raise DataError(f"{path}: the file is empty; it needs a line of column names and rows below it")
    if pending := len(decoder.getstate()[0]):
        raise _wrong_encoding(path, offset - pending)
    if returns and not newlines:
        raise DataError(
            f"{path}: its lines end in carriage returns alone; save it with line ends of Unix or Windows"
        )
    return digest.hexdigest()


def _refuse_magic(path: str, start: bytes) -> None:
    for magic, way_out in _MAGIC.items():
        if start.startswith(magic):
            raise DataError(f"{path}: this is not a text table: {way_out}")


def _refuse_binary(path: str, chunk: bytes, offset: int) -> None:
    place = chunk.find(b"\x00")
    if place >= 0:
        raise DataError(
            f"{path}: this is not a text table: byte {offset + place} is zero; "
            "give a CSV, TSV, Parquet or Arrow file"
        )


def _wrong_encoding(path: str, offset: int) -> DataError:
    """Return an error that names the row, the column and the byte which is not UTF-8."""
    line_number, line_start = 0, 0
    line = separator = b""
    with open(path, "rb") as file:
        for line in file:
            separator = separator or guess_separator(line).encode()
            line_number += 1
            if line_start + len(line) > offset:
                break
            line_start += len(line)
    column = line[: offset - line_start].count(separator) + 1
    byte = line[offset - line_start]
    where = f"row {line_number - 1} (line {line_number})" if line_number > 1 else "the header (line 1)"
    return DataError(
        f"{path}: {where}, column {column}: byte 0x{byte:02X} is not UTF-8"
        f" ({bytes([byte]).decode('latin-1')!r} in Latin-1); save the file as UTF-8"
    )
