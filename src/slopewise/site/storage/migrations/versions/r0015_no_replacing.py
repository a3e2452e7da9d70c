"""Logs refuse INSERT OR REPLACE, too: with SQLite it went past their triggers."""

from alembic import op

from slopewise.site.storage.logs import protect, unprotect

revision = "0015"
down_revision = "0014"
_LOGS = {"reviews": True, "card_events": True, "audit": False}  # whether rows may be erased


def upgrade() -> None:
    """Make the triggers anew. PostgreSQL has no such statement, and its triggers hear of all others."""
    if op.get_context().dialect.name == "postgresql":
        return
    for table, may_be_erased in _LOGS.items():
        unprotect(table)
        protect(table, may_be_erased=may_be_erased)


def downgrade() -> None:
    """Drop what is new."""
    if op.get_context().dialect.name == "postgresql":
        return
    for table in _LOGS:
        op.execute(f"DROP TRIGGER IF EXISTS {table}_no_replace")
