"""Accounts, their sessions and links, membership, and the schedules of cards."""

import sqlalchemy as sa
from alembic import op

from slopewise.site.storage.logs import protect, unprotect
from slopewise.site.storage.tables import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables, and let the logs forget a learner who asked for it."""
    _learning()
    _accounts()
    _membership()
    _records()
    unprotect("reviews")
    for table in ("reviews", "card_events"):
        protect(table, may_be_erased=True)
    protect("audit")


def _learning() -> None:
    op.create_table(
        "card_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=True),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('undo', 'suspend', 'resume')", name=op.f("ck_card_events_kind")),
        sa.CheckConstraint(
            "(kind = 'undo') = (review_id IS NOT NULL)", name=op.f("ck_card_events_undo_names_a_review")
        ),
        sa.ForeignKeyConstraint(["learner_id"], ["learners.id"], name="fk_card_events_learner_id"),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_card_events_review_id"),
        sa.PrimaryKeyConstraint("id", name="pk_card_events"),
    )
    op.create_index("ix_card_events_learner_id_card_id", "card_events", ["learner_id", "card_id"])
    op.create_index("ix_card_events_review_id", "card_events", ["review_id"])
    op.create_table(
        "card_states",
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("phase", sa.String(10), nullable=False),
        sa.Column("stability", sa.Double(), nullable=True),
        sa.Column("difficulty", sa.Double(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("first_at", UtcDateTime(), nullable=True),
        sa.Column("last_at", UtcDateTime(), nullable=True),
        sa.Column("reviews", sa.Integer(), nullable=False),
        sa.Column("lapses", sa.Integer(), nullable=False),
        sa.Column("is_suspended", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learners.id"], name="fk_card_states_learner_id"),
        sa.PrimaryKeyConstraint("learner_id", "card_id", name="pk_card_states"),
    )
    op.create_index("ix_card_states_learner_id_due_at", "card_states", ["learner_id", "due_at"])
    op.create_table(
        "progress",
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("item", sa.String(120), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('answer', 'draft', 'last')", name=op.f("ck_progress_kind")),
        sa.ForeignKeyConstraint(["learner_id"], ["learners.id"], name="fk_progress_learner_id"),
        sa.PrimaryKeyConstraint("learner_id", "kind", "item", name="pk_progress"),
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("email_key", sa.String(254), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=True),
        sa.Column("display_name", sa.String(60), nullable=False),
        sa.Column("time_zone", sa.String(60), nullable=False),
        sa.Column("rollover_hour", sa.SmallInteger(), nullable=False),
        sa.Column("new_per_day", sa.SmallInteger(), nullable=False),
        sa.Column("is_owner", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learners.id"], name="fk_accounts_learner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("learner_id", name="uq_accounts_learner_id"),
        sa.UniqueConstraint("email_key", name="uq_accounts_email_key"),
    )
    op.create_table(
        "login_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_login_sessions_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_login_sessions"),
        sa.UniqueConstraint("digest", name="uq_login_sessions_digest"),
    )
    op.create_index("ix_login_sessions_account_id", "login_sessions", ["account_id"])
    op.create_table(
        "mail_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(10), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("purpose IN ('sign-up', 'reset', 'email')", name=op.f("ck_mail_tokens_purpose")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_mail_tokens_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_mail_tokens"),
        sa.UniqueConstraint("digest", name="uq_mail_tokens_digest"),
    )
    op.create_index("ix_mail_tokens_account_id", "mail_tokens", ["account_id"])


def _membership() -> None:
    op.create_table(
        "codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("redeemed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("days BETWEEN 1 AND 3660", name=op.f("ck_codes_days")),
        sa.PrimaryKeyConstraint("id", name="pk_codes"),
        sa.UniqueConstraint("digest", name="uq_codes_digest"),
    )
    op.create_table(
        "grants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(10), nullable=False),
        sa.Column("code_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("source IN ('code', 'owner')", name=op.f("ck_grants_source")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_grants_account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["code_id"], ["codes.id"], name="fk_grants_code_id"),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
        sa.UniqueConstraint("code_id", name="uq_grants_code_id"),
    )
    op.create_index("ix_grants_account_id", "grants", ["account_id"])


def _records() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(10), nullable=False),
        sa.Column("action", sa.String(30), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("actor IN ('account', 'owner')", name=op.f("ck_audit_actor")),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_table(
        "erasures",
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("erased_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("learner_id", name="pk_erasures"),
    )


def downgrade() -> None:
    """Drop the tables, and protect the reviews as before."""
    for table in ("reviews", "card_events", "audit"):
        unprotect(table)
    for table in (
        *("erasures", "audit", "grants", "codes", "mail_tokens", "login_sessions", "accounts"),
        *("progress", "card_states", "card_events"),
    ):
        op.drop_table(table)
    protect("reviews")
