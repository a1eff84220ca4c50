"""Keys in a real token (SoftHSM2): they sign, survive what tokens go through, and never risk the PIN."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.pkcs11 import Pkcs11Signer, find_or_make, parse_uri, signer, tokens
from ledger.core.identity import parse_public_key
from ledger.errors import RakkanError
from tests.support.token import PIN, Token, new_token, seen_here, stop

MESSAGE = b"a checkpoint"


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Token:
    """A token, seen by a driver that was started for this test."""
    found = new_token(tmp_path)
    seen_here(found, monkeypatch)
    return found


def made(token: Token, path: str = "token=studio;object=log") -> Pkcs11Signer:
    found, new = find_or_make(parse_uri(token.uri(path)), PIN)
    assert new
    return found


def check(found: Pkcs11Signer, message: bytes = MESSAGE) -> None:
    parse_public_key(found.public_key).verify(found.sign(message), message)


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(RakkanError) as error:
        call()
    assert PIN not in f"{error.value} {error.value.to_json()}"
    return error.value.code


# --- keys --------------------------------------------------------------------------------------------------


def test_a_key_is_made_once_and_found_again(token: Token) -> None:
    first = made(token)
    again, new = find_or_make(parse_uri(token.uri()), PIN)
    assert not new
    assert again.public_key == first.public_key
    check(first)
    assert len(first.sign(MESSAGE)) == 64
    assert again.sign(MESSAGE) == first.sign(MESSAGE)


def test_a_made_key_cannot_leave_the_token(token: Token) -> None:
    made(token)
    pkcs11 = tokens.library()
    held = pkcs11.Attribute
    session = pkcs11.lib(token.driver).get_token(token_label="studio").open()
    (private,) = session.get_objects({held.CLASS: pkcs11.ObjectClass.PRIVATE_KEY})
    assert (private[held.SENSITIVE], private[held.EXTRACTABLE], private[held.PRIVATE]) == (True, False, True)
    with pytest.raises(pkcs11.AttributeSensitive):
        private[held.VALUE]


def test_a_p256_key_signs(token: Token) -> None:
    pkcs11 = tokens.library()
    parameters = {pkcs11.Attribute.EC_PARAMS: bytes.fromhex("06082a8648ce3d030107")}
    with pkcs11.lib(token.driver).get_token(token_label="studio").open(rw=True, user_pin=PIN) as session:
        curve = session.create_domain_parameters(pkcs11.KeyType.EC, parameters, local=True)
        curve.generate_keypair(store=True, label="claim", id=b"\x07")
    for path in ("token=studio;object=claim", "token=studio;id=%07"):
        found = Pkcs11Signer(parse_uri(token.uri(path)), PIN)
        for number in range(20):  # r and s have leading zeros now and then
            check(found, bytes([number]))


def test_keys_and_tokens_are_told_apart_by_all_that_the_uri_says(token: Token) -> None:
    token.add("backup")
    one, other = made(token, "token=studio;object=log"), made(token, "token=studio;object=witness;id=%01")
    elsewhere = made(token, "token=backup;object=log")
    assert len({item.keyid for item in (one, other, elsewhere)}) == 3
    serial = tokens.library().lib(token.driver).get_token(token_label="backup").serial.decode()
    for path, same in [
        (f"serial={serial};object=log", elsewhere),
        ("token=studio;manufacturer=SoftHSM%20project;model=SoftHSM%20v2;id=%01;object=witness", other),
    ]:
        assert Pkcs11Signer(parse_uri(token.uri(path)), PIN).keyid == same.keyid
    check(one)
    check(elsewhere)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("token=studio;object=nothing", "pkcs11.key"),
        ("token=studio;object=log;id=%99", "pkcs11.key"),
        ("token=nowhere;object=log", "pkcs11.token"),
        ("token=studio;serial=0000;object=log", "pkcs11.token"),
    ],
)
def test_what_is_not_there(token: Token, path: str, code: str) -> None:
    made(token)
    assert refusal(lambda: Pkcs11Signer(parse_uri(token.uri(path)), PIN)) == code


def test_two_keys_or_tokens_of_one_name_are_not_chosen_between(token: Token) -> None:
    made(token, "token=studio;object=log;id=%01")
    made(token, "token=studio;object=log;id=%02")
    assert refusal(lambda: Pkcs11Signer(parse_uri(token.uri()), PIN)) == "pkcs11.key"
    token.add("studio")
    stop(token)
    assert refusal(lambda: Pkcs11Signer(parse_uri(token.uri()), PIN)) == "pkcs11.token"


def test_a_key_that_no_note_can_be_signed_with(token: Token) -> None:
    pkcs11 = tokens.library()
    with pkcs11.lib(token.driver).get_token(token_label="studio").open(rw=True, user_pin=PIN) as session:
        session.generate_keypair(pkcs11.KeyType.RSA, 2048, store=True, label="rsa", id=b"\x01")
        parameters = {pkcs11.Attribute.EC_PARAMS: bytes.fromhex("06052b81040022")}  # P-384
        curve = session.create_domain_parameters(pkcs11.KeyType.EC, parameters, local=True)
        curve.generate_keypair(store=True, label="p384", id=b"\x02")
    for label in ("rsa", "p384"):
        assert refusal(partial(Pkcs11Signer, parse_uri(token.uri(f"token=studio;object={label}")), PIN)) == (
            "pkcs11.key"
        )


def test_a_private_key_without_its_public_half(token: Token) -> None:
    made(token)
    pkcs11 = tokens.library()
    session = pkcs11.lib(token.driver).get_token(token_label="studio").open(rw=True)
    (public,) = session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PUBLIC_KEY})
    public.destroy()
    assert refusal(lambda: Pkcs11Signer(parse_uri(token.uri()), PIN)) == "pkcs11.key"


def test_a_token_that_has_no_ed25519_says_so(token: Token) -> None:
    token.configure("slots.mechanisms = CKM_EC_KEY_PAIR_GEN,CKM_ECDSA")
    assert refusal(lambda: made(token)) == "pkcs11.key"


# --- what tokens go through --------------------------------------------------------------------------------


def test_a_session_that_died_is_opened_again(token: Token) -> None:
    found, other = made(token), made(token, "token=studio;object=other")
    for started_by_others in (False, True):
        stop(token)
        if started_by_others:
            tokens.library().lib(token.driver)
        check(found)
        check(other)


def test_a_token_that_was_pulled_out_and_comes_back(token: Token) -> None:
    found = made(token)
    held, away = token.folder / "tokens", token.folder / "away"
    held.rename(away)
    assert refusal(lambda: found.sign(MESSAGE)) == "pkcs11.token"
    away.rename(held)
    check(found)


def test_another_token_of_the_same_name_does_not_sign_in_its_place(token: Token) -> None:
    found = made(token)
    (token.folder / "tokens").rename(token.folder / "away")
    (token.folder / "tokens").mkdir()
    token.add("studio")
    assert refusal(lambda: found.sign(MESSAGE)) in ("pkcs11.key", "pkcs11.token")
    find_or_make(parse_uri(token.uri()), PIN)
    assert refusal(lambda: found.sign(MESSAGE)) == "pkcs11.signature"


def test_many_threads_sign_with_one_token(token: Token) -> None:
    keys = [made(token, f"token=studio;object=key{number}") for number in range(3)]
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(20):
                check(keys[(number + turn) % 3], bytes([number, turn]))
                if number == turn == 7:
                    stop(token)  # pulled out in the middle
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_parent_and_child_both_sign_after_a_fork(token: Token) -> None:
    found = made(token)
    code = "import sys; from tests.integration.test_pkcs11 import fork_and_sign; fork_and_sign(*sys.argv[1:])"
    result = token.run(code, token.uri(), PIN)
    assert (result.returncode, result.stdout) == (0, f"child {found.keyid}\nparent {found.keyid}\n"), result


def fork_and_sign(uri: str, pin: str) -> None:
    """Fork while a thread is busy with the token; both processes then sign."""
    found = Pkcs11Signer(parse_uri(uri), pin)
    done = threading.Event()

    def busy() -> None:
        while not done.is_set():
            found.sign(MESSAGE)

    thread = threading.Thread(target=busy)
    thread.start()
    child = os.fork()
    if child == 0:
        check(found)
        os.write(1, f"child {found.keyid}\n".encode())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    done.set()
    thread.join()
    check(found)
    os.write(1, f"parent {found.keyid}\n".encode())


# --- the PIN -----------------------------------------------------------------------------------------------


def test_a_wrong_pin_is_tried_once(token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    made(token)
    stop(token)
    monkeypatch.setattr(tokens, "_drivers", {})
    uri = parse_uri(token.uri())
    assert refusal(lambda: Pkcs11Signer(uri, "0000-wrong")) == "pkcs11.pin"
    # The token now takes the PIN that was wrong: whoever tried it again would get in.
    pkcs11 = tokens.library()
    with pkcs11.lib(token.driver).get_token(token_label="studio").open(rw=True, user_pin=PIN) as session:
        session.set_pin(PIN, "0000-wrong")
    assert refusal(lambda: Pkcs11Signer(uri, "0000-wrong")) == "pkcs11.pin"
    assert refusal(lambda: find_or_make(uri, "0000-wrong")) == "pkcs11.pin"
    monkeypatch.setattr(tokens, "_refused", set())
    check(Pkcs11Signer(uri, "0000-wrong"))


def test_a_pin_that_was_changed_meanwhile_is_not_tried_twice(token: Token) -> None:
    found = made(token)
    pkcs11 = tokens.library()
    stop(token)
    with pkcs11.lib(token.driver).get_token(token_label="studio").open(rw=True, user_pin=PIN) as session:
        session.set_pin(PIN, "another-1")
    assert refusal(lambda: found.sign(MESSAGE)) == "pkcs11.pin"
    assert len(tokens._refused) == 1


@pytest.mark.parametrize("pin", [None, ""])
def test_no_pin_is_no_try(token: Token, pin: str | None) -> None:
    assert refusal(lambda: Pkcs11Signer(parse_uri(token.uri()), pin)) == "pkcs11.pin"
    assert tokens._refused == set()


def test_the_last_try_is_left_to_a_person() -> None:
    flag = pytest.importorskip("pkcs11").TokenFlag
    tokens.check_tries(flag.LOGIN_REQUIRED | flag.USER_PIN_COUNT_LOW)
    for last in (flag.USER_PIN_FINAL_TRY, flag.USER_PIN_LOCKED):
        assert refusal(partial(tokens.check_tries, flag.LOGIN_REQUIRED | last)) == "pkcs11.pin"


@pytest.mark.parametrize("text", [PIN, f"{PIN}\n"])
def test_a_pin_may_lie_in_a_file_of_its_owner_s(token: Token, text: str) -> None:
    made(token)
    path = token.folder / "pin"
    path.write_text(text)
    path.chmod(0o600)
    uri = parse_uri(token.uri(query=f"&pin-source=file:{path}"))
    check(Pkcs11Signer(uri, "not this one"))


@pytest.mark.parametrize("defect", ["others can read it", "it is missing", "it is not text", "it is empty"])
def test_a_pin_file_that_is_not_used(token: Token, defect: str) -> None:
    path = token.folder / "pin"
    if defect != "it is missing":
        path.write_bytes({"it is not text": b"\xff", "it is empty": b""}.get(defect, PIN.encode()))
        path.chmod(0o640 if defect == "others can read it" else 0o600)
    uri = parse_uri(token.uri(query=f"&pin-source={path}"))
    assert refusal(lambda: Pkcs11Signer(uri, PIN)) == "pkcs11.pin"
    assert tokens._refused == set()


# --- the driver --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [None, b"not a library"])
def test_a_driver_that_cannot_be_loaded(tmp_path: Path, content: bytes | None) -> None:
    pytest.importorskip("pkcs11")
    path = tmp_path / "driver.so"
    if content:
        path.write_bytes(content)
    uri = parse_uri(f"pkcs11:token=studio;object=log?module-path={path}")
    assert refusal(lambda: Pkcs11Signer(uri, PIN)) == "pkcs11.driver"


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pkcs11", None)
    uri = parse_uri("pkcs11:token=studio;object=log?module-path=/x.so")
    assert refusal(lambda: Pkcs11Signer(uri, PIN)) == "pkcs11.driver"


# --- how tokens write a public key -------------------------------------------------------------------------

ED25519 = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
P256 = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
OID_ED25519, OID_P256 = bytes.fromhex("06032b6570"), bytes.fromhex("06082a8648ce3d030107")


@pytest.mark.parametrize("parameters", [OID_ED25519, b"\x13\x0cedwards25519"], ids=["by number", "by name"])
@pytest.mark.parametrize("before", ["", "0420", "032100"], ids=["raw", "octet string", "bit string"])
def test_an_ed25519_key_in_every_form(parameters: bytes, before: str) -> None:
    found = signer.public_key_of(parameters, bytes.fromhex(before) + ED25519)
    assert found.spki == bytes.fromhex("302a300506032b6570032100") + ED25519


@pytest.mark.parametrize("before", ["", "0441", "034200"], ids=["raw", "octet string", "bit string"])
def test_a_p256_key_in_every_form(before: str) -> None:
    found = signer.public_key_of(OID_P256, bytes.fromhex(before) + P256)
    assert found.spki[-65:] == P256


@pytest.mark.parametrize(
    ("parameters", "point"),
    [
        pytest.param(OID_ED25519, b"", id="nothing"),
        pytest.param(OID_ED25519, ED25519[:-1], id="cut short"),
        pytest.param(OID_ED25519, b"\x04\x21" + ED25519, id="another length"),
        pytest.param(OID_ED25519, b"\x04\x20" + ED25519 + b"\0", id="something behind it"),
        pytest.param(OID_P256, P256[:-1] + b"\0", id="off the curve"),
        pytest.param(OID_P256, b"\x02" + P256[1:33], id="compressed"),
        pytest.param(bytes.fromhex("06052b81040022"), b"\x04" * 97, id="another curve"),
        pytest.param(b"", ED25519, id="no curve"),
    ],
)
def test_a_public_key_in_no_known_form(parameters: bytes, point: bytes) -> None:
    assert refusal(lambda: signer.public_key_of(parameters, point)) == "pkcs11.key"
