"""What pictures and films say of how they were made, as accounts that nobody has checked.

* ``read_said`` tells the format by the content. Carriers (``stills``, ``films``, ``exif``, ``iptc``) find the
  texts, conventions (``a1111``, ``comfyui`` …) understand them: any convention may stand in any carrier.
* Everything is bounded, and nothing that a file holds raises: what cannot be read becomes a note.
* No prose is read, no pixel is decoded, nothing is fetched.

What is read from where, and its traps: docs/spec/said.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from ledger.adapters.said import a1111, comfyui, films, invokeai, manifest, plain, services, stills, xmp
from ledger.adapters.said.carried import Carried
from ledger.adapters.said.draft import Draft, Reader, Texts
from ledger.core.containers.formats import HEAD, sniff
from ledger.core.manifest import Reading
from ledger.core.said import Account, Said

READERS: tuple[Reader, ...] = (
    a1111.read,
    comfyui.read,
    invokeai.read,
    services.read_novelai,
    services.read_fooocus,
    services.read_swarmui,
    xmp.read,
)
"""One for each convention, in the order in which accounts stand."""

_STILLS: dict[str, Callable[[BinaryIO, Carried], None]] = {
    "image/png": stills.take_png,
    "image/jpeg": stills.take_jpeg,
    "image/webp": stills.take_webp,
    "image/tiff": stills.take_tiff,
    "image/x-adobe-dng": stills.take_tiff,
    "image/vnd.adobe.photoshop": stills.take_psd,
}


def read_said(path: Path, reading: Reading | None = None) -> Said:
    """Return what the file says, and what its manifest says, where the caller has read one.

    Raises ``OSError``.
    """
    carried = Carried()
    with path.open("rb") as file:
        media_type = sniff(file.read(HEAD), path.name)
        if media_type in _STILLS:
            _STILLS[media_type](file, carried)
    if media_type == "image/x-exr":
        films.take_exr(path, carried)
    elif media_type in films.FILMS:
        films.take_film(path, media_type, carried)
    elif media_type not in _STILLS:
        carried.notes.add(f"{media_type} is no format whose texts are read here")
    drafts = [manifest.draft_of(reading)] if reading is not None else []
    return Said(media_type, accounts_of(carried.texts, drafts), carried.notes.lines())


def accounts_of(texts: Texts, drafts: Sequence[Draft] = ()) -> tuple[Account, ...]:
    """Return ``drafts`` and what the texts say, as accounts; last those of no convention."""
    drafts = [*drafts, *(draft for read in READERS for draft in read(texts))]
    found = [account for draft in drafts if (account := draft.account()) is not None]
    shown = frozenset(account.where for account in found)
    prompts = frozenset(prompt.text for account in found for prompt in account.prompts)
    rest = (draft.account() for draft in plain.read(texts, shown, prompts))
    return (*found, *(account for account in rest if account is not None))
