"""Keys, certificates and clocks that do not fit: each has its own code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import ledger.wiring
from ledger.adapters.home import Home
from tests.e2e.conftest import Studio
from tests.support.media import make
from tests.support.mishaps import RECORD


def _new_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _key(studio: Studio, name: str) -> Path:
    return studio.home / "keys" / f"{name}.pem"


def test_a_key_that_does_not_match_its_certificate(studio: Studio) -> None:
    paths = [studio.record(make(kind, studio.work)) for kind in ("png", "tif", "exr")]
    _key(studio, "devices/workstation/claim").write_bytes(_new_key())
    for path in paths:
        studio.fails("key.certificate-mismatch", "seal", path)


@pytest.mark.parametrize("kind", ["png", "tif", "exr"])
def test_an_expired_certificate(tmp_path: Path, founded: Studio, kind: str) -> None:
    studio = _founded_at(tmp_path, datetime.now(UTC) - timedelta(days=400))
    path = make(kind, studio.work)
    result = studio("record", path, *RECORD)
    assert (result.code, result.error) == (2, "key.not-valid")
    result = studio("seal", path)
    assert (result.code, result.error) == (2, "key.not-valid")


def test_the_certificate_alone_has_expired(studio: Studio) -> None:
    """The enrolment still holds, but somebody put an old certificate back."""
    from cryptography.hazmat.primitives.serialization import PublicFormat, load_pem_private_key

    from ledger.adapters import pki

    path = studio.record(studio.png())
    home = Home(studio.home, None)
    claim = load_pem_private_key(_key(studio, "devices/workstation/claim").read_bytes(), None)
    spki = claim.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    issuing = pki.parse_authority(
        _key(studio, "issuing").read_bytes(), (studio.home / "certificates/issuing.pem").read_bytes()
    )
    old = datetime.now(UTC) - timedelta(days=30)
    chain = pki.make_leaf(issuing, "Studio Kumo", "workstation", spki, old, timedelta(days=10))
    (home.folder / "certificates/devices/workstation.pem").write_bytes(chain)
    studio.fails("certificate.expired", "seal", path)


@contextmanager
def clock_at(moment: datetime) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger.wiring.SystemClock, "now", lambda _self: moment)
        yield


def _founded_at(folder: Path, moment: datetime) -> Studio:
    from tests.e2e.conftest import found

    with clock_at(moment):
        return found(folder / "past")


def test_a_clock_before_the_enrolment(studio: Studio) -> None:
    recorded, fresh = studio.record(studio.png("a.png")), studio.png("b.png", 2)
    (studio.work / "i.csv").write_text(f"work,sha256,rights_holder\na,{'0' * 64},Mori\n")
    with clock_at(datetime.now(UTC) - timedelta(days=2)):
        for arguments in (
            ("record", fresh, *RECORD),
            ("seal", recorded),
            ("dataset", "add", "plates", studio.work / "i.csv"),
            ("model", "add", "sky", fresh),
        ):
            result = studio.fails("clock.before-enrolment", *arguments)
            assert "clock" in result.err


def test_a_clock_before_the_certificate(studio: Studio) -> None:
    path = studio.record(studio.png())
    document = studio.home / "certificates/devices/workstation.json"
    document.write_text(document.read_text().replace('"validFrom": "20', '"validFrom": "19', 1))
    with clock_at(datetime.now(UTC) - timedelta(days=2)):
        studio.fails("certificate.not-yet-valid", "seal", path)


def test_an_enrolment_that_ended_is_renewed(tmp_path: Path) -> None:
    studio = _founded_at(tmp_path, datetime.now(UTC) - timedelta(days=400))
    path = studio.png()
    studio.fails("key.not-valid", "record", path, *RECORD)
    studio.ok("enrol", "registrar")
    studio.ok("enrol", "workstation")
    studio.ok("record", path, *RECORD)
    studio.ok("seal", path)
    assert studio.verify(path).code == 0


@pytest.mark.parametrize("name", ["devices/workstation/statement", "devices/workstation/claim", "log"])
def test_a_missing_key_file(studio: Studio, name: str) -> None:
    path = studio.record(studio.png())
    _key(studio, name).unlink()
    studio.fails("key.missing", "seal", path)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_that_others_can_read(studio: Studio, mode: int) -> None:
    path = studio.record(studio.png())
    _key(studio, "devices/workstation/claim").chmod(mode)
    result = studio.fails("key.permissions", "seal", path)
    assert "chmod 600" in result.err


@pytest.mark.parametrize(
    "content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_key_file_that_is_no_key(studio: Studio, content: bytes) -> None:
    path = studio.record(studio.png())
    _key(studio, "devices/workstation/claim").write_bytes(content)
    studio.fails("key.malformed", "seal", path)


def test_a_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.e2e.conftest import found

    monkeypatch.setenv("RAKKAN_PASSPHRASE", "correct horse")
    studio = found(tmp_path / "locked")
    path = studio.record(studio.png())
    keys = list((studio.home / "keys").rglob("*.pem"))
    assert keys
    assert all(b"ENCRYPTED" in key.read_bytes() for key in keys)
    for wrong in ("wrong", None):
        if wrong is None:
            monkeypatch.delenv("RAKKAN_PASSPHRASE")
        else:
            monkeypatch.setenv("RAKKAN_PASSPHRASE", wrong)
        result = studio.fails("key.passphrase", "seal", path)
        assert "correct horse" not in result.err
    assert studio.verify(path).code == 3  # offline, no key is asked for
    monkeypatch.setenv("RAKKAN_PASSPHRASE", "correct horse")
    studio.ok("seal", path)
    assert studio.verify(path).code == 0


@pytest.mark.parametrize("command", [("record", "{}", *RECORD), ("seal", "{}")])
def test_a_device_that_nobody_enrolled(studio: Studio, command: tuple[str, ...]) -> None:
    path = studio.png()
    arguments = [str(path) if item == "{}" else item for item in command]
    result = studio.fails("key.missing", *arguments, "--device", "laptop")
    assert "Known: registrar, workstation" in result.err
    studio.fails("key.missing", *arguments, "--device", "../../etc/passwd")
