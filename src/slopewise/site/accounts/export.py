"""All that is kept of somebody, as one object. Text of cards is in it only where they may read it now."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from slopewise.site.accounts.imported_cards import decks_of
from slopewise.site.accounts.own_cards import cards_of
from slopewise.site.accounts.progress import progress_of
from slopewise.site.accounts.tokens import tokens_of
from slopewise.site.classes.members import classes_as_export
from slopewise.site.content.library import Library, Reader, ShownCard
from slopewise.site.payments.ledger import payments_as_export
from slopewise.site.scheduling.states import standings
from slopewise.site.spreadsheets import csv_of
from slopewise.site.storage.tables import GRADES, Account, CardEvent, Grant, OwnCard, Review

FORMAT = 1
COLUMNS = ("reviewed_at", "card", "deck", "front", "grade", "taken_back", "scheduler")


def export(
    session: Session, account_id: uuid.UUID, library: Library, reader: Reader, now: datetime
) -> dict[str, Any]:
    """Return account, memberships, payments, own cards, reviews, events, schedule, answers and notes."""
    account = session.get_one(Account, account_id)
    learner_id = account.learner_id
    cards_of_learner = cards_of(session, learner_id)
    own = session.scalars(
        select(OwnCard).where(OwnCard.learner_id == learner_id).order_by(OwnCard.created_at)
    )
    events = session.scalars(
        select(CardEvent).where(CardEvent.learner_id == learner_id).order_by(CardEvent.happened_at)
    )
    grants = session.scalars(select(Grant).where(Grant.account_id == account_id).order_by(Grant.starts_at))
    return {
        "format": FORMAT,
        "exported_at": now,
        "account": {
            name: getattr(account, name)
            for name in (
                *("email", "display_name", "time_zone", "rollover_hour"),
                *("new_per_day", "is_owner", "created_at"),
            )
        },
        "memberships": [
            {name: getattr(row, name) for name in ("source", "starts_at", "ends_at", "revoked_at")}
            for row in grants
        ],
        "tokens": [
            {name: getattr(row, name) for name in ("name", "created_at", "used_at")}
            for row in tokens_of(session, account_id, now)
        ],
        "classes": classes_as_export(session, account_id),
        "own_cards": [
            {
                name: getattr(row, name)
                for name in ("id", "front", "back", "source", "created_at", "changed_at")
            }
            for row in own
        ],
        "imported_cards": [
            {
                name: getattr(row, name)
                for name in ("id", "guid", "ordinal", "deck", "front", "back", "created_at", "changed_at")
            }
            for deck in decks_of(session, learner_id)
            for row in deck.cards
        ],
        "reviews": review_rows(session, learner_id, library, reader),
        "events": [
            {
                "id": row.id,
                "card": row.card_id,
                "kind": row.kind,
                "review": row.review_id,
                "at": row.happened_at,
            }
            for row in events
        ],
        "schedule": [
            {**_card(cards_of_learner, library, reader, card_id), **vars(standing)}
            for card_id, standing in standings(session, learner_id).items()
        ],
        "payments": payments_as_export(session, learner_id),
        "progress": [
            {"kind": row.kind, "item": row.item, "value": row.value, "changed_at": row.changed_at}
            for row in progress_of(session, learner_id)
        ],
    }


def review_rows(
    session: Session, learner_id: uuid.UUID, library: Library, reader: Reader
) -> list[dict[str, Any]]:
    """Return the reviews in their order, those that were taken back included."""
    undone = set(
        session.scalars(
            select(CardEvent.review_id).where(CardEvent.learner_id == learner_id, CardEvent.kind == "undo")
        )
    )
    query = select(Review).where(Review.learner_id == learner_id).order_by(Review.reviewed_at, Review.id)
    own = cards_of(session, learner_id)
    return [
        {
            "id": row.id,
            **_card(own, library, reader, row.card_id),
            "grade": GRADES[row.grade - 1],
            "reviewed_at": row.reviewed_at,
            "taken_back": row.id in undone,
            "scheduler": row.scheduler,
        }
        for row in session.scalars(query)
    ]


def reviews_as_csv(rows: list[dict[str, Any]]) -> str:
    """Return reviews as a table for a spreadsheet, which must not take a text for a formula."""
    return csv_of(COLUMNS, ([row.get(name) for name in COLUMNS] for row in rows))


def _card(
    own: Mapping[uuid.UUID, ShownCard], library: Library, reader: Reader, card_id: uuid.UUID
) -> Mapping[str, Any]:
    """Return what a reader may know of a card now."""
    card = own.get(card_id) or library.card(card_id, reader)
    found: dict[str, Any] = {"card": card_id, "deck": card.deck.title if card else None}
    if isinstance(card, ShownCard):
        found |= {"front": card.front, "back": card.back}
    return found
