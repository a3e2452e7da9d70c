"""Codes with leading zeros are found in any column, at any place of a file, and nothing else is."""

import csv
import io

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise.data import codes, read_table, reading
from slopewise.data.codes import code_columns, first_code, may_hold_codes
from slopewise.data.text_files import TextFile
from slopewise.engine.errors import DataError

CELLS = ["007", "00", "0.5", "0", "-05", "1e05", "10", "01/02/2020", "09:30", "", "NA", "x", "0x", "0 07"]
CELLS += ["01.5", "a,b", "a\n01", " 012", "\t012", "00:15", "0-7", "0,7"]


@pytest.mark.parametrize("window", [1, 7, codes._WINDOW])
@pytest.mark.parametrize("block_bytes", [16, 1 << 22])
@given(rows=st.lists(st.lists(st.sampled_from(CELLS), min_size=3, max_size=3), min_size=1, max_size=12))
def test_columns_of_codes_are_those_that_a_slow_reader_finds(tmp_path_factory, window, block_bytes, rows):
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\n").writerows([["a", "b", "c"], *rows])
    path = tmp_path_factory.getbasetemp() / "codes.csv"
    path.write_text(text.getvalue())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codes, "_WINDOW", window)
        found = code_columns(TextFile(str(path), ";"), 1, 3, block_bytes)
        assert may_hold_codes(str(path), b";") or not found
    cells = [[row[place] for row in rows] for place in range(3)]
    certain = {
        p for p in range(3) if any(c[:1] == "0" and c[1:2].isdigit() and c[2:3] not in ":/" for c in cells[p])
    }
    allowed = {
        p for p in range(3) if any(c.strip()[:1] == "0" and c.strip()[1:2].isdigit() for c in cells[p])
    }
    assert certain <= found <= allowed


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (b"007,1", True),
        (b"1,007", True),
        (b'1,"007"', True),
        (b"1,2\n00", True),
        (b"1,2\r\n01\r\n", True),
        (b"0,0.5,-05,1e05,100,x01", False),
        (b"01/02/2020,09:30,05-06", False),
    ],
)
def test_the_bytes_tell_whether_to_look(tmp_path, record, found):
    (tmp_path / "data.csv").write_bytes(record)
    assert may_hold_codes(str(tmp_path / "data.csv"), b",") is found


def test_missing_words_are_no_codes():
    assert first_code(pl.Series([None, "0", None])) is None
    assert first_code(pl.Series([None, None], dtype=pl.String)) is None


def test_unnamed_columns_of_codes_are_told_apart(tmp_path):
    (tmp_path / "data.csv").write_text(",,n\n1,02,3\n4,5,6\n")
    table = read_table(tmp_path / "data.csv")
    assert table.frame.rows() == [(1, "02", 3), (4, "5", 6)]


def test_a_file_of_codes_that_is_malformed_says_where(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 16)
    (tmp_path / "data.csv").write_text("a,b\n" + "001,2\n" * 20 + "003\n" + "001,2\n" * 20)
    with pytest.raises(DataError, match=r"row 21 \(line 22\) has 1 cell, fewer than the 2"):
        read_table(tmp_path / "data.csv")
