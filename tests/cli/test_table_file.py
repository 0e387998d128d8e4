"""Tables as people have them: every dialect is read, and what is wrong is told in one line."""

import io
import itertools
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.cli.table_file import CHUNK_ROWS, read_table, split_names
from gmmseg.errors import InputError


def everything(columns):
    return list(range(len(columns.names)))


@pytest.fixture
def read(tmp_path):
    """Read a table from bytes or text."""

    def read(content, *wanted, header=None):
        path = tmp_path / "t.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        pick = (lambda columns: columns.named(list(wanted))) if wanted else everything
        return read_table(path, pick, header=header)

    return read


def refusal(read, content, *wanted):
    """Return what is told of a table, without the folder it lies in."""
    with pytest.raises(InputError) as caught:
        read(content, *wanted)
    message = str(caught.value)
    assert "\n" not in message
    return re.sub(r"\S*/t\.csv", "t.csv", message)


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n3,4.5\n",
        "a;b\n1;2\n3;4.5\n",
        "a;b\n1;2\n3;4,5\n",
        "a\tb\n1\t2\n3\t4.5",
        "a,b\r\n1,2\r\n3,4.5\r\n",
        "a,b\r1,2\r3,4.5\r",
        '"a","b"\n"1","2"\n"3","4.5"\n',
        " a , b\n 1, 2\n 3 , 4.5 \n",
        "\ufeffa,b\n1,2\n\n3,4.5\n\n",
        "a,b\n1,2\n3,4.5\n".encode("utf-16"),
        "a,b\n1e0,+2\n.3e1,45E-1\n",
    ],
)
def test_every_dialect_gives_the_same_table(read, content):
    table = read(content)
    assert table.names == ["a", "b"]
    assert_array_equal(table.values, [[1, 2], [3, 4.5]])


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("1,2\n3,4\n", ["1", "2"]),
        ("x\n1\n3\n", ["x"]),
        ("1\n3\n", ["1"]),
        ("year,2019,2020\n1,2,3\n4,5,6\n", ["year", "2019", "2020"]),
        (",a\n0,5\n1,6\n", ["", "a"]),
        ("NA,2\n3,4\n", ["1", "2"]),
        ('"height, cm","weight\nin kg"\n1,2\n', ["height, cm", "weight\nin kg"]),
    ],
)
def test_a_header_is_told_from_numbers(read, content, names):
    assert read(content).names == names


def test_a_first_row_with_a_name_in_a_column_of_names_is_no_header(read):
    table = read("5.1,setosa\n4.9,setosa\n", "1")
    assert_array_equal(table.values, [[5.1], [4.9]])


def test_whoever_knows_better_says_whether_there_is_a_header(read):
    assert_array_equal(read("2019,2020\n1,2\n", header=True).values, [[1, 2]])
    assert read("2019,2020\n1,2\n", header=True).names == ["2019", "2020"]
    assert read("2019,2020\n1,2\n", header=False).values.shape == (2, 2)


def test_empty_cells_and_the_words_for_them_are_nan(read):
    table = read("a,b\n1,\n,2\nNA,null\nnan, \n5,N/A\n")
    nan = np.nan
    assert_array_equal(table.values, [[1, nan], [nan, 2], [nan, nan], [nan, nan], [5, nan]])


def test_columns_are_chosen_by_name_number_and_range(read):
    content = "a,b,7,d\n1,2,3,4\n"
    assert read(content, "d", "a").names == ["d", "a"]
    assert_array_equal(read(content, "2-4").values, [[2, 3, 4]])
    assert_array_equal(read(content, "1", "7").values, [[1, 3]])  # a name goes before a number


def test_names_in_a_list_may_be_quoted():
    assert split_names('a, "height, cm",3') == ["a", "height, cm", "3"]


def test_text_in_columns_that_nobody_asks_for_does_no_harm(read):
    content = "name,size\nBjörn,1\nÅsa,2\n".encode("latin-1")
    assert_array_equal(read(content, "size").values, [[1], [2]])


def test_a_cell_of_several_lines_may_lie_where_the_first_look_ends(read):
    content = "a, cm;note, if any;b, kg\n" + "1;no;2\n" * 18 + '1;"of two\nlines";2\n1;no;2\n'
    assert_array_equal(read(content, "1", "3").values, [[1, 2]] * 20)


def test_thousands_of_columns_and_rows_are_read(read, rng):
    wide = rng.integers(0, 9, size=(5, 3000))
    content = ",".join(f"c{k}" for k in range(3000)) + "\n"
    content += "\n".join(",".join(map(str, row)) for row in wide)
    assert_array_equal(read(content).values, wide)
    long = np.arange(3 * CHUNK_ROWS + 5)
    assert_array_equal(read("n\n" + "\n".join(map(str, long))).values[:, 0], long)


@pytest.mark.parametrize(
    ("content", "wanted", "message"),
    [
        ("", (), "t.csv is empty; give a table with at least one row of numbers"),
        ("\n\n", (), "t.csv is empty; give a table with at least one row of numbers"),
        ("a,b\n", (), "t.csv has no rows; give a table with at least one row of numbers"),
        (
            "a,kind,b\n1,oak,2\n3,elm,4\n",
            (),
            (
                "t.csv has 'oak' in line 2, column 2 ('kind'), which is not a number; mend the "
                "cell, or choose the columns of numbers: --columns a,b"
            ),
        ),
        (
            "1,2\n3,4\n5,x\n",
            (),
            (
                "t.csv has 'x' in line 3, column 2, which is not a number; mend the cell, or "
                "choose the columns of numbers: --columns 1"
            ),
        ),
        (
            "a\n1\n\n'2'\n",
            (),
            "t.csv has \"'2'\" in line 4, column 1 ('a'), which is not a number; mend the cell",
        ),
        (
            'a b,"c,d",e\n1,2,x\n',
            (),
            (
                "t.csv has 'x' in line 2, column 3 ('e'), which is not a number; mend the cell, or "
                "choose the columns of numbers: --columns 'a b,\"c,d\"'"
            ),
        ),
        (
            "a,b\n1,2\n3\n",
            (),
            "t.csv has 1 cells in line 3, wanted 2 as in its first line; mend or remove that line",
        ),
        ("a,b\n1,2\n", ("c",), "t.csv has no column 'c'; it has a, b"),
        ("a,b\n1,2\n", ("0",), "t.csv has no column '0'; it has a, b"),
        ("a,b\n1,2\n", ("2-3",), "t.csv has no column '2-3'; it has a, b"),
        ("a,b\n1,2\n", ("b-a",), "t.csv has no column 'b-a'; it has a, b"),
        (
            "a,a\n1,2\n",
            ("a",),
            "t.csv has several columns 'a': 1 and 2; give the number instead",
        ),
        ("a,b\n1,2\n", ("b", "2"), "column 'b' is asked for twice; name it once"),
        (
            "größe,b\n1,2\n".encode("latin-1"),
            (),
            "t.csv has a header that is not UTF-8; save it as CSV, UTF-8",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line(read, content, wanted, message):
    assert refusal(read, content, *wanted) == message


def test_a_long_row_of_columns_is_not_listed_in_full(read):
    header = ",".join(f"c{k}" for k in range(50))
    row = ",".join("1" for _ in range(50))
    told = refusal(read, f"{header}\n{row}\n", "x")
    assert told == "t.csv has no column 'x'; it has c0, c1, c2, c3, c4, c5, c6, c7 and 42 more"
    told = refusal(read, f"{header}\n{'x' * 99}{row[1:]}\n")
    assert "has 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…' in line 2" in told
    assert told.endswith("--columns 'c1,c2,c3,…'")


@pytest.mark.parametrize("content", [b"\x00\x01\x02\xff" * 99, b"\x89PNG\r\n\x1a\n" + bytes(99)])
def test_bytes_that_are_no_table_are_told_in_one_line(read, content):
    assert "t.csv" in refusal(read, content)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(
        InputError, match=r"nowhere\.csv cannot be read: No such file or directory$"
    ):
        read_table(tmp_path / "nowhere.csv", everything)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, bool])
def test_npy_is_read_in_its_own_precision(tmp_path, rng, dtype):
    X = (9 * rng.normal(size=(5, 3))).astype(dtype)
    np.save(tmp_path / "t.npy", X)
    table = read_table(tmp_path / "t.npy", everything)
    assert table.names == ["1", "2", "3"]
    assert table.values.dtype == (np.float32 if dtype is np.float32 else np.float64)
    assert_array_equal(table.values, X)
    two = read_table(tmp_path / "t.npy", lambda columns: columns.named(["3", "1"]))
    assert_array_equal(two.values, X[:, [2, 0]])


def test_npy_of_one_dimension_is_one_column(tmp_path):
    np.save(tmp_path / "t.npy", np.arange(4.0))
    assert read_table(tmp_path / "t.npy", everything).values.shape == (4, 1)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 2, 2)), r"must hold numbers of shape \(n_rows, n_columns\), got float64 of"),
        (np.array(["a", "b"]), r"must hold numbers of shape \(n_rows, n_columns\), got <U1 of"),
        (np.array([None]), "is no array that can be read: Array can't be memory-mapped: Python"),
        (np.zeros((0, 3)), "has no rows; give a table with at least one row of numbers$"),
    ],
)
def test_npy_that_is_no_table_is_told(tmp_path, array, message):
    np.save(tmp_path / "t.npy", array)
    with pytest.raises(InputError, match=message):
        read_table(tmp_path / "t.npy", everything)


@pytest.mark.parametrize("cut", [7, 60, 130])
def test_npy_that_is_cut_off_is_told(tmp_path, cut):
    np.save(tmp_path / "t.npy", np.zeros((9, 9)))
    content = (tmp_path / "t.npy").read_bytes()
    (tmp_path / "t.npy").write_bytes(content[:cut])
    with pytest.raises(InputError, match="is no array that can be read: "):
        read_table(tmp_path / "t.npy", everything)


def test_stdin_brings_csv_and_npy(monkeypatch):
    buffer = io.BytesIO()
    np.save(buffer, [[1.0, 2.0]])
    for content in (b"a,b\n1,2\n", buffer.getvalue()):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert_array_equal(read_table(Path("-"), everything).values, [[1, 2]])


def test_decimal_commas_are_read_where_semicolons_part_the_cells_alone(read):
    assert_array_equal(read("1,5;2,5\n3,5;4,5\n").values, [[1.5, 2.5], [3.5, 4.5]])
    assert "'1,5'" in refusal(read, 'a\tb\n"1,5"\t2\n')
    assert len(list(itertools.chain(read("1.5;2\n").names))) == 2
