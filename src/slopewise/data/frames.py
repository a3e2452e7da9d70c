"""Data frames of other libraries become polars frames, with nothing installed for it but themselves.

narwhals knows the frames. Its way from pandas goes through pyarrow for all but plain NumPy columns; here it
does not, so that a table is the same whether pyarrow is there or not.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from slopewise.engine.errors import DataError


def to_polars(frame: Any, label: str) -> pl.DataFrame:
    """Return any data frame that narwhals knows as a polars frame.

    Raises
    ------
    DataError
        If it is no data frame, or holds what a table cannot; the message begins with `label`.
    """
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    if nw.dependencies.is_pandas_dataframe(frame):
        return _from_pandas(frame, label)
    try:
        known = nw.from_native(frame, eager_only=True)
    except TypeError as error:
        kind = f"{type(frame).__module__}.{type(frame).__qualname__}"
        raise DataError(
            f"{label}: expected a data frame (pandas, polars, pyarrow or another one that narwhals knows), "
            f"got {kind}; read_table reads files, and arrays need no Table"
        ) from error
    except Exception as error:  # each library has its own errors for a frame that is broken
        raise DataError(f"{label}: the data frame cannot be used: {_one_line(error)}") from error
    try:
        converted: pl.DataFrame = known.to_polars()
    except Exception as error:
        raise DataError(f"{label}: the data frame cannot be converted: {_one_line(error)}") from error
    return converted


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _from_pandas(frame: Any, label: str) -> pl.DataFrame:
    names = [str(name) for name in frame.columns]  # columns without names are numbered in pandas
    for position, name in enumerate(names):
        if name in names[:position]:
            raise DataError(f"{label}: two columns are called {name!r}; rename one of them")
    columns = [_pandas_column(frame.iloc[:, number], name, label) for number, name in enumerate(names)]
    return pl.DataFrame(columns)


def _pandas_column(column: Any, name: str, label: str) -> pl.Series:
    kind = getattr(column.dtype, "kind", "O") if isinstance(column.dtype, np.dtype) else "O"
    if kind in "biuf":
        return pl.Series(name, column.to_numpy())
    if kind in "mM":
        return pl.Series(
            name, column.to_numpy().astype(f"{'datetime' if kind == 'M' else 'timedelta'}64[us]")
        )
    items = column.astype(object).where(column.notna(), None).tolist()
    try:
        return pl.Series(name, items, strict=True)
    except (TypeError, OverflowError, pl.exceptions.PolarsError) as error:
        types = sorted({type(item).__name__ for item in items if item is not None})
        if set(types) <= {"int", "float", "bool"}:
            return pl.Series(name, [None if item is None else float(item) for item in items])
        raise DataError(
            f"{label}: column {name!r} holds values of the types {', '.join(types)}; make them one, such "
            "as text with .astype(str)"
        ) from error
