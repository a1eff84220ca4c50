"""What a carrier hands over: bytes at a place of a file, and texts, all within limits."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import BinaryIO

from ledger.adapters.intake.values import Notes
from ledger.adapters.said.draft import MAX_TEXT_BYTES, Text, Texts

MAX_TEXTS = 1000
MAX_TOTAL = 32 << 20
"""Bytes of all texts of one file together."""


@dataclass(slots=True)
class Carried:
    """The texts found so far, and what could not be taken."""

    texts: Texts = field(default_factory=Texts)
    notes: Notes = field(default_factory=Notes)
    total: int = 0

    def add(self, where: str, key: str, text: str) -> None:
        """Keep a text, if there is room for it."""
        self.total += len(text)
        if not text.strip("\x00 \r\n\t"):
            return
        if len(text) > MAX_TEXT_BYTES:
            self.notes.add(f"{where} {key[:80]} holds more than {MAX_TEXT_BYTES:,} bytes and was left out")
        elif self.total > MAX_TOTAL or len(self.texts) >= MAX_TEXTS:
            self.notes.add("the file carries more text than is read: the rest was left out")
        else:
            self.texts.append(Text(where, key[:200], text))

    def fits(self, where: str, size: int) -> bool:
        """Whether so many bytes may be read; if not, a note says what was left out."""
        if size > MAX_TEXT_BYTES:
            self.notes.add(f"{where} of {size:,} bytes was left out")
        return size <= MAX_TEXT_BYTES


def at(file: BinaryIO, offset: int, size: int) -> bytes:
    """Return ``size`` bytes at ``offset``, fewer where the file ends before. Raises ``OSError``."""
    if offset < 0 or size <= 0 or offset >= 1 << 62:
        return b""
    file.seek(offset)
    return file.read(min(size, MAX_TEXT_BYTES))


def inflated(data: bytes) -> bytes | None:
    """Return what zlib's bytes hold; ``None`` where they are damaged or hold more than a text may."""
    unpack = zlib.decompressobj()
    try:
        found = unpack.decompress(data, MAX_TEXT_BYTES + 1)
    except zlib.error:
        return None
    return None if len(found) > MAX_TEXT_BYTES or not unpack.eof else found


def decoded(data: bytes) -> str:
    """Return the text: UTF-8, which many write where Latin-1 is asked for, else Latin-1."""
    data = data.rstrip(b"\x00")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")
