"""Whom to tell of new entries and changed verdicts, and how far they were told."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("log_id", sa.Integer, sa.ForeignKey("log.id"), nullable=False),
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("types", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("claimed", sa.BigInteger),
        sa.Column("previous_secret", sa.Text),
        sa.Column("previous_until", sa.String(32)),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failing_since", sa.String(32)),
        sa.Column("retry_at", sa.String(32)),
        sa.Column("last", sa.Text),
        sa.Column("paused", sa.Text),
        sa.UniqueConstraint("log_id", "id", name="webhook_id"),
    )
