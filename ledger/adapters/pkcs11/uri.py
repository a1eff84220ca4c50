"""Where a key lies in a token: a PKCS#11 URI (RFC 7512).

    pkcs11:token=studio;object=log?module-path=/usr/lib/softhsm/libsofthsm2.so

* Strict: an attribute that is unknown, comes twice, or could only be ignored is refused. A URI that names
  less than its author thought would find another key.
* A PIN never stands in a URI: ``pin-value`` is refused, because settings are copied and shown.
  ``pin-source`` may name a file.
* A token (label or serial number) and an object (label or id) must be named, and the module that drives it.
* RFC 3986 has several spellings of one URI (``%6C`` is ``l``); they mean the same here, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from ledger.errors import MalformedError

SCHEME = "pkcs11:"
MAX_URI = 1024
"""Characters."""

# RFC 7512 §2.3: pk11-pchar and pk11-qchar. `&` parts the attributes of the query, `;` those of the path.
_VALUE = r"(?:[A-Za-z0-9._~:\[\]@!$'()*+,=%s-]|%%[0-9A-Fa-f]{2})+"
_PATH_VALUE = re.compile(_VALUE % "&")
_QUERY_VALUE = re.compile(_VALUE % "/?|")
_NAME = re.compile(r"[a-z-]{1,40}")
_PATH = ("token", "serial", "manufacturer", "model", "object", "id", "type")
_QUERY = ("module-path", "pin-source")


@dataclass(frozen=True, slots=True)
class Pkcs11Uri:
    """What a URI names. ``None`` matches anything; ``id`` is CKA_ID, raw; ``pin_file`` holds the PIN."""

    module: Path
    token: str | None = None
    serial: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    object: str | None = None
    id: bytes | None = None
    pin_file: Path | None = None


def is_pkcs11_uri(text: str) -> bool:
    """Whether the text names a key in a token rather than anything else."""
    return text.startswith(SCHEME)


def parse_uri(text: str) -> Pkcs11Uri:
    """Return what the URI names. Raises ``MalformedError("pkcs11.uri")``, which never shows a PIN."""
    if not text.startswith(SCHEME) or len(text) > MAX_URI:
        raise _malformed("it does not begin with pkcs11: or is too long")
    path, mark, query = text.removeprefix(SCHEME).partition("?")
    named = _attributes(path, ";", _PATH, _PATH_VALUE)
    asked = _attributes(query, "&", _QUERY, _QUERY_VALUE) if mark else {}
    if named.pop("type", b"private") != b"private":
        raise _malformed("its type is not private")
    if not named.keys() & {"token", "serial"} or not named.keys() & {"object", "id"}:
        raise _malformed("it must name a token (token or serial) and a key in it (object or id)")
    if "module-path" not in asked:
        raise _malformed("it must name the driver: module-path")
    identifier = named.pop("id", None)
    source = asked.get("pin-source")
    return Pkcs11Uri(
        module=_absolute("module-path", asked["module-path"]),
        id=identifier,
        pin_file=None if source is None else _absolute("pin-source", source.removeprefix(b"file:")),
        **{name: _text(name, value) for name, value in named.items()},
    )


def _attributes(text: str, separator: str, known: tuple[str, ...], form: re.Pattern[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in text.split(separator):
        name, equals, value = part.partition("=")
        if name == "pin-value":
            raise _malformed("a PIN must not stand in it: set RAKKAN_PIN, or name a file as pin-source")
        if name not in known or name in found:
            # What is no name may be a PIN that somebody typed there.
            shown = name if equals and _NAME.fullmatch(name) else "?"
            raise _malformed("an attribute is unknown here or comes twice", attribute=shown)
        if not form.fullmatch(value):
            raise _malformed("a value is empty, or holds what must be percent-encoded", attribute=name)
        found[name] = unquote_to_bytes(value)
    return found


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise _malformed("a value is not UTF-8", attribute=name) from error


def _absolute(name: str, value: bytes) -> Path:
    path = _text(name, value)
    if path.startswith("///"):  # file:///etc/pin, with its empty host
        path = path[2:]
    if not path.startswith("/") or path.startswith("//") or "\0" in path:
        raise _malformed("a path must be absolute", attribute=name)
    return Path(path)


def _malformed(why: str, **evidence: object) -> MalformedError:
    return MalformedError("pkcs11.uri", f"This is not a PKCS#11 URI of a key: {why}.", **evidence)
