"""Live trainings that several server processes share, and indexes for learners with many cards."""

import sqlalchemy as sa
from alembic import op

from slopewise.site.storage.tables import UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables and the indexes."""
    op.create_table(
        "live_jobs",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("network", sa.String(64), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("test_set", sa.String(64), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("is_test_open", sa.Boolean(), nullable=False),
        sa.Column("waits_since", sa.Double(), nullable=False),
        sa.Column("wishes", sa.JSON(), nullable=False),
        sa.Column("server", sa.String(32), nullable=False),
        sa.Column("wished_at", UtcDateTime(), nullable=False),
        sa.Column("beat_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_live_jobs"),
        sa.UniqueConstraint("owner", name="uq_live_jobs_owner"),
    )
    for column in ("network", "server", "beat_at"):
        op.create_index(f"ix_live_jobs_{column}", "live_jobs", [column])
    op.create_table(
        "test_openings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("test_set", sa.String(64), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_test_openings"),
    )
    op.create_index("ix_test_openings_owner_test_set", "test_openings", ["owner", "test_set"])
    op.create_index("ix_test_openings_opened_at", "test_openings", ["opened_at"])
    op.create_index(
        "ix_imported_cards_learner_id_created_at_id", "imported_cards", ["learner_id", "created_at", "id"]
    )
    op.create_index("ix_reviews_learner_id_reviewed_at_id", "reviews", ["learner_id", "reviewed_at", "id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_reviews_learner_id_reviewed_at_id", "reviews")
    op.drop_index("ix_imported_cards_learner_id_created_at_id", "imported_cards")
    for table in ("test_openings", "live_jobs"):
        op.drop_table(table)
