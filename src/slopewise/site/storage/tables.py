"""The tables, as SQLAlchemy classes. A change here goes with a migration; a test compares the two."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Text,
    Uuid,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

DIGEST_BYTES = 32  # SHA-256
LONGEST_EMAIL = 254  # RFC 5321 lets no address be longer
GRADES = ("again", "hard", "good", "easy")  # stored as 1 to 4, as FSRS numbers them


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no zone, so it is taken off and put back here; naive ones are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what is stored."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment needs a time zone, and {value!r} has none")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return a moment with its zone."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Base(DeclarativeBase):
    """Names constraints alike on all databases, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Learner(Base):
    """Somebody whose reviews are kept."""

    __tablename__ = "learners"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Review(Base):
    """One answer to one card. Rows are added only: triggers refuse to change or delete them.

    `id` is made by the learner's device, so that a review sent twice is stored once.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint("grade BETWEEN 1 AND 4", name="grade"),
        Index(None, "learner_id", "card_id", "reviewed_at"),
        Index(None, "learner_id", "reviewed_at", "id"),
        Index(None, "learner_id", "received_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    learner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("learners.id"))
    card_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    grade: Mapped[int] = mapped_column(SmallInteger)
    reviewed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    scheduler: Mapped[str] = mapped_column(String(40))  # its name and version when the card was shown


class CardEvent(Base):
    """What a learner did with a card besides grading it. Rows are added only, as in the log of reviews.

    An undo names the review that it takes back; the review itself stays.
    """

    __tablename__ = "card_events"
    __table_args__ = (
        CheckConstraint("kind IN ('undo', 'suspend', 'resume')", name="kind"),
        CheckConstraint("(kind = 'undo') = (review_id IS NOT NULL)", name="undo_names_a_review"),
        Index(None, "learner_id", "card_id"),
        Index(None, "learner_id", "received_at"),
        Index(None, "review_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    learner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("learners.id"))
    card_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(String(10))
    review_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("reviews.id"))
    happened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CardState(Base):
    """Where a learner stands with a card: a cache of what a replay of the log gives, never the only copy."""

    __tablename__ = "card_states"
    __table_args__ = (Index(None, "learner_id", "due_at"),)

    learner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("learners.id"), primary_key=True)
    card_id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    phase: Mapped[str] = mapped_column(String(10))
    stability: Mapped[float | None] = mapped_column(Double)
    difficulty: Mapped[float | None] = mapped_column(Double)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reviews: Mapped[int]
    lapses: Mapped[int]
    is_suspended: Mapped[bool]


class Progress(Base):
    """What a learner did besides reviews, such as an answer: the newest of what the devices sent.

    Kinds are answer (to a question), draft and prompt (a text, and the ideas that its writer found in it),
    prediction (in a lab), done (a lesson), and last (where the learner was).
    """

    __tablename__ = "progress"
    __table_args__ = (
        CheckConstraint("kind IN ('answer', 'draft', 'last', 'prediction', 'prompt', 'done')", name="kind"),
    )

    learner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("learners.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    item: Mapped[str] = mapped_column(String(120), primary_key=True)
    value: Mapped[object] = mapped_column(JSON)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OwnCard(Base):
    """A card that a learner wrote, or one made from a prediction: then `source` is that step's address."""

    __tablename__ = "own_cards"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    learner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("learners.id"), index=True)
    front: Mapped[str] = mapped_column(Text)
    back: Mapped[str] = mapped_column(Text)
    source: Mapped[str | None] = mapped_column(String(2000))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Account(Base):
    """Somebody who logs in. `email_key` is the address as it is compared, `email` as it was typed."""

    __tablename__ = "accounts"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    learner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("learners.id"), unique=True)
    email: Mapped[str] = mapped_column(String(LONGEST_EMAIL))
    email_key: Mapped[str] = mapped_column(String(LONGEST_EMAIL), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))  # None until a first password is chosen
    display_name: Mapped[str] = mapped_column(String(60))
    time_zone: Mapped[str] = mapped_column(String(60))
    rollover_hour: Mapped[int] = mapped_column(SmallInteger)
    new_per_day: Mapped[int] = mapped_column(SmallInteger)
    is_owner: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LoginSession(Base):
    """A device that is logged in. The cookie holds a secret; here is only its digest."""

    __tablename__ = "login_sessions"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class MailToken(Base):
    """A link sent by mail, good for a short time; it is deleted by its use. One to sign up has no account."""

    __tablename__ = "mail_tokens"
    __table_args__ = (CheckConstraint("purpose IN ('sign-up', 'reset', 'email')", name="purpose"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    purpose: Mapped[str] = mapped_column(String(10))
    digest: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES), unique=True)
    account_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str] = mapped_column(String(LONGEST_EMAIL))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Code(Base):
    """A code that gives days of membership, once. Only its digest is kept."""

    __tablename__ = "codes"
    __table_args__ = (CheckConstraint("days BETWEEN 1 AND 3660", name="days"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES), unique=True)
    days: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    redeemed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Grant(Base):
    """A time of membership, and where it came from."""

    __tablename__ = "grants"
    __table_args__ = (CheckConstraint("source IN ('code', 'owner', 'stripe')", name="source"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    source: Mapped[str] = mapped_column(String(10))
    code_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("codes.id"), unique=True)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AuditEntry(Base):
    """What was done to an account, by whom. Rows are added only, and hold no address and no secret."""

    __tablename__ = "audit"
    __table_args__ = (CheckConstraint("actor IN ('account', 'owner', 'stripe')", name="actor"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(10))
    action: Mapped[str] = mapped_column(String(30))
    account_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)  # no foreign key: it outlives the account
    actor_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)  # the owner's account, if not by command


class Erasure(Base):
    """A learner whose rows may be deleted: the triggers that protect the logs look here."""

    __tablename__ = "erasures"

    learner_id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    erased_at: Mapped[datetime] = mapped_column(UtcDateTime)
