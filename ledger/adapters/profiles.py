"""Policy profiles as files: the ones that come with Rakkan, and a studio's own.

A name of one that is shipped always means that one. A studio's own file of the same name is given as a path
(``./streamer``).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from ledger.core.rights.profile import Profile
from ledger.core.rights.profile_document import MAX_FILE, parse_profile
from ledger.errors import MalformedError, UsageError
from ledger.service.files import read_whole

_FOLDER = files("ledger") / "profiles"
_SUFFIX = ".toml"
_LONGEST = 4 * MAX_FILE
"""Bytes. UTF-8 takes at most four for a character."""


@cache
def shipped_names() -> tuple[str, ...]:
    """Return the names of the shipped profiles, in alphabetical order."""
    names = (item.name for item in _FOLDER.iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def shipped_text(name: str) -> str:
    """Return the file of a shipped profile. Raises ``UsageError("profile.unknown")``."""
    if name not in shipped_names():
        raise _unknown(name)
    return (_FOLDER / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def load(name_or_path: str) -> Profile:
    """Return a shipped profile by its name, or the one that a file describes.

    Raises ``UsageError`` with ``profile.unknown`` or what ``read_whole`` raises, and
    ``MalformedError("profile.malformed")``.
    """
    if name_or_path in shipped_names():
        return parse_profile(shipped_text(name_or_path))
    path = Path(name_or_path)
    try:
        data = read_whole(path, _LONGEST + 1)
    except UsageError as error:
        if error.code == "file.missing":
            raise _unknown(name_or_path) from error
        raise
    found = parse_profile(_decoded(data, path), {name: shipped_text(name) for name in shipped_names()})
    if found.name in shipped_names() and found != load(found.name):
        raise MalformedError(
            "profile.malformed",
            f"{path}: name is that of a shipped profile, which says something else.",
            path=path,
        )
    return found


def _decoded(data: bytes, path: Path) -> str:
    if len(data) > _LONGEST:
        raise MalformedError(
            "profile.malformed", f"{path} is too large: at most {MAX_FILE:,} characters.", path=path
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError(
            "profile.malformed", f"{path} is not UTF-8, at byte {error.start}.", path=path
        ) from error


def _unknown(name: str) -> UsageError:
    names = ", ".join(shipped_names())
    return UsageError(
        "profile.unknown", f"{name!r} is no file and none of the shipped profiles: {names}.", name=name
    )
