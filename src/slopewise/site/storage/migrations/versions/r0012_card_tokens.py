"""Tokens for reviewing cards outside of a browser."""

import sqlalchemy as sa
from alembic import op

from slopewise.site.storage.tables import UtcDateTime

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "card_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_card_tokens_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_card_tokens"),
        sa.UniqueConstraint("digest", name="uq_card_tokens_digest"),
    )
    op.create_index("ix_card_tokens_account_id", "card_tokens", ["account_id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("card_tokens")
