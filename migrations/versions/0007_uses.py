"""Who made a file and who used it are found apart, in the order of the log, however many there are."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.drop_index("artifact_sha256", "artifact")
    op.create_index(
        "artifact_sha256",
        "artifact",
        [
            "log_id",
            sa.text("substr(sha256, 1, 16)"),
            sa.text("(CASE role WHEN 'subject' THEN 0 ELSE 1 END)"),
            "idx",
        ],
    )
