"""The bases of the entries: what every recorded file rests on."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "basis_mark",
        sa.Column("log_id", sa.Integer, sa.ForeignKey("log.id"), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("item_count", sa.Integer, nullable=False),
        sa.Column("basis_count", sa.Integer, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("log_id", name="basis_mark_log"),
    )
    _interned()
    _entries()
    op.create_table(
        "basis_final",
        sa.Column("log_id", sa.Integer, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("basis", sa.Integer, nullable=False),
        sa.UniqueConstraint("log_id", "idx", "position", name="basis_final_idx"),
    )


def _interned() -> None:
    op.create_table(
        "basis_item",
        sa.Column("log_id", sa.Integer, nullable=False),
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.UniqueConstraint("log_id", "id", name="basis_item_id"),
        sa.UniqueConstraint("log_id", "key", name="basis_item_key"),
    )
    op.create_index("basis_item_sha256", "basis_item", ["log_id", "sha256"])
    op.create_table(
        "basis",
        sa.Column("log_id", sa.Integer, nullable=False),
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("members", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("log_id", "id", name="basis_id"),
        sa.UniqueConstraint("log_id", "key", name="basis_key"),
    )


def _entries() -> None:
    op.create_table(
        "basis_entry",
        sa.Column("log_id", sa.Integer, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("basis", sa.Integer, nullable=False),
        sa.Column("flaw", sa.Text, nullable=False),
        sa.Column("sequence", sa.Text),
        sa.Column("shot", sa.Text),
        sa.Column("task", sa.Text),
        sa.Column("version", sa.Text),
        sa.Column("first_frame", sa.BigInteger),
        sa.Column("last_frame", sa.BigInteger),
        sa.Column("slot", sa.Integer),
        sa.UniqueConstraint("log_id", "idx", name="basis_entry_idx"),
    )
    op.create_index("basis_entry_basis", "basis_entry", ["log_id", "basis"])
    op.create_index("basis_entry_shot", "basis_entry", ["log_id", "shot", "sequence"])
