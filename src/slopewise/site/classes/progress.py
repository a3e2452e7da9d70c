"""How far members are with what is assigned: counts, never an answer, a grade or a card of their own."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from slopewise.site.classes.assignments import Task
from slopewise.site.classes.members import Pupil
from slopewise.site.storage.tables import CardState, Progress


@dataclass(frozen=True)
class Done:
    """How many questions of a lesson are answered, or how many cards of a deck were reviewed."""

    count: int
    size: int

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left."""
        return self.count >= self.size


Tally = Mapping[uuid.UUID, Mapping[uuid.UUID, Done]]  # learner, assignment


def tally(session: Session, learner_ids: Collection[uuid.UUID], tasks: Sequence[Task]) -> Tally:
    """Return how far each learner is with each task."""
    met = _met(session, learner_ids)
    return {
        learner_id: {
            task.id: Done(len(task.target.items & met[learner_id]), task.target.size) for task in tasks
        }
        for learner_id in learner_ids
    }


def table_of(
    pupils: Sequence[Pupil], tasks: Sequence[Task], counts: Tally, now: datetime
) -> tuple[list[str], list[list[object]]]:
    """Return head and rows of a table for a spreadsheet."""
    head = ["Name", "Shares progress"]
    for task in tasks:
        due = f", due {task.due:%Y-%m-%d %H:%M} {task.time_zone}" if task.due else ""
        what = "questions answered" if task.target.kind == "lesson" else "cards reviewed"
        head += [f"{task.target.title}: {what} of {task.target.size}{due}", f"{task.target.title}: state"]
    rows: list[list[object]] = []
    for pupil in pupils:
        row: list[object] = [pupil.full_name, "yes" if pupil.learner_id else "no"]
        for task in tasks:
            if pupil.learner_id is None:
                row += ["", ""]
            else:
                done = counts[pupil.learner_id][task.id]
                row += [done.count, state_of(done, task, now)]
        rows.append(row)
    return head, rows


def state_of(done: Done, task: Task, now: datetime) -> str:
    """Return where somebody stands with a task, in a word or two."""
    if done.is_complete:
        return "done"
    if task.due_at is not None and task.due_at < now:
        return "overdue"
    return "under way" if done.count else "not begun"


def _met(session: Session, learner_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, set[str | uuid.UUID]]:
    """Return which questions each learner answered and which cards each reviewed; not what was answered."""
    found: dict[uuid.UUID, set[str | uuid.UUID]] = defaultdict(set)
    answered = select(Progress.learner_id, Progress.item).where(
        Progress.learner_id.in_(learner_ids), Progress.kind == "answer"
    )
    reviewed = select(CardState.learner_id, CardState.card_id).where(
        CardState.learner_id.in_(learner_ids), CardState.reviews > 0
    )
    for learner_id, item in session.execute(answered):
        found[learner_id].add(item)
    for learner_id, card_id in session.execute(reviewed):
        found[learner_id].add(card_id)
    return found
