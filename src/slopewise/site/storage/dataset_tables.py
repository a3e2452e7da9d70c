"""The tables of data sets that visitors made. Their cells are in files, so that a deletion is one."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, LargeBinary, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from slopewise.site.storage.tables import DIGEST_BYTES, Base, UtcDateTime


class DataGuest(Base):
    """A visitor without an account who made a data set. All of it goes when they do."""

    __tablename__ = "data_guests"

    digest: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES), primary_key=True)
    network: Mapped[bytes | None] = mapped_column(LargeBinary(DIGEST_BYTES), index=True)  # a digest of it
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class DataSet(Base):
    """A data set: whose it is, and the name of the folder that holds it."""

    __tablename__ = "data_sets"
    __table_args__ = (CheckConstraint("(learner_id IS NULL) <> (guest IS NULL)", name="one_owner"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    learner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("learners.id"), index=True)
    guest: Mapped[bytes | None] = mapped_column(
        ForeignKey("data_guests.digest", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(80))
    file_name: Mapped[str] = mapped_column(String(80))  # as messages and reports call it
    made_by: Mapped[str] = mapped_column(String(10))
    size: Mapped[int] = mapped_column(BigInteger)  # bytes of all its files
    rows: Mapped[int] = mapped_column(BigInteger)
    columns: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    share_digest: Mapped[bytes | None] = mapped_column(LargeBinary(DIGEST_BYTES), unique=True)
    shared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DataRun(Base):
    """A training on a data set. Its report is a file in the data set's folder."""

    __tablename__ = "data_runs"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'running', 'done', 'refused', 'ended')", name="state"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    data_set_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("data_sets.id", ondelete="CASCADE"), index=True)
    settings: Mapped[dict[str, object]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(10))
    message: Mapped[str] = mapped_column(Text)  # one line on how it went
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)  # when its page was last looked at
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CurvePiece(Base):
    """Some points of the curve of a training under way, for pages that ask another server process."""

    __tablename__ = "curve_pieces"

    run_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("data_runs.id", ondelete="CASCADE"), primary_key=True
    )
    first: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # how many points come before
    points: Mapped[list[list[float | None]]] = mapped_column(JSON)
