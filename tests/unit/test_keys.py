"""Private key files: who can read them, what opens them, and that no key is ever shown."""

import logging
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ledger.adapters.keys import (
    KeySigner,
    load_signer,
    new_claim_key,
    new_statement_key,
    parse_signer,
    read_private,
    save_private,
)
from ledger.core.identity import parse_public_key
from ledger.errors import MalformedError, RakkanError, RefusedError, UsageError

SECRET = b"correct horse battery staple"
MAKERS = [new_statement_key, new_claim_key]


@pytest.fixture(params=[0o000, 0o002, 0o022, 0o027, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("make", MAKERS, ids=["Ed25519", "P-256"])
@pytest.mark.parametrize("passphrase", [None, SECRET], ids=["plain", "encrypted"])
def test_a_key_comes_back(tmp_path: Path, make: Callable[[], KeySigner], passphrase: bytes | None) -> None:
    key, path = make(), tmp_path / "key.pem"
    save_private(path, key.pem(passphrase))
    loaded = load_signer(path, passphrase)
    assert (loaded.public_key, loaded.keyid) == (key.public_key, key.keyid)
    parse_public_key(key.public_key).verify(loaded.sign(b"message"), b"message")


def test_an_ed25519_signature_has_64_bytes_and_a_p256_one_is_der() -> None:
    assert len(new_statement_key().sign(b"x")) == 64
    assert new_claim_key().sign(b"x")[0] == 0x30


def test_whatever_the_umask_only_the_owner_can_read(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "keys" / "devices" / "ws-01" / "claim.pem"
    save_private(path, b"pem")
    assert mode(path) == 0o600
    for folder in (path.parent, path.parents[1], path.parents[2]):
        assert mode(folder) == 0o700


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    save_private(path, b"first")
    with pytest.raises(RefusedError) as error:
        save_private(path, b"second")
    assert error.value.code == "target.exists"
    assert path.read_bytes() == b"first"


def test_a_key_is_not_written_through_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "elsewhere", tmp_path / "key.pem"
    link.symlink_to(target)
    with pytest.raises(RefusedError):
        save_private(link, b"pem")
    assert not target.exists()


def test_half_a_key_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_private(tmp_path / "key.pem", b"pem")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660, 0o666, 0o610, 0o601, 0o777])
def test_a_key_that_others_can_touch_is_refused(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "key.pem"
    save_private(path, new_statement_key().pem(None))
    path.chmod(bits)
    with pytest.raises(RefusedError) as error:
        load_signer(path, None)
    assert error.value.code == "key.permissions"


@pytest.mark.parametrize("bits", [0o600, 0o400])
def test_a_key_of_the_owner_alone_is_read(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "key.pem"
    save_private(path, b"pem")
    path.chmod(bits)
    assert read_private(path) == b"pem"


@pytest.mark.parametrize("name", ["missing.pem", "folder", "file/below.pem", "loop"])
def test_a_key_that_is_not_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UsageError) as error:
        load_signer(tmp_path / name, None)
    assert error.value.code == "key.missing"


def refusal(pem: bytes, passphrase: bytes | None) -> RakkanError:
    with pytest.raises(RakkanError) as error:
        parse_signer(pem, passphrase)
    return error.value


@pytest.mark.parametrize("make", MAKERS, ids=["Ed25519", "P-256"])
@pytest.mark.parametrize("given", [None, b"wrong", SECRET + b" ", SECRET.upper()], ids=repr)
def test_an_encrypted_key_opens_with_its_passphrase_only(
    make: Callable[[], KeySigner], given: bytes | None
) -> None:
    error = refusal(make().pem(SECRET), given)
    assert isinstance(error, RefusedError)
    assert error.code == "key.passphrase"


def test_a_plain_key_opens_whatever_passphrase_is_set() -> None:
    key = new_statement_key()
    assert parse_signer(key.pem(None), SECRET).keyid == key.keyid


def test_an_empty_passphrase_is_none() -> None:
    assert b"ENCRYPTED" not in new_statement_key().pem(b"")


def pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


NOT_KEYS = {
    "nothing": b"",
    "text": b"hello",
    "empty PEM": b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
    "cut short": pem_of(ed25519.Ed25519PrivateKey.generate())[:60],
    "DER": ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    ),
    "RSA": pem_of(rsa.generate_private_key(65537, 2048)),
    "P-384": pem_of(ec.generate_private_key(ec.SECP384R1())),
    "P-521": pem_of(ec.generate_private_key(ec.SECP521R1())),
}


@pytest.mark.parametrize("pem", NOT_KEYS.values(), ids=NOT_KEYS)
def test_what_is_no_key_of_ours(pem: bytes) -> None:
    error = refusal(pem, None)
    assert isinstance(error, MalformedError)
    assert error.code == "key.malformed"


def test_a_key_is_never_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key, path = new_statement_key(), tmp_path / "key.pem"
    pem = key.pem(None)
    body = pem.splitlines()[1].decode()
    save_private(path, key.pem(SECRET))
    errors = [
        refusal(pem[:-40], None),
        refusal(key.pem(SECRET), b"wrong"),
        refusal(pem[:40] + b"*" + pem[40:], None),
    ]
    chains = [str(error.__cause__) + repr(error.__cause__) for error in errors]
    shown = [str(error) + repr(error) + str(error.to_json()) for error in errors]
    everything = "".join([*chains, *shown, repr(key), str(key), f"{key}", caplog.text])
    assert body not in everything
    assert body[10:30] not in everything
    assert SECRET.decode() not in everything
    assert "wrong" not in "".join(str(error.to_json()["evidence"]) for error in errors)
