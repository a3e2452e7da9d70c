"""The table of tokens: what programs of a learner, such as the terminal, log in with."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from slopewise.site.storage.tables import DIGEST_BYTES, Base, UtcDateTime

LONGEST_TOKEN_NAME = 60


class CardToken(Base):
    """A token for reviewing cards outside of a browser. It was shown once; here is only its digest."""

    __tablename__ = "card_tokens"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(LONGEST_TOKEN_NAME))
    digest: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
