"""Tables of content that is loaded into a site."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from slopewise.site.storage.tables import Base, UtcDateTime


class LoadedArchive(Base):
    """A content archive: the file itself, checked before it came here. One row an archive's name."""

    __tablename__ = "loaded_archives"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(String(64))
    loaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    file: Mapped[bytes] = mapped_column(LargeBinary)
