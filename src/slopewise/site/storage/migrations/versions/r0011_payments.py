"""Memberships by subscription: customers, events and errands of the payment service."""

import sqlalchemy as sa
from alembic import op

from slopewise.site.storage.logs import protect, unprotect
from slopewise.site.storage.tables import UtcDateTime

revision = "0011"
down_revision = "0010"

SOURCES_BEFORE, ACTORS_BEFORE = ("code", "owner"), ("account", "owner")


def upgrade() -> None:
    """Make the tables; grants come from payments too, and the payment service acts."""
    op.create_table(
        "payment_customers",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learners.id"], name="fk_payment_customers_learner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_payment_customers"),
    )
    op.create_index("ix_payment_customers_learner_id", "payment_customers", ["learner_id"])
    op.create_table(
        "payment_events",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("customer_id", sa.String(255), nullable=True),
        sa.Column("subscription", sa.String(255), nullable=True),
        sa.Column("invoice", sa.String(255), nullable=True),
        sa.Column("payment", sa.String(255), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["payment_customers.id"],
            name="fk_payment_events_customer_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payment_events"),
    )
    for column in ("customer_id", "invoice", "payment"):
        op.create_index(f"ix_payment_events_{column}", "payment_events", [column])
    op.create_table(
        "payment_errands",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("target", sa.String(255), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("problem", sa.String(200), nullable=False),
        sa.CheckConstraint("kind IN ('forget', 'cancel')", name=op.f("ck_payment_errands_kind")),
        sa.PrimaryKeyConstraint("id", name="pk_payment_errands"),
    )
    for column in ("target", "next_at"):
        op.create_index(f"ix_payment_errands_{column}", "payment_errands", [column])
    _allow("grants", "source", (*SOURCES_BEFORE, "stripe"))
    unprotect("audit")  # SQLite copies the table, and its triggers would be lost
    _allow("audit", "actor", (*ACTORS_BEFORE, "stripe"))
    protect("audit")


def downgrade() -> None:
    """Drop the tables, and the grants that came from payments."""
    op.execute("DELETE FROM grants WHERE source = 'stripe'")
    _allow("grants", "source", SOURCES_BEFORE)
    unprotect("audit")
    op.execute("UPDATE audit SET actor = 'account' WHERE actor = 'stripe'")
    _allow("audit", "actor", ACTORS_BEFORE)
    protect("audit")
    for table in ("payment_errands", "payment_events", "payment_customers"):
        op.drop_table(table)


def _allow(table: str, column: str, values: tuple[str, ...]) -> None:
    """Change what the check of a column allows; SQLite copies the table, and so forgets the old check."""
    name = op.f(f"ck_{table}_{column}")
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(name, table, type_="check")
    with op.batch_alter_table(table) as batch:
        batch.create_check_constraint(
            name, sa.text(f"{column} IN ({', '.join(repr(value) for value in values)})")
        )
