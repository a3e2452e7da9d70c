"""Reads all lessons while the server already answers."""

from __future__ import annotations

import logging
from threading import Event, Thread

from slopewise.engine.errors import DataError
from slopewise.site.content.course import Course
from slopewise.site.content.lesson import BrokenLessonError

log = logging.getLogger(__name__)

PAUSE = 0.02  # seconds between lessons, so that a request that waits for another lesson comes first


class ReadAhead:
    """A thread that reads one lesson after the other.

    Who opens a lesson or searches seldom waits for it then, and a lesson that cannot be read is in the log
    soon after the start, not when the first learner comes.
    """

    def __init__(self, course: Course) -> None:
        self._course = course
        self._ending = Event()
        self._thread = Thread(target=self._read_all, name="read-ahead", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Leave off after the lesson that is being read."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _read_all(self) -> None:
        for entry in self._course.entries:
            if self._ending.wait(PAUSE):
                return
            try:
                _ = entry.lesson
            except BrokenLessonError as error:  # the other lessons are read all the same
                log.error("%s", error, exc_info=None if isinstance(error.__cause__, DataError) else error)
