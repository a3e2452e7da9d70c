"""The curves of trainings under way, which several server processes share."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "curve_pieces",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["data_runs.id"], name="fk_curve_pieces_run_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "first", name="pk_curve_pieces"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("curve_pieces")
