"""The report as PDF/A-3b: what is on its pages, whatever the names, in every view; judged by poppler."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
import typst
from PIL import Image

from ledger.adapters import qr, typesetting
from ledger.core.audit import Report, Table
from ledger.core.audit.tables import TABLES
from ledger.core.audit.views import View
from ledger.errors import UndecidedError
from ledger.render.report import pdf
from tests.support.audit_reports import Size, as_seen, audit_report, digest
from tests.support.codes import codes
from tests.support.pdfs import ATTACHED, document, said, typeset, words

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = {
    "Japanese": "夜想曲の背景",
    "Vietnamese": "Nguyễn Thị Ánh Tuyết",
    "Arabic": "استوديو القمر",
    "Hebrew": "סטודיו ירח",
    "Indonesian": "Kementerian Cahaya Malam",
    "Thai": "แสงจันทร์",
    "Devanagari": "चंद्रमा",
    "Korean": "달빛 스튜디오",
    "Chinese": "月光工作室",
    "emoji": "brush 🎨 set",
    "family": "👩‍👩‍👧",
}
HOSTILE = (
    '#eval("1 + 1")',
    '#read("/etc/passwd")',
    "*bold* _it_ $x$ `c` <label> @ref \\ // /* = -",
    "#import",
    '"; }] quotes \'"',
    "../../document.json",
)


@pytest.fixture(scope="module")
def report() -> Report:
    return audit_report(Size(failed=2))


@pytest.fixture(scope="module")
def made(report: Report) -> bytes:
    return typeset(report)


def test_the_first_page_has_the_verdict_and_what_fails(made: bytes, tmp_path: Path) -> None:
    page = words(made, tmp_path, 1)
    assert said("pdftotext", tmp_path / "words.pdf", "-").startswith("AUDIT REPORT\n"), (
        "found by who looks for it"
    )
    assert "Blocked" in page
    assert "Of 960 frames and files: 9 blocked, 40 to review, 6 undecided, 905 cleared." in page
    assert "Not all of the record passes its checks" in page
    assert "Entries 12–13." in page
    assert "evidence, not a legal opinion" in page


def test_a_name_of_any_length_pushes_nothing_off_the_first_page(tmp_path: Path) -> None:
    long = audit_report(Size(failed=9), ("very long " * 1000, "x" * 10_000))
    long = replace(long, head=replace(long.head, title="title " * 500, scope="scope " * 500))
    page = words(typeset(long), tmp_path, 1)
    assert "Not all of the record passes its checks" in page
    assert "evidence, not a legal opinion" in page


def test_every_figure_and_every_chapter_is_on_a_page(report: Report, made: bytes, tmp_path: Path) -> None:
    text = words(made, tmp_path)
    shown = [report.figure(key) for chapter in report.chapters for key in chapter.figures]
    assert [item.key for item in shown if f"{item.value:,}" not in text] == []
    assert [item.title for item in report.chapters[1:] if item.title not in text] == []


def test_each_row_of_a_printed_table_is_on_a_page(report: Report, made: bytes, tmp_path: Path) -> None:
    text = words(made, tmp_path)
    assert [row[0] for row in report.tables["findings"].shown if str(row[0]) not in text] == []
    assert [row[1] for row in report.tables["shots"].shown if str(row[1]) not in text] == []
    assert "tables/frames.csv" in text


def test_the_same_report_gives_the_same_bytes(report: Report, made: bytes) -> None:
    assert typeset(report) == made


def test_it_is_pdf_a_with_the_document_in_it(report: Report, made: bytes, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(made)
    meta = said("pdfinfo", "-meta", path)
    assert "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>" in meta
    assert b"/OutputIntents" in made
    assert b"/AFRelationship/Data" in made
    assert re.search(r"Title: +Audit report R-20261122-165022a0: Moonrise\n", said("pdfinfo", path))
    fonts = said("pdffonts", path).splitlines()[2:]
    assert all(line.split()[-5] == "yes" for line in fonts), "every font is embedded"
    said("pdfdetach", "-save", "1", "-o", tmp_path / "out.json", path)
    assert (tmp_path / "out.json").read_bytes() == document(report)
    assert "No syntax or stream encoding errors found" in said("qpdf", "--check", path)


def test_the_code_on_the_first_page_leads_to_where_the_report_is_looked_up(
    report: Report, made: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(made)
    said("pdftoppm", "-r", 150, "-l", 1, "-png", path, tmp_path / "page")
    (page,) = tmp_path.glob("page-*.png")
    assert codes(page.read_bytes()) == [report.head.verify]


def test_somebody_who_hears_the_pages_gets_all_of_them(report: Report, tmp_path: Path) -> None:
    found = pdf.document(report, {}, [ATTACHED])
    files = pdf.template() | {pdf.DATA: json.dumps(found).encode(), "report.json": b"{}"}
    files[pdf.ADDRESS] = qr.svg("https://a.example")
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    made = typst.compile(tmp_path / pdf.MAIN, pdf_standards=["ua-1"])
    assert isinstance(made, bytes)
    path = tmp_path / "heard.pdf"
    path.write_bytes(made)
    tags = Counter(re.findall(r"(?m)^ *([A-Z][A-Za-z0-9]*)\b", said("pdfinfo", "-struct", path)))
    assert tags["H1"] >= 10, "each chapter"
    assert tags["Table"] == tags["THead"] == tags["TBody"] > 5
    assert tags["TH"] >= 2 * tags["Table"], "columns are named"


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_in_any_script_is_there_or_its_code_points_are(name: str, tmp_path: Path) -> None:
    missing = typesetting.missing({char for char in name if char > "\x7f"} - {"\u200d"})
    text = words(typeset(audit_report(Size(1, 3, 1, 1), (name,))), tmp_path)
    if missing:
        assert all(f"[U+{ord(char):04X}]" in text for char in missing)
    else:  # in the order of reading: Arabic and Hebrew come out as they were typed
        read = said("pdftotext", tmp_path / "words.pdf", "-").replace("\u200b", "")
        assert "".join(name.split()) in "".join(read.split())
    assert "\ufffd" not in text


@pytest.mark.parametrize("name", HOSTILE)
def test_markup_and_paths_in_names_are_names(name: str, tmp_path: Path) -> None:
    text = words(typeset(audit_report(Size(1, 3, 1, 1), (name,))), tmp_path).replace("`", "")
    assert name.replace("`", "").replace(" ", "")[:14] in text.replace(" ", "")
    assert "root:" not in text


def test_characters_that_nobody_sees_are_shown(tmp_path: Path) -> None:
    text = words(typeset(audit_report(Size(1, 3, 1, 1), ("a\u202eb\u0007c\n\U000f0000d",))), tmp_path)
    assert "a[U+202E]b[U+0007]c[U+000A][U+F0000]d" in text.replace(" ", "")


def test_a_character_that_no_font_has_is_found() -> None:
    assert typesetting.missing({"\U000f0000", "é", "ễ"}) == {"\U000f0000"}
    assert typesetting.missing(set()) == frozenset()


@pytest.mark.parametrize("view", [View.PUBLIC, View.DISTRIBUTOR, View.INSURER, View.RIGHTS_HOLDER])
def test_a_view_shows_what_is_hidden_as_hidden(report: Report, view: View, tmp_path: Path) -> None:
    seen = as_seen(report, view)
    text = words(typeset(seen), tmp_path)
    assert "hidden" in text
    assert all(f"{count:,}" in text for count in seen.withheld.values())
    assert f"View: {view.value}" in text


def test_the_public_page_names_nothing_that_is_hidden(report: Report, tmp_path: Path) -> None:
    text = words(typeset(as_seen(report, View.PUBLIC)), tmp_path)
    assert [
        name for name in ("sq000/sh0020", "Kiri lineart", "moonlit-brush", "aoi.tanaka") if name in text
    ] == []


def test_an_empty_production_says_why_each_chapter_is_empty(tmp_path: Path) -> None:
    report = audit_report(Size(shots=0))
    text = words(typeset(report), tmp_path)
    assert "there is nothing to judge" in text
    assert [item.key for item in report.chapters if item.empty and item.empty not in text] == []


def test_pictures_are_set_beside_their_shots(report: Report, tmp_path: Path) -> None:
    out = BytesIO()
    Image.new("RGB", (160, 90), "navy").save(out, "JPEG")
    shots = report.tables["shots"]
    place = TABLES["shots"].place("picture")
    rows = tuple((*row[:place], digest("p"), *row[place + 1 :]) for row in shots.shown)
    shown = replace(report, tables={**report.tables, "shots": Table(TABLES["shots"], rows)})
    path = tmp_path / "report.pdf"
    path.write_bytes(typeset(shown, {digest("p"): out.getvalue()}))
    images = said("pdfimages", "-list", path)
    assert images.count("jpeg") >= len(rows), "each one as the JPEG that it was"


def test_a_mistake_in_the_template_is_an_error_of_ours() -> None:
    with pytest.raises(UndecidedError, match="cannot be set") as caught:
        typesetting.typeset({"main.typ": b"#panic()"}, "main.typ", MOMENT)
    assert caught.value.code == "report.typesetting"


def test_the_compiler_reads_nothing_beside_its_files() -> None:
    for source in (b'#read("/etc/passwd")', b'#read("../../../etc/passwd")', b'#import "@preview/x:1.0.0"'):
        with pytest.raises(UndecidedError):
            typesetting.typeset({"main.typ": source}, "main.typ", MOMENT)
