"""PKCS#11 URIs: what RFC 7512 allows and this reader takes, and each defect it refuses."""

from pathlib import Path

import pytest

from ledger.adapters.pkcs11.uri import MAX_URI, Pkcs11Uri, parse_uri
from ledger.errors import MalformedError

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
END = f"?module-path={MODULE}"
PLAIN = f"pkcs11:token=studio;object=log{END}"

VALID = {
    "plain": (PLAIN, Pkcs11Uri(MODULE, token="studio", object="log")),
    "in another order": (
        f"pkcs11:object=log;token=studio{END}",
        Pkcs11Uri(MODULE, token="studio", object="log"),
    ),
    # As p11tool prints it (RFC 7512 §3 has the like).
    "everything named": (
        (
            "pkcs11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=ebbf1745;token=studio;"
            f"id=%01%ff;object=log;type=private{END}"
        ),
        Pkcs11Uri(MODULE, "studio", "ebbf1745", "SoftHSM project", "SoftHSM v2", "log", b"\x01\xff"),
    ),
    "other spellings of the same": (
        f"pkcs11:token=%73tudi%6F;object=%6C%6fg{END}",
        Pkcs11Uri(MODULE, token="studio", object="log"),
    ),
    "a separator in a name": (
        f"pkcs11:token=a%3Bb%3dc;object=x&y{END}",
        Pkcs11Uri(MODULE, token="a;b=c", object="x&y"),
    ),
    "Japanese": (
        f"pkcs11:token=%E8%90%BD%E6%AC%BE;id=%00{END}",
        Pkcs11Uri(MODULE, token="落款", id=b"\0"),
    ),
    "PIN in a file": (
        f"{PLAIN}&pin-source=/etc/pin",
        Pkcs11Uri(MODULE, token="studio", object="log", pin_file=Path("/etc/pin")),
    ),
    "PIN in a file, as the RFC writes it": (
        f"{PLAIN}&pin-source=file:/etc/pin",
        Pkcs11Uri(MODULE, token="studio", object="log", pin_file=Path("/etc/pin")),
    ),
    "PIN in a file, as a browser writes it": (
        f"{PLAIN}&pin-source=file:///etc/pin",
        Pkcs11Uri(MODULE, token="studio", object="log", pin_file=Path("/etc/pin")),
    ),
}


@pytest.mark.parametrize(("text", "uri"), VALID.values(), ids=VALID)
def test_valid(text: str, uri: Pkcs11Uri) -> None:
    assert parse_uri(text) == uri


MALFORMED = {
    "empty": "",
    "a path": str(MODULE),
    "another scheme": PLAIN.replace("pkcs11:", "file:"),
    "upper case": PLAIN.replace("pkcs11:", "PKCS11:"),
    "no driver": "pkcs11:token=studio;object=log",
    "an empty query": "pkcs11:token=studio;object=log?",
    "no token": f"pkcs11:object=log{END}",
    "no key": f"pkcs11:token=studio{END}",
    "no attribute": f"pkcs11:{END}",
    "a public key": f"pkcs11:token=studio;object=log;type=public{END}",
    "an unknown attribute": f"pkcs11:token=studio;object=log;slot-id=3{END}",
    "an unknown question": f"{PLAIN}&module-name=softhsm",
    "a token twice": f"pkcs11:token=studio;token=studio;object=log{END}",
    "a driver twice": f"{PLAIN}&module-path={MODULE}",
    "an empty value": f"pkcs11:token=;object=log{END}",
    "a value without a name": f"pkcs11:studio;object=log{END}",
    "a separator at the end": f"pkcs11:token=studio;object=log;{END}",
    "a space": f"pkcs11:token=my studio;object=log{END}",
    "a line break": f"{PLAIN}\n",
    "not ASCII": f"pkcs11:token=落款;object=log{END}",
    "half an escape": f"pkcs11:token=studio%4;object=log{END}",
    "an escape that is none": f"pkcs11:token=%zz;object=log{END}",
    "a label that is not UTF-8": f"pkcs11:token=%ff;object=log{END}",
    "a driver by name": "pkcs11:token=studio;object=log?module-path=libsofthsm2.so",
    "a driver on a host": "pkcs11:token=studio;object=log?module-path=//host/x.so",
    "a driver with a NUL": "pkcs11:token=studio;object=log?module-path=/x%00.so",
    "a program that prints the PIN": f"{PLAIN}&pin-source=|/usr/bin/pin",
    "a PIN file here": f"{PLAIN}&pin-source=pin",
    "a PIN from the web": f"{PLAIN}&pin-source=https://example.com/pin",
    "too long": f"pkcs11:token={'x' * MAX_URI};object=log{END}",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_malformed(text: str) -> None:
    with pytest.raises(MalformedError) as error:
        parse_uri(text)
    assert error.value.code == "pkcs11.uri"


@pytest.mark.parametrize(
    "text",
    [
        f"{PLAIN}&pin-value=s3cret",
        f"pkcs11:token=studio;object=log;pin-value=s3cret{END}",
        f"{PLAIN}&pin=s3cret",
        f"{PLAIN}&s3cret",
        f"{PLAIN}&s3cret=1",
        f"{PLAIN}&pin-value%3Ds3cret",
    ],
)
def test_a_pin_is_refused_and_never_shown(text: str) -> None:
    with pytest.raises(MalformedError) as error:
        parse_uri(text)
    assert "s3cret" not in f"{error.value} {error.value.to_json()}"
