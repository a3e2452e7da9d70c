"""What bounds on writing look for: entries of a day, and the network that a visitor's data came from."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the indexes and the column."""
    for table in ("reviews", "card_events"):
        op.create_index(f"ix_{table}_learner_id_received_at", table, ["learner_id", "received_at"])
    op.add_column("data_guests", sa.Column("network", sa.LargeBinary(32), nullable=True))
    op.create_index("ix_data_guests_network", "data_guests", ["network"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_data_guests_network", "data_guests")
    op.drop_column("data_guests", "network")
    for table in ("card_events", "reviews"):
        op.drop_index(f"ix_{table}_learner_id_received_at", table)
