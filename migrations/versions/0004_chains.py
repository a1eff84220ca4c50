"""Each device's own chain of records: the number of a record, and the device's time."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_NUMBERED = sa.text("sequence IS NOT NULL")


def upgrade() -> None:
    # No row has them: what was recorded before there were chains has no number.
    op.add_column("statement", sa.Column("sequence", sa.BigInteger))
    op.add_column("statement", sa.Column("captured", sa.Text))
    op.create_index(
        "statement_chain",
        "statement",
        ["log_id", "keyid", "sequence"],
        sqlite_where=_NUMBERED,
        postgresql_where=_NUMBERED,
    )
