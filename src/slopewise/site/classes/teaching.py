"""What a teacher does with a class: make it, name it, let people in for a while, end it."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.accounts.accounts import time_zones
from slopewise.site.accounts.audit import note
from slopewise.site.storage.class_tables import SchoolClass

LONGEST_NAME = 80
MOST_CLASSES = 50
CODE_DAYS = (1, 7, 30)
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 of them, none that reads like another
_GROUPS, _GROUP = 2, 4  # 40 bits, and tries are counted: a code opens no data, only the door to a question


def make_class(
    session: Session, teacher_id: uuid.UUID, name: str, time_zone: str, now: datetime
) -> SchoolClass:
    """Make a class, with a code that is good for a week.

    Raises
    ------
    ArgumentError
        If the name or the zone cannot be used, or there are too many classes.
    """
    name = _name(name)
    count = select(func.count()).select_from(SchoolClass).where(SchoolClass.teacher_id == teacher_id)
    if (session.scalar(count) or 0) >= MOST_CLASSES:
        raise ArgumentError(f"There is room for {MOST_CLASSES} classes. End one that is over.")
    made = SchoolClass(
        id=uuid.uuid4(),
        teacher_id=teacher_id,
        name=name,
        time_zone=_zone(time_zone),
        created_at=now,
    )
    session.add(made)
    session.flush()
    note(session, now, "make-class", teacher_id)
    new_code(session, made, CODE_DAYS[1], now)
    return made


def classes_taught(session: Session, teacher_id: uuid.UUID) -> Sequence[SchoolClass]:
    """Return a teacher's classes, by name."""
    query = select(SchoolClass).where(SchoolClass.teacher_id == teacher_id)
    return list(session.scalars(query.order_by(SchoolClass.name, SchoolClass.id)))


def class_of_teacher(session: Session, teacher_id: uuid.UUID, class_id: uuid.UUID) -> SchoolClass:
    """Return a class of a teacher: the one place where it is asked whose class it is.

    Raises
    ------
    DataError
        If the teacher has no such class.
    """
    found = session.get(SchoolClass, class_id)
    if found is None or found.teacher_id != teacher_id:
        raise DataError("You have no such class.")
    return found


def change_class(found: SchoolClass, name: str, time_zone: str) -> None:
    """Set name and time zone; what is due stays at its hour on the wall.

    Raises
    ------
    ArgumentError
        If one of them cannot be used; nothing is changed then.
    """
    name, zone = _name(name), _zone(time_zone)
    found.name, found.time_zone = name, zone


def new_code(session: Session, found: SchoolClass, days: int, now: datetime) -> str:
    """Return a new code to join by; the one before is void from now on.

    Raises
    ------
    ArgumentError
        If it should be good for longer than a code may be.
    """
    if days not in CODE_DAYS:
        raise ArgumentError(f"A code is good for {', '.join(map(str, CODE_DAYS))} days.")
    found.code = "".join(secrets.choice(_LETTERS) for _ in range(_GROUPS * _GROUP))
    found.code_expires_at = now + timedelta(days=days)
    note(session, now, "new-class-code", found.teacher_id)
    return found.code


def close_code(session: Session, found: SchoolClass, now: datetime) -> None:
    """Let nobody join any more."""
    if found.code is None:
        return
    found.code = found.code_expires_at = None
    note(session, now, "close-class-code", found.teacher_id)


def open_code(found: SchoolClass, now: datetime) -> str:
    """Return the code as it is written on a board, or "" if nobody can join.

    Examples
    --------
    >>> from datetime import UTC
    >>> now = datetime(2026, 3, 1, tzinfo=UTC)
    >>> open_code(SchoolClass(code="ABCDEFGH", code_expires_at=datetime(2026, 3, 2, tzinfo=UTC)), now)
    'ABCD-EFGH'
    """
    if found.code is None or found.code_expires_at is None or found.code_expires_at <= now:
        return ""
    return "-".join(found.code[start : start + _GROUP] for start in range(0, len(found.code), _GROUP))


def class_by_code(session: Session, text: str, now: datetime) -> SchoolClass:
    """Return the class that a code opens, however it was typed.

    Raises
    ------
    DataError
        If the code is unknown, void or past its time: which of them, nobody learns.
    """
    typed = "".join(letter for letter in text.upper() if letter in _LETTERS)
    query = select(SchoolClass).where(SchoolClass.code == typed, SchoolClass.code_expires_at > now)
    found = session.scalar(query) if typed else None
    if found is None:
        raise DataError(
            "This code is not known, or is past its time. Ask your teacher for the code of today."
        )
    return found


def end_class(session: Session, found: SchoolClass, now: datetime) -> None:
    """End a class: members and what was assigned go with it, the members' own progress stays theirs."""
    note(session, now, "end-class", found.teacher_id)
    session.delete(found)


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise ArgumentError(f"The name of a class has 1 to {LONGEST_NAME} characters.")
    return name


def _zone(name: str) -> str:
    if name not in time_zones():
        raise ArgumentError("Time zones are named like Europe/Berlin.")
    return name
