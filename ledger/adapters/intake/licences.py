"""Licence expressions (SPDX 3.0.1, Annex B) and what people write in their place.

* An expression is normalised (``mit and apache-2.0`` is ``MIT AND Apache-2.0``) or it is none.
* ``LicenseRef-…`` is kept as it was written, whoever coined it. The library would read some of them as
  another licence (``LicenseRef-MIT-Bootstrap`` as ``MIT``): a studio's own must not change its meaning.
* An expression does not pin a text. ``text_sha256`` does: it is of the exact bytes.
* The address of a licence is turned into an expression only where the address itself spells the identifier.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from license_expression import ExpressionError, LicenseSymbol, Licensing, get_license_index

from ledger.adapters.intake.values import Notes
from ledger.core.digest import sha256_hex
from ledger.core.fields import MAX_TEXT
from ledger.core.rights.declared import DeclaredLicence
from ledger.errors import MalformedError

MAX_LICENCE_BYTES = 4 << 20

_REFERENCE = re.compile(r"(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+")
_SPDX_PAGE = re.compile(r"https?://(?:www\.)?spdx\.org/licenses/([A-Za-z0-9.+-]+?)(?:\.html|\.json)?/?")
_OSI_PAGE = re.compile(r"https?://(?:www\.)?opensource\.org/licenses?/([A-Za-z0-9.+-]+?)(?:\.html|\.php)?/?")
_CC_PAGE = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/(?:licenses|publicdomain)/([a-z-]+)/([0-9.]+)"
    r"(?:/(?:legalcode|deed)(?:\.[a-z-]+)?)?/?"
)
_SAYS_NOTHING = frozenset(("noassertion", "none", "unknown", "other", "unlicensed"))


def normalise(text: str) -> str | None:
    """Return the normalised expression, or ``None`` for what is not one (SPDX 3.0.1, Annex B)."""
    if len(text) > MAX_TEXT:
        return None
    try:
        parsed = _licensing().parse(text, validate=False, strict=True)
        symbols = _licensing().unknown_license_keys(parsed)
    except (ExpressionError, IndexError, RecursionError):  # IndexError: the library's answer to `()`
        return None
    if parsed is None or not all(_REFERENCE.fullmatch(symbol) for symbol in symbols):
        return None
    normalised: str = parsed.render("{symbol.key}")
    return normalised if len(normalised) <= MAX_TEXT else None


def from_url(url: str) -> str | None:
    """Return the expression that an address of SPDX, OSI or Creative Commons spells out, else ``None``."""
    if match := _SPDX_PAGE.fullmatch(url) or _OSI_PAGE.fullmatch(url):
        return normalise(match[1])
    if match := _CC_PAGE.fullmatch(url):
        name, version = match.groups()
        return normalise(f"CC0-{version}" if name == "zero" else f"CC-{name}-{version}")
    return None


def reference(*words: str) -> str:
    """Return ``LicenseRef-`` with these words, for a licence that has a name and no place in SPDX's list."""
    spelt = (word.replace("+", "-plus") for word in words)  # openrail++ is another licence than openrail
    return "-".join(["LicenseRef", *(re.sub(r"[^A-Za-z0-9.]+", "-", word).strip("-") for word in spelt)])


def read_licence_text(path: Path) -> str:
    """Return the SHA-256 of the exact bytes of a licence's file.

    Raises ``MalformedError("intake.malformed")`` for a file of more than 4 MiB, and ``OSError``.
    """
    with path.open("rb") as file:
        data = file.read(MAX_LICENCE_BYTES + 1)
    if len(data) > MAX_LICENCE_BYTES:
        raise MalformedError("intake.malformed", f"The licence is larger than {MAX_LICENCE_BYTES:,} bytes.")
    return sha256_hex(data)


def licence(
    written: tuple[str, ...], where: str, notes: Notes, text_sha256: str | None = None
) -> DeclaredLicence:
    """Return the licence that these words or addresses name.

    Several hold all at once: what joins them is not said, so the stricter reading is taken, and noted.
    """
    expressions: list[str] = []
    url = None
    for item in written:
        address = item if item.startswith(("https://", "http://")) else None
        url = url or address
        found = from_url(item) if address else normalise(item)
        if found:
            expressions.append(f"({found})" if " OR " in found and len(written) > 1 else found)
        elif not address and item.lower() not in _SAYS_NOTHING:
            notes.add(f"{where}: {item!r} is not a licence expression")
    if len(expressions) > 1:
        notes.add(f"{where} names {len(expressions)} licences: taken as all of them together")
    joined = normalise(" AND ".join(dict.fromkeys(expressions))) if expressions else None
    return DeclaredLicence(joined, text_sha256, url)


@cache
def _licensing() -> Licensing:
    """Return the parser for SPDX's own identifiers, and the older spellings that SPDX lists for them."""
    symbols = []
    for entry in get_license_index():
        key = entry.get("spdx_license_key")
        if key and not key.startswith("LicenseRef-"):
            others = entry.get("other_spdx_license_keys") or ()
            aliases = tuple(name for name in others if not name.startswith("LicenseRef-"))
            symbols.append(LicenseSymbol(key, aliases, is_exception=bool(entry.get("is_exception"))))
    return Licensing(symbols)
