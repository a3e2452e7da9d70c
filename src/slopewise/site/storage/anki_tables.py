"""The tables of cards that came from packages of Anki, and of the images and sounds that they show."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from slopewise.site.storage.tables import DIGEST_BYTES, Base, UtcDateTime


class ImportedCard(Base):
    """A card that a learner brought along. Both sides are HTML that was sanitised when it came in.

    `guid` is Anki's name of the note, `ordinal` which card of the note it is: by both a card is known again.
    """

    __tablename__ = "imported_cards"
    __table_args__ = (
        UniqueConstraint("learner_id", "guid", "ordinal"),
        Index(None, "learner_id", "created_at", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    learner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("learners.id", ondelete="CASCADE"))
    guid: Mapped[str] = mapped_column(String(200))
    ordinal: Mapped[int]
    deck: Mapped[str] = mapped_column(String(200))
    front: Mapped[str] = mapped_column(Text)
    back: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CardMedium(Base):
    """An image or a sound that imported cards show. Its id is random, and nobody else can read it."""

    __tablename__ = "card_media"
    __table_args__ = (UniqueConstraint("learner_id", "digest"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    learner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("learners.id", ondelete="CASCADE"))
    digest: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES))
    kind: Mapped[str] = mapped_column(String(40))
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
