"""A studio's settings: ``studio.json`` in its home."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from ledger.core.fields import Fields, present

SPEC = "https://rakkan.org/studio/v1"


@dataclass(frozen=True, slots=True)
class Settings:
    """``publication`` is an S3 URL, or the folder of the static log, relative to the home when not absolute.

    ``log_key`` is the PKCS#11 URI of the log's key; without one it is a file of the home. ``database`` is the
    URL of the log's PostgreSQL database, not to be shown, for it may hold a password; without one it is the
    SQLite file of the home.
    """

    studio: str
    production: str
    origin: str
    publication: str
    log_key: str | None = None
    database: str | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, str]:
        """Return the document of the file."""
        return present(
            spec=SPEC,
            studio=self.studio,
            production=self.production,
            origin=self.origin,
            publication=self.publication,
            logKey=self.log_key,
            database=self.database,
        )


def format_settings(settings: Settings) -> bytes:
    """Return the file's bytes, laid out for a person to read."""
    return f"{json.dumps(settings.to_json(), ensure_ascii=False, indent=2)}\n".encode()


def read_settings(document: object, code: str) -> Settings:
    """Return the settings that a document holds. Raises ``MalformedError`` with this code."""
    fields = Fields(document, code=code)
    if fields.text("spec") != SPEC:
        raise fields.error("spec", f"must be {SPEC}")
    found = Settings(
        fields.text("studio"),
        fields.text("production"),
        fields.text("origin"),
        fields.text("publication"),
        fields.optional_text("logKey"),
        fields.optional_text("database"),
    )
    fields.end()
    return found
