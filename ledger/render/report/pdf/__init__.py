"""The audit report as a document to be set: what the template is given, and the template itself.

``document`` is pure and adds no fact to the report. The template (``*.typ`` beside this file) knows nothing
of reports: it draws blocks. No text of the report is ever a part of its source.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

from ledger.core.audit import Report
from ledger.core.fields import parse_time
from ledger.render.report.ink import VERDICTS
from ledger.render.report.pdf.cells import Ours, cut, moment, plain
from ledger.render.report.pdf.chapters import chapter
from ledger.render.report.pdf.cover import cover

MAIN, SIGNATURE_PAGE = "main.typ", "signature.typ"
TEMPLATE = (MAIN, SIGNATURE_PAGE, "look.typ", "cover.typ", "blocks.typ", "drawings.typ")
DATA, LOOK, ADDRESS = "document.json", "look.json", "address.svg"
"""What the template reads: the document, how states look, and the QR code of its address."""
SIGNATURE = (62, 62, 533, 110)
"""Where on the first page the signature is seen: left, bottom, right, top, in points."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file to attach: its name, what it is in words, its media type."""

    name: str
    what: str
    type: str


def template() -> dict[str, bytes]:
    """Return the template's files by name: ``MAIN`` sets the report, ``SIGNATURE_PAGE`` its signature."""
    here = files(__name__)
    looks = {
        state: {"mark": look.mark, "word": look.word.lower(), "colour": look.colour}
        for state, look in VERDICTS.items()
    }
    return {name: (here / name).read_bytes() for name in TEMPLATE} | {LOOK: json.dumps(looks).encode()}


def document(
    report: Report, pictures: Mapping[str, str], attached: Sequence[Attached], missing: Collection[str] = ()
) -> dict[str, Any]:
    """Return what the template is given.

    ``pictures`` are the names of thumbnails' files by the SHA-256 of what they show, ``missing`` the
    characters that no font here has.
    """
    head = report.head
    at = parse_time(head.at)
    shown = {
        "head": {
            "identifier": head.identifier,
            "title": cut(head.title or head.production),
            "studio": cut(head.studio),
            "view": report.view,
            "root": f"tree {head.size:,} · root {head.root[:12]}…",
            "date": [at.year, at.month, at.day, at.hour, at.minute, at.second],
        },
        "cover": cover(report),
        "chapters": [chapter(report, item, pictures) for item in report.chapters if item.key != "opinion"],
        "address": head.verify is not None,
    }
    found: dict[str, Any] = plain(shown, missing)
    return found | {"attached": [asdict(item) for item in attached]}


def signature(who: str, when: str, key: str, missing: Collection[str] = ()) -> dict[str, Any]:
    """Return what the page of the signature is given: who signs, when, and the SHA-256 (hex) of what with."""
    left, bottom, right, top = SIGNATURE
    shown = {"who": cut(who), "when": moment(when), "key": Ours(key), "size": [right - left, top - bottom]}
    found: dict[str, Any] = plain(shown, missing)
    return found
