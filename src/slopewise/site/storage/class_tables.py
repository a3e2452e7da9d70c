"""The tables of classes: who teaches, who belongs, and what is assigned."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from slopewise.site.storage.tables import Base, UtcDateTime


class SchoolClass(Base):
    """A class. Its code is written on a board, so it is kept as it is; None while nobody can join."""

    __tablename__ = "classes"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    teacher_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    time_zone: Mapped[str] = mapped_column(String(60))
    code: Mapped[str | None] = mapped_column(String(20), unique=True)
    code_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ClassMember(Base):
    """A learner in a class. Pages name a member by `id`, never by the account."""

    __tablename__ = "class_members"
    __table_args__ = (UniqueConstraint("class_id", "account_id"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    class_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("classes.id", ondelete="CASCADE"))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime)
    shares_since: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: nothing is shared


class Assignment(Base):
    """A lesson or deck that a class is to work through.

    `due` is what the clock on the wall of the class shows, so that it stays true if a country changes its
    clocks; the class's zone makes a moment of it.
    """

    __tablename__ = "assignments"
    __table_args__ = (
        CheckConstraint("kind IN ('lesson', 'deck')", name="kind"),
        UniqueConstraint("class_id", "kind", "slug"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    class_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("classes.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    slug: Mapped[str] = mapped_column(String(120))
    due: Mapped[datetime | None] = mapped_column(DateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
