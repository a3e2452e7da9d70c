"""Cards that learners write themselves."""

import sqlalchemy as sa
from alembic import op

from slopewise.site.storage.tables import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "own_cards",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("front", sa.Text(), nullable=False),
        sa.Column("back", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learners.id"], name="fk_own_cards_learner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_own_cards"),
    )
    op.create_index("ix_own_cards_learner_id", "own_cards", ["learner_id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("own_cards")
