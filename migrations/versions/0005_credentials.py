"""Credentials that the server made: tokens, sessions, links, sign-ins. Of their texts, only digests."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "credential",
        sa.Column("identifier", sa.String(16), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("party", sa.Text),
        sa.Column("maker", sa.Text, nullable=False),
        sa.Column("made", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("ended", sa.BigInteger),
        sa.Column("used", sa.BigInteger),
        sa.Column("uses", sa.BigInteger, nullable=False),
    )
    op.create_index("credential_kind", "credential", ["kind", "made"])
