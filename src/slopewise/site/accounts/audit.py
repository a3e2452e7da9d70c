"""The audit log: what was done to an account, without addresses and secrets."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from slopewise.site.storage.tables import AuditEntry


def note(
    session: Session,
    now: datetime,
    action: str,
    account_id: uuid.UUID | None,
    actor: str = "account",
    actor_id: uuid.UUID | None = None,
) -> None:
    """Add a line to the audit log; `actor_id` is the account of an owner who did it on a page."""
    session.add(AuditEntry(at=now, actor=actor, action=action, account_id=account_id, actor_id=actor_id))
