"""The episode of a step's place. No entry before this one says any: what is there stays as it is."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("basis_entry", sa.Column("episode", sa.Text))
    some = sa.text("episode IS NOT NULL")
    op.create_index(
        "basis_entry_episode",
        "basis_entry",
        ["log_id", "episode", "sequence"],
        sqlite_where=some,
        postgresql_where=some,
    )
