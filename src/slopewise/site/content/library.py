"""All flash cards, and the only way to their text: a reader asks, and gets what this reader may see."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

from slopewise.engine.errors import DataError
from slopewise.site.content.course import Course, Hit, IndexRow, index_row
from slopewise.site.content.lesson import TAGS, Card, FolderReader, read_cards, text_environment

DECKS = Path(__file__).parent / "decks"
LOCKED = "Premium flash cards are for paid Pro members. Log in as a Pro member to view."


class Reader(Protocol):
    """Whoever asks for cards."""

    @property
    def reads_pro(self) -> bool:
        """Whether Pro content may be shown."""


@dataclass(frozen=True)
class Label:
    """What everybody may know of a deck."""

    slug: str
    title: str
    summary: str
    is_pro: bool
    size: int
    lesson: str = ""  # the slug of the lesson that it belongs to


@dataclass(frozen=True)
class ShownCard:
    """A card that its reader may see. `skill` is in words."""

    uuid: uuid.UUID
    id: str
    deck: Label
    skill: str
    front: str
    back: str
    tags: tuple[str, ...]
    is_plain: bool = False  # written by a learner: shown letter by letter, without markup
    source: str = ""  # the address of the step in a lab that it was made from
    is_html: bool = False  # brought along by a learner: HTML that was sanitised when it came in


@dataclass(frozen=True)
class LockedCard:
    """A card of which its reader may know that it exists."""

    uuid: uuid.UUID
    deck: Label
    sentence: str = LOCKED


@dataclass(frozen=True)
class ProDeck:
    """A deck for members, as its folder holds it."""

    slug: str
    title: str
    summary: str
    skills: Mapping[str, str]
    cards: tuple[Card, ...]


class Library:
    """The decks of all lessons, and the Pro decks behind them."""

    def __init__(self, course: Course, pro_decks: Sequence[ProDeck]) -> None:
        self._course = course
        self._pro = {deck.slug: deck for deck in pro_decks}
        self._ids: dict[str, tuple[uuid.UUID, ...]] = {}
        self.labels: list[Label] = []
        for outline in course.outlines:
            size = len(outline.cards)
            self._add(Label(outline.slug, outline.title, "", False, size, outline.slug), outline.cards)
        for deck in pro_decks:
            label = Label(deck.slug, deck.title, deck.summary, True, len(deck.cards))
            self._add(label, [card.uuid for card in deck.cards])
        self._deck_of = {card_id: slug for slug, ids in self._ids.items() for card_id in ids}
        self._shown: dict[str, dict[uuid.UUID, ShownCard]] = {}
        self._pro_index = tuple(_index(card) for slug in self._pro for card in self._deck(slug).values())

    def _add(self, label: Label, ids: Sequence[uuid.UUID]) -> None:
        if label.slug in self._ids:
            raise DataError(f"two decks are called {label.slug}")
        self.labels.append(label)
        self._ids[label.slug] = tuple(ids)

    def _deck(self, slug: str) -> Mapping[uuid.UUID, ShownCard]:
        """Return the cards of a deck; those of a lesson are read with it, at their first use."""
        if slug not in self._shown:
            self._shown[slug] = self._read(slug)
        return self._shown[slug]

    def _read(self, slug: str) -> dict[uuid.UUID, ShownCard]:
        label = next(label for label in self.labels if label.slug == slug)
        cards: Sequence[Card]
        if label.is_pro:
            cards, skills = self._pro[slug].cards, self._pro[slug].skills
        else:
            lesson = self._course.lesson(slug)
            assert lesson is not None  # its outline made the label
            cards, skills = lesson.cards, {skill.id: skill.name for skill in lesson.skills}
        return {
            card.uuid: ShownCard(
                card.uuid, card.id, label, skills[card.skill], card.front, card.back, card.tags
            )
            for card in cards
        }

    def label(self, slug: str) -> Label | None:
        """Return what everybody may know of a deck; None if there is none."""
        return next((label for label in self.labels if label.slug == slug), None)

    def cards(self, slug: str, reader: Reader) -> list[ShownCard | LockedCard]:
        """Return the cards of a deck, locked where the reader may not see them."""
        return [_for_reader(card, reader) for card in self._deck(slug).values()] if slug in self._ids else []

    def card(self, card_id: uuid.UUID, reader: Reader) -> ShownCard | LockedCard | None:
        """Return a card, or None if there is none."""
        slug = self._deck_of.get(card_id)
        return None if slug is None else _for_reader(self._deck(slug)[card_id], reader)

    @property
    def ids(self) -> Set[uuid.UUID]:
        """The identities of all cards, locked or not."""
        return self._deck_of.keys()

    def ids_of(self, slug: str) -> Sequence[uuid.UUID]:
        """Return the identities of a deck's cards, locked or not."""
        return self._ids[slug]

    def readable(self, reader: Reader, slug: str = "") -> list[uuid.UUID]:
        """Return the cards that a reader may see, of one deck or of all, in the order of the course."""
        return [
            card_id
            for label in self.labels
            if slug in ("", label.slug) and _may_read(label, reader)
            for card_id in self._ids[label.slug]
        ]

    def search(self, query: str, reader: Reader) -> list[Hit]:
        """Return where the words of a query are found; words of locked cards are not looked at."""
        return self._course.search(query, self._pro_index if reader.reads_pro else ())


def _for_reader(card: ShownCard, reader: Reader) -> ShownCard | LockedCard:
    """Return a card as its reader may see it."""
    return card if _may_read(card.deck, reader) else LockedCard(card.uuid, card.deck)


def _may_read(deck: Label, reader: Reader) -> bool:
    """Say whether the words of a deck may be shown: the one place where this is decided."""
    return reader.reads_pro or not deck.is_pro


def _index(card: ShownCard) -> IndexRow:
    return index_row(
        f"Pro card in {card.deck.title}", card.front, card.back, f"/cards/{card.deck.slug}#{card.id}"
    )


def load_pro_decks(folder: Path = DECKS) -> list[ProDeck]:
    """Read the Pro decks that the package ships.

    Raises
    ------
    DataError
        If a file does not fit; the message names it.
    """
    return [_load(file.parent) for file in sorted(folder.glob("*/deck.toml"))]


def _load(folder: Path) -> ProDeck:
    facts = import_module(f"slopewise.site.content.decks.{folder.name}.facts").facts()
    read = FolderReader(folder, text_environment(), facts)
    about = read.toml("deck.toml")
    skills = {row["id"]: row["name"] for row in about["skill"]}
    cards = tuple(read_cards(read, "cards.toml", about["slug"]))
    for card in cards:
        if card.skill not in skills:
            raise DataError(f"{folder / 'cards.toml'}: {card.id}: the deck has no skill {card.skill!r}")
        if not card.tags or not set(card.tags) <= set(TAGS):
            raise DataError(f"{folder / 'cards.toml'}: {card.id}: needs tags, of {', '.join(TAGS)}")
    return ProDeck(about["slug"], about["title"], about["summary"], skills, cards)
