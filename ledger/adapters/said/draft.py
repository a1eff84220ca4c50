"""An account in the making, and the texts that accounts are made from: bounded, whatever the file holds.

* A reader hands over values of any kind. What is no text and no number is passed over; nothing here raises.
* Counts and lengths are capped: a file decides neither how long a report gets nor how much memory it takes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ledger.adapters.intake.values import Facts, Notes, decimal_text, shown
from ledger.core.predicates.step import Evidence
from ledger.core.said import Account, ClaimKind, HashKind, ModelClaim, Prompt, PromptRole, ShortHash

MAX_TEXT_BYTES = 8 << 20
"""Of one text in a file, after decompression. Real workflows stay below 2 MiB."""
MAX_PROMPT = 1 << 16
"""Characters of one prompt."""
MAX_PROMPTS = 100
MAX_MODELS = 200
MAX_LIST = 100

_HEX = re.compile(r"[0-9a-f]{8,64}")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_NO_NAME = frozenset({"", "none", "null", "undefined", "automatic", "default", "baked vae"})


@dataclass(frozen=True, slots=True)
class Text:
    """One text that a file carries: where it lies, such as ``PNG tEXt``, under which key, and the text."""

    where: str
    key: str
    text: str

    @property
    def place(self) -> str:
        """Return how an account names this place."""
        return shown(f"{self.where} {self.key}")


class Texts(list[Text]):
    """The texts of one file, in its order."""

    def of(self, *keys: str) -> Iterator[Text]:
        """Yield the texts with one of these keys; case does not matter: carriers differ in it."""
        for text in self:
            if text.key.lower() in keys:
                yield text

    def first(self, key: str) -> str:
        """Return the first text under a key, ``""`` where there is none."""
        return next((item.text for item in self.of(key)), "")


class Draft:
    """One account, filled in by a reader."""

    def __init__(self, convention: str, where: str, evidence: Evidence = Evidence.DECLARED) -> None:
        self._named = (convention, where, evidence)
        self._tool: tuple[str | None, str | None, str | None] = (None, None, None)
        self._models: dict[tuple[str, ClaimKind], ModelClaim] = {}
        self._prompts: dict[Prompt, None] = {}
        self._source_types: dict[str, None] = {}
        self._derived: dict[str, None] = {}
        self.parameters = Facts()
        self.facts = Facts()
        self.notes = Notes()

    def tool(self, name: object, version: object = None, service: object = None) -> None:
        """Name the tool, and the remote service that it is, if it is one."""
        self._tool = (line(name), line(version), line(service))

    def model(
        self,
        name: object,
        kind: ClaimKind,
        hashes: tuple[ShortHash, ...] = (),
        strength: object = None,
        reference: object = None,
    ) -> None:
        """Keep a model, unless its name says that there is none, or its strength is zero.

        What is said of one name and kind again is joined to it.
        """
        named, amount = line(name), number(strength)
        if named is None or (named.lower() in _NO_NAME and not hashes):
            return
        if amount is not None and not amount.strip("-0."):
            self.notes.add(f"{kind.value} {named} has strength 0 and is not counted")
        elif (named, kind) in self._models:
            self._models[named, kind] = _both(self._models[named, kind], hashes, amount, line(reference))
        elif len(self._models) < MAX_MODELS:
            self._models[named, kind] = ModelClaim(named, kind, hashes, amount, line(reference))
        else:
            self.notes.add(f"more than {MAX_MODELS} models: the rest was left out")

    def prompt(self, role: PromptRole, text: object) -> None:
        """Keep a prompt that is not blank."""
        if not isinstance(text, str) or not (kept := clean(text[:MAX_PROMPT]).strip()):
            return
        if len(text) > MAX_PROMPT or len(self._prompts) >= MAX_PROMPTS:
            self.notes.add(
                f"of prompts, {MAX_PROMPTS} of {MAX_PROMPT:,} characters are read: the rest was left out"
            )
        if len(self._prompts) < MAX_PROMPTS:
            self._prompts[Prompt(role, kept)] = None

    def source_type(self, value: object) -> None:
        """Keep an IPTC digital source type."""
        if (found := line(value)) and len(self._source_types) < MAX_LIST:
            self._source_types[found] = None

    def derived_from(self, value: object) -> None:
        """Keep the name of what it was made from."""
        if (found := line(value)) and len(self._derived) < MAX_LIST:
            self._derived[found] = None

    def account(self) -> Account | None:
        """Return the account; ``None`` where nothing was said."""
        tool, version, service = self._tool
        convention, where, evidence = self._named
        found = Account(
            convention=convention,
            where=where,
            evidence=evidence,
            tool=tool,
            version=version,
            service=service,
            models=tuple(self._models.values()),
            prompts=tuple(self._prompts),
            parameters=dict(self.parameters),
            source_types=tuple(self._source_types),
            derived_from=tuple(self._derived),
            facts=dict(self.facts),
            notes=self.notes.lines(),
        )
        empty = Account(convention=convention, where=where, evidence=evidence)
        return None if found == empty else found


def _both(
    first: ModelClaim, hashes: tuple[ShortHash, ...], strength: str | None, reference: str | None
) -> ModelClaim:
    """Return what a file says of a model in two of its lists."""
    more = tuple(item for item in hashes if item not in first.hashes)
    return replace(
        first,
        hashes=(first.hashes + more)[:8],
        strength=first.strength or strength,
        reference=first.reference or reference,
    )


Reader = Callable[[Texts], Iterator[Draft]]
"""One convention: finds its own among the texts."""


def line(value: object) -> str | None:
    """Return a text or a number as one printable line, ``None`` for anything else and for a blank."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return shown(str(value)) or None


def number(value: object) -> str | None:
    """Return a number, or the text of one, as a plain decimal."""
    text = line(value)
    return decimal_text(text) if text is not None else None


def clean(text: str) -> str:
    """Return the text as UTF-8 can hold it: ``?`` stands for half a surrogate pair."""
    return _SURROGATES.sub("?", text)


def loose_json(text: str) -> Any:
    """Return the value of JSON as generators write it: ``NaN`` and a member given twice do not matter.

    Fractions and numbers of more than 18 digits come as their text. ``None`` for what is no JSON.
    """
    if len(text) > MAX_TEXT_BYTES or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(
            text,
            parse_float=str,
            parse_int=lambda digits: int(digits) if len(digits) <= 18 else digits,
            parse_constant=lambda _: None,
        )
    except (ValueError, RecursionError):
        return None


def loose_object(text: str) -> dict[str, Any]:
    """Return the members of a JSON object, none for anything else."""
    value = loose_json(text)
    return value if isinstance(value, dict) else {}


def members(value: object) -> dict[str, Any]:
    """Return an object's members; anything else has none."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """Return the first items of a list; anything else has none."""
    return value[:MAX_MODELS] if isinstance(value, list) else []


def short_hash(value: object, kind: HashKind | None = None) -> tuple[ShortHash, ...]:
    """Return a hash as it is written: with ``0x``, ``sha256:`` or ``blake3:`` before it, or bare.

    Without ``kind`` the prefix says what it is, else its length: 8, 10 and 64 digits.
    """
    if not isinstance(value, str) or len(value) > 200:
        return ()
    prefix, _, digits = value.strip().lower().rpartition(":")
    digits = digits.removeprefix("0x")
    if not _HEX.fullmatch(digits):
        return ()
    if prefix.startswith("blake3"):
        kind = HashKind.BLAKE3
    elif prefix == "sha256":
        kind = HashKind.SHA256 if len(digits) == 64 else HashKind.AUTOV2
    by_length = {8: HashKind.AUTOV1, 10: HashKind.AUTOV2, 64: HashKind.SHA256}
    return (ShortHash(kind or by_length.get(len(digits), HashKind.OTHER), digits),)
