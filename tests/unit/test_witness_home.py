"""A witness's folder: a key that is made once, kept private, and never taken for another."""

import stat
from pathlib import Path

import pytest

from ledger.adapters.witness_home import ALGORITHMS, WitnessHome
from ledger.errors import RefusedError, UsageError


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_the_key_is_made_once(tmp_path: Path, algorithm: str) -> None:
    home = WitnessHome(tmp_path / "w", None)
    made = home.create("witness.example/w", algorithm)
    assert home.create(None, algorithm).verifier == made.verifier == home.signer().verifier
    assert (tmp_path / "w" / "witness.vkey").read_text() == f"{made.verifier.vkey}\n"
    assert stat.S_IMODE((tmp_path / "w" / "witness.pem").stat().st_mode) == 0o600


def test_the_default_name_is_made_from_the_key(tmp_path: Path) -> None:
    one, two = (WitnessHome(tmp_path / name, None).create(None, "ed25519").name for name in "ab")
    assert one.startswith("rakkan-witness/")
    assert one != two


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_a_passphrase_encrypts_the_key(tmp_path: Path, algorithm: str) -> None:
    made = WitnessHome(tmp_path, b"secret").create(None, algorithm)
    assert b"ENCRYPTED" in (tmp_path / "witness.pem").read_bytes()
    assert WitnessHome(tmp_path, b"secret").signer().verifier == made.verifier
    for wrong in (None, b"guess"):
        with pytest.raises(RefusedError) as error:
            WitnessHome(tmp_path, wrong).signer()
        assert error.value.code == "key.passphrase"


def test_a_first_start_that_was_cut_short_is_done_again(tmp_path: Path) -> None:
    home = WitnessHome(tmp_path, None)
    first = home.create("w", "ed25519")
    (tmp_path / "witness.vkey").unlink()
    again = home.create("w", "ed25519")
    assert again.verifier != first.verifier
    assert home.signer().verifier == again.verifier


def test_another_name_or_kind_is_not_this_witness(tmp_path: Path) -> None:
    home = WitnessHome(tmp_path, None)
    home.create("w", "ed25519")
    for name, algorithm in (("v", "ed25519"), ("w", "ml-dsa-44")):
        with pytest.raises(UsageError) as error:
            home.create(name, algorithm)
        assert error.value.code == "witness.key"


def test_a_folder_without_a_witness_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        WitnessHome(tmp_path, None).signer()
    assert error.value.code == "key.missing"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RefusedError) as error:
        WitnessHome(tmp_path / "file" / "w", None).create(None, "ed25519")
    assert error.value.code == "target.not-writable"
