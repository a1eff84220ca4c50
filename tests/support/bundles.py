"""Evidence bundles to be damaged: taken apart, changed, and put together again as a forger would."""

from __future__ import annotations

import io
from collections.abc import Mapping
from hashlib import sha256

from ledger.adapters.bundles import stored
from ledger.core import canonical
from ledger.core.audit.bundle import MANIFEST, SIGNATURE, SUMS
from ledger.errors import RakkanError
from ledger.verifier.anchors import Given
from ledger.verifier.archive import Archive
from ledger.verifier.outcome import Outcome
from ledger.verifier.verify import verify


def judged(data: bytes, trust: bytes | None) -> Outcome:
    """Return what the verifier says of a bundle. Raises for what is none."""
    return verify(Archive(io.BytesIO(data)), Given(trust=trust))


def exit_code(data: bytes, trust: bytes | None) -> int:
    """Return the exit code of the command."""
    try:
        return judged(data, trust).exit_code
    except RakkanError as error:
        return 3 if error.exit_code == 3 else 2


def said(outcome: Outcome) -> str:
    """Return all that was said of what did not pass."""
    return "\n".join(words for check in outcome.checks if check.result != "passed" for words in check.said)


def opened(data: bytes) -> dict[str, bytes]:
    """Return the files of a bundle, in order."""
    archive = Archive(io.BytesIO(data))
    return {name: archive.read(name) for name in archive.members}


def forged(files: Mapping[str, bytes | None]) -> bytes:
    """Return a bundle of these files with a manifest and checksums that fit; ``None`` leaves a file out."""
    held = {name: data for name, data in files.items() if data is not None}
    body = {name: data for name, data in held.items() if name not in (MANIFEST, SIGNATURE, SUMS)}
    body[SUMS] = "".join(f"{sha256(data).hexdigest()}  {name}\n" for name, data in body.items()).encode()
    listed = [
        {"path": name, "size": len(data), "sha256": sha256(data).hexdigest()} for name, data in body.items()
    ]
    manifest = canonical.encode({**canonical.decode(held[MANIFEST]), "files": listed})
    last = {SIGNATURE: held[SIGNATURE]} if SIGNATURE in held else {}
    return stored({**body, MANIFEST: manifest, **last}.items())
