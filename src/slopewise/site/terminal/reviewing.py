"""Reviewing the cards of the day: what is shown, what was done, and how it comes to the site."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from slopewise.engine.errors import SlopewiseError
from slopewise.site.terminal.connection import Connection, RefusedTokenError, SiteError, UnreachableError
from slopewise.site.terminal.device import Device, Outbox, Shelf

GRADES = ("again", "hard", "good", "easy")
MOST_AT_ONCE = 200
RETRY_SECONDS = 20
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Card:
    """A card, with both sides as HTML."""

    card: str
    deck: str
    skill: str
    tags: tuple[str, ...]
    front: str
    back: str
    source: str


@dataclass(frozen=True)
class Day:
    """The cards of a day, as the site sent them at `now`; what they are called on the site, they are here."""

    learner: str
    cards: tuple[Card, ...]
    due: int
    new: int
    later: int
    resting: int
    next_at: datetime | None
    last: str | None
    now: datetime


def read_day(value: Mapping[str, Any]) -> Day:
    """Return the cards of a day from what a site sent, or what was kept of it.

    Raises
    ------
    SiteError
        If it is anything else.
    """
    try:
        cards = tuple(
            Card(
                **{name: str(row[name]) for name in ("card", "deck", "skill", "front", "back", "source")},
                tags=tuple(str(tag) for tag in row["tags"]),
            )
            for row in value["cards"]
        )
        counts = {name: int(value[name]) for name in ("due", "new", "later", "resting")}
        next_at = datetime.fromisoformat(value["next_at"]) if value["next_at"] else None
        last = str(uuid.UUID(value["last"])) if value["last"] else None
        for card in cards:
            uuid.UUID(card.card)
        learner, now = str(uuid.UUID(value["learner"])), datetime.fromisoformat(value["now"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SiteError(
            f"the site sent cards that cannot be read ({type(error).__name__}: {error})"
        ) from error
    return Day(learner=learner, cards=cards, **counts, next_at=next_at, last=last, now=now)


def flush(connection: Connection, outbox: Outbox) -> list[str]:
    """Send what waits, and return why entries were refused. One that was sent before is stored once.

    Raises
    ------
    SlopewiseError
        If it cannot be sent; it stays in the outbox then.
    """
    refused: list[str] = []
    while entries := outbox.entries():
        part = entries[:MOST_AT_ONCE]
        answer = connection.send({"sent_at": _now().isoformat(), "entries": part})
        try:
            wrong = {str(row["id"]): str(row["because"]) for row in answer["refused"]}
            settled = {entry["id"] for entry in part} & {*map(str, answer["stored"]), *wrong}
        except (KeyError, TypeError) as error:
            raise SiteError(
                f"{connection.address} answered nothing about your reviews; they are kept"
            ) from error
        if not settled:
            raise SiteError(f"{connection.address} says nothing of what was sent; it is kept")
        outbox.forget(settled)
        refused += [wrong[one] for one in settled & wrong.keys()]
    return refused


class Sender:
    """Sends the outbox in the background, so that nobody waits for the network between two cards."""

    def __init__(self, connection: Connection, outbox: Outbox) -> None:
        self.connection, self.outbox = connection, outbox
        self.problem: SlopewiseError | None = None
        self.refused: list[str] = []
        self._wake, self._idle, self._closed = threading.Event(), threading.Event(), threading.Event()
        self._idle.set()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Let it send."""
        self._idle.clear()
        self._wake.set()

    def settle(self, seconds: float) -> bool:
        """Wait until it has tried to send all; return whether nothing waits any more."""
        self.wake()
        self._idle.wait(seconds)
        return len(self.outbox) == 0

    def close(self) -> None:
        """End it; what waits is in the outbox."""
        self._closed.set()
        self._wake.set()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._wake.wait(self.connection.patience() or RETRY_SECONDS)
            self._wake.clear()
            if self._closed.is_set():  # somebody else may have the outbox by now
                return
            try:
                self.refused += flush(self.connection, self.outbox)
                self.problem = None
            except SlopewiseError as error:
                self.problem = error
            if not self._wake.is_set():
                self._idle.set()


@dataclass(frozen=True)
class _Act:
    entry: str
    kind: str
    card: Card


class Review:
    """The cards of a day, one after the other.

    Attributes
    ----------
    cards : list of Card
        Those still to show; the first is shown.
    offline : str
        Why the cards are those that were fetched an earlier time; empty if they are not.
    is_fresh : bool
        Whether nothing was done since the site was asked.
    done : int
        How many grades were given.
    """

    def __init__(self, shelf: Shelf, day: Day, sender: Sender, *, offline: str = "") -> None:
        self.day, self.cards, self.sender, self.offline = day, list(day.cards), sender, offline
        self.done, self.is_fresh = 0, not offline
        self._shelf, self._history = shelf, list[_Act]()
        self._last = None if offline else day.last
        self._at = datetime.min.replace(tzinfo=UTC)

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._history) or self._last is not None

    def grade(self, grade: str) -> None:
        """Grade the card that is shown."""
        self._act("review", grade=grade)

    def rest(self) -> None:
        """Let the card that is shown rest."""
        self._act("suspend")

    def undo(self) -> bool:
        """Take the last act back; return whether its card is shown again: if not, ask the site for it."""
        if not self._history:
            self._record(kind="undo", review=self._last)
            self._last = None
            return False
        act = self._history.pop()
        if act.kind == "review":
            self._record(kind="undo", review=act.entry)
            self.done -= 1
        else:
            self._record(kind="resume", card=act.card.card)
        self.cards.insert(0, act.card)
        self._keep()
        return True

    def ask_again(self, seconds: float) -> bool:
        """Fetch what the day holds now, once everything is sent; return whether the site answered."""
        if not self.sender.settle(seconds):
            return False
        try:
            self.day = read_day(self.sender.connection.queue())
        except SlopewiseError as error:
            self.sender.problem = error
            return False
        self.cards, self.offline, self.is_fresh = list(self.day.cards), "", True
        self._last = None if self._history else self.day.last
        self._keep()
        return True

    def _act(self, kind: str, **more: str) -> None:
        card = self.cards[0]
        entry = self._record(kind=kind, card=card.card, **more)
        self._history.append(_Act(entry, kind, card))
        self.done += kind == "review"
        del self.cards[0]
        self._keep()

    def _record(self, **what: str | None) -> str:
        """Keep an entry in the outbox before anything else happens, then let it be sent."""
        self._at = max(_now(), self._at + _TICK)
        entry = {"id": str(uuid.uuid4()), "at": self._at.isoformat(timespec="microseconds"), **what}
        self.sender.outbox.add(entry)
        self.is_fresh = False
        self.sender.wake()
        return str(entry["id"])

    def _keep(self) -> None:
        self._shelf.keep_cards(_as_json(replace(self.day, cards=tuple(self.cards))))


def _as_json(day: Day) -> dict[str, Any]:
    next_at = day.next_at.isoformat() if day.next_at else None
    return {**asdict(day), "next_at": next_at, "now": day.now.isoformat()}


def begin(device: Device, connection: Connection, token: str) -> Review:
    """Send what waits, fetch the day's cards, and return the review; without a connection, of the cards kept.

    Raises
    ------
    SlopewiseError
        If the token is refused, or there is neither a connection nor anything kept.
    """
    known = device.learner_of(token)
    refused: list[str] = []
    try:
        if known is not None:
            refused = flush(connection, device.shelf(known).outbox)
        day = read_day(connection.queue())
        if day.learner != known and len(
            device.shelf(day.learner).outbox
        ):  # from the time of an earlier token
            refused += flush(connection, device.shelf(day.learner).outbox)
            day = read_day(connection.queue())
    except RefusedTokenError:
        if known is not None:
            device.shelf(known).forget_cards()  # whoever revoked the token may have lost this device
        raise
    except UnreachableError as error:
        kept = device.shelf(known).cards() if known is not None else None
        if known is None or kept is None:
            raise
        shelf = device.shelf(known)
        return Review(shelf, read_day(kept), Sender(connection, shelf.outbox), offline=str(error))
    device.keep_learner(token, day.learner)
    shelf = device.shelf(day.learner)
    shelf.keep_cards(_as_json(day))
    review = Review(shelf, day, Sender(connection, shelf.outbox))
    review.sender.refused += refused
    return review


def _now() -> datetime:
    return datetime.now(UTC)
