"""What the codec refuses, under which code, and what is on disk then."""

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ledger.adapters.c2pa_codec import C2paCodec, files
from ledger.core.manifest import ClaimCredential
from ledger.errors import RakkanError
from tests.support import media
from tests.support.codec import DIGEST, GOOD
from tests.support.sealing import FixedClock, credential, plan, workshop

OTHER = credential(workshop().issuing)


RSA = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


LATER = datetime.now(UTC) + timedelta(days=2 * 366)


EARLIER = datetime.now(UTC) - timedelta(days=1)


CREDENTIALS = {
    "another key": (replace(GOOD, key_pem=OTHER.key_pem), None, "key.certificate-mismatch"),
    "an expired certificate": (GOOD, LATER, "certificate.expired"),
    "a certificate of the future": (GOOD, EARLIER, "certificate.not-yet-valid"),
    "no key": (replace(GOOD, key_pem=b""), None, "key.malformed"),
    "no certificate": (replace(GOOD, chain_pem=b""), None, "key.malformed"),
    "another kind of key": (replace(GOOD, key_pem=RSA), None, "key.malformed"),
    "an authority's certificate": (
        ClaimCredential(workshop().issuing.key_pem(), workshop().issuing.chain_pem),
        None,
        "seal.sign",
    ),
}


@pytest.mark.parametrize(("bad", "now", "code"), CREDENTIALS.values(), ids=CREDENTIALS.keys())
def test_credentials(bad: ClaimCredential, now: datetime | None, code: str, tmp_path: Path) -> None:
    codec = workshop().codec if now is None else C2paCodec(FixedClock(now), workshop().anchors)
    source = media.make("png", tmp_path, "source")
    with pytest.raises(RakkanError) as caught:
        codec.seal_file(plan(), source, tmp_path / "sealed.png", bad)
    assert caught.value.code == code
    assert not (tmp_path / "sealed.png").exists()
    with pytest.raises(RakkanError) as caught:
        codec.seal_digest(plan(), DIGEST, bad)
    assert caught.value.code == code


def test_the_message_shows_no_key(tmp_path: Path) -> None:
    with pytest.raises(RakkanError) as caught:
        workshop().codec.seal_digest(plan(), DIGEST, replace(GOOD, key_pem=OTHER.key_pem))
    assert "PRIVATE" not in str(caught.value) + str(caught.value.evidence) + repr(GOOD)


@pytest.mark.parametrize("method", ["media_type", "store", "read", "seal_file"])
def test_a_source_that_is_no_file(method: str, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "loop.png").symlink_to("loop.png")
    os.mkfifo(tmp_path / "pipe.png")
    shop = workshop()
    calls: dict[str, Callable[[Path], object]] = {
        "media_type": shop.codec.media_type,
        "store": shop.codec.store,
        "read": lambda path: shop.codec.read(path, None, shop.anchors),
        "seal_file": lambda path: shop.codec.seal_file(plan(), path, tmp_path / "out.png", GOOD),
    }
    for name, code in (
        ("nothing.png", "file.missing"),
        ("empty.png", "file.empty"),
        (".", "file.not-a-file"),
        ("loop.png", "file.not-a-file"),
        ("pipe.png", "file.not-a-file"),
    ):
        with pytest.raises(RakkanError) as caught:
            calls[method](tmp_path / name)
        assert caught.value.code == code
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("name", ["png", "tif"])
def test_a_target_that_is_there_is_left_alone(name: str, tmp_path: Path) -> None:
    source = media.make(name, tmp_path, "source")
    (tmp_path / "taken").write_bytes(b"somebody's work")
    with pytest.raises(RakkanError) as caught:
        workshop().codec.seal_file(plan(), source, tmp_path / "taken", GOOD)
    assert caught.value.code == "target.exists"
    assert (tmp_path / "taken").read_bytes() == b"somebody's work"


@pytest.mark.parametrize("name", ["png", "tif"])
def test_a_folder_that_is_not_there(name: str, tmp_path: Path) -> None:
    source = media.make(name, tmp_path, "source")
    with pytest.raises(RakkanError) as caught:
        workshop().codec.seal_file(plan(), source, tmp_path / "no" / "folder", GOOD)
    assert caught.value.code == "target.not-writable"


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    source = media.make("png", tmp_path, "source")
    full = Path("/dev/full")
    if not full.exists() or not stat.S_ISCHR(full.stat().st_mode):
        pytest.skip("no /dev/full here")

    def fill() -> None:
        with files.target(tmp_path / "sealed") as out:
            with full.open("r+b", buffering=0) as device:
                os.dup2(device.fileno(), out.fileno())
            files.write(out, (source.read_bytes(),))

    with pytest.raises(RakkanError) as caught:
        fill()
    assert caught.value.code == "target.no-space"
    assert not (tmp_path / "sealed").exists()


@pytest.mark.parametrize("name", ["png", "tif"])
def test_a_file_that_changes_meanwhile(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = media.make(name, tmp_path, "source")
    real = files.write

    def slow(out: FileIO, parts: Sequence[files.Part]) -> None:
        with source.open("ab") as file:
            file.write(b"more")
        real(out, parts)

    monkeypatch.setattr(files, "write", slow)
    with pytest.raises(RakkanError) as caught:
        workshop().codec.seal_file(plan(), source, tmp_path / "sealed", GOOD)
    assert caught.value.code == "file.changed"
    assert not (tmp_path / "sealed").exists()
