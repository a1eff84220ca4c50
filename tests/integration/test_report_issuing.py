"""Issued reports: one entry for one report, what a crash leaves, and what the next one says of the last."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.adapters.files import DirectoryPublication
from ledger.adapters.sql.basis import SqlBasisStore
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core.artifact import Artifact, Role
from ledger.core.audit import Report
from ledger.core.audit.document import to_json
from ledger.core.audit.views import Reader, View
from ledger.core.checkpoint import open_checkpoint, parse_checkpoint
from ledger.core.consistency import compare
from ledger.core.digest import sha256_hex
from ledger.core.predicates import AuditReport
from ledger.core.receipt import parse_receipt, verify_receipt
from ledger.errors import IntegrityError, MalformedError, RefusedError, UsageError
from ledger.service.report import issuing, last
from ledger.service.report.beside import Beside
from ledger.service.report.report import make
from ledger.service.studio import Studio
from ledger.testing import SeedSigner
from tests.support.bare_studio import opened, say, studio_on
from tests.support.bases import component, made
from tests.support.builders import DEVICE, audit_report, digest
from tests.support.log import ORIGIN, database
from tests.support.reported import Series, asked

SKY = Artifact("sky", digest("sky weights"), role=Role.MODEL)


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    (tmp_path / "log").mkdir()
    with database(tmp_path / "log") as engine:
        found = opened(studio_on(SqlEntryStore(engine, ORIGIN), SqlBasisStore(engine, ORIGIN)))
        say(found, made("plate.png"))
        say(found, made("frame.png", of=[component("plate.png")]))
        yield found


@pytest.fixture
def series(studio: Studio, tmp_path: Path) -> Series:
    return Series(studio, DirectoryPublication(tmp_path / "reports"), (".",))


def check(report: Report, name: str) -> tuple[str, str]:
    """Return the result of a check, and its words."""
    (row,) = [row for row in report.tables["checks"].shown if row[0] == name]
    return row[1], row[4]


def changed(report: Report) -> list[tuple[object, ...]]:
    """Return what changed: kind, name, before, after, files."""
    return [row[1:6] for row in report.tables["changes"].shown]


def test_a_report_is_an_entry_that_names_its_files_and_has_a_receipt(series: Series, tmp_path: Path) -> None:
    folder = tmp_path / "handover"
    index, report = series.issued(folder)
    studio = series.studio
    stated = studio.statement(index)
    assert isinstance(stated.predicate, AuditReport)
    assert [subject.name for subject in stated.subjects] == ["report.json", "report.checkpoint"]
    assert stated.subjects[0].sha256 == sha256_hex((folder / "report.json").read_bytes())
    assert stated.predicate.figures["frames"] == 1
    assert stated.predicate.verdict_now == report.verdict_now
    receipt = parse_receipt((folder / issuing.RECEIPT).read_bytes())
    verify_receipt(receipt, (folder / issuing.ENTRY).read_bytes(), studio.log.verifiers)
    assert receipt.index == index
    assert report.head.previous is None
    assert last.issued(studio) == [(index, stated.predicate)]


def test_issuing_again_finds_the_same_entry_and_leaves_the_receipt_as_it_is(
    series: Series, tmp_path: Path
) -> None:
    index, _ = series.issued(tmp_path / "handover")
    receipt = (tmp_path / "handover" / issuing.RECEIPT).read_bytes()
    size = series.studio.log.head().size
    assert issuing.issue(series.studio, series.kept, tmp_path / "handover")[0] == index
    assert series.studio.log.head().size == size
    assert (tmp_path / "handover" / issuing.RECEIPT).read_bytes() == receipt


@pytest.mark.parametrize("where", ["append", "keep_last", "write_new"])
def test_a_crash_while_issuing_is_mended_by_issuing_again(
    series: Series, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "handover"
    series.written(folder)
    before = series.studio.log.head().size

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    target = Studio if where == "append" else issuing
    with monkeypatch.context() as broken:
        broken.setattr(target, where, crash)
        with pytest.raises(KeyboardInterrupt):
            issuing.issue(series.studio, series.kept, folder)
    assert not (folder / issuing.RECEIPT).exists()
    index, _ = issuing.issue(series.studio, series.kept, folder)
    assert (index, series.studio.log.head().size) == (before, before + 1)
    assert parse_receipt((folder / issuing.RECEIPT).read_bytes()).index == index
    _, following = series.issued(tmp_path / "next")
    assert check(following, "consistency")[0] == "passed"
    assert following.head.previous is not None


def test_a_file_that_was_changed_since_it_was_signed_is_not_issued(series: Series, tmp_path: Path) -> None:
    folder = tmp_path / "handover"
    series.written(folder)
    (folder / "report.json").write_bytes(b"{}")
    with pytest.raises(IntegrityError) as caught:
        issuing.issue(series.studio, series.kept, folder)
    assert caught.value.code == "report.changed"
    assert last.issued(series.studio) == []


def test_a_folder_without_a_signed_entry_is_not_issued(series: Series, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        issuing.issue(series.studio, series.kept, tmp_path)
    assert caught.value.code == "report.not-signed"


def test_only_a_registrar_issues(studio: Studio) -> None:
    with pytest.raises(RefusedError) as caught:
        say(studio, audit_report(), DEVICE)
    assert caught.value.code == "key.not-valid"
    with pytest.raises(RefusedError) as caught:
        say(studio, audit_report(), SeedSigner("nobody"))
    assert caught.value.code == "key.unknown"


def test_the_next_report_names_the_last_proves_that_it_continues_it_and_lists_what_changed(
    series: Series, tmp_path: Path
) -> None:
    index, first = series.issued(tmp_path / "first")
    say(series.studio, made("other.png"))
    say(series.studio, made("frame.v2.png", of=[component("frame.png")]))
    following, second = series.issued(tmp_path / "second")
    assert second.head.previous == first.head.identifier
    stated = series.studio.statement(following).predicate
    assert isinstance(stated, AuditReport)
    assert stated.previous == index
    assert check(second, "consistency")[0] == "passed"
    assert ("file replaced", "sq010/sh0020", digest("frame.png"), digest("frame.v2.png"), 1) in changed(
        second
    )
    keys = series.studio.log.verifiers
    old = open_checkpoint(parse_receipt((tmp_path / "first" / issuing.RECEIPT).read_bytes()).checkpoint, keys)
    new = open_checkpoint((tmp_path / "second" / issuing.CHECKPOINT).read_bytes(), keys)
    assert compare(old, new, (tmp_path / "second" / issuing.PROOF).read_bytes(), keys)


def test_a_model_that_nobody_licensed_opens_a_finding_and_changes_the_verdict(
    series: Series, tmp_path: Path
) -> None:
    _, first = series.issued(tmp_path / "first")
    say(series.studio, made("frame.png", of=[component("plate.png"), SKY]))
    _, second = series.issued(tmp_path / "second")
    assert "finding opened" in {kind for kind, *_ in changed(second)}
    before, after = (report.tables["frames"].column("now") for report in (first, second))
    assert before != after
    assert ("verdict", "sq010/sh0020", before[0], after[0], 1) in changed(second)


def test_nothing_changed_is_an_empty_table_and_the_same_report_twice_is_the_same(
    series: Series, tmp_path: Path
) -> None:
    series.issued(tmp_path / "first")
    second, third = series.written(tmp_path / "second"), series.written(tmp_path / "third")
    assert changed(second) == []
    assert to_json(second) == to_json(third)
    for name in ("report.json", issuing.ENTRY, issuing.PROOF, issuing.CHECKPOINT):
        assert (tmp_path / "second" / name).read_bytes() == (tmp_path / "third" / name).read_bytes()


def test_without_the_last_report_the_next_says_that_it_cannot_tell_what_changed(
    series: Series, tmp_path: Path
) -> None:
    _, first = series.issued(tmp_path / "first")
    shutil.rmtree(tmp_path / "reports")
    _, second = series.issued(tmp_path / "second")
    assert second.head.previous == first.head.identifier
    assert check(second, "changes")[0] == "undecided"
    assert check(second, "consistency")[0] == "passed"


def test_what_is_kept_of_the_last_report_and_is_damaged_is_said_to_be(series: Series, tmp_path: Path) -> None:
    series.issued(tmp_path / "first")
    (held,) = (tmp_path / "reports").glob("*.last.json")
    held.write_text(json.dumps({"entry": "", "more": 1}, separators=(",", ":")))
    with pytest.raises(MalformedError) as caught:
        series.written(tmp_path / "second")
    assert caught.value.code == "report.kept"


def _older(series: Series, tmp_path: Path, act: str) -> Report:
    """Issue a report, put an older database back, do something else with it, and report again."""
    with database(tmp_path / "log"):
        shutil.copytree(tmp_path / "log", tmp_path / "older")
    series.issued(tmp_path / "first")
    with database(tmp_path / "older") as engine:
        studio = studio_on(SqlEntryStore(engine, ORIGIN), SqlBasisStore(engine, ORIGIN))
        for number in range({"rollback": 0, "fork": 3}[act]):
            say(studio, made(f"other.{number}.png"))
        return Series(studio, series.kept, series.targets).written(tmp_path / "second")


@pytest.mark.parametrize("act", ["rollback", "fork"])
def test_a_log_that_went_back_or_forked_since_the_last_report_is_said_to_have(
    series: Series, tmp_path: Path, act: str
) -> None:
    report = _older(series, tmp_path, act)
    result, words = check(report, "consistency")
    assert result == "failed", words
    assert report.head.previous is not None
    assert not (tmp_path / "second" / issuing.PROOF).exists()


def test_another_scope_is_another_series(series: Series, tmp_path: Path) -> None:
    series.issued(tmp_path / "first")
    other = Series(series.studio, series.kept, (digest("frame.png"),))
    _, report = other.issued(tmp_path / "second")
    assert report.head.previous is None


def test_what_others_record_and_issue_while_a_report_is_made_is_after_it(
    series: Series, tmp_path: Path
) -> None:
    _, first = series.issued(tmp_path / "first")
    studio = series.studio
    clearer, population = asked(studio, ".")
    _, between = series.issued(tmp_path / "between")
    say(studio, made("other.png"))
    scope = last.series_of(studio.log.origin, population.scope, Reader(View.STUDIO))
    found = last.find_last(studio, series.kept, scope, clearer.size)
    assert found is not None
    assert (found.identifier, found.report) == (first.head.identifier, first)
    assert between.head.previous == first.head.identifier
    report = make(studio, clearer, population, Beside(last=found)).report
    assert check(report, "checkpoint")[0] == check(report, "consistency")[0] == "passed"
    proofs = issuing.proof_of(studio, clearer, found)
    assert parse_checkpoint(proofs[issuing.CHECKPOINT]).size == report.head.size == clearer.size
    assert issuing.PROOF in proofs


def test_the_entry_names_neither_the_scope_nor_the_reader(series: Series, tmp_path: Path) -> None:
    index, report = series.issued(tmp_path / "first")
    payload = series.studio.envelope(index).payload.decode()
    assert report.head.scope not in payload
    assert not [name for name in report.tables["frames"].column("name") if name in payload]
    parties = [
        last.series_of(
            series.studio.log.origin, asked(series.studio, ".")[1].scope, Reader(View.RIGHTS_HOLDER, party)
        )
        for party in ("mori", "kawa")
    ]
    assert parties[0] != parties[1]
