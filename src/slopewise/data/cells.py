"""The cells of a column as numbers, words or moments, whatever type the column came in.

The same value read as a number in one file and as text in another (because some other row of it holds a word)
must give the same bits; and a cell that does not fit must be found, not coerced.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TRUE_WORDS = {"true": "false", "yes": "no", "t": "f", "y": "n", "on": "off", "1": "0"}
FALSE_WORDS = {false: true for true, false in TRUE_WORDS.items()}

ISO_FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
)
# Tried in this order; the first that reads every cell wins, so 03/04/2020 is the fourth of March unless some
# cell of the column shows that days come first.
DATE_FORMATS = (
    *ISO_FORMATS,
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d-%m-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
)
# A year has four digits: versions (1.2.3) and scores (3-1-2) are no dates.
_LOOKS_LIKE_A_DATE = (
    r"^\s*(\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}"
    r"|\d{1,2} [A-Za-z]{3,9} \d{4}|[A-Za-z]{3,9} \d{1,2}, \d{4})([ T]|\s*$)"
)

# Numbers as people write them: 1,5 and 1.234,50 and 1,000 and 12% and $5; not versions, dates or addresses.
_WRITTEN_NUMBER = (
    r"^[-+]?[$€£¥]? ?[-+]?(\d+|\d{1,3}([,.' \u00a0\u202f]\d{3})+)([.,]\d+)?[ \u00a0\u202f]?[%$€£¥]?$"
)


def _first_lost(before: pl.Series, after: pl.Series) -> int | None:
    """Return the first place where a conversion turned a cell into a missing one."""
    if after.null_count() == before.null_count():
        return None
    return int((after.is_null() & before.is_not_null()).arg_max() or 0)


def _first_present(cells: pl.Series) -> int | None:
    present = cells.is_not_null()
    return int(present.arg_max() or 0) if present.any() else None


def to_numbers(cells: pl.Series) -> tuple[Floats, int | None]:
    """Return the cells as float64, NaN where missing, and the place of the first one that is no number.

    Truth values are 0 and 1; lengths of time and times of day are seconds.

    Examples
    --------
    >>> to_numbers(pl.Series(["1.5", None, "x"]))
    (array([1.5, nan, nan]), 2)
    """
    dtype = cells.dtype
    if dtype == pl.String:
        parsed = cells.str.strip_chars().cast(pl.Float64, strict=False)
        numbers = parsed.set(~parsed.is_finite(), None)  # the words "nan" and "inf" are words
    elif dtype.is_numeric() or dtype == pl.Boolean:
        numbers = cells.cast(pl.Float64)
    elif isinstance(dtype, pl.Duration | pl.Time):
        units = {"ms": 1e3, "us": 1e6, "ns": 1e9}
        unit = units[dtype.time_unit] if isinstance(dtype, pl.Duration) else 1e9
        numbers = cells.to_physical().cast(pl.Float64) / unit
    else:
        return np.full(len(cells), np.nan), _first_present(cells)
    bad = _first_lost(cells, numbers)
    values = numbers.to_numpy()
    return np.asarray(values, dtype=np.float64), bad


def written_number(words: pl.Series, share: float) -> str | None:
    """Return the first word that only a person reads as a number, if so many of the words are numbers.

    Parameters
    ----------
    words : text
    share : how large a share of the words must be numbers, read by either

    Examples
    --------
    >>> written_number(pl.Series(["1.5", "1,5", "1,000", "12%"]), share=1.0)
    '1,5'
    """
    bare = words.drop_nulls().str.strip_chars()
    written = bare.str.contains(_WRITTEN_NUMBER)
    plain = bare.cast(pl.Float64, strict=False).is_not_null()
    only_people = bare.filter(written & ~plain)
    if not len(only_people) or (written | plain).sum() < share * len(bare):
        return None
    return str(only_people[0])


def to_words(cells: pl.Series) -> pl.Series:
    """Return cells as text: whole numbers without a fraction, `true`, `false`; lengths of time in seconds.

    Examples
    --------
    >>> to_words(pl.Series([1.0, None, 2.0])).to_list()
    ['1', None, '2']
    """
    if cells.dtype == pl.String:
        return cells
    if isinstance(cells.dtype, pl.Duration):
        cells = pl.Series(cells.name, to_numbers(cells)[0]).fill_nan(None)
    if cells.dtype.is_float():
        whole = cells.cast(pl.Int64, strict=False)
        return cells.cast(pl.String).zip_with((whole != cells).fill_null(True), whole.cast(pl.String))
    return cells.cast(pl.String)


def is_worded(cells: pl.Series) -> bool:
    """Return whether cells of this type can be written as one word each (lists and structures cannot)."""
    return not (cells.dtype.is_nested() or cells.dtype in (pl.Binary, pl.Object))


def boolean_words(words: pl.Series) -> tuple[str, str] | None:
    """Return the pair (false word, true word) in lower case if the column has these two and no others.

    Examples
    --------
    >>> boolean_words(pl.Series(["Yes", "no", None]))
    ('no', 'yes')
    >>> boolean_words(pl.Series(["m", "f"])) is None
    True
    """
    found = set(words.drop_nulls().unique().head(20).str.to_lowercase().to_list())
    if len(found) != 2:
        return None
    word = next(iter(found & set(TRUE_WORDS)), None)
    return None if word is None or TRUE_WORDS[word] not in found else (TRUE_WORDS[word], word)


def date_format(words: pl.Series) -> str | None:
    """Return the format under which every cell of a text column is a date, or None."""
    present = words.drop_nulls()
    head = present.head(100)
    if not len(head) or not head.str.contains(_LOOKS_LIKE_A_DATE).all():
        return None
    for pattern in DATE_FORMATS:
        if all(_parse_dates(part, pattern).null_count() == 0 for part in (head, present)):
            return pattern
    return None


def _parse_dates(words: pl.Series, pattern: str) -> pl.Series:
    bare = words.str.strip_chars()
    if pattern.endswith("z"):
        moments = bare.str.to_datetime(pattern, time_unit="us", time_zone="UTC", strict=False, exact=True)
        return moments.dt.replace_time_zone(None)
    if "%H" in pattern:
        return bare.str.to_datetime(pattern, time_unit="us", strict=False, exact=True)
    return bare.str.to_date(pattern, strict=False, exact=True).cast(pl.Datetime("us"))


def to_moments(cells: pl.Series, pattern: str | None) -> tuple[pl.Series, int | None]:
    """Return the cells as moments in UTC (microseconds), and the place of the first one that is no date.

    Parameters
    ----------
    cells : dates, or text
    pattern : the format of text; None reads all forms of ISO 8601 that are in `DATE_FORMATS`
    """
    dtype = cells.dtype
    if dtype == pl.Date:
        return cells.cast(pl.Datetime("us")), None
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:
            cells = cells.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return cells.cast(pl.Datetime("us")), None
    if dtype != pl.String:
        return pl.Series([None] * len(cells), dtype=pl.Datetime("us")), _first_present(cells)
    first, *others = [pattern] if pattern else ISO_FORMATS
    moments = _parse_dates(cells, first)
    for other in others:
        moments = moments.zip_with(moments.is_not_null(), _parse_dates(cells, other))
    return moments, _first_lost(cells, moments)
