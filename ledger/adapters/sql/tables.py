"""The tables, as ``migrations/`` makes them.

* ``log`` and ``entry`` are the truth. ``tile``, ``head``, ``statement`` and ``artifact`` are projections of
  the entries; so are the tables whose names begin with ``basis``, which are caught up when they are asked.
  ``checkpoint`` holds what witnesses cosigned: evidence, which no entry can bring back.
  ``opening`` belongs to no log, and its rows may be erased. ``credential`` belongs to no log either: what
  the server gave to people and programs, which no entry can bring back and ``rebuild`` leaves alone.
  ``proposal`` holds what waits for a second person: nothing of the log yet.
  ``webhook`` holds whom to tell of a log's entries and how far they were told: it is no projection, and its
  secrets are in no other place.
* ``log.frozen`` is the reason for which a log was given up; null for one that is in use.
* Every table of a log carries ``log_id``: one database may hold many logs.
* The foreign keys of ``entry``, ``statement`` and ``artifact`` exist on SQLite only: see migration 0002. The
  rows of a basis have none: they are many, and come with their log's number from one place.
* Hashes of the tree are raw bytes; digests that people search for are hex text.
* ``artifact.seq`` counts the rows of an entry in the projector's order. It is the key, and nothing that an
  entry says about its files is: two equal rows must not stop the entry from being stored.
* Digests are indexed by their first 16 digits. Whole ones would cost half of the time of an append, because
  every one of them lands on another page. What made a file stands apart there from what used it, each in the
  order of the log: a model is made once and used a million times.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

REVISION = "0009"
"""The Alembic revision that this code reads and writes."""

metadata = MetaData()
_SEEN = text("pixels IS NOT NULL")
_NUMBERED = text("sequence IS NOT NULL")
_IN_EPISODE = text("episode IS NOT NULL")
USED = "CASE role WHEN 'subject' THEN 0 ELSE 1 END"
"""Whether a row is of what an entry used: an index on it is used where a query spells it in the same way."""


def _log_id() -> Column[int]:
    return Column("log_id", Integer, ForeignKey("log.id"), nullable=False)


def _plain_log_id() -> Column[int]:
    return Column("log_id", Integer, nullable=False)


log = Table(
    "log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("origin", Text, nullable=False, unique=True),
    Column("frozen", Text),
)

entry = Table(
    "entry",
    metadata,
    _log_id(),
    Column("idx", BigInteger, nullable=False),
    Column("leaf_hash", LargeBinary(32), nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("received_at", String(32), nullable=False),
    UniqueConstraint("log_id", "idx", name="entry_idx"),
    UniqueConstraint("log_id", "leaf_hash", name="entry_leaf_hash"),
)

tile = Table(
    "tile",
    metadata,
    _log_id(),
    Column("level", Integer, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    UniqueConstraint("log_id", "level", "idx", name="tile_idx"),
)

head = Table(
    "head",
    metadata,
    _log_id(),
    Column("size", BigInteger, nullable=False),
    Column("peaks", LargeBinary, nullable=False),
    Column("checkpoint", LargeBinary, nullable=False),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("log_id", name="head_log"),
)

statement = Table(
    "statement",
    metadata,
    _log_id(),
    Column("idx", BigInteger, nullable=False),
    Column("predicate_type", Text, nullable=False),
    Column("keyid", Text, nullable=False),
    Column("sequence", BigInteger),
    Column("captured", Text),
    UniqueConstraint("log_id", "idx", name="statement_idx"),
    Index("statement_predicate_type", "log_id", "predicate_type", "idx"),
    Index(
        "statement_chain",
        "log_id",
        "keyid",
        "sequence",
        sqlite_where=_NUMBERED,
        postgresql_where=_NUMBERED,
    ),
)

artifact = Table(
    "artifact",
    metadata,
    _log_id(),
    Column("idx", BigInteger, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("pixels", String(64)),
    UniqueConstraint("log_id", "idx", "seq", name="artifact_idx"),
    Index("artifact_sha256", "log_id", text("substr(sha256, 1, 16)"), text(f"({USED})"), "idx"),
    Index(
        "artifact_pixels", "log_id", text("substr(pixels, 1, 16)"), sqlite_where=_SEEN, postgresql_where=_SEEN
    ),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    _log_id(),
    Column("size", BigInteger, nullable=False),
    Column("note", LargeBinary, nullable=False),
    UniqueConstraint("log_id", "size", name="checkpoint_size"),
)

basis_mark = Table(
    "basis_mark",
    metadata,
    _log_id(),
    Column("size", BigInteger, nullable=False),
    Column("item_count", Integer, nullable=False),
    Column("basis_count", Integer, nullable=False),
    Column("root", LargeBinary, nullable=False),
    UniqueConstraint("log_id", name="basis_mark_log"),
)

basis_item = Table(
    "basis_item",
    metadata,
    _plain_log_id(),
    Column("id", Integer, nullable=False),
    Column("key", LargeBinary(32), nullable=False),
    Column("kind", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("evidence", Text, nullable=False),
    UniqueConstraint("log_id", "id", name="basis_item_id"),
    UniqueConstraint("log_id", "key", name="basis_item_key"),
    Index("basis_item_sha256", "log_id", "sha256"),
)

basis = Table(
    "basis",
    metadata,
    _plain_log_id(),
    Column("id", Integer, nullable=False),
    Column("key", LargeBinary(32), nullable=False),
    Column("members", LargeBinary, nullable=False),
    UniqueConstraint("log_id", "id", name="basis_id"),
    UniqueConstraint("log_id", "key", name="basis_key"),
)

basis_entry = Table(
    "basis_entry",
    metadata,
    _plain_log_id(),
    Column("idx", BigInteger, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("basis", Integer, nullable=False),
    Column("flaw", Text, nullable=False),
    Column("sequence", Text),
    Column("shot", Text),
    Column("task", Text),
    Column("version", Text),
    Column("first_frame", BigInteger),
    Column("last_frame", BigInteger),
    Column("slot", Integer),
    Column("episode", Text),
    UniqueConstraint("log_id", "idx", name="basis_entry_idx"),
    Index("basis_entry_basis", "log_id", "basis"),
    Index("basis_entry_shot", "log_id", "shot", "sequence"),
    Index(
        "basis_entry_episode",
        "log_id",
        "episode",
        "sequence",
        sqlite_where=_IN_EPISODE,
        postgresql_where=_IN_EPISODE,
    ),
)

basis_final = Table(
    "basis_final",
    metadata,
    _plain_log_id(),
    Column("idx", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("basis", Integer, nullable=False),
    UniqueConstraint("log_id", "idx", "position", name="basis_final_idx"),
)

BASES = (basis_mark, basis_item, basis, basis_entry, basis_final)
"""What is caught up when it is asked."""

opening = Table(
    "opening",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("disclosure", Text, nullable=False),
)

credential = Table(
    "credential",
    metadata,
    Column("identifier", String(16), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("label", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("party", Text),
    Column("maker", Text, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("target", Text, nullable=False),
    Column("ended", BigInteger),
    Column("used", BigInteger),
    Column("uses", BigInteger, nullable=False),
    Index("credential_kind", "kind", "made"),
)

proposal = Table(
    "proposal",
    metadata,
    _log_id(),
    Column("id", String(32), nullable=False),
    Column("document", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("declined", Text),
    UniqueConstraint("log_id", "id", name="proposal_id"),
)

webhook = Table(
    "webhook",
    metadata,
    _log_id(),
    Column("id", String(16), nullable=False),
    Column("url", Text, nullable=False),
    Column("types", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created", String(32), nullable=False),
    Column("secret", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("claimed", BigInteger),
    Column("previous_secret", Text),
    Column("previous_until", String(32)),
    Column("failures", Integer, nullable=False),
    Column("failing_since", String(32)),
    Column("retry_at", String(32)),
    Column("last", Text),
    Column("paused", Text),
    UniqueConstraint("log_id", "id", name="webhook_id"),
)
