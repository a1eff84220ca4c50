"""Intake: what already exists about a model or a dataset, as facts that somebody declared.

* ``read_declared`` tells the format by the file's content, never by its name.
* Nothing is decided here, nothing is fetched, and no prose is read: a licence is an expression or an
  address, a use is a term of a vocabulary.
* Each format has its file; ``licences`` and ``yaml_text`` alone import a library for theirs.
* Of a file of weights only the header is read. Its SHA-256 is the caller's to compute.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ledger.adapters.intake import (
    croissant,
    cyclonedx,
    mergekit,
    model_card,
    model_signing,
    safetensors,
    spdx,
)
from ledger.adapters.intake.json_text import load_json
from ledger.adapters.intake.values import malformed
from ledger.adapters.intake.yaml_text import load_yaml
from ledger.core.digest import sha256_hex
from ledger.core.rights.declared import Declared
from ledger.errors import MalformedError, UsageError

FORMATS = {
    safetensors.FORMAT: "safetensors weights: ModelSpec, kohya and merge metadata of the header",
    model_card.FORMAT: "a Hugging Face card: the YAML at the top of a README.md",
    mergekit.FORMAT: "mergekit's configuration (mergekit_config.yml)",
    model_signing.FORMAT: "an OpenSSF model signature (model.sig), unverified",
    cyclonedx.FORMAT: "a CycloneDX ML-BOM, 1.5 to 1.7, JSON",
    spdx.FORMAT: "SPDX 3.0.1 with the AI and Dataset profiles, JSON-LD",
    croissant.FORMAT: "a Croissant dataset card, 1.0 or 1.1, with ODRL, JSON-LD",
}
"""The formats by name, each with what it is."""

MAX_DOCUMENT = 32 << 20
"""The most bytes of a text that are read; a larger one is refused."""

_JSON: dict[str, tuple[Callable[[object], bool], Callable[[object, str], Declared]]] = {
    cyclonedx.FORMAT: (cyclonedx.is_cyclonedx, cyclonedx.read_cyclonedx),
    spdx.FORMAT: (spdx.is_spdx, spdx.read_spdx),
    croissant.FORMAT: (croissant.is_croissant, croissant.read_croissant),
    model_signing.FORMAT: (model_signing.is_model_signature, model_signing.read_model_signature),
}


def read_declared(path: Path, *, hint: str | None = None) -> Declared:
    """Return what the file says. ``hint`` names the format (a key of ``FORMATS``) instead of recognising it.

    Raises ``MalformedError`` with ``intake.malformed`` when the file is not what its format says, naming the
    place, or ``intake.unknown-format``; ``UsageError("intake.unknown-format")`` for a hint that names none;
    and ``OSError``.
    """
    if hint is not None and hint not in FORMATS:
        raise UsageError("intake.unknown-format", f"{hint!r} is not one of {', '.join(FORMATS)}.")
    with path.open("rb") as file:
        start = file.read(9)
    if hint == safetensors.FORMAT or (hint is None and safetensors.is_safetensors(start)):
        return safetensors.read_safetensors(path)
    with path.open("rb") as file:
        data = file.read(MAX_DOCUMENT + 1)
    if len(data) > MAX_DOCUMENT:
        raise malformed("the file", f"is larger than {MAX_DOCUMENT:,} bytes, and no safetensors")
    if hint in _JSON or (hint is None and data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"):
        return _read_json(data, hint)
    return _read_yaml(data, path, hint)


def _read_json(data: bytes, hint: str | None) -> Declared:
    document = load_json(data, "the file")
    for name, (is_one, read) in _JSON.items():
        if name == hint or (hint is None and is_one(document)):
            return read(document, sha256_hex(data))
    raise _unknown("It is JSON that names no format of ours; SPDX 2 is not one.")


def _read_yaml(data: bytes, path: Path, hint: str | None) -> Declared:
    folder = path.absolute().parent.name
    if hint == mergekit.FORMAT:
        return mergekit.read_mergekit(data, folder)
    text = data.decode("utf-8-sig", errors="replace")
    if hint == model_card.FORMAT or model_card.front_matter(text) is not None:
        return model_card.read_model_card(data, path)
    try:
        document = load_yaml(text, "the file")
    except MalformedError as error:
        raise _unknown("It begins like nothing of ours, and it is not YAML.") from error
    if mergekit.is_mergekit(document):
        return mergekit.read_mergekit(data, folder)
    raise _unknown("It begins like nothing of ours.")


def _unknown(problem: str) -> MalformedError:
    return MalformedError("intake.unknown-format", f"{problem} Known are {', '.join(FORMATS)}.")
