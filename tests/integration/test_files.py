"""Files on a real disk: whole or absent, and where they belong."""

import os
import threading
from pathlib import Path

import pytest

from ledger.adapters.files import DirectoryManifestStore, DirectoryPublication, FileLastSigned
from ledger.core.checkpoint import sign_checkpoint
from ledger.errors import IntegrityError, RefusedError
from tests.support.log import ORIGIN, new_log

SIGNER = new_log().signer


def signed(size: int) -> bytes:
    return sign_checkpoint(ORIGIN, size, bytes([size % 256]) * 32, [SIGNER])


def test_a_manifest_store_lies_under_its_first_digits(tmp_path: Path) -> None:
    DirectoryManifestStore(tmp_path).put("ab" * 32, b"store")
    assert (tmp_path / "ab" / f"{'ab' * 32}.c2pa").read_bytes() == b"store"


def test_nothing_but_the_files_is_left(tmp_path: Path) -> None:
    public = DirectoryPublication(tmp_path)
    public.put_immutable("tile/0/000", b"x")
    public.put_immutable("tile/0/000", b"x")
    with pytest.raises(IntegrityError):
        public.put_immutable("tile/0/000", b"y")
    public.swap("checkpoint", None, b"z")
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"tile/0/000", "checkpoint", ".checkpoint.lock"}


def test_publishers_at_the_same_time_leave_one_file_and_one_alarm(tmp_path: Path) -> None:
    results: list[str] = []

    def publish(data: bytes) -> None:
        try:
            DirectoryPublication(tmp_path).put_immutable("tile/0/000", data)
            results.append("published")
        except IntegrityError as error:
            results.append(error.code)

    threads = [threading.Thread(target=publish, args=(bytes([n]) * 5000,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["log.conflict"] * 7 + ["published"]
    assert len(set((tmp_path / "tile" / "0" / "000").read_bytes())) == 1


def test_a_file_in_the_way_of_a_folder_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "tile").write_bytes(b"")
    with pytest.raises(RefusedError) as error:
        DirectoryPublication(tmp_path).put_immutable("tile/0/000", b"x")
    assert error.value.code == "log.storage"


@pytest.mark.parametrize("cut", [0, 1, 50, 4095])
def test_a_write_cut_short_leaves_the_checkpoint_before(tmp_path: Path, cut: int) -> None:
    """Power may fail while the slot is being written: it then holds a part of the new and of the old."""
    path = tmp_path / "last-signed"
    record = FileLastSigned(path)
    for size in (1, 2):
        record.write(signed(size))
    before = path.read_bytes()
    record.write(signed(3))
    after = path.read_bytes()
    slot = 0 if before[:4096] != after[:4096] else 4096
    path.write_bytes(before[:slot] + after[slot : slot + cut] + before[slot + cut :])
    assert record.read() in {signed(2), signed(3)}
    record.write(signed(4))
    assert record.read() == signed(4)


def test_the_first_write_cut_short_leaves_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "last-signed"
    path.write_bytes(b"0123456789".ljust(8192, b"\0"))
    assert FileLastSigned(path).read() is None
    FileLastSigned(path).write(signed(1))
    assert FileLastSigned(path).read() == signed(1)


@pytest.mark.parametrize("content", [b"", b"garbage", os.urandom(8192)], ids=["empty", "short", "random"])
def test_a_damaged_record_is_no_licence_to_sign(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "last-signed"
    path.write_bytes(content)
    for call in (FileLastSigned(path).read, lambda: FileLastSigned(path).write(signed(1))):
        with pytest.raises(IntegrityError) as error:
            call()
        assert error.value.code == "log.corrupt"


def test_the_record_survives_many_writers(tmp_path: Path) -> None:
    path = tmp_path / "last-signed"

    def write(start: int) -> None:
        for size in range(start, 200, 4):
            FileLastSigned(path).write(signed(size))

    threads = [threading.Thread(target=write, args=(start,)) for start in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert FileLastSigned(path).read() == signed(199)
    assert path.stat().st_size == 8192
