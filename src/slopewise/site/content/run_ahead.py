"""Makes the frames that labs open with, while the server already answers."""

from __future__ import annotations

import logging

from starlette.concurrency import run_in_threadpool

from slopewise.engine.errors import SlopewiseError
from slopewise.site.content.course import Course, Entry
from slopewise.site.content.lesson import BrokenLessonError, Lesson
from slopewise.site.labs.runs import FrameStore

log = logging.getLogger(__name__)


async def run_ahead(course: Course, frames: FrameStore) -> None:
    """Run each lesson's lab at its default settings, one after the other, and pin what was made.

    So who opens a lesson sees its lab at once, though to open a page runs nothing.
    """
    for entry in course.entries:
        try:
            lesson = await run_in_threadpool(_lesson, entry)
        except BrokenLessonError:
            continue  # `ReadAhead` has said so in the log
        if lesson is None:
            continue
        values = lesson.lab.read({})
        frames.pin(lesson.folder, values)
        try:
            await frames.frames(lesson.folder, values)
        except SlopewiseError as error:  # the lesson then shows the button
            log.error("the lab of %s could not be run ahead: %s", lesson.slug, error)


def _lesson(entry: Entry) -> Lesson | None:
    return entry.lesson
