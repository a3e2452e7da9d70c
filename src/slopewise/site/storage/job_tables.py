"""The tables of live trainings: what any server process must know to go on with one."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import JSON, BigInteger, Double, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from slopewise.site.storage.tables import Base, UtcDateTime

LONGEST_KEY = 64  # a digest in hexadecimal digits


def key_of(name: str) -> str:
    """Return what stands in a row for somebody, a network or a test set: a digest of their name."""
    return hashlib.sha256(name.encode()).hexdigest()


class LiveJob(Base):
    """A live training, and which server process holds it. Its numbers follow from `settings` and `step`.

    `wishes` are what visitors asked of it at other processes: lists of an action and a step.
    """

    __tablename__ = "live_jobs"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    owner: Mapped[str] = mapped_column(String(LONGEST_KEY), unique=True)  # a visitor has one
    network: Mapped[str] = mapped_column(String(LONGEST_KEY), index=True)
    settings: Mapped[dict[str, object]] = mapped_column(JSON)
    test_set: Mapped[str] = mapped_column(String(LONGEST_KEY))
    step: Mapped[int]
    wanted: Mapped[int]
    seconds: Mapped[float] = mapped_column(Double)  # of a worker's time
    is_test_open: Mapped[bool]
    waits_since: Mapped[float] = mapped_column(Double)  # seconds since 1970 while in the queue, else 0
    wishes: Mapped[list[list[object]]] = mapped_column(JSON)
    server: Mapped[str] = mapped_column(String(32), index=True)
    wished_at: Mapped[datetime] = mapped_column(UtcDateTime)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)  # when its server last said so


class Opening(Base):
    """That somebody opened a test set, and at which update: it outlives the training."""

    __tablename__ = "test_openings"
    __table_args__ = (Index(None, "owner", "test_set"), Index(None, "opened_at"))

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    owner: Mapped[str] = mapped_column(String(LONGEST_KEY))
    test_set: Mapped[str] = mapped_column(String(LONGEST_KEY))
    step: Mapped[int]
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
