"""What can be assigned, and what is due to a visitor: the hub and the pages of classes show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from starlette.requests import Request

from slopewise.site.classes.assignments import Target, Task, tasks_of
from slopewise.site.classes.members import Membership, memberships
from slopewise.site.classes.progress import Done, state_of, tally
from slopewise.site.loaded_content import library_of
from slopewise.site.visitors import visitor_of


@dataclass(frozen=True)
class Duty:
    """Something that is due to a learner; `is_locked`: it is a Pro deck, and they are not Pro."""

    task: Task
    class_name: str
    done: Done
    state: str
    due: str
    is_locked: bool


def targets(request: Request) -> list[Target]:
    """Return all that can be assigned: the lessons in their order, then the decks."""
    library = library_of(request)
    lessons = [
        Target(
            "lesson",
            outline.slug,
            outline.title,
            frozenset(question.item for question in outline.question_outlines),
        )
        for outline in request.app.state.course.outlines
    ]
    decks = [
        Target("deck", label.slug, label.title, frozenset(library.ids_of(label.slug)), label.is_pro)
        for label in library.labels
    ]
    return lessons + decks


def duties(request: Request, session: Session) -> tuple[list[Membership], list[Duty]]:
    """Return a visitor's classes, and what they assigned, the next due first."""
    visitor = visitor_of(request)
    assert visitor.account_id is not None
    classes = memberships(session, visitor.account_id)
    if not classes:
        return [], []
    names = {row.class_id: row.class_name for row in classes}
    tasks = tasks_of(session, names.keys(), targets(request))
    counts = tally(session, [visitor.learner], tasks)[visitor.learner]
    now = request.app.state.clock()
    return classes, [
        Duty(
            task,
            names[task.class_id],
            counts[task.id],
            state_of(counts[task.id], task, now),
            due_in_words(task, visitor.time_zone),
            task.target.is_pro and not visitor.reads_pro,
        )
        for task in tasks
    ]


def due_in_words(task: Task, time_zone: str) -> str:
    """Return when a task is due, by the reader's clock; if the class lives by another, by that one too."""
    if task.due_at is None or task.due is None:
        return ""
    mine = task.due_at.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None)
    text = in_words(mine)
    return text if mine == task.due else f"{text} your time ({in_words(task.due)} in {task.time_zone})"


def in_words(wall: datetime) -> str:
    """Return what a clock and a calendar on the wall show.

    Examples
    --------
    >>> in_words(datetime(2026, 3, 6, 23, 59))
    'Friday, 6 March 2026, 23:59'
    """
    return f"{wall:%A}, {wall.day} {wall:%B %Y, %H:%M}"


def duties_of_visitor(request: Request) -> list[Duty]:
    """Return what is left to do of what a visitor's classes assigned; nothing for who has no account."""
    if not visitor_of(request).is_signed_in:
        return []
    library_of(request)  # asked for before a session is open: one connection at a time
    with request.app.state.database.reading() as session:
        _, rows = duties(request, session)
    return [row for row in rows if not row.done.is_complete]
