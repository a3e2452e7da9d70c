"""Files that become tables: CSV, TSV, Parquet and Arrow."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING

from slopewise.data.codes import code_columns, first_code
from slopewise.data.tables import Table, checked_table, first_line, nearest_file, shown
from slopewise.data.text_files import TextFile, guess_separator, inspect_text
from slopewise.engine.errors import ArgumentError, DataError

if TYPE_CHECKING:
    import polars as pl

# Cells of a text file that say "missing". Others, such as "unknown" or "-", are values like any other.
NULL_WORDS = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "?")

INFERRED_ROWS = 10_000
BLOCK_BYTES = 1 << 22  # of a text file that are in memory at once, beside the cells read so far

_STREAM_MARK = b"\xff\xff\xff\xff"  # how an Arrow stream begins

_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".arrows": "arrow",
}
_PACKED = "unpack it first"
_SHEETS = "save the sheet as CSV"
_WAYS_OUT = {
    ".gz": _PACKED,
    ".zip": _PACKED,
    ".bz2": _PACKED,
    ".xz": _PACKED,
    ".zst": _PACKED,
    ".xlsx": _SHEETS,
    ".xls": _SHEETS,
    ".ods": _SHEETS,
    ".txt": "if it is a table with cells apart by commas, semicolons, tabs or bars, name it .csv",
}


def read_table(path: str | os.PathLike[str], text: Collection[str] = ()) -> Table:
    """Read a table from a file; its suffix says how.

    `.csv` and `.tsv` are text in UTF-8 with column names in the first line. A CSV whose header has no comma
    is separated by the semicolon, tab or bar that the header has instead. Blanks around cells are dropped; a
    cell that is empty or one of `NA N/A n/a NaN nan NULL null None ?` is missing; blank lines are skipped. A
    column of a text file is a number if every cell that is not missing is one, and none begins with a zero
    that the number would lose: `007` makes the column one of codes, kept as text. Columns without a name are
    called `column_<position>`.

    Parameters
    ----------
    path : file ending in .csv, .tsv, .parquet, .arrow or .feather
    text : names of columns of a text file to keep as text even if all their cells look like numbers; names
        that the file lacks are ignored

    Raises
    ------
    DataError
        If the file cannot be used; the message names the file, and row and column where they matter.
    ArgumentError
        If `path` is no path.

    Examples
    --------
    >>> table = read_table("examples/data/penguins.csv")
    >>> table.n_rows, table.names[:3]
    (344, ['species', 'island', 'bill_length_mm'])
    """
    if not isinstance(path, str | bytes | os.PathLike):
        raise ArgumentError(
            f"read_table reads files: give a path, not {type(path).__name__}; "
            "Table.from_frame takes data frames"
        )
    if isinstance(text, str):
        raise ArgumentError(f"text is a list of names; give [{text!r}]")
    file_name = os.fsdecode(path)
    kind = _kind_of(file_name)
    try:
        if kind == "csv":
            return _read_text(file_name, None, text)
        if kind == "tsv":
            return _read_text(file_name, "\t", text)
        return _read_binary(file_name, kind)
    except PermissionError as error:
        raise DataError(f"{file_name}: no permission to read it; change its permissions") from error
    except OSError as error:
        raise DataError(f"{file_name}: cannot be read: {error.strerror or first_line(error)}") from error


def _kind_of(path: str) -> str:
    if os.path.isdir(path):
        raise DataError(f"{path}: this is a folder; give a file in it")
    if not os.path.exists(path):
        raise DataError(f"{path}: there is no such file; {nearest_file(path)}")
    if not os.path.isfile(path):
        raise DataError(f"{path}: this is not a regular file; save the table to a file first")
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in _SUFFIXES:
        unknown = f"files ending in {suffix}" if suffix else "a file without a suffix"
        way_out = _WAYS_OUT.get(suffix, f"known are {', '.join(_SUFFIXES)}")
        raise DataError(f"{path}: do not know how to read {unknown}; {way_out}")
    if os.path.getsize(path) == 0:
        raise DataError(f"{path}: the file is empty; it needs a line of column names and rows below it")
    return _SUFFIXES[suffix]


def _read_text(path: str, separator: str | None, text: Collection[str]) -> Table:
    fingerprint = inspect_text(path)
    file = TextFile(path, separator or ",")
    header = file.header()
    if separator is None and header.cells == 1:  # no comma outside of quotes
        file.separator = guess_separator(header.text.replace(b",", b""))
        header = file.header()
    written = file.names(header)
    names = _column_names(path, written, header.line)
    as_text = {place for place, name in enumerate(names) if name in text}
    frame = _parse(file, header.line, len(names), as_text)
    frame.columns = names
    frame = frame.with_columns([_clean_text(frame.get_column(name), name in text) for name in names])
    return checked_table(_without_blank_lines(frame, file), path, fingerprint, file)


def _column_names(path: str, written: list[str], line: int) -> list[str]:
    names = [name.strip() or f"column_{position}" for position, name in enumerate(written, start=1)]
    for position, name in enumerate(names):
        if name in names[:position]:
            first = names.index(name) + 1
            hint = "; is the line of column names missing?" if _is_number(name) else ""
            raise DataError(
                f"{path}: line {line}: columns {first} and {position + 1} are both called {shown(name)}; "
                f"rename one of them{hint}"
            )
    return names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parse(file: TextFile, header_line: int, width: int, as_text: set[int]) -> pl.DataFrame:
    """Read the cells; `as_text` are the columns (0-based) to keep as they are written."""
    import polars as pl

    read = partial(
        pl.read_csv,
        separator=file.separator,
        null_values=list(NULL_WORDS),
        raise_if_empty=False,
        glob=False,
    )
    whole = partial(read, file.path, skip_lines=header_line - 1)
    try:
        names = whole(n_rows=0, infer_schema_length=0).columns
        if len(names) != width:
            raise DataError(
                f"{file.path}: line {header_line}: the quotes of the header do not pair up around its names"
            )
        places = as_text | code_columns(file, header_line, width, BLOCK_BYTES)
        whole = partial(whole, schema_overrides={names[place]: pl.String for place in places})
        frame = _read_csv(file, header_line, read, whole)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        file.check_rows(width)  # the usual causes, with their row
        raise _malformed(file, first_line(error)) from error
    # A row that is too short is read with nulls at its end: only then is the text looked at again.
    if frame.height and frame.get_column(frame.columns[-1]).null_count():
        n_records, file.blank = file.check_rows(width)
        if n_records != frame.height:
            raise _malformed(file, f"{n_records} rows by its quotes, but {frame.height} by its cells")
    return frame


def _malformed(file: TextFile, what: str) -> DataError:
    return DataError(
        f"{file.path}: not a well-formed table with separator {file.separator!r}: {what}; "
        'look for quote signs inside of cells: write them as "" and put the cell in quotes'
    )


def _read_csv(
    file: TextFile, header_line: int, read: Callable[..., pl.DataFrame], whole: Callable[..., pl.DataFrame]
) -> pl.DataFrame:
    """Read a CSV in blocks, or whole if it is small; a column is a number only if all its cells are."""
    import polars as pl

    try:
        # Types found in the first rows hold for nearly every file, and one that does not hold is an error.
        if os.path.getsize(file.path) <= BLOCK_BYTES:
            return whole(infer_schema_length=INFERRED_ROWS)
        first = whole(infer_schema_length=INFERRED_ROWS, n_rows=INFERRED_ROWS)
        blocks = file.blocks(header_line, BLOCK_BYTES)
        frames = [read(block, has_header=False, schema=first.schema) for block in blocks]
        # Columns in one piece would be quicker to pick rows from, but polars keeps the memory of the pieces.
        return pl.concat(frames, rechunk=False) if frames else first
    except pl.exceptions.ComputeError:
        return whole(infer_schema_length=None)  # looks at all cells first: ten times as slow


def _without_blank_lines(frame: pl.DataFrame, file: TextFile) -> pl.DataFrame:
    import polars as pl

    if not len(file.blank):
        return frame
    rows = pl.int_range(pl.len())
    return frame.filter(~rows.is_in(pl.Series(file.blank).implode()))


def _clean_text(cells: pl.Series, keep_text: bool) -> pl.Series:
    """Drop blanks around the cells of a text column, and read it as numbers if that is what is left.

    Text it stays if it is to be kept, or if it holds codes.
    """
    import polars as pl

    if cells.dtype != pl.String:
        return cells
    bare = cells.str.strip_chars()
    bare = bare.set(bare.is_in(NULL_WORDS).fill_null(False), None)
    if keep_text or bare.null_count() == len(bare) or first_code(bare) is not None:
        return bare
    for dtype in (pl.Int64, pl.Float64):
        numbers = bare.cast(dtype, strict=False)
        if numbers.null_count() == bare.null_count():
            return numbers
    return bare


def _read_binary(path: str, kind: str) -> Table:
    import polars as pl

    with open(path, "rb", buffering=0) as file:  # polars reads a stream from where the system's handle stands
        fingerprint = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        reader: Callable[..., pl.DataFrame] = pl.read_parquet
        if kind == "arrow":  # a file has an index at its end, a stream has none
            reader = pl.read_ipc_stream if file.read(4) == _STREAM_MARK else pl.read_ipc
            file.seek(0)
        try:
            frame = reader(file)  # the file, not its name: polars would expand a `*` in it
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            name = {"parquet": "Parquet", "arrow": "Arrow (IPC) or Feather version 2"}[kind]
            raise DataError(f"{path}: this is not a whole {name} file: {first_line(error)}") from error
    return checked_table(frame, path, fingerprint)
