"""Whatever a token or a key is called: a URI that spells it, in any of the spellings, names it."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ledger.adapters.pkcs11.uri import Pkcs11Uri, parse_uri
from ledger.errors import MalformedError

UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
names = st.text(min_size=1, max_size=8)
paths = st.text(min_size=1, max_size=8).filter(lambda text: "\0" not in text and not text.startswith("/"))


@st.composite
def spelt(draw: st.DrawFn, value: bytes) -> str:
    """The bytes percent-encoded: where it must be, and here and there where it need not."""
    found = ""
    for byte in value:
        if byte in UNRESERVED and draw(st.booleans()):
            found += chr(byte)
        else:
            found += f"%{byte:02{draw(st.sampled_from('xX'))}}"
    return found


@given(st.data(), names, names, st.binary(min_size=1, max_size=8), paths, paths, st.booleans())
def test_what_is_spelt_is_found(
    data: st.DataObject, token: str, label: str, identifier: bytes, module: str, pin: str, scheme: bool
) -> None:
    values = {"token": token.encode(), "object": label.encode(), "id": identifier}
    parts = [f"{name}={data.draw(spelt(value))}" for name, value in values.items()]
    path = ";".join(data.draw(st.permutations(parts)))
    source = "file:" * scheme + data.draw(spelt(f"/{pin}".encode()))
    query = [f"module-path={data.draw(spelt(f'/{module}'.encode()))}", f"pin-source={source}"]
    found = parse_uri(f"pkcs11:{path}?{'&'.join(data.draw(st.permutations(query)))}")
    assert found == Pkcs11Uri(
        Path(f"/{module}"), token=token, object=label, id=identifier, pin_file=Path(f"/{pin}")
    )


@given(st.text(alphabet="pkcs11:token=object;?module-path/&%41xid ~|\n\0é", max_size=80))
def test_anything_else_is_refused_by_its_one_code(text: str) -> None:
    try:
        found = parse_uri(f"pkcs11:{text}")
    except MalformedError as error:
        code = error.code
    else:
        code = ""
        assert found.module.is_absolute()
        assert found.token or found.serial
        assert found.object or found.id
    assert code in ("", "pkcs11.uri")
