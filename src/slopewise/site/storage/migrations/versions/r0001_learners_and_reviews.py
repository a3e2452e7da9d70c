"""Learners, and the log of their reviews."""

import sqlalchemy as sa
from alembic import op

from slopewise.site.storage.logs import protect, unprotect
from slopewise.site.storage.tables import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make both tables, and the triggers that keep the log a log."""
    op.create_table(
        "learners",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_learners"),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("reviewed_at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("scheduler", sa.String(40), nullable=False),
        sa.CheckConstraint("grade BETWEEN 1 AND 4", name=op.f("ck_reviews_grade")),
        sa.ForeignKeyConstraint(["learner_id"], ["learners.id"], name="fk_reviews_learner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
    )
    op.create_index(
        "ix_reviews_learner_id_card_id_reviewed_at", "reviews", ["learner_id", "card_id", "reviewed_at"]
    )
    protect("reviews")


def downgrade() -> None:
    """Drop both tables."""
    unprotect("reviews")
    op.drop_table("reviews")
    op.drop_table("learners")
