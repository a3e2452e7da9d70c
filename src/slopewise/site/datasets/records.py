"""The rows of data sets and trainings: whose they are, how many there may be, what is shared."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from slopewise.engine.errors import ArgumentError
from slopewise.site.accounts.secrets import digest, new_secret
from slopewise.site.storage.dataset_tables import CurvePiece, DataGuest, DataRun, DataSet

MEBIBYTE = 2**20
GUEST_IDLE = timedelta(hours=2)
GUEST_LONGEST = timedelta(hours=24)
GUEST_TOUCH = timedelta(minutes=2)
GUESTS_BYTES = 2048 * MEBIBYTE  # of all visitors without an account together
NETWORK_BYTES = 512 * MEBIBYTE  # of those in one network: forty pupils with a large file each
REPORT_BYTES = MEBIBYTE // 2  # for which there must be room when a training begins
MOST_RUNS = 10  # of a data set; the oldest go
UNSEEN = timedelta(seconds=30)  # a training whose page nobody looks at ends
UNDER_WAY = ("waiting", "running")  # states of a training that has not ended
LOST = timedelta(seconds=120)  # one that no server tends, as after a crash


class UnderWayError(ArgumentError):
    """Somebody has a training that has not ended: `run_id`, of the data set `data_set_id`."""

    def __init__(self, data_set: DataSet, run_id: uuid.UUID) -> None:
        super().__init__(f"You have a training that has not ended, on “{data_set.name}”. One at a time.")
        self.data_set_id, self.run_id = data_set.id, run_id


@dataclass(frozen=True)
class Quota:
    """How much somebody may keep."""

    data_sets: int
    size: int


GUEST_QUOTA = Quota(5, 20 * MEBIBYTE)
LEARNER_QUOTA = Quota(50, 100 * MEBIBYTE)


@dataclass(frozen=True)
class Owner:
    """Whose data sets are meant: those of a learner, or of a visitor without an account."""

    learner_id: uuid.UUID | None = None
    guest: bytes | None = None

    @property
    def quota(self) -> Quota:
        """How much they may keep."""
        return LEARNER_QUOTA if self.learner_id is not None else GUEST_QUOTA

    @property
    def key(self) -> str:
        """A text that tells owners apart, for counting."""
        return str(self.learner_id) if self.guest is None else self.guest.hex()


def guest_of(session: Session, secret: str, now: datetime) -> DataGuest | None:
    """Return the guest of a cookie, unless their time is over."""
    found = session.get(DataGuest, digest(secret)) if secret else None
    if found is None or found.used_at <= now - GUEST_IDLE or found.created_at <= now - GUEST_LONGEST:
        return None
    return found


def add_guest(session: Session, now: datetime, network: str = "") -> tuple[str, Owner]:
    """Add a visitor without an account; return the secret for their cookie."""
    secret = new_secret()
    guest = DataGuest(digest=digest(secret), network=digest(network), created_at=now, used_at=now)
    session.add(guest)
    session.flush()
    return secret, Owner(guest=guest.digest)


def data_sets_of(session: Session, owner: Owner) -> list[DataSet]:
    """Return somebody's data sets, the newest first."""
    return list(session.scalars(_owned(owner).order_by(DataSet.created_at.desc(), DataSet.id)))


def find(session: Session, owner: Owner, data_set_id: uuid.UUID) -> DataSet | None:
    """Return a data set if it belongs to the owner."""
    return session.scalar(_owned(owner).where(DataSet.id == data_set_id))


def find_run(session: Session, owner: Owner, data_set_id: uuid.UUID, run_id: uuid.UUID) -> DataRun | None:
    """Return a training if its data set belongs to the owner."""
    run = session.get(DataRun, run_id)
    if run is None or run.data_set_id != data_set_id or find(session, owner, data_set_id) is None:
        return None
    return run


def check_quota(session: Session, owner: Owner, more: int, network: str = "") -> None:
    """Refuse a data set of `more` bytes for which there is no room.

    Parameters
    ----------
    session : Session
    owner : Owner
    more : int
    network : str
        Where a visitor comes from of whom nothing is kept yet.

    Raises
    ------
    ArgumentError
        It says what is full, and the way out.
    """
    if len(data_sets_of(session, owner)) >= owner.quota.data_sets:
        raise ArgumentError(
            f"There is room for {owner.quota.data_sets} data sets of yours. Delete one first."
        )
    check_size(session, owner, more, network)


def check_size(session: Session, owner: Owner, more: int, network: str = "") -> None:
    """Refuse `more` bytes, of a data set or of a report, for which there is no room; see `check_quota`."""
    quota, used = owner.quota, sum(row.size for row in data_sets_of(session, owner))
    if used + more > quota.size:
        raise ArgumentError(
            f"Your data sets and reports may take {quota.size / MEBIBYTE:.3g} MiB, and "
            f"{used / MEBIBYTE:.1f} MiB are used. Delete one first."
        )
    if owner.guest is None:
        return
    guest = session.get(DataGuest, owner.guest)
    of_guests = select(func.sum(DataSet.size)).where(DataSet.guest.is_not(None))
    of_network = (
        select(func.sum(DataSet.size))
        .join(DataGuest, DataGuest.digest == DataSet.guest)
        .where(DataGuest.network == (guest.network if guest is not None else digest(network)))
    )
    if (session.scalar(of_guests) or 0) + more > GUESTS_BYTES:
        raise ArgumentError("There is no room for visitors' data now. Log in, or try again in an hour.")
    if (session.scalar(of_network) or 0) + more > NETWORK_BYTES:
        raise ArgumentError(
            "There is no more room for the data of visitors from your network. Log in, or delete some of it."
        )


def runs_of(session: Session, data_set_id: uuid.UUID) -> list[DataRun]:
    """Return the trainings of a data set, the newest first."""
    query = select(DataRun).where(DataRun.data_set_id == data_set_id)
    return list(session.scalars(query.order_by(DataRun.created_at.desc(), DataRun.id)))


def add_run(
    session: Session, owner: Owner, data_set: DataSet, settings: dict[str, object], now: datetime
) -> tuple[DataRun, list[uuid.UUID]]:
    """Add a training that waits; return it, and the trainings that made room for it.

    Raises
    ------
    UnderWayError
        If the owner has one that has not ended.
    ArgumentError
        If there is no room for its report.
    """
    query = _owned(owner).join(DataRun, DataRun.data_set_id == DataSet.id).add_columns(DataRun.id)
    at_work = session.execute(query.where(DataRun.state.in_(UNDER_WAY), DataRun.seen_at > now - LOST)).first()
    if at_work is not None:
        raise UnderWayError(*at_work)
    check_size(session, owner, REPORT_BYTES)
    gone = [run.id for run in runs_of(session, data_set.id)[MOST_RUNS - 1 :]]
    session.execute(delete(DataRun).where(DataRun.id.in_(gone)))
    run = DataRun(
        id=uuid.uuid4(),
        data_set_id=data_set.id,
        settings=settings,
        state="waiting",
        message="",
        created_at=now,
        seen_at=now,
    )
    session.add(run)
    return run, gone


def places_before(session: Session, run: DataRun, now: datetime) -> int:
    """Return how many trainings wait or run that began before this one."""
    query = select(func.count()).where(
        DataRun.state.in_(UNDER_WAY),
        DataRun.created_at < run.created_at,
        DataRun.seen_at > now - LOST,
    )
    return session.scalar(query) or 0


def share(data_set: DataSet, now: datetime) -> str:
    """Make a link to a data set, in place of an older one; return its secret, which is not kept."""
    secret = new_secret()
    data_set.share_digest, data_set.shared_at = digest(secret), now
    return secret


def unshare(data_set: DataSet) -> None:
    """Revoke the link."""
    data_set.share_digest = data_set.shared_at = None


def shared(session: Session, secret: str, now: datetime) -> DataSet | None:
    """Return the data set of a link; that of a guest is gone with the guest."""
    found = session.scalar(select(DataSet).where(DataSet.share_digest == digest(secret)))
    if found is not None and found.guest is not None:
        guest = session.get(DataGuest, found.guest)
        if guest is None or guest.used_at <= now - GUEST_IDLE or guest.created_at <= now - GUEST_LONGEST:
            return None
    return found


def keep_guests_data(session: Session, guest: DataGuest, owner: Owner) -> None:
    """Make the data sets of a guest those of the account that they logged in to.

    Raises
    ------
    ArgumentError
        If the account has no room for all of them.
    """
    mine = data_sets_of(session, Owner(guest=guest.digest))
    kept = data_sets_of(session, owner)
    if len(kept) + len(mine) > owner.quota.data_sets or (
        sum(row.size for row in (*kept, *mine)) > owner.quota.size
    ):
        raise ArgumentError("Your account has no room for all of them. Delete some data sets first.")
    session.execute(
        update(DataSet).where(DataSet.guest == guest.digest).values(guest=None, learner_id=owner.learner_id)
    )
    session.execute(delete(DataGuest).where(DataGuest.digest == guest.digest))


def remove(session: Session, data_sets: Sequence[uuid.UUID]) -> None:
    """Delete data sets and their trainings; the files are the shelf's to delete."""
    session.execute(delete(DataRun).where(DataRun.data_set_id.in_(data_sets)))
    session.execute(delete(DataSet).where(DataSet.id.in_(data_sets)))


def end_guests(session: Session, now: datetime) -> list[uuid.UUID]:
    """Delete the rows of guests whose time is over; return their data sets, whose files go next."""
    over = select(DataGuest.digest).where(
        (DataGuest.used_at <= now - GUEST_IDLE) | (DataGuest.created_at <= now - GUEST_LONGEST)
    )
    data_sets = list(session.scalars(select(DataSet.id).where(DataSet.guest.in_(over))))
    remove(session, data_sets)
    session.execute(delete(DataGuest).where(DataGuest.digest.in_(over)))
    return data_sets


def end_lost_runs(session: Session, now: datetime) -> None:
    """Mark trainings that no server tends any more, and delete what is left of the curves of ended ones."""
    session.execute(
        update(DataRun)
        .where(DataRun.state.in_(UNDER_WAY), DataRun.seen_at <= now - LOST)
        .values(state="ended", message="The server was restarted meanwhile. Train again.", ended_at=now)
    )
    over = select(DataRun.id).where(DataRun.state.not_in(UNDER_WAY))
    session.execute(delete(CurvePiece).where(CurvePiece.run_id.in_(over)))


def _owned(owner: Owner) -> Select[DataSet]:
    if owner.learner_id is not None:
        return select(DataSet).where(DataSet.learner_id == owner.learner_id)
    return select(DataSet).where(DataSet.guest == owner.guest, DataSet.guest.is_not(None))
