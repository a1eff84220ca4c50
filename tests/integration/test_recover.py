"""Recovery: every published entry comes back, provably, in one step that can be killed and repeated."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.adapters.files import DirectoryPublication
from ledger.core.merkle import root
from ledger.errors import IntegrityError, RakkanError, RefusedError, UndecidedError, UsageError
from ledger.ports import Publication
from ledger.service.log.fsck import Condition, fsck
from ledger.service.log.publish import publish
from ledger.service.log.recover import Recovered, recover
from ledger.service.log.sequence import Log
from ledger.service.log.succession import find_loss, give_up
from ledger.testing import MemoryAlarms, MemoryPublication
from tests.support.log import engine_of, entries, new_log, postgres_log, project, publication, sqlite_log
from tests.support.records import records_of

SIZE = 700
OLD = (0, 1, 255, 256, 257, 300, 512, 699)


def published(log: Log, size: int = SIZE) -> MemoryPublication:
    public = MemoryPublication()
    log.append(entries(size))
    publish(log, public)
    return public


def older(log: Log, size: int) -> Log:
    """Return the same log as it was, with the record that its key keeps apart."""
    older = new_log()
    older.append(entries(size))
    return reopened(older, log)


def reopened(log: Log, other: Log | None = None) -> Log:
    """Return the log as a new process opens it; with the record of another, if one is given."""
    return new_log(log.store, (other or log).last_signed)


def refusal(log: Log, public: Publication) -> RakkanError:
    """Return why the recovery is refused; the database must be what it was."""
    before = [(item.index, item.envelope) for item in log.store.stored(0, 10_000)], log.store.head()
    with pytest.raises(RakkanError) as error:
        recover(records_of(log), public)
    assert ([(item.index, item.envelope) for item in log.store.stored(0, 10_000)], log.store.head()) == before
    return error.value


@pytest.mark.parametrize("size", OLD)
def test_an_older_database_becomes_the_published_one(size: int) -> None:
    whole = new_log()
    public = published(whole)
    log = older(whole, size)
    assert recover(records_of(log), public) == Recovered(size, SIZE)
    head = log.store.head()
    assert (head.size, head.peaks, head.epoch) == (SIZE, whole.store.head().peaks, 1)
    assert head.checkpoint == public.files["checkpoint"] == whole.store.head().checkpoint
    assert list(log.store.envelopes(0, SIZE)) == entries(SIZE)
    assert list(log.store.tiles()) == list(whole.store.tiles())
    assert list(log.store.stored(0, SIZE)) == list(whole.store.stored(0, SIZE))
    assert fsck(records_of(log), public).condition is Condition.SOUND
    assert [found.index for found in reopened(log).append([b"next"])] == [SIZE]


def test_a_second_recovery_changes_nothing() -> None:
    whole = new_log()
    public = published(whole)
    log = older(whole, 10)
    recover(records_of(log), public)
    before = log.store.head()
    assert recover(records_of(log), public) == Recovered(SIZE, SIZE)
    assert log.store.head() == before


def test_a_sound_log_has_nothing_to_recover_also_when_it_is_ahead_of_what_is_published() -> None:
    log = new_log()
    public = published(log)
    log.append([b"not published yet"])
    before = log.store.head()
    assert recover(records_of(log), public) == Recovered(SIZE + 1, SIZE + 1)
    assert log.store.head() == before


def test_a_process_that_opened_the_log_before_cannot_go_on() -> None:
    whole = new_log()
    public = published(whole)
    log = new_log()
    log.append(entries(10))
    log.last_signed = whole.last_signed
    recover(records_of(log), public)
    with pytest.raises(RefusedError) as error:
        log.append([b"next"])
    assert error.value.code == "log.epoch"


def test_a_dry_run_checks_everything_and_writes_nothing() -> None:
    whole = new_log()
    public = published(whole)
    log = older(whole, 10)
    before = log.store.head()
    assert recover(records_of(log), public, dry_run=True) == Recovered(10, SIZE)
    assert (log.store.head(), list(log.store.envelopes(0, SIZE))) == (before, entries(10))
    public.files["tile/entries/001"] = public.files["tile/entries/001"][:-1]
    with pytest.raises(IntegrityError) as error:
        recover(records_of(log), public, dry_run=True)
    assert error.value.code == "recover.damaged"


def test_without_a_published_checkpoint_there_is_nothing_to_recover_from() -> None:
    error = refusal(new_log(), MemoryPublication())
    assert (type(error), error.code) == (UsageError, "recover.nothing")


def test_another_logs_checkpoint_is_not_forged_but_unknown() -> None:
    public = MemoryPublication()
    public.files["checkpoint"] = b"other.example/log\n1\n" + b"A" * 43 + b"=\n\n\xe2\x80\x94 x AAAAAAA=\n"
    error = refusal(new_log(), public)
    assert isinstance(error, UndecidedError)


@pytest.mark.parametrize("name", ["tile/entries/000", "tile/entries/002.p/188"])
@pytest.mark.parametrize("size", [0, 10])
def test_a_flipped_bit_in_a_bundle_is_named_and_nothing_is_changed(name: str, size: int) -> None:
    whole = new_log()
    public = published(whole)
    data = public.files[name]
    public.files[name] = data[:-1] + bytes([data[-1] ^ 1])
    error = refusal(older(whole, size), public)
    assert (error.code, error.evidence["path"]) == ("recover.damaged", name)


def test_a_missing_bundle_is_named_and_nothing_is_changed() -> None:
    whole = new_log()
    public = published(whole)
    del public.files["tile/entries/001"]
    error = refusal(older(whole, 10), public)
    assert (type(error), error.code) == (UndecidedError, "recover.incomplete")
    assert error.evidence["path"] == "tile/entries/001"


def test_damaged_published_tiles_do_not_stand_in_the_way_of_sound_bundles() -> None:
    whole = new_log()
    public = published(whole)
    for name in [name for name in public.files if name.startswith(("tile/0", "tile/1"))]:
        del public.files[name]
    log = older(whole, 10)
    recover(records_of(log), public)
    assert fsck(records_of(log)).condition is Condition.SOUND


@pytest.mark.parametrize("size", [5, 400, SIZE])
def test_a_database_with_another_history_is_left_alone(size: int) -> None:
    public = published(new_log())
    log = new_log()
    log.append([*entries(3), *entries(size - 3, "another")])
    error = refusal(log, public)
    assert (type(error), error.code) == (IntegrityError, "log.conflict")
    if size < SIZE:
        assert error.evidence["index"] == 3


def test_acknowledged_entries_that_are_published_nowhere_keep_the_log_from_signing() -> None:
    """What can be brought back is; the numbers say what is missing."""
    whole = new_log()
    public = published(whole)
    whole.append(entries(720))
    log = older(whole, 10)
    with pytest.raises(RefusedError) as error:
        recover(records_of(log), public)
    evidence = error.value.evidence
    assert error.value.code == "log.rollback"
    assert (evidence["missing"], evidence["signed_size"], evidence["held_size"]) == (20, 720, SIZE)
    assert evidence["signed_root"] == root(whole.store.head().peaks).hex()
    assert list(log.store.envelopes(0, 800)) == entries(SIZE)
    with pytest.raises(RefusedError) as again:
        log.append([b"next"])
    assert again.value.code == "log.rollback"
    publish(whole, public)  # the rest turns up
    assert recover(records_of(log), public) == Recovered(SIZE, 720)
    assert [found.index for found in reopened(log).append([b"next"])] == [720]


def test_a_record_that_contradicts_what_is_published_refuses_and_changes_nothing() -> None:
    public = published(new_log())
    other = new_log()
    other.append(entries(300, "another"))
    error = refusal(older(other, 0), public)
    assert (error.code, "two histories" in error.message) == ("log.rollback", True)


def test_entries_that_do_not_lead_to_the_head_are_no_ground_to_build_on(tmp_path: Path) -> None:
    with sqlite_log(tmp_path) as log:
        log.append(entries(300))
        publish(log, publication(tmp_path))
        with log.store.begin() as transaction:
            transaction.append(300, [(bytes(32), b"x")], records_of(log).clock.now())
            head = log.store.head()
            transaction.put_head(type(head)(301, (*head.peaks[:-1], bytes(32), bytes(32)), head.checkpoint))
        assert refusal(log, publication(tmp_path)).code == "log.corrupt"


# --- on disk -----------------------------------------------------------------------------------------------


@pytest.fixture
def yesterday(tmp_path: Path) -> Iterator[tuple[Log, DirectoryPublication]]:
    """A log whose database is an older copy."""
    with sqlite_log(tmp_path) as log:
        log.append(entries(300))
    shutil.copy(tmp_path / "ledger.db", tmp_path / "backup")
    with sqlite_log(tmp_path) as log:
        log.append(entries(SIZE))
        publish(log, publication(tmp_path))
    shutil.copy(tmp_path / "backup", tmp_path / "ledger.db")
    with sqlite_log(tmp_path) as log:
        yield log, publication(tmp_path)


def test_yesterdays_database_on_disk(yesterday: tuple[Log, DirectoryPublication]) -> None:
    log, public = yesterday
    with pytest.raises(RefusedError):
        log.append([b"next"])
    assert recover(records_of(log), public) == Recovered(300, SIZE)
    assert fsck(records_of(log), public).condition is Condition.SOUND
    assert [found.index for found in log.append([b"next"])] == [SIZE]


def test_a_lost_postgresql_database_comes_back_and_is_checked_by_the_same_code(postgres_url: str) -> None:
    whole = new_log()
    public = published(whole)
    with postgres_log(postgres_url, whole.last_signed) as log:
        public.files["tile/entries/001"], kept = b"damaged", public.files["tile/entries/001"]
        assert refusal(log, public).code == "recover.damaged"
        public.files["tile/entries/001"] = kept
        assert recover(records_of(log), public) == Recovered(0, SIZE)
        assert fsck(records_of(log), public).condition is Condition.SOUND
        assert [found.index for found in log.append([b"next"])] == [SIZE]
        delete = "DELETE FROM artifact WHERE idx = 300 AND seq = 0"
        with engine_of(log).begin() as connection:
            connection.exec_driver_sql(delete)
        report = fsck(records_of(log), public)
        assert (
            report.finding("artifacts").check.words == "Entry 300: 1 rows are stored where the entry gives 2."
        )


# --- a fork ------------------------------------------------------------------------------------------------


def test_a_log_that_can_go_on_is_not_given_up() -> None:
    log = new_log()
    published(log)
    with pytest.raises(RefusedError) as error:
        find_loss(records_of(log))
    assert error.value.code == "recover.not-needed"


def test_a_log_that_is_given_up_leaves_its_evidence_and_takes_nothing_more() -> None:
    whole = new_log()
    public = published(whole)
    log = older(whole, 10)
    alarms = MemoryAlarms()
    loss = find_loss(records_of(log))
    give_up(records_of(log), loss, "the disk burnt", alarms, public.files["checkpoint"])
    (evidence,) = alarms.sounded.values()
    assert evidence == {
        "held.checkpoint": log.store.head().checkpoint,
        "last-signed.checkpoint": whole.store.head().checkpoint,
        "published.checkpoint": public.files["checkpoint"],
    }
    with pytest.raises(RefusedError) as error:
        log.append([b"next"])
    assert error.value.code == "log.frozen"
    assert "the disk burnt" in error.value.message
    assert list(log.store.envelopes(0, 99)) == entries(10)


def test_an_entry_that_this_version_cannot_read_is_not_brought_back() -> None:
    """Its rows could not be computed: a newer version has to do it."""
    whole = new_log()
    public = published(whole)
    records = records_of(older(whole, 10))

    def project_some(index: int, envelope: bytes) -> object:
        if index == 500:
            raise IntegrityError("log.corrupt", "unreadable", index=index)
        return project(index, envelope)

    object.__setattr__(records, "project", project_some)
    with pytest.raises(IntegrityError):
        recover(records, public)
    assert records.store.head().size == 10
