"""Files become tables, or one line that says what is wrong and where."""

import hashlib
import os

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from slopewise.data import Table, read_table, reading
from slopewise.data.reading import INFERRED_ROWS
from slopewise.engine.errors import ArgumentError, DataError


@pytest.fixture(autouse=True, params=[reading.BLOCK_BYTES, 16], ids=["whole", "in blocks"], scope="module")
def block_bytes(request):
    """Read each file of these tests at once, and again in blocks of a record or two."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK_BYTES", request.param)
        yield request.param


@pytest.fixture
def write(tmp_path):
    def write_file(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write_file


def cells(path, **options):
    return read_table(path, **options).frame.to_dict(as_series=False)


def test_a_csv_has_types_names_and_the_fingerprint_of_its_bytes(write):
    content = b"x,name,flag\n1,a,true\n2.5,b,false\n"
    table = read_table(write(content))
    assert table.frame.to_dict(as_series=False) == {"x": [1, 2.5], "name": ["a", "b"], "flag": [True, False]}
    assert (table.n_rows, table.names) == (2, ["x", "name", "flag"])
    assert table.fingerprint == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    "word", ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "?", "  ", " NA "]
)
def test_words_for_missing_are_missing_in_numbers_and_text(write, word):
    assert cells(write(f"x,name\n1,a\n{word},{word}\n2,b\n")) == {"x": [1, None, 2], "name": ["a", None, "b"]}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xef\xbb\xbfa,b\n1,2\n", {"a": [1], "b": [2]}),
        (b"a,b\r\n1,2\r\n\r\n3,4\r\n", {"a": [1, 3], "b": [2, 4]}),
        (b"\n  \na,b\n1,2\n", {"a": [1], "b": [2]}),
        (b"a, b\n 1, x \n2,y\n", {"a": [1, 2], "b": ["x", "y"]}),
        (b"a,b\n1,2\n\n\n3,4\n\n", {"a": [1, 3], "b": [2, 4]}),
        (b"a,b\n1,2\n  \n3,4", {"a": [1, 3], "b": [2, 4]}),
        (b"a,b\n,\n1,\n", {"a": [None, 1], "b": [None, None]}),
        (b'a,b\n"1","x, y"\n"2","say ""hi"""\n', {"a": [1, 2], "b": ["x, y", 'say "hi"']}),
        (b'a,b\n1,"x\ny"\n2,z\n', {"a": [1, 2], "b": ["x\ny", "z"]}),
        (b"a;b\n1;2\n", {"a": [1], "b": [2]}),
        (b"a\tb\n1\t2\n", {"a": [1], "b": [2]}),
        (b"a|b\n1|2\n", {"a": [1], "b": [2]}),
        (b",a\n1,2\n", {"column_1": [1], "a": [2]}),
        (b"a\n1\n\n2\n", {"a": [1, None, 2]}),
        (b"a,b\n1,2", {"a": [1], "b": [2]}),
        (b"PAR1,%PDF\n1,2", {"PAR1": [1], "%PDF": [2]}),
        (b'"a,b";c\n1;2', {"a,b": [1], "c": [2]}),
        (b"a,b\n1,x\n2.5,-\n", {"a": [1.0, 2.5], "b": ["x", "-"]}),
        (b"a,b\n1,00\n2,0\nNA,NA\n", {"a": [1, 2, None], "b": ["00", "0", None]}),
        (b"a,b\n12,0.5\n 007 ,-05\n", {"a": ["12", "007"], "b": [0.5, -5.0]}),
        (b'a,b\n"007",01/02/2020\n"12",1e05\n', {"a": ["007", "12"], "b": ["01/02/2020", "1e05"]}),
        (b"a;b\n1.50;1\n01.5;2\n", {"a": ["1.50", "01.5"], "b": [1, 2]}),
    ],
)
def test_usual_forms_of_text_are_read(write, content, expected):
    assert cells(write(content)) == expected


def test_a_tsv_is_separated_by_tabs_whatever_else_it_holds(write):
    assert cells(write("a\tb\n1,5\t2;3\n", "data.tsv")) == {"a": ["1,5"], "b": ["2;3"]}


def test_a_column_named_as_text_keeps_its_cells_as_written(write):
    assert cells(write("code,x\n007,1\n1.50,2\n"), text=["code"]) == {"code": ["007", "1.50"], "x": [1, 2]}


def test_a_late_word_makes_the_whole_column_text(write):
    rows = "".join(f"{number},1\n" for number in range(INFERRED_ROWS + 1))
    assert cells(write(f"a,b\n{rows}word,1\n"))["a"][-2:] == [str(INFERRED_ROWS), "word"]


def test_late_fractions_and_late_numbers_are_numbers(write):
    rows = "1,\n" * (INFERRED_ROWS + 1)
    table = read_table(write(f"a,b\n{rows}2.5,7\n"))
    assert table["a"].to_list()[-2:] == [1.0, 2.5]
    assert table["b"].to_list()[-2:] == [None, 7]


def test_a_late_code_keeps_the_whole_column_as_it_is_written(write, monkeypatch):
    monkeypatch.setattr(reading, "INFERRED_ROWS", 20)
    rows = "1.50,\n" * 21
    table = read_table(write(f"a,b\n{rows}07,008\n"))
    assert table["a"].to_list()[-2:] == ["1.50", "07"]
    assert table["b"].to_list()[-2:] == [None, "008"]


def test_parquet_and_arrow_hold_the_same_as_the_frame(tmp_path):
    frame = pl.DataFrame({"x": [1.5, None], "name": ["a", None], "day": [None, "2020-01-01"]})
    frame.write_parquet(tmp_path / "t.parquet")
    frame.write_ipc(tmp_path / "t.arrow")
    frame.write_ipc(tmp_path / "t.feather")
    frame.write_ipc_stream(tmp_path / "stream.arrow")
    frame.write_ipc_stream(tmp_path / "t.arrows")
    for name in ("t.parquet", "t.arrow", "t.feather", "stream.arrow", "t.arrows"):
        assert read_table(tmp_path / name).frame.equals(frame)


BAD_FILES = [
    ("data.csv", b"", "the file is empty"),
    ("data.csv", b"\n \n", "the file is empty"),
    ("data.csv", b"a,b\n", "a header but no row below it"),
    ("data.csv", b"a,b\n1,2\n3\n", "row 2 (line 3) has 1 cell, fewer than the 2 of the header"),
    ("data.csv", b"a,b\n1,2\n\n3\n", "row 2 (line 4) has 1 cell, fewer"),
    ("data.csv", b"a,b\n1,2\n3,4,5\n", "row 2 (line 3) has 3 cells, more than the 2 of the header"),
    ("data.csv", b'a,b\n"x\ny",2\n3,4,5\n', "row 2 (line 4) has 3 cells"),
    ("data.csv", b"a,b,a\n1,2,3\n", "columns 1 and 3 are both called 'a'; rename one"),
    ("data.csv", b"a,b, a\n1,2,3\n", "columns 1 and 3 are both called 'a'"),
    ("data.csv", b"1,1\n1,2\n", "is the line of column names missing?"),
    (
        "data.csv",
        b"a,b\n1,x\n1,caf\xe9\n",
        "row 2 (line 3), column 2: byte 0xE9 is not UTF-8 ('é' in Latin-1)",
    ),
    ("data.csv", b"a;b;c\n1;x;\xe9\n", "row 1 (line 2), column 3: byte 0xE9"),
    ("data.csv", b"caf\xe9,b\n1,x\n", "the header (line 1), column 1: byte 0xE9"),
    ("data.csv", b"a,b\n1,x\xc3", "row 1 (line 2), column 2: byte 0xC3"),
    ("data.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16; save it as UTF-8"),
    ("data.csv", b"a,b\n1,\x00\n", "not a text table: byte 6 is zero"),
    ("data.csv", b"\x1f\x8b\x08rest", "gzip; unpack it"),
    ("data.csv", b"PK\x03\x04rest", "Excel workbook"),
    ("data.csv", b"PAR1\x15\x04rest", "it is a Parquet file; name it .parquet"),
    ("data.csv", b"a,b\r1,2\r", "carriage returns alone"),
    ("data.csv", b'a,b\n1,"x\n3,4\n', "line 2: a quote is opened and never closed"),
    ("data.csv", b"a,b\n1,2\n3,inf\n", "column 'b', row 2 (line 3): the number is infinite"),
    ("data.csv", b"a,b\n1,2\n3,-Infinity\n", "column 'b', row 2 (line 3): the number is infinite"),
    ("data.parquet", b"a,b\n1,2\n", "not a whole Parquet file"),
    ("data.parquet", b"PAR1\x00\x01\x02rubbishPAR1", "not a whole Parquet file"),
    ("data.arrow", b"a,b\n1,2\n", "not a whole Arrow"),
    ("data.arrow", b"\xff\xff\xff\xffrubbish", "not a whole Arrow"),
    ("data.xlsx", b"PK", "do not know how to read files ending in .xlsx; save the sheet as CSV"),
    ("data.csv.gz", b"\x1f\x8b", "files ending in .gz; unpack it first"),
    ("data.txt", b"a,b\n1,2\n", "if it is a table with cells apart by commas"),
    ("data.json", b"{}", "do not know how to read files ending in .json; known are .csv"),
    ("data", b"a,b", "do not know how to read a file without a suffix; known"),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD_FILES)
def test_a_bad_file_is_one_line_with_its_name_and_the_place(write, name, content, message):
    path = write(content, name)
    with pytest.raises(DataError) as caught:
        read_table(path)
    text = str(caught.value)
    assert text.startswith(path)
    assert message in text
    assert "\n" not in text


def test_a_missing_file_names_the_nearest_one(write, tmp_path):
    write("a,b\n1,2\n", "penguins.csv")
    with pytest.raises(DataError, match=r"no such file; did you mean '.*penguins\.csv'\?"):
        read_table(tmp_path / "penguin.csv")
    with pytest.raises(DataError, match="there is no folder"):
        read_table(tmp_path / "absent" / "penguin.csv")


@pytest.mark.parametrize("name", ["a*[1]?.csv", "a*[1]?.tsv", "a*[1]?.parquet", "a*[1]?.arrow", "ü 名.csv"])
def test_any_file_name_is_a_name_and_no_pattern(tmp_path, name):
    frame = pl.DataFrame({"x": [1, 2]})
    writers = {"parquet": frame.write_parquet, "arrow": frame.write_ipc}
    with open(tmp_path / name, "wb") as file:
        writers.get(name.rpartition(".")[2], frame.write_csv)(file)
    assert read_table(tmp_path / name).frame.equals(frame)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": 5}, "give a path, not int"),
        ({"path": pl.DataFrame()}, "not DataFrame; Table.from_frame takes data frames"),
        ({"path": "data.csv", "text": "code"}, r"text is a list of names; give \['code'\]"),
    ],
)
def test_what_is_no_path_is_refused(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        read_table(**arguments)


def test_a_folder_is_not_a_table(tmp_path):
    with pytest.raises(DataError, match="this is a folder"):
        read_table(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_rather_than_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="not a regular file"):
        read_table(tmp_path / "pipe.csv")


def test_rows_keep_their_lines_through_blank_lines_quotes_and_take(write):
    table = read_table(write('a,b\n1,2\n\n"x\ny",3\n4,5\n'))
    assert table.line_numbers(np.arange(3)).tolist() == [2, 4, 6]
    assert table.take([2, 1]).row_label(0) == "row 3 (line 6)"
    assert table.take([2, 1]).take([1]).row_label(0) == "row 2 (line 4)"


def test_lines_are_left_out_when_the_file_is_gone(write):
    path = write("a,b\n1,2\n")
    table = read_table(path)
    os.remove(path)
    assert table.row_label(0) == "row 1"


def test_a_table_of_one_row_and_one_of_two_columns_are_read(write):
    table = read_table(write("x,y\n1,2\n"))
    assert (table.n_rows, table.names) == (1, ["x", "y"])


pieces = st.sampled_from(
    [
        b"a",
        b"b,",
        b",",
        b"\n",
        b"\r\n",
        b"\r",
        b'"',
        b"1",
        b"2.5",
        b"NA",
        b" ",
        b"\xff",
        b"\xc3\xa9",
        b"inf",
        b";",
        b"\t",
        b"-",
    ]
)
rubbish = st.one_of(st.binary(max_size=60), st.lists(pieces, max_size=30).map(b"".join))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(content=rubbish, suffix=st.sampled_from([".csv", ".tsv"]))
@example(content=b'a,b\n5" pipe,3\n6,4\n', suffix=".csv")
@example(content=b'"a\n",b\n1,2\n', suffix=".csv")
@example(content=b'a,b\n1,"2"x\n', suffix=".csv")
def test_any_bytes_give_a_table_or_a_data_error(tmp_path, content, suffix):
    path = tmp_path / f"data{suffix}"
    path.write_bytes(content)
    try:
        table = read_table(path)
    except DataError as error:
        said = str(error)
    else:
        said = ""
        assert isinstance(table, Table)
        assert table.n_rows >= 1
        assert len(table.describe()) == len(table.names) >= 1
        assert all(name for name in table.names)
    assert "\n" not in said


def test_a_message_quotes_no_long_cell_whole(tmp_path):
    (tmp_path / "a.csv").write_text("x\n" + "1" * 100_000)
    with pytest.raises(DataError, match=r"could not parse `1+ … 1+` as") as found:
        read_table(tmp_path / "a.csv")
    assert len(str(found.value)) < 700
