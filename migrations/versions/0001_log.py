"""The log: entries, what is computed from them, and the erasable openings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _truth()
    _tree()
    _searches()
    op.create_table(
        "opening",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("disclosure", sa.Text, nullable=False),
    )


def _log_id() -> sa.Column[int]:
    return sa.Column("log_id", sa.Integer, sa.ForeignKey("log.id"), nullable=False)


def _truth() -> None:
    op.create_table(
        "log",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("origin", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "entry",
        _log_id(),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("received_at", sa.String(32), nullable=False),
        sa.UniqueConstraint("log_id", "idx", name="entry_idx"),
        sa.UniqueConstraint("log_id", "leaf_hash", name="entry_leaf_hash"),
    )


def _tree() -> None:
    op.create_table(
        "tile",
        _log_id(),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("log_id", "level", "idx", name="tile_idx"),
    )
    op.create_table(
        "head",
        _log_id(),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("peaks", sa.LargeBinary, nullable=False),
        sa.Column("checkpoint", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("log_id", name="head_log"),
    )


def _searches() -> None:
    op.create_table(
        "statement",
        _log_id(),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("predicate_type", sa.Text, nullable=False),
        sa.Column("keyid", sa.Text, nullable=False),
        sa.UniqueConstraint("log_id", "idx", name="statement_idx"),
    )
    op.create_index("statement_predicate_type", "statement", ["log_id", "predicate_type", "idx"])
    op.create_table(
        "artifact",
        _log_id(),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("pixels", sa.String(64)),
        sa.UniqueConstraint("log_id", "idx", "seq", name="artifact_idx"),
    )
    op.create_index("artifact_sha256", "artifact", ["log_id", sa.text("substr(sha256, 1, 16)")])
    seen = sa.text("pixels IS NOT NULL")
    op.create_index(
        "artifact_pixels",
        "artifact",
        ["log_id", sa.text("substr(pixels, 1, 16)")],
        sqlite_where=seen,
        postgresql_where=seen,
    )
