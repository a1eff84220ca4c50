"""What every publication promises: in memory, in a folder, and in S3 over HTTP."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.files import DirectoryPublication
from ledger.adapters.s3 import S3Publication, open_s3
from ledger.errors import IntegrityError, RakkanError, RefusedError
from ledger.ports import Publication
from ledger.testing import MemoryPublication
from tests.support.s3 import new_bucket, s3_server

KINDS = ("memory", "folder", "s3")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """One client for all tests: making one takes half a second."""
    with s3_server() as endpoint:
        yield open_s3(f"s3://any-bucket?endpoint={endpoint}")._client


@pytest.fixture(params=KINDS)
def public(request: pytest.FixtureRequest, tmp_path: Path) -> Publication:
    if request.param == "memory":
        return MemoryPublication()
    if request.param == "folder":
        return DirectoryPublication(tmp_path / "p")
    s3 = request.getfixturevalue("client")
    return S3Publication(new_bucket(s3), "logs/nightfall/", s3)


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(RakkanError) as error:
        call()
    return error.value.code


def test_what_is_published_comes_back(public: Publication) -> None:
    assert public.get("tile/0/000") is None
    assert public.get("checkpoint") is None
    public.put_immutable("tile/0/000", b"hashes")
    public.put_immutable("tile/0/x001/000.p/7", b"")
    public.swap("checkpoint", None, b"one")
    public.swap("checkpoint", b"one", b"two")
    assert (public.get("tile/0/000"), public.get("checkpoint")) == (b"hashes", b"two")
    assert public.get("tile/0/x001/000.p/7") == b""
    assert public.get("tile/0/000/below") is None


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)),
        "— 落款\r\n\0".encode(),
        b"\xff\xfe\xff",
        bytes(8 * 1024 * 1024),
        b"\x1f\x8b not gzip",
    ],
    ids=["every-byte", "unicode", "no-text", "8-megabytes", "looks-packed"],
)
def test_bytes_stay_as_they_are(public: Publication, data: bytes) -> None:
    public.put_immutable("tile/entries/000", data)
    public.swap("checkpoint", None, data)
    assert public.get("tile/entries/000") == public.get("checkpoint") == data


def test_the_same_bytes_again_are_fine(public: Publication) -> None:
    for _ in range(3):
        public.put_immutable("tile/0/000", b"hashes")
    assert public.get("tile/0/000") == b"hashes"


def test_other_bytes_are_an_alarm_and_change_nothing(public: Publication) -> None:
    public.put_immutable("tile/0/000", b"hashes")
    for other in (b"others", b"", b"hashes "):
        with pytest.raises(IntegrityError) as error:
            public.put_immutable("tile/0/000", other)
        assert error.value.code == "log.conflict"
    assert public.get("tile/0/000") == b"hashes"


@pytest.mark.parametrize("old", [b"another", b"", b"one ", None])
def test_a_swap_from_what_is_not_there_is_fenced(public: Publication, old: bytes | None) -> None:
    public.swap("checkpoint", None, b"one")
    assert code_of(lambda: public.swap("checkpoint", old, b"two")) == "log.fenced"
    assert public.get("checkpoint") == b"one"


def test_a_swap_of_what_is_missing_is_fenced(public: Publication) -> None:
    assert code_of(lambda: public.swap("checkpoint", b"one", b"two")) == "log.fenced"
    assert public.get("checkpoint") is None


OUTSIDE = (
    "",
    "/etc/passwd",
    "../x",
    "a/../b",
    "a//b",
    "./a",
    "a/",
    "a/.",
    ".hidden",
    "a/.lock",
    "a\\b",
    "a\0",
    "é",
)


def test_a_path_stays_in_the_publication(public: Publication) -> None:
    for path in OUTSIDE:
        assert code_of(partial(public.get, path)) == "tile.malformed"
        assert code_of(partial(public.put_immutable, path, b"")) == "tile.malformed"
        assert code_of(partial(public.swap, path, None, b"")) == "tile.malformed"


def race(*calls: Callable[[], object]) -> list[str]:
    """Run the calls at the same time; return how each ended, sorted."""
    ends: list[str] = []
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        barrier.wait()
        try:
            call()
            ends.append("done")
        except (RefusedError, IntegrityError) as error:
            ends.append(error.code)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ends)


def test_of_many_swaps_at_once_one_wins(public: Publication) -> None:
    """Each round begins where the winner of the last one ended."""
    old = None
    for turn in range(5):
        new = [f"{turn} by {number}".encode() for number in range(4)]
        calls = [partial(public.swap, "checkpoint", old, data) for data in new]
        assert race(*calls) == ["done"] + ["log.fenced"] * 3
        old = public.get("checkpoint")
        assert old in new


def test_of_many_publishers_at_once_one_wins_and_the_others_alarm(public: Publication) -> None:
    data = [bytes([number]) * 5000 for number in range(4)]
    calls = [partial(public.put_immutable, "tile/0/000", item) for item in data]
    assert race(*calls) == ["done"] + ["log.conflict"] * 3
    assert public.get("tile/0/000") in data


def test_many_publishers_of_the_same_bytes_agree(public: Publication) -> None:
    assert race(*[lambda: public.put_immutable("tile/0/000", b"same")] * 4) == ["done"] * 4
