"""Cards made from predictions, and progress of more kinds: predictions, prompts, lessons marked as done."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

KINDS_BEFORE = ("answer", "draft", "last")
KINDS = (*KINDS_BEFORE, "prediction", "prompt", "done")


def upgrade() -> None:
    """Add the column, and let progress be of more kinds."""
    op.add_column("own_cards", sa.Column("source", sa.String(2000), nullable=True))
    _allow(KINDS)


def downgrade() -> None:
    """Drop the column and what is of the kinds that go."""
    kinds = ", ".join(f"'{kind}'" for kind in KINDS_BEFORE)
    op.execute(f"DELETE FROM progress WHERE kind NOT IN ({kinds})")
    _allow(KINDS_BEFORE)
    with op.batch_alter_table("own_cards") as table:
        table.drop_column("source")


def _allow(kinds: tuple[str, ...]) -> None:
    """Change what the check of kinds allows; SQLite copies the table for it, and so forgets the old check."""
    rule = f"kind IN ({', '.join(repr(kind) for kind in kinds)})"
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_progress_kind"), "progress", type_="check")
    with op.batch_alter_table("progress") as table:
        table.create_check_constraint(op.f("ck_progress_kind"), sa.text(rule))
