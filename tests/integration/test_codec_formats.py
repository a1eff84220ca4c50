"""Every format: sealed, read back, its pixels untouched, one byte changed, cut in half, sealed again."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.c2pa_codec import locate
from ledger.adapters.images import Pixels
from ledger.core.containers import jumbf
from ledger.core.manifest import LEDGER_ENTRY, Finding, Sealed
from ledger.errors import RakkanError
from tests.support import media
from tests.support.sealing import plan, workshop

EMBED, SIDECAR = sorted(media.EMBED), sorted(media.SIDECAR)
ONE_PASS = {"png", "apng", "jpg"}
PIXELS = Pixels()


def seal(name: str, folder: Path) -> tuple[Path, Path, Sealed]:
    """One source, its sealed target, what the seal says."""
    source = media.make(name, folder, "source")
    target = folder / f"sealed{source.suffix}"
    return (
        source,
        target,
        workshop().codec.seal_file(plan(media.FORMATS[name][0]), source, target, workshop().credential),
    )


def codes(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.code for finding in findings}


@pytest.mark.parametrize("name", EMBED)
def test_a_sealed_file_is_trusted_and_is_what_the_seal_says(name: str, tmp_path: Path) -> None:
    source, target, sealed = seal(name, tmp_path)
    assert workshop().codec.store(target) == sealed.store
    reading = workshop().codec.read(target, None, workshop().anchors)
    assert reading is not None
    assert (reading.state, reading.failure, reading.deltas, reading.embedded) == ("Trusted", (), (), True)
    assert codes(reading.success) & {"assertion.dataHash.match", "assertion.bmffHash.match"}
    assert reading.active_manifest.assertions[LEDGER_ENTRY] == {"entries": ["an entry with its receipt"]}
    assert workshop().codec.store(target) == sealed.store
    assert workshop().codec.store(source) is None
    if name.split("-", maxsplit=1)[0] in ONE_PASS:
        assert sealed.bound_sha256 == sha256(source.read_bytes()).hexdigest()
        assert reading.active_manifest.bound_sha256 == sealed.bound_sha256
    else:
        assert sealed.bound_sha256 is None


@pytest.mark.parametrize("name", EMBED)
def test_pixels_stay_as_they_are(name: str, tmp_path: Path) -> None:
    source, target, _ = seal(name, tmp_path)
    before = PIXELS.digest(source)
    assert PIXELS.digest(target) == before
    assert (before is None) == (name in {"svg", "dng", "m4a", "wav", "mp3", "flac", "pdf"})


def content_offset(name: str, data: bytes, store: bytes) -> int:
    """Where a byte lies that a picture or sound is made of."""
    if name == "svg":
        return data.rfind(b'height="8"') + 8
    if name == "pdf":
        return data.find(b"72 72")
    if b"mdat" in data and not data.startswith(b"\x89PNG"):
        return data.find(b"mdat") + 40
    at = data.find(store[:40])
    return len(data) - 30 if at < len(data) // 2 else at // 2


@pytest.mark.parametrize("name", EMBED)
def test_one_changed_byte_shows(name: str, tmp_path: Path) -> None:
    _, target, sealed = seal(name, tmp_path)
    data = bytearray(target.read_bytes())
    data[content_offset(name, bytes(data), sealed.store)] ^= 1
    target.write_bytes(data)
    reading = workshop().codec.read(target, None, workshop().anchors)
    assert reading is not None
    assert reading.state == "Invalid"
    assert codes(reading.failure) <= {"assertion.dataHash.mismatch", "assertion.bmffHash.mismatch"}
    assert reading.failure


def halved(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("name", EMBED)
def test_half_a_sealed_file_is_never_good(name: str, tmp_path: Path) -> None:
    _, target, _ = seal(name, tmp_path)
    halved(target)
    code, reading = "", None
    try:
        reading = workshop().codec.read(target, None, workshop().anchors)
    except RakkanError as error:
        code = error.code
    assert code in {"", "file.malformed", "manifest.malformed"}
    assert reading is None or reading.failure
    assert code == "file.malformed" or name.split("-", 1)[0] not in ONE_PASS


@pytest.mark.parametrize("name", EMBED)
def test_half_a_file_is_sealed_whole_or_refused(name: str, tmp_path: Path) -> None:
    source = media.make(name, tmp_path, "source")
    halved(source)
    target = tmp_path / f"sealed{source.suffix}"
    code, state = "", None
    try:
        workshop().codec.seal_file(plan(), source, target, workshop().credential)
        reading = workshop().codec.read(target, None, workshop().anchors)
        state = reading and reading.state
    except RakkanError as error:
        code = error.code
    assert (code, state) in {("", "Trusted"), ("file.malformed", None), ("seal.unsupported", None)}
    assert target.exists() == (not code)


@pytest.mark.parametrize("name", EMBED)
def test_a_file_sealed_again_keeps_its_first_manifest(name: str, tmp_path: Path) -> None:
    shop = workshop()
    _, first, sealed = seal(name, tmp_path)
    before = shop.codec.read(first, None, shop.anchors)
    assert before is not None
    second = tmp_path / f"again{first.suffix}"
    again = shop.codec.seal_file(plan(media.FORMATS[name][0]), first, second, shop.credential)
    reading = shop.codec.read(second, None, shop.anchors)
    assert reading is not None
    assert (reading.state, reading.failure, reading.deltas) == ("Trusted", (), ())
    assert set(reading.manifests) == {before.active, reading.active}
    (inbound,) = reading.active_manifest.ingredients
    assert (inbound.manifest, inbound.failures, inbound.validated) == (before.active, (), True)
    assert sealed.store[100:1000] in again.store
    assert PIXELS.digest(second) == PIXELS.digest(first)


@pytest.mark.parametrize("name", EMBED)
def test_the_limits_see_the_store_before_the_library_does(name: str, tmp_path: Path) -> None:
    _, target, sealed = seal(name, tmp_path)
    with target.open("rb") as file:
        found = list(locate.candidates(media.FORMATS[name][0], file))
    assert found == [sealed.store]


@pytest.mark.parametrize("name", SIDECAR)
def test_a_sidecar_is_trusted_for_its_file_and_no_other(name: str, tmp_path: Path) -> None:
    shop = workshop()
    path = media.make(name, tmp_path)
    digest = sha256(path.read_bytes()).hexdigest()
    assert shop.codec.media_type(path) == media.FORMATS[name][0]
    assert not shop.codec.embeds(media.FORMATS[name][0])
    store = shop.codec.seal_digest(plan(media.FORMATS[name][0]), digest, shop.credential)
    reading = shop.codec.read(path, store, shop.anchors)
    assert reading is not None
    assert (reading.state, reading.failure, reading.embedded) == ("Trusted", (), False)
    assert reading.active_manifest.bound_sha256 == digest
    assert shop.codec.read(path, None, shop.anchors) is None
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    reading = shop.codec.read(path, store, shop.anchors)
    assert reading is not None
    assert codes(reading.failure) == {"assertion.dataHash.mismatch"}


@pytest.mark.parametrize("name", SIDECAR)
def test_a_sidecar_format_is_not_embedded_in(name: str, tmp_path: Path) -> None:
    source = media.make(name, tmp_path)
    with pytest.raises(RakkanError) as caught:
        workshop().codec.seal_file(plan(), source, tmp_path / "sealed", workshop().credential)
    assert caught.value.code == "seal.unsupported"
    assert not (tmp_path / "sealed").exists()
    assert workshop().codec.store(source) is None


@pytest.mark.parametrize("name", ["png", "jpg"])
@pytest.mark.parametrize("size", [20_000, 63_000, 66_000, 300_000])
def test_a_store_of_many_segments(name: str, size: int, tmp_path: Path) -> None:
    shop = workshop()
    source = media.make(name, tmp_path, "source")
    target = tmp_path / f"sealed{source.suffix}"
    big = plan(assertions={LEDGER_ENTRY: {"entries": ["e" * size]}})
    sealed = shop.codec.seal_file(big, source, target, shop.credential)
    reading = shop.codec.read(target, None, shop.anchors)
    assert reading is not None
    assert (reading.state, reading.failure) == ("Trusted", ())
    assert shop.codec.store(target) == sealed.store
    assert len(sealed.store) > size
    assert len(jumbf.manifests(sealed.store)) == 1


def test_the_second_frame_of_a_shot_takes_one_signature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ledger.adapters.c2pa_codec import library

    signed: list[object] = []
    real = library.sign_store

    def counted(*task: Any) -> bytes:
        signed.append(task)
        return real(*task)

    monkeypatch.setattr(library, "sign_store", counted)
    source = media.make("png", tmp_path, "source")
    counts = []
    for number in range(3):
        workshop().codec.seal_file(plan(), source, tmp_path / f"{number}.png", workshop().credential)
        counts.append(len(signed))
    assert counts[2] - counts[1] == counts[1] - counts[0] == 1


def test_a_file_too_large_for_memory_is_sealed_through_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ledger.adapters.c2pa_codec import codec

    monkeypatch.setattr(codec, "IN_MEMORY", 1000)
    for name in ("tif", "mp4", "png"):
        _, target, sealed = seal(name, tmp_path)
        assert workshop().codec.store(target) == sealed.store
        reading = workshop().codec.read(target, None, workshop().anchors)
        assert reading is not None
        assert reading.state == "Trusted"
