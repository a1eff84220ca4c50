"""The studio's home: made once, read strictly, and no name leads out of it."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ledger.adapters.home import Home
from ledger.adapters.settings import Settings
from ledger.core.identity import parse_public_key
from ledger.core.note import parse_vkey
from ledger.core.predicates.enrolment import KeyRole
from ledger.core.trust import parse_trust
from ledger.errors import MalformedError, RakkanError, RefusedError, UsageError
from tests.support.builders import NOW, ORIGIN

SETTINGS = Settings("Studio 落款", "nightfall", ORIGIN, "log")
SECRET = b"correct horse"


def made(folder: Path, passphrase: bytes | None = None) -> Home:
    home = Home(folder, passphrase)
    home.create(SETTINGS, NOW)
    return home


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Return a home that tests only read."""
    return made(tmp_path_factory.mktemp("home") / "studio")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def code_of(call: Any, *arguments: Any) -> str:
    with pytest.raises(RakkanError) as error:
        call(*arguments)
    return error.value.code


def test_it_comes_back(shared: Home) -> None:
    again = Home(shared.folder, None)
    assert again.settings() == SETTINGS
    assert again.publication() == str(shared.folder / "log")
    assert again.trust() == parse_trust(again.trust_file.read_bytes())
    assert again.trust().studio == SETTINGS.studio


def test_the_trust_root_names_this_log_and_this_registrar(shared: Home) -> None:
    trust = shared.trust()
    assert parse_vkey(trust.logs[0]).name == ORIGIN
    assert trust.logs[0] == parse_vkey(trust.logs[0]).vkey
    assert trust.registrars == (shared.statement_signer("registrar").public_key,)
    assert parse_vkey(trust.logs[0]).public_key == shared.log_signer().public_key[-32:]


def test_the_anchors_are_the_root_and_no_key(shared: Home) -> None:
    text = shared.trust_file.read_text()
    assert "PRIVATE" not in text
    (root,) = x509.load_pem_x509_certificates(shared.trust().manifest_anchors.encode())
    assert root.issuer == root.subject


def test_every_key_is_its_owner_s_alone(shared: Home) -> None:
    keys = list((shared.folder / "keys").rglob("*.pem"))
    assert len(keys) >= 5
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    assert stat.S_IMODE((shared.folder / "keys").stat().st_mode) == 0o700


def test_no_key_lies_anywhere_else(shared: Home) -> None:
    held = {name for name, data in files(shared.folder).items() if b"PRIVATE KEY" in data}
    assert all(name.startswith("keys/") for name in held)


def test_a_second_studio_does_not_touch_the_first(tmp_path: Path) -> None:
    home = made(tmp_path / "home")
    before = files(home.folder)
    assert code_of(Home(home.folder, None).create, SETTINGS, NOW) == "home.exists"
    assert files(home.folder) == before


@pytest.mark.parametrize("left", ["studio.json", "keys/log.pem"])
def test_what_is_left_of_a_studio_is_not_overwritten(tmp_path: Path, left: str) -> None:
    path = tmp_path / left
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"precious")
    assert code_of(Home(tmp_path, None).create, SETTINGS, NOW) == "home.exists"
    assert files(tmp_path) == {left: b"precious"}


@pytest.mark.parametrize(
    "settings",
    [
        Settings("", "nightfall", ORIGIN, "log"),
        Settings("Studio\nX", "nightfall", ORIGIN, "log"),
        Settings("Studio X", "night\x1bfall", ORIGIN, "log"),
        Settings("Studio X", "nightfall", "two words", "log"),
        Settings("Studio X", "nightfall", "plus+sign", "log"),
        Settings("Studio X", "nightfall", "", "log"),
        Settings("Studio X", "nightfall", ORIGIN, ""),
    ],
    ids=repr,
)
def test_settings_that_nothing_could_read_back_make_no_studio(tmp_path: Path, settings: Settings) -> None:
    home = Home(tmp_path / "home", None)
    assert code_of(home.create, settings, NOW) in ("statement.field", "key.malformed")
    assert not home.folder.exists() or files(home.folder) == {}
    home.create(SETTINGS, NOW)


def test_a_folder_without_a_studio(tmp_path: Path) -> None:
    home = Home(tmp_path / "nothing", None)
    assert code_of(home.settings) == "home.missing"
    assert code_of(home.trust) == "home.missing"
    assert code_of(home.log_signer) == "home.missing"
    assert home.devices() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(spec="https://rakkan.org/studio/v2"),
        lambda d: d.pop("origin"),
        lambda d: d.update(origin=""),
        lambda d: d.update(studio=["x"]),
        lambda d: d.update(extra="x"),
    ],
    ids=["version", "missing", "empty", "type", "unknown"],
)
def test_malformed_settings(tmp_path: Path, change: Any) -> None:
    home = made(tmp_path)
    document = json.loads((tmp_path / "studio.json").read_text())
    change(document)
    (tmp_path / "studio.json").write_text(json.dumps(document))
    assert code_of(home.settings) == "home.malformed"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"a":1,"a":2}', b"\xff"])
def test_damaged_files_say_which_file(tmp_path: Path, data: bytes) -> None:
    home = made(tmp_path)
    for name in ("studio.json", "trust.json"):
        (tmp_path / name).write_bytes(data)
    for read, code in ((home.settings, "home.malformed"), (home.trust, "trust.malformed")):
        with pytest.raises(MalformedError) as error:
            read()
        assert error.value.code == code
        assert str(tmp_path) in error.value.message


TRICKS = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "/etc/passwd",
    "a\\b",
    "a\0b",
    "a b",
    "A",
    "é",
    ".hidden",
    "-rf",
    "a\n",
    "x" * 64,
    "ｗｓ",
    "~root",
    "$HOME",
]


@pytest.mark.parametrize("name", TRICKS, ids=repr)
def test_a_device_s_name_is_a_plain_word(shared: Home, name: str) -> None:
    before = files(shared.folder)
    for call in (shared.statement_signer, shared.credential, shared.enrolled_between):
        assert code_of(call, name) == "statement.field"
    assert code_of(shared.new_device, name, KeyRole.DEVICE, NOW) == "statement.field"
    assert files(shared.folder) == before


@pytest.mark.parametrize("name", ["a", "ws-01", "render_farm.3", "0", "a..b", "x" * 63])
def test_plain_words_are_names(tmp_path: Path, name: str) -> None:
    home = made(tmp_path)
    enrolment, signer = home.new_device(name, KeyRole.DEVICE, NOW)
    home.save_enrolment(enrolment)
    assert home.devices() == [name]
    assert home.statement_signer(name).keyid == signer.keyid


def test_an_enrolment_under_a_hostile_name_is_not_saved(shared: Home) -> None:
    from dataclasses import replace

    from tests.support.builders import enrolment

    before = files(shared.folder)
    assert code_of(shared.save_enrolment, replace(enrolment(), device="../../x")) == "statement.field"
    assert files(shared.folder) == before


def test_an_enrolment_names_the_device_s_two_keys(tmp_path: Path) -> None:
    home = made(tmp_path)
    enrolment, _ = home.new_device("ws-01", KeyRole.DEVICE, NOW + timedelta(microseconds=5))
    chain = home.credential("ws-01").chain_pem
    leaf = x509.load_pem_x509_certificates(chain)[0]
    assert parse_public_key(enrolment.public_key).keyid == home.statement_signer("ws-01").keyid
    assert enrolment.certificate == leaf.fingerprint(leaf.signature_hash_algorithm).hex()  # type: ignore[arg-type]  # a leaf of ours is signed with a hash
    assert (enrolment.valid_from, enrolment.valid_until) == (NOW, leaf.not_valid_after_utc)


def test_a_renewal_keeps_the_statement_key_and_changes_the_certificate(tmp_path: Path) -> None:
    home = made(tmp_path)
    first, _ = home.new_device("ws-01", KeyRole.DEVICE, NOW)
    second, _ = home.new_device("ws-01", KeyRole.DEVICE, NOW + timedelta(days=300))
    assert first.public_key == second.public_key
    assert first.certificate != second.certificate
    assert second.valid_until > first.valid_until


def test_the_registrar_cannot_become_a_device_by_accident(shared: Home) -> None:
    assert code_of(shared.new_device, "registrar", KeyRole.DEVICE, NOW) == "statement.field"


def test_what_a_device_knows_of_its_enrolment(tmp_path: Path) -> None:
    home = made(tmp_path)
    assert code_of(home.enrolled_between, "ws-01") == "home.missing"
    enrolment, _ = home.new_device("ws-01", KeyRole.DEVICE, NOW)
    home.save_enrolment(enrolment)
    assert home.enrolled_between("ws-01") == (enrolment.valid_from, enrolment.valid_until)
    (tmp_path / "certificates/devices/ws-01.json").write_bytes(b"{")
    assert code_of(home.enrolled_between, "ws-01") == "home.malformed"


def test_an_unknown_device_has_no_key(shared: Home) -> None:
    with pytest.raises(UsageError) as error:
        shared.statement_signer("nobody")
    assert error.value.code == "key.missing"


def test_with_a_passphrase_every_key_is_encrypted(tmp_path: Path) -> None:
    home = made(tmp_path, SECRET)
    home.new_device("ws-01", KeyRole.DEVICE, NOW)
    keys = {path.name: path.read_bytes() for path in (tmp_path / "keys").rglob("*.pem")}
    assert {b"BEGIN ENCRYPTED PRIVATE KEY" in pem for pem in keys.values()} == {True}
    for other in (None, b"wrong"):
        locked = Home(tmp_path, other)
        for call in (locked.log_signer, locked.timestamps):
            with pytest.raises(RefusedError) as error:
                call()
            assert error.value.code == "key.passphrase"
    assert home.credential("ws-01").key_pem.startswith(b"-----BEGIN PRIVATE KEY")


def test_no_secret_is_shown(tmp_path: Path) -> None:
    home = made(tmp_path, SECRET)
    home.new_device("ws-01", KeyRole.DEVICE, NOW)
    credential = home.credential("ws-01")
    body = credential.key_pem.splitlines()[1].decode()
    shown = repr(home) + str(home) + repr(credential) + repr(home.timestamps()) + repr(home.log_signer())
    assert body not in shown
    assert SECRET.decode() not in shown


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RefusedError) as error:
        Home(tmp_path / "file" / "home", None).create(SETTINGS, NOW)
    assert error.value.code == "target.not-writable"


@pytest.mark.parametrize("passphrase", [None, SECRET], ids=["plain", "encrypted"])
def test_what_signs_reports_is_made_once_and_anew_when_it_has_expired(
    tmp_path: Path, passphrase: bytes | None
) -> None:
    home = made(tmp_path / "studio", passphrase)
    first = home.reporting(NOW)
    again = Home(home.folder, passphrase).reporting(NOW + timedelta(days=300))
    assert again.certificates == first.certificates
    later = home.reporting(NOW + timedelta(days=400))
    assert later.certificate.not_valid_before_utc > first.certificate.not_valid_after_utc
    path = home.folder / "keys/reports.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (b"ENCRYPTED" in path.read_bytes()) is (passphrase is not None)
    if passphrase:
        assert code_of(Home(home.folder, b"wrong").reporting, NOW) == "key.passphrase"


def test_several_first_reports_at_once_each_get_what_signs_them(tmp_path: Path) -> None:
    home = made(tmp_path / "studio")
    before = files(home.folder)
    with ThreadPoolExecutor(8) as pool:
        made_at_once = list(pool.map(lambda _: Home(home.folder, None).reporting(NOW), range(8)))
    assert home.reporting(NOW).certificates in [each.certificates for each in made_at_once]
    assert files(home.folder).keys() - before.keys() == {"keys/reports.pem"}
