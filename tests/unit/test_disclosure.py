"""Salted commitments: the form is RFC 9901's, and nothing of a secret leaves with an error."""

import base64
import json

import pytest

from ledger.core.disclosure import Disclosure, commit, open_disclosure
from ledger.errors import MalformedError, RakkanError, UndecidedError

SALT = bytes(range(16))

# RFC 9901 §4.2.1 and §4.2.3: the array ["_26bc4LT-ac6q2KI6cBW5es", "family_name", "Möbius"].
RFC_TEXT = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
RFC_DIGEST = "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"


def test_the_example_of_the_rfc_opens() -> None:
    found = open_disclosure(RFC_TEXT, (RFC_DIGEST,))
    assert found == Disclosure("family_name", "Möbius", RFC_TEXT, RFC_DIGEST)


def test_the_array_is_spelt_as_in_the_rfc() -> None:
    text = commit(SALT, "family_name", "Möbius").text
    array = base64.urlsafe_b64decode(text + "==").decode()
    assert array == '["AAECAwQFBgcICQoLDA0ODw", "family_name", "Möbius"]'


@pytest.mark.parametrize("value", ["", "a", "落款 😀", "two\nlines", "x" * 10_000, '"quoted"'])
def test_a_commitment_opens(value: str) -> None:
    made = commit(SALT, "prompt", value)
    other = commit(bytes(16), "prompt", value)
    assert made.digest != other.digest
    assert open_disclosure(made.text, (other.digest, made.digest)) == made
    assert len(made.digest) == 43


def test_an_opening_of_another_statement_is_undecided() -> None:
    with pytest.raises(UndecidedError) as error:
        open_disclosure(RFC_TEXT, (commit(SALT, "a", "b").digest,))
    assert error.value.code == "disclosure.unknown"


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_a_salt_has_128_bits(size: int) -> None:
    with pytest.raises(MalformedError) as error:
        commit(bytes(size), "a", "b")
    assert error.value.code == "disclosure.malformed"


@pytest.mark.parametrize(
    ("name", "value"), [("_sd", "x"), ("...", "x"), ("a", "\ud800"), ("\udfff", "x")], ids=repr
)
def test_what_cannot_be_committed_to(name: str, value: str) -> None:
    with pytest.raises(MalformedError) as error:
        commit(SALT, name, value)
    assert error.value.code == "disclosure.malformed"


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


MALFORMED = {
    "empty": "",
    "not base64": "!!!!",
    "padded": RFC_TEXT + "=",
    "a line break inside": RFC_TEXT[:8] + "\n" + RFC_TEXT[8:],
    "a foreign character inside": RFC_TEXT[:8] + "*" + RFC_TEXT[8:],
    "one character": "A",
    "not ASCII": "Wyé",
    "standard alphabet": "+/+/",
    "spare bits set": RFC_TEXT[:-1] + "1",
    "not JSON": base64.urlsafe_b64encode(b"hello").rstrip(b"=").decode(),
    "not UTF-8": base64.urlsafe_b64encode(b"\xff\xfe").rstrip(b"=").decode(),
    "an object": encoded({"salt": "a"}),
    "two items": encoded(["salt", "value"]),
    "four items": encoded(["salt", "name", "value", "more"]),
    "a number as value": encoded(["salt", "name", 1]),
    "null as name": encoded(["salt", None, "value"]),
    "a float": encoded(["salt", "name", 1.5]),
    "too deep": base64.urlsafe_b64encode(b"[" * 100_000).rstrip(b"=").decode(),
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_malformed(text: str) -> None:
    with pytest.raises(MalformedError) as error:
        open_disclosure(text, (RFC_DIGEST,))
    assert error.value.code == "disclosure.malformed"


@pytest.mark.parametrize("text", [RFC_TEXT, encoded(["salt", "Möbius"]), RFC_TEXT + "*"])
def test_no_error_shows_what_was_committed_to(text: str) -> None:
    with pytest.raises(RakkanError) as error:
        open_disclosure(text, ())
    shown = f"{error.value} {error.value.to_json()} {error.value.__cause__}"
    assert "Möbius" not in shown
    assert text not in shown
