"""What several server processes must know of each other, backups, and which owner did what."""

import sqlalchemy as sa
from alembic import op

from slopewise.site.storage.tables import UtcDateTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "tries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tries"),
    )
    op.create_index("ix_tries_key_expires_at", "tries", ["key", "expires_at"])
    op.create_index("ix_tries_expires_at", "tries", ["expires_at"])
    op.create_table(
        "backups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("revision", sa.String(32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_backups"),
    )
    op.create_index("ix_backups_made_at", "backups", ["made_at"])
    op.add_column("audit", sa.Column("actor_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    """Drop the tables and the column."""
    op.drop_column("audit", "actor_id")
    for table in ("backups", "tries"):
        op.drop_table(table)
