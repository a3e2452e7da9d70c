"""Tables of the service itself: what several server processes must know of each other."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from slopewise.site.storage.tables import Base, UtcDateTime


class Try(Base):
    """Something that was tried, by whom only a digest says. Rows are deleted once they no longer count."""

    __tablename__ = "tries"
    __table_args__ = (Index(None, "key", "expires_at"), Index(None, "expires_at"))

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True
    )  # only an INTEGER counts by itself in SQLite
    key: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BackupMade(Base):
    """A backup that was made: that there is one, and until when; where it is, its maker knows."""

    __tablename__ = "backups"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revision: Mapped[str] = mapped_column(String(32))
    size: Mapped[int] = mapped_column(BigInteger)
