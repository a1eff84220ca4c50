"""Decisions that one person proposed and another one has not confirmed yet."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "proposal",
        sa.Column("log_id", sa.Integer, sa.ForeignKey("log.id"), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("declined", sa.Text),
        sa.UniqueConstraint("log_id", "id", name="proposal_id"),
    )
