"""Data sets that visitors make, and the trainings on them."""

import sqlalchemy as sa
from alembic import op

from slopewise.site.storage.tables import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "data_guests",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_data_guests"),
    )
    op.create_index("ix_data_guests_used_at", "data_guests", ["used_at"])
    op.create_table(
        "data_sets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=True),
        sa.Column("guest", sa.LargeBinary(32), nullable=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("file_name", sa.String(80), nullable=False),
        sa.Column("made_by", sa.String(10), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("columns", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("share_digest", sa.LargeBinary(32), nullable=True),
        sa.Column("shared_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(learner_id IS NULL) <> (guest IS NULL)", name="ck_data_sets_one_owner"),
        sa.ForeignKeyConstraint(["learner_id"], ["learners.id"], name="fk_data_sets_learner_id"),
        sa.ForeignKeyConstraint(
            ["guest"], ["data_guests.digest"], name="fk_data_sets_guest", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_data_sets"),
        sa.UniqueConstraint("share_digest", name="uq_data_sets_share_digest"),
    )
    op.create_index("ix_data_sets_learner_id", "data_sets", ["learner_id"])
    op.create_index("ix_data_sets_guest", "data_sets", ["guest"])
    op.create_table(
        "data_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("data_set_id", sa.Uuid(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'refused', 'ended')", name="ck_data_runs_state"
        ),
        sa.ForeignKeyConstraint(
            ["data_set_id"], ["data_sets.id"], name="fk_data_runs_data_set_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_data_runs"),
    )
    op.create_index("ix_data_runs_data_set_id", "data_runs", ["data_set_id"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("data_runs")
    op.drop_table("data_sets")
    op.drop_table("data_guests")
