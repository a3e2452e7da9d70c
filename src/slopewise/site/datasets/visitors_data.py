"""The data sets of the visitor who sent a request: the way in for pages, such as the playground's."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from slopewise.engine.errors import DataError
from slopewise.site.datasets.records import GUEST_TOUCH, Owner, data_sets_of, find, guest_of
from slopewise.site.storage.dataset_tables import DataGuest, DataSet
from slopewise.site.visitors import cookie_name, visitor_of

GUEST_COOKIE = "guest"


@dataclass(frozen=True)
class OwnData:
    """A data set of a visitor, as plain columns; nothing of it has to be parsed again.

    Attributes
    ----------
    id : UUID
    name : str
    rows : int
        Of the whole table; the columns hold a random choice of at most 2,000 rows.
    numbers : dict of str to list of float or None
        Columns of numbers: at most ten, and the target.
    labels : dict of str to list of str or None
        Columns of classes: at most ten, and the target.
    target : str
        The column that is likely to be predicted, or "".
    """

    id: uuid.UUID
    name: str
    rows: int
    numbers: dict[str, list[float | None]]
    labels: dict[str, list[str | None]]
    target: str


def data_set_of(request: Request, data_set_id: uuid.UUID) -> OwnData:
    """Return a data set of the visitor. It asks the database, so it belongs into a thread.

    Raises
    ------
    DataError
        If the visitor has no such data set.
    """
    with request.app.state.database.reading() as session:
        row = find(session, owner_of(request), data_set_id)
    shelf = request.app.state.workshop.shelf
    if row is None or not shelf.holds(data_set_id):
        raise DataError("You have no such data set.")
    points: dict[str, Any] = shelf.points(data_set_id)
    guess = shelf.facts(data_set_id)["guess"]
    return OwnData(row.id, row.name, row.rows, points["numbers"], points["labels"], guess)


def names_of_data_sets(request: Request) -> list[tuple[uuid.UUID, str]]:
    """Return the visitor's data sets by id and name, the newest first, to choose from."""
    with request.app.state.database.reading() as session:
        return [(row.id, row.name) for row in rows_of_visitor(request, session)]


def rows_of_visitor(request: Request, session: Any) -> list[DataSet]:
    """Return the visitor's data sets, the newest first."""
    return data_sets_of(session, owner_of(request))


def owner_of(request: Request) -> Owner:
    """Return whose data sets the visitor sees: those of the account, else those of the cookie, else none."""
    visitor = visitor_of(request)
    if visitor.learner_id is not None:
        return Owner(learner_id=visitor.learner_id)
    guest = visiting_guest(request)
    return Owner(guest=guest.digest) if guest is not None else Owner()


def visiting_guest(request: Request) -> DataGuest | None:
    """Return the guest of the cookie, if their time is not over; that they are here is noted."""
    if not hasattr(request.state, "data_guest"):
        request.state.data_guest = _find_guest(request)
    found: DataGuest | None = request.state.data_guest
    return found


def _find_guest(request: Request) -> DataGuest | None:
    secret = request.cookies.get(cookie_name(request, GUEST_COOKIE), "")[:100]
    if not secret:
        return None
    database, now = request.app.state.database, request.app.state.clock()
    with database.reading() as session:
        guest = guest_of(session, secret, now)
    if guest is not None and now - guest.used_at > GUEST_TOUCH:
        with database.writing(of=guest.digest.hex()) as session:
            found = session.get(DataGuest, guest.digest)
            if found is not None:
                found.used_at = now
    return guest
