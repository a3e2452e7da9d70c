"""Curves in a database that server processes share: who tends a training writes, others read."""

from __future__ import annotations

import asyncio
import logging
import uuid

from sqlalchemy import delete, select

from slopewise.site.datasets.curve import Curve, Point
from slopewise.site.datasets.records import UNDER_WAY
from slopewise.site.storage.database import Database
from slopewise.site.storage.dataset_tables import CurvePiece, DataRun

log = logging.getLogger(__name__)

PAUSE = 0.3  # seconds between two pieces that are written, and between two looks for more
AFTER_FAILURE = 2.0  # seconds, if the database did not answer


async def write_curve(database: Database, run_id: uuid.UUID, curve: Curve) -> None:
    """Write down what is new on a curve until its training has ended; then nobody needs it any more."""
    told = 0
    while not curve.is_closed:
        await curve.wait(told, 60.0)
        points = curve.points[told:]
        try:
            if points:
                await asyncio.to_thread(_add, database, run_id, told, points)
            told += len(points)
            await asyncio.sleep(PAUSE)
        except Exception:
            log.exception("points of a curve could not be told to other processes")
            await asyncio.sleep(AFTER_FAILURE)
    await asyncio.to_thread(_remove, database, run_id)


async def read_curve(database: Database, run_id: uuid.UUID, curve: Curve) -> None:
    """Give a curve what another process writes, until its training has ended or no page listens."""
    while True:
        pause = PAUSE
        try:
            points, is_over = await asyncio.to_thread(_after, database, run_id, len(curve.points))
            if points:
                curve.add(points)
            if is_over:
                return
        except Exception:
            log.exception("points of a curve could not be read")
            pause = AFTER_FAILURE
        await asyncio.sleep(pause)
        if not curve.streams:
            return


def _add(database: Database, run_id: uuid.UUID, first: int, points: list[Point]) -> None:
    with database.writing(of=run_id) as session:
        if session.get(DataRun, run_id) is not None:  # else it was deleted meanwhile
            piece = [list(point) for point in points]
            session.add(CurvePiece(run_id=run_id, first=first, points=piece))


def _after(database: Database, run_id: uuid.UUID, count: int) -> tuple[list[Point], bool]:
    """Return the points after so many, and whether the training has ended."""
    pieces = select(CurvePiece.points).where(CurvePiece.run_id == run_id, CurvePiece.first >= count)
    with database.reading() as session:
        run = session.get(DataRun, run_id)
        found = session.scalars(pieces.order_by(CurvePiece.first))
        points: list[Point] = [point for piece in found for point in piece]
    return points, run is None or run.state not in UNDER_WAY


def _remove(database: Database, run_id: uuid.UUID) -> None:
    with database.writing(of=run_id) as session:
        session.execute(delete(CurvePiece).where(CurvePiece.run_id == run_id))
