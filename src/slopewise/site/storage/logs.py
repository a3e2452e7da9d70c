"""Tables to which rows are only added: triggers refuse everything else, on either database."""

from __future__ import annotations

from alembic import op

_ERASED = "EXISTS (SELECT 1 FROM erasures WHERE learner_id = OLD.learner_id)"


def protect(table: str, *, may_be_erased: bool = False) -> None:
    """Let rows be added to a table only.

    For migrations. Rows may be deleted nevertheless if `may_be_erased`, and their learner stands in
    `erasures`: `storage.erasure` is the one procedure that writes there.
    """
    if op.get_context().dialect.name == "postgresql":
        _protect_on_postgresql(table, may_be_erased)
        return
    for action in ("UPDATE", "DELETE"):
        exception = f"WHEN NOT ({_ERASED}) " if may_be_erased and action == "DELETE" else ""
        op.execute(
            f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} {exception}"
            f"BEGIN SELECT RAISE(ABORT, '{table}: rows are added only'); END"
        )
    # INSERT OR REPLACE deletes the row that is there, and no trigger hears of that
    op.execute(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id OR rowid = NEW.rowid) "
        f"BEGIN SELECT RAISE(ABORT, '{table}: rows are added only, each once'); END"
    )


def unprotect(table: str) -> None:
    """Drop the triggers of a table."""
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"DROP FUNCTION {table}_is_a_log CASCADE")
        return
    for action in ("update", "delete", "replace"):  # the last is not there in what an older release made
        op.execute(f"DROP TRIGGER IF EXISTS {table}_no_{action}")


def _protect_on_postgresql(table: str, may_be_erased: bool) -> None:
    exception = (
        f"IF TG_OP = 'DELETE' THEN IF {_ERASED} THEN RETURN OLD; END IF; END IF; " if may_be_erased else ""
    )
    op.execute(
        f"CREATE OR REPLACE FUNCTION {table}_is_a_log() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN {exception}RAISE EXCEPTION '{table}: rows are added only' "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_is_a_log()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_a_log()"
    )
