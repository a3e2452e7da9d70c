"""How one column becomes features: fitted on training rows, written into a float32 matrix.

A row's features depend on that row alone, never on the others it comes with. Whatever training did not see is
zeros or the middle, never an invented value: an unseen category, a missing
cell where training had none.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from slopewise.data.cells import (
    FALSE_WORDS,
    TRUE_WORDS,
    Floats,
    date_format,
    is_worded,
    to_moments,
    to_numbers,
    to_words,
)
from slopewise.data.tables import Table, shown
from slopewise.engine.errors import DataError

Features = NDArray[np.float32]
Rows = NDArray[np.int64]

MAX_CATEGORIES = 50  # one-hot columns of one column; rarer categories share one named "(other)"


def mean_and_std(values: Floats) -> tuple[float, float]:
    """Return mean and standard deviation (ddof 0) in float64; the deviation of a constant is 1.

    Values are scaled by a power of two first, which loses no bit, so that squares neither overflow nor
    vanish. A spread below the rounding error of the mean counts as none, as in scikit-learn's StandardScaler.

    Examples
    --------
    >>> mean_and_std(np.array([1.0, 3.0])), mean_and_std(np.array([5.0, 5.0]))
    ((2.0, 1.0), (5.0, 1.0))
    """
    if not len(values):
        return 0.0, 1.0
    _, exponent = math.frexp(float(np.abs(values).max()))
    scaled = np.ldexp(values, -exponent)  # within -1 and 1
    mean, std = float(scaled.mean()), float(scaled.std())
    if std <= 10 * np.finfo(np.float64).eps * len(values) ** 0.5:
        return math.ldexp(mean, exponent), 1.0
    return math.ldexp(mean, exponent), math.ldexp(std, exponent) or 1.0  # 0 among the smallest numbers


def _place(rows: Rows | None, position: int) -> int:
    return position if rows is None else int(rows[position])


@dataclass(frozen=True)
class NumberEncoder:
    """A number, standardised: missing cells get the training median first.

    Mean and deviation are those of the filled column, so training features have mean 0 and deviation 1. A
    second feature says where cells were missing, if any were in training.
    """

    kind: ClassVar[str] = "number"
    name: str
    median: float
    mean: float
    std: float
    indicator: bool

    @classmethod
    def fit(cls, table: Table, name: str, rows: Rows | None) -> NumberEncoder:
        """Fit on the given rows."""
        values = _numbers(table, name, rows)
        missing = np.isnan(values)
        # Halves: the median of two huge numbers is finite.
        median = 0.0 if missing.all() else 2.0 * float(np.median(values[~missing] * 0.5))
        mean, std = mean_and_std(np.where(missing, median, values))
        return cls(name, median, mean, std, bool(missing.any()))

    @property
    def feature_names(self) -> list[str]:
        """Names of the features."""
        return [self.name, f"{self.name} (missing)"] if self.indicator else [self.name]

    def write(self, table: Table, rows: Rows | None, out: Features) -> None:
        """Write the features of the given rows into `out`, shape (len(rows), n_features)."""
        values = _numbers(table, self.name, rows)
        missing = np.isnan(values)
        out[:, 0] = _standardise(np.where(missing, self.median, values), self.mean, self.std)
        if self.indicator:
            out[:, 1] = missing
        _refuse_overflow(table, self.name, rows, out[:, 0])


def _numbers(table: Table, name: str, rows: Rows | None) -> Floats:
    cells = table.column(name, rows)
    values, bad = to_numbers(cells)
    if bad is not None:
        raise DataError(
            f"{table.cell_label(_place(rows, bad), name)}: {shown(cells[bad])} is not a number, as the "
            "column is in the training rows; correct the cell or leave it empty"
        )
    return values


def _standardise(values: Floats, mean: float, std: float) -> Features:
    # Taking halves keeps the difference of two huge numbers finite.
    with np.errstate(over="ignore"):
        return ((values * 0.5 - mean * 0.5) / std * 2.0).astype(np.float32)


def _refuse_overflow(table: Table, name: str, rows: Rows | None, features: Features) -> None:
    finite = np.isfinite(features)
    if not finite.all():
        row = _place(rows, int(np.argmin(finite)))
        raise DataError(
            f"{table.cell_label(row, name)}: {shown(table.column(name)[row])} is too far from the training "
            "values for a float32; correct the cell or leave it empty"
        )


def _words(table: Table, name: str, rows: Rows | None) -> pl.Series:
    cells = table.column(name, rows)
    if not is_worded(cells):
        raise DataError(
            f"{table.label}: column {name!r} holds {cells.dtype}, where training had words; give words"
        )
    return to_words(cells)


@dataclass(frozen=True)
class BooleanEncoder:
    """A truth value: 1 for true, yes, on and 1; 0 for their opposites; 0.5 for what is neither.

    Missing cells are neither, and so are other words; other numbers stay as they are. A second feature says
    where cells were missing, if any were in training.
    """

    kind: ClassVar[str] = "boolean"
    name: str
    indicator: bool

    @classmethod
    def fit(cls, table: Table, name: str, rows: Rows | None) -> BooleanEncoder:
        """Fit on the given rows."""
        return cls(name, table.column(name, rows).null_count() > 0)

    @property
    def feature_names(self) -> list[str]:
        """Names of the features."""
        return [self.name, f"{self.name} (missing)"] if self.indicator else [self.name]

    def write(self, table: Table, rows: Rows | None, out: Features) -> None:
        """Write the features of the given rows into `out`, shape (len(rows), n_features)."""
        cells = table.column(self.name, rows)
        values, bad = to_numbers(cells)
        if bad is not None:
            truth = {**dict.fromkeys(TRUE_WORDS, 1.0), **dict.fromkeys(FALSE_WORDS, 0.0)}
            words = _words(table, self.name, rows).str.strip_chars().str.to_lowercase()
            known = words.replace_strict(truth, default=None, return_dtype=pl.Float64).to_numpy()
            values = np.where(np.isnan(values), known, values)
        out[:, 0] = np.where(np.isnan(values), 0.5, values)
        if self.indicator:
            out[:, 1] = cells.is_null().to_numpy()
        _refuse_overflow(table, self.name, rows, out[:, 0])


@dataclass(frozen=True)
class CategoryEncoder:
    """A category, one-hot: a feature for each of the most frequent `MAX_CATEGORIES` of training.

    If training had more, the others share one feature, and so does what training never saw; if it had not, an
    unseen category is zeros everywhere. Missing cells are a category of their own if training had any, else
    zeros.
    """

    kind: ClassVar[str] = "category"
    name: str
    categories: tuple[str, ...]
    other: bool
    missing: bool

    @classmethod
    def fit(cls, table: Table, name: str, rows: Rows | None) -> CategoryEncoder:
        """Fit on the given rows."""
        words = _words(table, name, rows)
        counts = words.drop_nulls().value_counts(name="count").rows()
        frequent = sorted(counts, key=lambda item: (-item[1], item[0]))[:MAX_CATEGORIES]
        categories = tuple(sorted(word for word, _ in frequent))
        return cls(name, categories, len(counts) > MAX_CATEGORIES, words.null_count() > 0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "categories", tuple(self.categories))  # JSON gives a list

    @property
    def feature_names(self) -> list[str]:
        """Names of the features."""
        names = [f"{self.name} = {category}" for category in self.categories]
        return names + [f"{self.name} (other)"] * self.other + [f"{self.name} (missing)"] * self.missing

    def write(self, table: Table, rows: Rows | None, out: Features) -> None:
        """Write the features of the given rows into `out`, shape (len(rows), n_features)."""
        words = _words(table, self.name, rows)
        codes = words.replace_strict(
            list(self.categories), list(range(len(self.categories))), default=-1, return_dtype=pl.Int32
        ).to_numpy()
        missing = words.is_null().to_numpy()
        known = np.flatnonzero((codes >= 0) & ~missing)
        out[:] = 0.0
        out[known, codes[known]] = 1.0
        if self.other:
            out[:, len(self.categories)] = (codes < 0) & ~missing
        if self.missing:
            out[:, -1] = missing

    def unseen(self, table: Table) -> pl.Series:
        """Return the cells that are no category of training; none where rare ones share their feature."""
        words = _words(table, self.name, None).drop_nulls()
        return words.head(0) if self.other else words.filter(~words.is_in(list(self.categories)))


@dataclass(frozen=True)
class DateEncoder:
    """A date: a trend and cycles.

    Time and year are standardised; month, weekday and day of the year are sine and cosine, so that December
    is near January; so is the time of day if training had any. A missing date is zeros, which is the mean of
    training for time and year. A last feature says where cells were missing, if any were in training.
    """

    kind: ClassVar[str] = "date"
    name: str
    format: str | None
    time_mean: float
    time_std: float
    year_mean: float
    year_std: float
    clock: bool
    indicator: bool

    @classmethod
    def fit(cls, table: Table, name: str, rows: Rows | None) -> DateEncoder:
        """Fit on the given rows."""
        cells = table.column(name, rows)
        pattern = date_format(cells) if cells.dtype == pl.String else None
        moments = _moments(table, name, rows, pattern).drop_nulls()
        time, year = _seconds(moments), moments.dt.year().to_numpy().astype(np.float64)
        clock = bool((_seconds_of_day(moments) != 0).any())
        indicator = len(moments) < len(cells)
        return cls(name, pattern, *mean_and_std(time), *mean_and_std(year), clock, indicator)

    @property
    def feature_names(self) -> list[str]:
        """Names of the features."""
        cycles = ["month", "weekday", "day of year"] + ["time of day"] * self.clock
        waves = [f"{cycle} {wave}" for cycle in cycles for wave in ("sin", "cos")]
        names = ["time", "year", *waves] + ["missing"] * self.indicator
        return [f"{self.name} ({name})" for name in names]

    def write(self, table: Table, rows: Rows | None, out: Features) -> None:
        """Write the features of the given rows into `out`, shape (len(rows), n_features)."""
        moments = _moments(table, self.name, rows, self.format)
        missing = moments.is_null().to_numpy()
        filled = moments.to_physical().fill_null(0).cast(pl.Datetime("us"))
        year = filled.dt.year().to_numpy().astype(np.float64)
        out[:, 0] = _standardise(_seconds(filled), self.time_mean, self.time_std)
        out[:, 1] = _standardise(year, self.year_mean, self.year_std)
        turns = [
            (filled.dt.month().to_numpy() - 1) / 12.0,
            (filled.dt.weekday().to_numpy() - 1) / 7.0,
            (filled.dt.ordinal_day().to_numpy() - 1) / 366.0,
        ]
        if self.clock:
            turns.append(_seconds_of_day(filled) / 86400.0)
        for number, turn in enumerate(turns):
            out[:, 2 + 2 * number] = np.sin(2 * np.pi * turn)
            out[:, 3 + 2 * number] = np.cos(2 * np.pi * turn)
        out[missing] = 0.0
        if self.indicator:
            out[:, -1] = missing


def _moments(table: Table, name: str, rows: Rows | None, pattern: str | None) -> pl.Series:
    cells = table.column(name, rows)
    moments, bad = to_moments(cells, pattern)
    if bad is not None:
        expected = f"a date like {pattern}" if pattern else "a date"
        raise DataError(
            f"{table.cell_label(_place(rows, bad), name)}: {shown(cells[bad])} is not {expected}, as the "
            "column is in the training rows; correct the cell or leave it empty"
        )
    return moments


def _seconds(moments: pl.Series) -> Floats:
    return np.asarray(moments.to_physical().to_numpy(), dtype=np.float64) / 1e6


def _seconds_of_day(moments: pl.Series) -> Floats:
    return np.asarray(np.mod(moments.to_physical().to_numpy(), 86_400_000_000) / 1e6, dtype=np.float64)


Encoder = NumberEncoder | BooleanEncoder | CategoryEncoder | DateEncoder
ENCODERS: dict[str, type[Encoder]] = {
    encoder.kind: encoder for encoder in (NumberEncoder, BooleanEncoder, CategoryEncoder, DateEncoder)
}


def encoder_to_dict(encoder: Encoder) -> dict[str, Any]:
    """Return what an encoder learned, for JSON."""
    return {"kind": encoder.kind, **asdict(encoder)}


def encoder_from_dict(record: dict[str, Any]) -> Encoder:
    """Return the encoder that `encoder_to_dict` wrote.

    Raises
    ------
    DataError
        If the record is none of an encoder's.
    """
    encoder = ENCODERS.get(record.get("kind", "")) if isinstance(record, dict) else None
    if encoder is None:
        raise DataError(f"not the record of a column's preprocessing: {shown(record)}")
    names = {field.name for field in fields(encoder)}
    if record.keys() - {"kind"} != names:
        raise DataError(
            f"a {encoder.kind} column's record needs {sorted(names)}, not {sorted(record.keys() - {'kind'})}"
        )
    return encoder(**{name: record[name] for name in names})
