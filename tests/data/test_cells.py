"""Cells as numbers, words and moments, whatever type the column came in."""

import datetime

import polars as pl
import pytest

from slopewise.data.cells import date_format, to_moments, to_numbers, to_words

DAY = datetime.date(2020, 1, 1)


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (["2020-01-01", "2020-12-31"], "%Y-%m-%d"),
        (["03/04/2020", "12/25/2020"], "%m/%d/%Y"),
        (["03/04/2020", "25/12/2020"], "%d/%m/%Y"),
        (["03/04/2020"], "%m/%d/%Y"),
        (["1.2.2020"], "%d.%m.%Y"),
        (["2020-01-01", "2020-02-30"], None),
        (["2020-01-01", "01/02/2020"], None),
        (["1-2-3"], None),
        ([], None),
    ],
)
def test_a_date_format_reads_every_cell_or_none_is_found(words, pattern):
    assert date_format(pl.Series(words, dtype=pl.String)) == pattern


def test_moments_of_text_and_of_dates_agree_and_zones_become_utc():
    expected = [datetime.datetime(2020, 1, 1, 8), None]
    zoned = pl.Series(["2020-01-01T10:00:00+02:00", None])
    moments, bad = to_moments(zoned, date_format(zoned))
    assert (moments.to_list(), bad) == (expected, None)
    naive = pl.Series(expected).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")
    assert to_moments(naive, None)[0].to_list() == expected


def test_text_without_a_format_is_read_in_every_iso_form():
    cells = pl.Series(["2020-01-02", None, "2020-01-02 03:04", "2020-01-02T03:04:05Z", "02/01/2020"])
    moments, bad = to_moments(cells, None)
    assert moments.dt.hour().to_list() == [0, None, 3, 3, None]
    assert bad == 4


def test_the_first_cell_that_does_not_fit_is_found():
    assert to_numbers(pl.Series([None, "1", "x", "y"]))[1] == 2
    assert to_numbers(pl.Series([None, DAY]))[1] == 1
    assert to_moments(pl.Series([None, "2020-01-01", "x"]), "%Y-%m-%d")[1] == 2
    assert to_moments(pl.Series([None, 3]), None)[1] == 1


def test_numbers_have_the_same_bits_from_text_and_from_floats():
    values = [0.1, 1e-300, 123456.789, -2.5e17]
    assert to_numbers(pl.Series([repr(value) for value in values]))[0].tolist() == values


def test_words_of_whole_floats_have_no_fraction():
    assert to_words(pl.Series([1.0, 2.0, None])).to_list() == ["1", "2", None]
    assert to_words(pl.Series([1.0, 2.5, 1e30])).to_list() == ["1", "2.5", "1e+30"]
    assert to_words(pl.Series([True, None])).to_list() == ["true", None]
    assert to_words(pl.Series([datetime.timedelta(hours=1), None])).to_list() == ["3600", None]
