"""Lists of works in three formats: the same rows out of each, and every defect named with its row."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from ledger.adapters.tabular import AT_ONCE
from ledger.core.rights.inventory import Rows
from ledger.errors import MalformedError, RakkanError, UsageError
from ledger.service.inventory.build import build
from ledger.service.inventory.index import open_index
from ledger.wiring.inventory import read_list
from tests.support.inventory import Work, works, write_csv, write_ndjson

HEAD = "work,sha256,rights_holder,grant\n"
A, B = "a" * 64, "b" * 64
NAMES = ("work", "sha256", "rights_holder", "grant")


def write_parquet(path: Path, rows: list[Work], **options: object) -> Path:
    table = pa.table({name: [row[at] for row in rows] for at, name in enumerate(NAMES)})
    parquet.write_table(table, path, **options)
    return path


def rows_of(pieces: Iterator[Rows]) -> list[tuple[object, ...]]:
    """Return number, name, SHA-256, rights holder and grant of each row."""
    found: list[tuple[object, ...]] = []
    for piece in pieces:
        columns = zip(piece.works, piece.keys, piece.rights_holders, piece.grants, strict=True)
        found += [(number, *row) for number, row in enumerate(columns, piece.first)]
    return found


def refusal(path: Path) -> str:
    """Return what is said of a list that is refused; nothing is left of its index."""
    target = path.with_suffix(".inventory")
    with pytest.raises(RakkanError) as error:
        build(read_list(path), path, "x", target, lambda *_: None)
    assert error.value.code == "registry.inventory"
    assert list(path.parent.iterdir()) == [path]
    return error.value.message


@pytest.mark.parametrize("count", [1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_the_same_rows_come_out_of_every_format(tmp_path: Path, count: int) -> None:
    made = works(count)
    expected = [(number, *row) for number, row in enumerate(made, 1)]
    assert rows_of(read_list(write_ndjson(tmp_path / "a.ndjson", made))) == expected
    assert rows_of(read_list(write_parquet(tmp_path / "a.parquet", made, row_group_size=700))) == expected
    shifted = [(number + 1, *row) for number, *row in expected]
    assert rows_of(read_list(write_csv(tmp_path / "a.CSV", made))) == shifted


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(st.tuples(CELL, CELL, CELL, CELL), min_size=1, max_size=5))
def test_whatever_was_written_is_read(tmp_path: Path, made: list[Work]) -> None:
    """Quotes, commas, line ends inside cells, every script: reading undoes writing."""
    for path in (
        write_csv(tmp_path / "a.csv", made),
        write_ndjson(tmp_path / "a.ndjson", made),
        write_parquet(tmp_path / "a.parquet", made),
    ):
        assert [row[1:] for row in rows_of(read_list(path))] == made


@pytest.mark.parametrize("extension", ["csv", "ndjson"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=80))
def test_no_bytes_break_a_reader(tmp_path: Path, extension: str, data: bytes) -> None:
    path = tmp_path / f"a.{extension}"
    path.write_bytes((HEAD.encode() if extension == "csv" else b"") + data)
    with suppress(MalformedError):
        rows_of(read_list(path))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{HEAD}a,{A},Mori,G\nb,{B},Kawa,\n", id="LF"),
        pytest.param(f"{HEAD}a,{A},Mori,G\nb,{B},Kawa,\n".replace("\n", "\r\n"), id="CRLF"),
        pytest.param(f"{HEAD}a,{A},Mori,G\nb,{B},Kawa,\n".replace("\n", "\r"), id="CR"),
        pytest.param(f"\ufeff{HEAD}a,{A},Mori,G\nb,{B},Kawa,", id="BOM, no line end at the end"),
        pytest.param(f'{HEAD}"a","{A}","Mori",G\nb,{B},"Kawa",""\n', id="quoted"),
        pytest.param(f"{HEAD}a,{A},Mori,G\nb,{B},Kawa,\n\n\n", id="empty lines at the end"),
        pytest.param(
            f"grant,x,sha256,work,rights_holder\nG,1,{A},a,Mori\n,2,{B},b,Kawa\n", id="other columns"
        ),
    ],
)
def test_spellings_of_one_csv(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert rows_of(read_list(path)) == [(2, "a", A, "Mori", "G"), (3, "b", B, "Kawa", "")]


def test_empty_lines_keep_the_count(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{HEAD}\na,{A},Mori,G\n\n\nb,{B},Kawa,G\n")
    assert [row[:2] for row in rows_of(read_list(path))] == [(3, "a"), (6, "b")]
    path = tmp_path / "a.jsonl"
    path.write_text('\n{"work": "a"}\n \n{"work": "b"}')
    assert [row[:2] for row in rows_of(read_list(path))] == [(2, "a"), (4, "b")]


ROW = f"a,{A},Mori,G\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column 'work'"),
        ("work,sha256\n", "no column 'rights_holder'"),
        ("work,sha256,rights_holder,work\n", "one name"),
        (HEAD, "names no work"),
        (f"{HEAD}{ROW}b,{B},Kawa\n", "Row 3 has not 4 cells"),
        (f"{HEAD}{ROW}b,{B},Kawa,G,x\n", "Row 3 has not 4 cells"),
        (f"{HEAD}{ROW},{B},Kawa,G\n", "Row 3 has no work"),
        (f"{HEAD}{ROW}b,,Kawa,G\n", "Row 3 has no sha256"),
        (f"{HEAD}{ROW}b,{B},,G\n", "Row 3 has no rights_holder"),
        (f"{HEAD}{ROW}b,{B[1:]},Kawa,G\n", "Row 3 has no SHA-256"),
        (f"{HEAD}{ROW}b,{B.upper()},Kawa,G\n", "Row 3 has no SHA-256"),
        (f"{HEAD}{ROW}b,{B[2:]}  ,Kawa,G\n", "Row 3 has no SHA-256"),
        (f"{HEAD}{ROW}b,{B[1:]}g,Kawa,G\n", "Row 3 has no SHA-256"),
        (f"{HEAD}{ROW}b,{B[4:]},Kawa,G\nb,{'b' * 68},Kawa,G\n", "Row 3 has no SHA-256"),
        (f'{HEAD}{ROW}"b\nc",{B},Kawa,G\n', "Row 3: work must be one printable line"),
        (f"{HEAD}{ROW}b,{B},Ka\u202ewa,G\n", "Row 3: rights_holder must be"),
        (f"{HEAD}{ROW}b,{B},Kawa,{'G' * 1025}\n", "Row 3: grant must be"),
        (f'{HEAD}{ROW}"b,{B},Kawa,G\n', "is not CSV"),
        (f'{HEAD}{ROW}"b"x,{B},Kawa,G\n', "Line 3 is not CSV"),
        (f"{HEAD}{ROW}{ROW}", "Row 3 lists the work of row 2 a second time"),
        (f"{HEAD}{ROW}\n\nc,{B},Kawa,G\n{ROW}", "Row 6 lists the work of row 2 a second time"),
        (HEAD + "x" * (1 << 20), "longer than"),
    ],
)
def test_a_csv_that_is_no_list(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text or " \n", newline="")
    assert said in refusal(path)


@pytest.mark.parametrize("cell", [b"\xff\xfe", b"\xed\xa0\x80", b"caf\xe9"])
def test_a_csv_that_is_not_utf_8_names_the_row(tmp_path: Path, cell: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"{HEAD}{ROW}b,{B},".encode() + cell + b",G\n")
    assert "Row 3: rights_holder must be" in refusal(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[1]", "Row 2 is not a JSON object"),
        ("{", "Row 2 is not JSON"),
        ("[" * 100_000, "Row 2 is not JSON"),
        (f'{{"work": 7, "sha256": "{B}"}}', "Row 2: work must be"),
        ('{"work": "b", "work": "c"}', "Row 2 is not JSON: a member occurs twice"),
        ('{"work": "b", "sha256": null}', "Row 2 has no sha256"),
        (f'{{"work": "b", "sha256": "{B}", "rights_holder": "\\ud800"}}', "Row 2: rights_holder must be"),
        (f'{{"work": "b", "sha256": "{B}", "rights_holder": "K", "grant": 0}}', "Row 2: grant must be"),
    ],
)
def test_an_ndjson_that_is_no_list(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(f'{{"work": "a", "sha256": "{A}", "rights_holder": "Mori"}}\n{line}\n')
    assert said in refusal(path)


def test_a_parquet_that_is_no_list(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", works(10))
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"PAR1" + bytes(50), whole[:200] + bytes(200) + whole[400:]):
        path.write_bytes(damaged)
        assert "not Parquet, or is damaged" in refusal(path)
    parquet.write_table(pa.table({"work": ["a"], "sha256": [A]}), path)
    assert "no column 'rights_holder'" in refusal(path)
    parquet.write_table(
        pa.table({"work": ["a", "b"], "sha256": [A, B], "rights_holder": ["Mori", None]}), path
    )
    assert "Row 2 has no rights_holder" in refusal(path)
    parquet.write_table(pa.table({"work": [1], "sha256": [A], "rights_holder": ["Mori"]}), path)
    assert "Row 1: work must be" in refusal(path)


def test_a_parquet_with_dictionaries_and_without_grants(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    holders = pa.array(["Mori", "Mori"]).dictionary_encode()
    parquet.write_table(pa.table({"work": ["a", "b"], "sha256": [A, B], "rights_holder": holders}), path)
    assert rows_of(read_list(path)) == [(1, "a", A, "Mori", None), (2, "b", B, "Mori", None)]


def test_a_double_far_apart_is_named_by_both_rows(tmp_path: Path) -> None:
    made = works(5000)
    path = write_csv(tmp_path / "a.csv", [*made, made[17]])
    assert "Row 5002 lists the work of row 19 a second time" in refusal(path)


@pytest.mark.parametrize("name", ["a.txt", "a", "a.csv.gz", "a.json"])
def test_a_name_that_says_no_format(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as error:
        read_list(tmp_path / name)
    assert error.value.code == "inventory.extension"


def test_parquet_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ledger.adapters.parquet", None)
    with pytest.raises(UsageError) as error:
        read_list(tmp_path / "a.parquet")
    assert error.value.code == "inventory.parquet"
    assert "rakkan[parquet]" in error.value.hint


def test_the_grant_may_be_missing_everywhere(tmp_path: Path) -> None:
    rows = [row[:3] for row in works(3)]
    path = write_csv(tmp_path / "a.csv", rows, "work,sha256,rights_holder")
    build(read_list(path), path, "x", tmp_path / "a.inventory", lambda *_: None)
    with open_index(tmp_path / "a.inventory") as index:
        assert {record.grant for _, record in index.sample(3)} == {None}
