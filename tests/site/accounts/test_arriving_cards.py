"""Packages are kept whole or not at all, though others write between their parts."""

import uuid
from datetime import UTC, datetime

import pytest

from slopewise.engine.errors import ArgumentError
from slopewise.site.accounts import arriving_cards
from slopewise.site.accounts.arriving_cards import Medium, keep
from slopewise.site.accounts.imported_cards import decks_of, delete_cards
from slopewise.site.storage.anki_tables import CardMedium
from slopewise.site.storage.tables import Learner

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = [str(uuid.UUID(int=number)) for number in range(3)]
MEDIA = {name: Medium("image/png", name.encode()[-32:], b"x" * 100) for name in NAMES}


@pytest.fixture
def learner(database):
    with database.writing() as session:
        made = Learner(id=uuid.uuid4(), created_at=NOW)
        session.add(made)
        return made.id


def card(guid, back="an answer", name=NAMES[0]):
    front = f'a question <img src="/cards/media/{name}">'
    return {"guid": guid, "ordinal": 0, "deck": "a deck", "front": front, "back": back}


def there(database, learner):
    with database.reading() as session:
        cards = [(row.guid, row.back) for deck in decks_of(session, learner) for row in deck.cards]
        return sorted(cards), session.query(CardMedium).count()


@pytest.fixture
def between(monkeypatch):
    """Do something once each time between what is read and what is written."""

    def do(*works):
        writing, left = arriving_cards._write_media, list(works)

        def write_media(*arguments):
            writing(*arguments)
            after.append(left.pop(0) if left else None)

        after, plan = [], arriving_cards._parts

        def parts(sizes):
            yield from plan(sizes)
            while after:
                if (work := after.pop(0)) is not None:
                    work()

        monkeypatch.setattr(arriving_cards, "_write_media", write_media)
        monkeypatch.setattr(arriving_cards, "_parts", parts)

    return do


def test_what_another_device_brings_meanwhile_is_seen_and_doubled_by_nobody(database, learner, between):
    between(lambda: keep(database, learner, [card("one", "another answer")], MEDIA, NOW))
    arrived = keep(database, learner, [card("one"), card("two", name=NAMES[1])], MEDIA, NOW)
    assert vars(arrived) == {"added": 1, "updated": 1, "known": 0}
    assert there(database, learner) == ([("one", "an answer"), ("two", "an answer")], 2)


def test_media_that_a_deletion_takes_away_meanwhile_are_written_again(database, learner, between):
    keep(database, learner, [card("old")], {NAMES[0]: MEDIA[NAMES[0]]}, NOW)
    between(lambda: delete_cards(database, learner, deck="a deck"))
    keep(database, learner, [card("new", name=NAMES[1])], MEDIA, NOW)
    assert there(database, learner) == ([("new", "an answer")], 1)


def test_cards_that_never_stand_still_are_given_up_and_nothing_is_left_behind(database, learner, between):
    others = iter(range(100))
    between(*[lambda: keep(database, learner, [card(f"other {next(others)}", name="")], {}, NOW)] * 5)
    with pytest.raises(ArgumentError, match="Nothing was added: please try again"):
        keep(database, learner, [card("one")], MEDIA, NOW)
    kept, media = there(database, learner)
    assert [guid for guid, _ in kept] == [f"other {number}" for number in range(5)]
    assert media == 0


def test_no_transaction_writes_more_than_a_part_of_the_media(database, learner, monkeypatch):
    monkeypatch.setattr(arriving_cards, "PART", 150)
    written, writing = [], arriving_cards._write_media
    monkeypatch.setattr(
        arriving_cards, "_write_media", lambda *given: (written.append(len(given[2])), writing(*given))
    )
    keep(database, learner, [card(name, name=name) for name in NAMES], MEDIA, NOW)
    assert written == [1, 1, 1]
    assert there(database, learner)[1] == 3
