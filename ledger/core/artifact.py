"""A file, model or dataset as statements name it: an in-toto ResourceDescriptor with two identities.

``sha256`` is of the bytes and is the only entry in ``digest``: an in-toto matcher treats any common digest as
the same artifact, and the same picture in other bytes is not the same file. The pixel digest
(docs/spec/pixels.md) therefore stands in ``annotations``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ledger.core.digest import sha256_hex
from ledger.core.fields import Fields, present


class Role(StrEnum):
    """What a material was to the step that used it."""

    PARENT = "parent"
    """The file that was edited: the output is its next version."""
    COMPONENT = "component"
    """A file that is visible in the output."""
    REFERENCE = "reference"
    """A file that guided the work and is not itself visible."""
    MODEL = "model"
    DATASET = "dataset"
    CONTROL = "control"
    """A picture that steered the composition: a pose, a depth map, a line drawing."""
    INPAINT = "inpaint"
    """A picture part of which was painted over."""


ROLES_V1 = frozenset((Role.PARENT, Role.COMPONENT, Role.REFERENCE, Role.MODEL, Role.DATASET))
"""The roles that ``step/v1`` knows. A published version never learns another one."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One subject (``role`` is ``None``) or material. ``sha256`` and ``pixels`` are hex."""

    name: str
    sha256: str
    media_type: str | None = None
    pixels: str | None = None
    role: Role | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the ResourceDescriptor."""
        return present(
            name=self.name,
            digest={"sha256": self.sha256},
            mediaType=self.media_type,
            annotations=present(pixels=self.pixels, role=self.role and self.role.value),
        )


def named(kind: str, name: str) -> Artifact:
    """Return how statements name a thing without bytes of its own, or whose bytes nobody here knows.

    Its digest is the SHA-256 of the UTF-8 of ``urn:rakkan:<kind>:<name>`` (docs/spec/predicates.md).
    """
    return Artifact(name, sha256_hex(f"urn:rakkan:{kind}:{name}".encode()))


def read_artifact(value: Any, path: str, roles: frozenset[Role] = frozenset()) -> Artifact:
    """Return the artifact: a material in one of these ``roles``, a subject where there are none.

    Raises ``MalformedError("statement.field")`` naming the field.
    """
    fields = Fields(value, path)
    digest = fields.sub("digest")
    sha256 = digest.sha256("sha256")
    digest.end()
    pixels, role = _annotations(fields, roles)
    found = Artifact(fields.text("name"), sha256, fields.optional_text("mediaType"), pixels, role)
    fields.end()
    return found


def _annotations(fields: Fields, roles: frozenset[Role]) -> tuple[str | None, Role | None]:
    if not fields.has("annotations"):
        if roles:
            raise fields.error("annotations.role", "is missing")
        return None, None
    notes = fields.sub("annotations")
    pixels = notes.sha256("pixels") if notes.has("pixels") else None
    role = notes.choice("role", Role) if roles else None
    if role is not None and role not in roles:
        raise notes.error("role", f"cannot be {role.value!r}")
    notes.end()
    if pixels is None and role is None:
        raise fields.error("annotations", "must not be an empty object: leave it out")
    return pixels, role
