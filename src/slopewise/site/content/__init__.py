"""The course: lessons as folders, the glossary and the concept map, read and checked when the site starts."""

from slopewise.site.content.course import Course, load_course
from slopewise.site.content.lesson import Card, Formula, Lesson, load_lesson

__all__ = ["Card", "Course", "Formula", "Lesson", "load_course", "load_lesson"]
