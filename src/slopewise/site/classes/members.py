"""Members of classes: joining, saying what is shared, leaving, and being removed."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.accounts.audit import note
from slopewise.site.classes.teaching import class_by_code
from slopewise.site.storage.class_tables import ClassMember, SchoolClass
from slopewise.site.storage.tables import Account

MOST_MEMBERS = 200
MOST_MEMBERSHIPS = 50


@dataclass(frozen=True)
class Invitation:
    """What somebody who has a code learns before joining."""

    class_name: str
    teacher_name: str
    is_member: bool


@dataclass(frozen=True)
class Membership:
    """A class that somebody belongs to."""

    class_id: uuid.UUID
    class_name: str
    teacher_name: str
    time_zone: str
    joined_at: datetime
    shares: bool


@dataclass(frozen=True)
class Pupil:
    """A member as the teacher sees one: a name, and whether progress is shared. Nothing else is read.

    `learner_id` leads to the progress, and is None for whoever shares none. `mark` tells members of one name
    apart, and is "" for all others. Only the teacher sees it: by theirs, members would learn of each other.
    """

    id: uuid.UUID
    name: str
    mark: str
    learner_id: uuid.UUID | None

    @property
    def full_name(self) -> str:
        """The name, with its mark if it has one."""
        return f"{self.name} ({self.mark})" if self.mark else self.name


def name_tells_address(display_name: str, email: str) -> bool:
    """Tell whether a name is the one that was made of the address: nobody chose to show it to others.

    Examples
    --------
    >>> name_tells_address("ada.lovelace", "ada.lovelace@example.org"), name_tells_address("Ada", "a@b.org")
    (True, False)
    """
    shown, address = display_name.casefold(), email.casefold()
    return shown == address.partition("@")[0][: len(shown)] or address in shown


def invitation(session: Session, account_id: uuid.UUID, code: str, now: datetime) -> Invitation:
    """Return what a code leads to.

    Raises
    ------
    DataError
        If the code is not good.
    """
    found = class_by_code(session, code, now)
    teacher = session.get_one(Account, found.teacher_id)
    return Invitation(found.name, teacher.display_name, _member(session, found.id, account_id) is not None)


def join(session: Session, account_id: uuid.UUID, code: str, shares: bool, now: datetime) -> SchoolClass:
    """Make somebody a member. Whoever is one already keeps what they said of sharing.

    Raises
    ------
    ArgumentError
        If it is their own class, or class or learner have no room.
    DataError
        If the code is not good.
    """
    found = class_by_code(session, code, now)
    if found.teacher_id == account_id:
        raise ArgumentError("You teach this class.")
    if _member(session, found.id, account_id) is not None:
        return found
    if _count(session, ClassMember.class_id == found.id) >= MOST_MEMBERS:
        raise ArgumentError(f"This class is full: it has {MOST_MEMBERS} members.")
    if _count(session, ClassMember.account_id == account_id) >= MOST_MEMBERSHIPS:
        raise ArgumentError(f"You belong to {MOST_MEMBERSHIPS} classes. Leave one that is over.")
    session.add(
        ClassMember(
            id=uuid.uuid4(),
            class_id=found.id,
            account_id=account_id,
            joined_at=now,
            shares_since=now if shares else None,
        )
    )
    note(session, now, "join-class", account_id)
    if shares:
        note(session, now, "share-progress", account_id)
    return found


def set_sharing(
    session: Session, account_id: uuid.UUID, class_id: uuid.UUID, shares: bool, now: datetime
) -> None:
    """Share progress with the teacher from now on, or stop; it is asked at each look, so it holds at once.

    Raises
    ------
    DataError
        If there is no such membership.
    """
    member = _own(session, account_id, class_id)
    if (member.shares_since is not None) == shares:
        return
    member.shares_since = now if shares else None
    note(session, now, "share-progress" if shares else "unshare-progress", account_id)


def leave(session: Session, account_id: uuid.UUID, class_id: uuid.UUID, now: datetime) -> None:
    """Leave a class.

    Raises
    ------
    DataError
        If there is no such membership.
    """
    session.delete(_own(session, account_id, class_id))
    note(session, now, "leave-class", account_id)


def remove(session: Session, found: SchoolClass, member_id: uuid.UUID, now: datetime) -> None:
    """Take a member out of a teacher's class; the code is void from now on, or it would let them back in.

    Raises
    ------
    DataError
        If the class has no such member.
    """
    member = session.get(ClassMember, member_id)
    if member is None or member.class_id != found.id:
        raise DataError("The class has no such member.")
    session.delete(member)
    found.code = found.code_expires_at = None
    note(session, now, "remove-member", found.teacher_id)
    note(session, now, "removed-from-class", member.account_id)


def roster(session: Session, class_id: uuid.UUID) -> list[Pupil]:
    """Return the members of a class, by name: the only way from a class to its members' progress."""
    query = (
        select(
            ClassMember.id,
            ClassMember.shares_since,
            Account.display_name,
            Account.learner_id,
        )
        .join(Account, Account.id == ClassMember.account_id)
        .where(ClassMember.class_id == class_id)
    )
    rows = session.execute(query).all()
    count = Counter(row.display_name.casefold() for row in rows)
    pupils = [
        Pupil(
            row.id,
            row.display_name,
            row.id.hex[:4] if count[row.display_name.casefold()] > 1 else "",
            row.learner_id if row.shares_since else None,
        )
        for row in rows
    ]
    return sorted(pupils, key=lambda pupil: (pupil.name.casefold(), pupil.id))


def memberships(session: Session, account_id: uuid.UUID) -> list[Membership]:
    """Return the classes that somebody belongs to, by name."""
    query = (
        select(ClassMember, SchoolClass, Account.display_name)
        .join(SchoolClass, SchoolClass.id == ClassMember.class_id)
        .join(Account, Account.id == SchoolClass.teacher_id)
        .where(ClassMember.account_id == account_id)
        .order_by(SchoolClass.name, SchoolClass.id)
    )
    return [
        Membership(
            found.id, found.name, teacher, found.time_zone, member.joined_at, member.shares_since is not None
        )
        for member, found, teacher in session.execute(query)
    ]


def classes_as_export(session: Session, account_id: uuid.UUID) -> dict[str, list[dict[str, Any]]]:
    """Return the classes that somebody belongs to or teaches; of other people only the teacher's name."""
    taught: Sequence[SchoolClass] = list(
        session.scalars(
            select(SchoolClass)
            .where(SchoolClass.teacher_id == account_id)
            .order_by(SchoolClass.created_at, SchoolClass.id)
        )
    )
    return {
        "member_of": [
            {
                "name": row.class_name,
                "teacher": row.teacher_name,
                "joined_at": row.joined_at,
                "shares_progress": row.shares,
            }
            for row in memberships(session, account_id)
        ],
        "teacher_of": [
            {
                "name": row.name,
                "time_zone": row.time_zone,
                "created_at": row.created_at,
                "members": _count(session, ClassMember.class_id == row.id),
            }
            for row in taught
        ],
    }


def _member(session: Session, class_id: uuid.UUID, account_id: uuid.UUID) -> ClassMember | None:
    return session.scalar(
        select(ClassMember).where(ClassMember.class_id == class_id, ClassMember.account_id == account_id)
    )


def _own(session: Session, account_id: uuid.UUID, class_id: uuid.UUID) -> ClassMember:
    member = _member(session, class_id, account_id)
    if member is None:
        raise DataError("You belong to no such class.")
    return member


def _count(session: Session, condition: Any) -> int:
    return session.scalar(select(func.count()).select_from(ClassMember).where(condition)) or 0
