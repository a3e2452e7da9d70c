"""Cards made from failed predictions: the lab's own question and numbers, and the way back to that step."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from slopewise.engine.errors import ArgumentError
from slopewise.site.accounts.own_cards import MOST
from slopewise.site.storage.tables import OwnCard

_NAMESPACE = uuid.UUID("c8f1f9f4-6c52-4f3f-8d0c-3e2c7b0d7e55")  # fixed: identities of such cards depend on it
LONGEST_SOURCE = 2000


def keep_failed_prediction(
    session: Session,
    learner_id: uuid.UUID,
    lesson: str,
    address: str,
    prediction: Mapping[str, Any],
    guess: int,
    now: datetime,
) -> uuid.UUID:
    """Make a card of a prediction, and return its id. The same step with the same settings makes one card.

    Parameters
    ----------
    session : Session
        For writing.
    learner_id : UUID
    lesson : str
        The title of the lesson.
    address : str
        Of the step at which the question was asked, with all settings.
    prediction : mapping
        As the lab made it: question, choices, answer, because.
    guess : int
        What the learner chose.
    now : datetime

    Raises
    ------
    ArgumentError
        If the guess was right or none of the choices, or there are too many cards.
    """
    choices = prediction["choices"]
    if not 0 <= guess < len(choices) or guess == prediction["answer"]:
        raise ArgumentError("a card is made of a prediction that failed")
    if len(address) > LONGEST_SOURCE:
        raise ArgumentError("these settings are too long for a card")
    card_id = uuid.uuid5(_NAMESPACE, f"{learner_id} {address}")
    if session.get(OwnCard, card_id) is not None:
        return card_id
    count = select(func.count()).select_from(OwnCard).where(OwnCard.learner_id == learner_id)
    if (session.scalar(count) or 0) >= MOST:
        raise ArgumentError(f"there is room for {MOST} cards of one's own")
    options = "\n".join(f"- {choice}" for choice in choices)
    session.add(
        OwnCard(
            id=card_id,
            learner_id=learner_id,
            front=f"{prediction['question']}\n\n{options}",
            back=f"**{choices[prediction['answer']]}.** {prediction['because']}\n\n"
            f"You predicted: {choices[guess]} (in the lab of *{lesson}*)",
            created_at=now,
            changed_at=now,
            source=address,
        )
    )
    session.flush()
    return card_id
