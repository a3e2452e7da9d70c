"""Content archives that the owner loaded."""

import sqlalchemy as sa
from alembic import op

from slopewise.site.storage.tables import UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "loaded_archives",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("loaded_at", UtcDateTime(), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_loaded_archives"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("loaded_archives")
