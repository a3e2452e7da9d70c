"""What a class is to work through, and until when: by the clock on the wall of the class."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.storage.class_tables import Assignment, SchoolClass

MOST_ASSIGNMENTS = 200
KINDS = ("lesson", "deck")
_LATEST_YEAR = 2200


@dataclass(frozen=True)
class Target:
    """A lesson or a deck that can be assigned."""

    kind: str
    slug: str
    title: str
    items: frozenset[str | uuid.UUID]  # questions of the lesson as answers name them, cards of the deck
    is_pro: bool = False

    @property
    def size(self) -> int:
        """How many questions or cards there are."""
        return len(self.items)

    @property
    def key(self) -> str:
        """Its name in a form."""
        return f"{self.kind} {self.slug}"

    @property
    def address(self) -> str:
        """Where it is worked through."""
        return f"/lessons/{self.slug}" if self.kind == "lesson" else f"/review?deck={self.slug}"


@dataclass(frozen=True)
class Task:
    """An assignment with what it means: `due_at` is a moment, whatever zone its reader lives in."""

    id: uuid.UUID
    class_id: uuid.UUID
    target: Target
    due: datetime | None
    due_at: datetime | None
    time_zone: str


def due_moment(due: datetime, time_zone: str) -> datetime:
    """Return the moment at which the clocks of a zone show a time.

    Where clocks skip it, that is an hour later; where they show it twice, the second time: nobody is late
    who trusts the wall.

    Examples
    --------
    >>> due_moment(datetime(2026, 3, 27, 23, 59), "Europe/Berlin").isoformat()
    '2026-03-27T22:59:00+00:00'
    >>> due_moment(datetime(2026, 3, 29, 23, 59), "Europe/Berlin").isoformat()
    '2026-03-29T21:59:00+00:00'
    """
    zone = ZoneInfo(time_zone)
    return max(due.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def read_due(text: str) -> datetime | None:
    """Return a time as the field of a form gives it, such as 2026-12-05T23:59; None for an empty one.

    Raises
    ------
    ArgumentError
        If it is anything else.
    """
    if not text.strip():
        return None
    try:
        due = datetime.strptime(text.strip(), "%Y-%m-%dT%H:%M")
    except ValueError:
        raise ArgumentError("A due time is written like 2026-12-05T23:59, or left empty.") from None
    if not 2020 <= due.year <= _LATEST_YEAR:
        raise ArgumentError(f"A due time lies in the years 2020 to {_LATEST_YEAR}.")
    return due


def assign(
    session: Session,
    found: SchoolClass,
    target: Target,
    due: datetime | None,
    now: datetime,
) -> None:
    """Assign something to a class; what is assigned already gets the new time. Nobody's access changes.

    Raises
    ------
    ArgumentError
        If there are too many assignments.
    """
    known = session.scalar(
        select(Assignment).where(
            Assignment.class_id == found.id, Assignment.kind == target.kind, Assignment.slug == target.slug
        )
    )
    if known is not None:
        known.due = due
        return
    count = select(func.count()).select_from(Assignment).where(Assignment.class_id == found.id)
    if (session.scalar(count) or 0) >= MOST_ASSIGNMENTS:
        raise ArgumentError(
            f"A class has at most {MOST_ASSIGNMENTS} assignments. Take back one that is over."
        )
    session.add(
        Assignment(
            id=uuid.uuid4(),
            class_id=found.id,
            kind=target.kind,
            slug=target.slug,
            due=due,
            created_at=now,
        )
    )


def take_back(session: Session, found: SchoolClass, assignment_id: uuid.UUID) -> None:
    """Take back an assignment; what was learned stays.

    Raises
    ------
    DataError
        If the class has no such assignment.
    """
    assignment = session.get(Assignment, assignment_id)
    if assignment is None or assignment.class_id != found.id:
        raise DataError("The class has no such assignment.")
    session.delete(assignment)


def tasks_of(session: Session, class_ids: Collection[uuid.UUID], targets: Iterable[Target]) -> list[Task]:
    """Return what is assigned to classes, the next due first and what has no time last.

    Whatever the site no longer has, such as a deck that was taken out, is left out.
    """
    known = {(target.kind, target.slug): target for target in targets}
    query = (
        select(Assignment, SchoolClass.time_zone)
        .join(SchoolClass, SchoolClass.id == Assignment.class_id)
        .where(Assignment.class_id.in_(class_ids))
    )
    tasks: Sequence[Task] = [
        Task(
            row.id,
            row.class_id,
            known[row.kind, row.slug],
            row.due,
            due_moment(row.due, zone) if row.due is not None else None,
            zone,
        )
        for row, zone in session.execute(query)
        if (row.kind, row.slug) in known
    ]
    last = datetime.max.replace(tzinfo=UTC)
    return sorted(tasks, key=lambda task: (task.due_at or last, task.target.title, task.target.kind))
