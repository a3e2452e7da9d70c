"""The log of what learners do with cards: entries are added, each once, and the cache of states follows.

To add is to hold up other writers, so it is bounded by what is sent, not by what is kept: a review later than
all others of its card goes on from the cached state. What arrives late, takes a review back, or lets a card
rest or wake asks for a replay of that card; of those, a request gets so many, and what is left is neither
stored nor refused: its device sends it again.
"""

from __future__ import annotations

import math
import uuid
from collections import Counter
from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from slopewise.engine.errors import DataError
from slopewise.site.scheduling.replay import SCHEDULER, LoggedReview, Standing, advance
from slopewise.site.scheduling.states import cached, keep, refresh
from slopewise.site.storage.tables import GRADES, CardEvent, Review

KINDS = ("review", "undo", "suspend", "resume")
MOST_ENTRIES = 200  # in one request
MOST_OF_A_CARD = 1000  # a card learned for life has some dozens
MOST_OF_A_DAY = 5000  # of a learner; who reviews a card every ten seconds needs fourteen hours for them
MOST_REPLAYED = 1000  # rows for one request
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_WRONG_CLOCK = timedelta(minutes=2)


class DayFullError(DataError):
    """A learner has sent as many entries within a day as are taken; in `seconds` there is room for more."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(frozen=True)
class Entry:
    """Something that a device says happened. An undo names a review, everything else a card."""

    id: uuid.UUID
    kind: str
    at: datetime
    card_id: uuid.UUID | None = None
    review_id: uuid.UUID | None = None
    grade: str = ""


@dataclass
class Receipt:
    """What became of the entries: a device forgets those in both lists and sends all others again."""

    stored: list[uuid.UUID] = field(default_factory=list)
    refused: dict[uuid.UUID, str] = field(default_factory=dict)


def append(
    session: Session,
    learner_id: uuid.UUID,
    entries: Sequence[Entry],
    now: datetime,
    sent_at: datetime | None = None,
    known: Container[uuid.UUID] | None = None,
) -> Receipt:
    """Add entries to the log. One that is there already counts as stored; a bad one does not hold up others.

    Parameters
    ----------
    session : Session
        For writing.
    learner_id : UUID
    entries : sequence of Entry
    now : datetime
    sent_at : datetime
        What the clock of the device showed when it sent: if it is wrong, all its times are set right by it.
    known : container of UUID
        The cards that there are; by default all.

    Returns
    -------
    Receipt
        It says of the first entries, at least of one, what became of them.

    Raises
    ------
    DayFullError
        If the learner has sent `MOST_OF_A_DAY` entries within a day, and the first one is new.
    """
    shift = now - sent_at if sent_at is not None else timedelta()
    if abs(shift) < _WRONG_CLOCK:
        shift = timedelta()
    receipt, arrivals = Receipt(), _Arrivals(session, learner_id, entries, now)
    for entry in entries:
        try:
            if known is not None and entry.card_id is not None and entry.card_id not in known:
                raise DataError("there is no such card")
            if not arrivals.take(entry, min(_shifted(entry.at, shift), now)):
                break
        except DayFullError:
            if receipt.stored or receipt.refused:
                break
            raise
        except DataError as error:
            receipt.refused[entry.id] = str(error)
        else:
            receipt.stored.append(entry.id)
    arrivals.write()
    return receipt


def _shifted(at: datetime, shift: timedelta) -> datetime:
    try:
        moment = at.astimezone(UTC) + shift
    except OverflowError:
        moment = EARLIEST - timedelta(days=1)
    if moment < EARLIEST:
        raise DataError("its time is before this site was made")
    return moment


class _Arrivals:
    """The entries of one request: what the log knows of them already, and what they add to it."""

    def __init__(
        self, session: Session, learner_id: uuid.UUID, entries: Sequence[Entry], now: datetime
    ) -> None:
        self._session, self._learner_id, self._now = session, learner_id, now
        ids = {entry.id for entry in entries}
        named = {entry.review_id for entry in entries if entry.review_id is not None}
        reviews = _owners(session, Review, ids | named)
        self._stored = {id: owner for id, (owner, _) in reviews.items()}
        self._stored |= {id: owner for id, (owner, _) in _owners(session, CardEvent, ids).items()}
        self._card_of = {id: card for id, (owner, card) in reviews.items() if owner == learner_id}
        cards = {entry.card_id for entry in entries if entry.card_id is not None}
        cards |= {card for id, card in self._card_of.items() if id in named}
        self._entries_of = _counts(session, learner_id, cards)
        self._states = cached(session, learner_id, cards)
        self._room = MOST_OF_A_DAY - _received_since(session, learner_id, now - _DAY)
        self._reviews: list[dict[str, object]] = []
        self._events: list[dict[str, object]] = []
        self._advanced: dict[uuid.UUID, Standing] = {}
        self._to_replay: set[uuid.UUID] = set()
        self._replayed = 0  # rows

    def take(self, entry: Entry, at: datetime) -> bool:
        """Take an entry in, if it is not there; False if this request has no time for it.

        Raises
        ------
        DataError
            If it is none that can be taken.
        """
        if entry.id in self._stored:
            if self._stored[entry.id] != self._learner_id:
                raise DataError("this id is taken")
            return True
        card_id = self._card_id(entry)
        if card_id is None or entry.kind not in KINDS:
            raise DataError(f"an entry is a {', '.join(KINDS)} of a card")
        if self._entries_of[card_id] >= MOST_OF_A_CARD:
            raise DataError(f"a card has at most {MOST_OF_A_CARD} entries")
        if entry.kind == "review" and entry.grade not in GRADES:
            raise DataError(f"a grade is one of {', '.join(GRADES)}")
        if self._room <= 0:
            raise DayFullError(
                f"of one learner, {MOST_OF_A_DAY} entries are taken in a day",
                _seconds_until_room(self._session, self._learner_id, self._now),
            )
        if not self._follow(entry, card_id, at):
            return False
        self._add(entry, card_id, at)
        return True

    def _card_id(self, entry: Entry) -> uuid.UUID | None:
        if entry.kind != "undo":
            return entry.card_id
        if entry.review_id not in self._card_of:
            raise DataError("the review to undo is not there")
        return self._card_of[entry.review_id]

    def _follow(self, entry: Entry, card_id: uuid.UUID, at: datetime) -> bool:
        """Let the state of a card follow an entry: by one step, or by a replay if there is time for one."""
        if card_id in self._to_replay:
            return True
        is_first = not self._entries_of[card_id]
        standing = self._advanced.get(card_id) or (Standing() if is_first else self._states.get(card_id))
        is_last = standing is not None and (standing.last_at is None or at > standing.last_at)
        if standing is not None and entry.kind == "review" and is_last:
            grade = 1 + GRADES.index(entry.grade)
            self._advanced[card_id] = advance(standing, LoggedReview(entry.id, grade, at))
            return True
        if self._to_replay and self._replayed + self._entries_of[card_id] > MOST_REPLAYED:
            return False
        self._replayed += self._entries_of[card_id]
        self._to_replay.add(card_id)
        return True

    def _add(self, entry: Entry, card_id: uuid.UUID, at: datetime) -> None:
        row = {"id": entry.id, "learner_id": self._learner_id, "card_id": card_id, "received_at": self._now}
        if entry.kind == "review":
            grade = 1 + GRADES.index(entry.grade)
            self._reviews.append({**row, "grade": grade, "reviewed_at": at, "scheduler": SCHEDULER})
            self._card_of[entry.id] = card_id
        else:
            review_id = entry.review_id if entry.kind == "undo" else None
            self._events.append({**row, "kind": entry.kind, "review_id": review_id, "happened_at": at})
        self._stored[entry.id] = self._learner_id
        self._entries_of[card_id] += 1
        self._room -= 1

    def write(self) -> None:
        """Write what was taken in, and where the learner stands then."""
        if self._reviews:
            self._session.execute(insert(Review), self._reviews)
        if self._events:
            self._session.execute(insert(CardEvent), self._events)
        advanced = {card: found for card, found in self._advanced.items() if card not in self._to_replay}
        keep(self._session, self._learner_id, advanced)
        refresh(self._session, self._learner_id, self._to_replay)
        self._session.expire_all()


def _owners(
    session: Session, table: type[Review | CardEvent], ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, tuple[uuid.UUID, uuid.UUID]]:
    """Return learner and card of the rows that there are."""
    query = select(table.id, table.learner_id, table.card_id).where(table.id.in_(ids))
    return {id: (learner_id, card_id) for id, learner_id, card_id in session.execute(query)}


def _counts(session: Session, learner_id: uuid.UUID, cards: Iterable[uuid.UUID]) -> Counter[uuid.UUID]:
    """Return how many entries the cards have."""
    wanted, found = list(cards), Counter[uuid.UUID]()
    for table in (Review, CardEvent):
        query = select(table.card_id, func.count()).where(
            table.learner_id == learner_id, table.card_id.in_(wanted)
        )
        for card_id, count in session.execute(query.group_by(table.card_id)):
            found[card_id] += count
    return found


def _received_since(session: Session, learner_id: uuid.UUID, since: datetime) -> int:
    return sum(
        session.scalar(
            select(func.count())
            .select_from(table)
            .where(table.learner_id == learner_id, table.received_at > since)
        )
        or 0
        for table in (Review, CardEvent)
    )


def _seconds_until_room(session: Session, learner_id: uuid.UUID, now: datetime) -> int:
    """Return in how many seconds the oldest entry of a day is older than a day."""
    since = now - _DAY
    queries = [
        select(func.min(table.received_at)).where(table.learner_id == learner_id, table.received_at > since)
        for table in (Review, CardEvent)
    ]
    oldest = min((found for query in queries if (found := session.scalar(query))), default=since)
    return max(1, math.ceil((oldest - since).total_seconds()))


def last_review(session: Session, learner_id: uuid.UUID) -> Review | None:
    """Return the last review that was not taken back: the one that an undo would mean."""
    undone = select(CardEvent.review_id).where(CardEvent.learner_id == learner_id, CardEvent.kind == "undo")
    query = (
        select(Review)
        .where(Review.learner_id == learner_id, Review.id.not_in(undone))
        .order_by(Review.reviewed_at.desc(), Review.id.desc())
        .limit(1)
    )
    return session.scalar(query)
