"""All skills of the course, and which rests on which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from slopewise.engine.errors import DataError
from slopewise.site.content.outline import Outline


@dataclass(frozen=True)
class SkillNode:
    """A skill, named `lesson/skill`, and the skills that it rests on directly."""

    id: str
    name: str
    lesson: str
    lesson_title: str
    rests_on: tuple[str, ...]


class SkillGraph:
    """The skills in an order in which each comes after all that it rests on; else the order of the course.

    Raises
    ------
    DataError
        If a skill rests on one that there is not, or on itself by some way round.
    """

    def __init__(self, nodes: Iterable[SkillNode]) -> None:
        given = {node.id: node for node in nodes}
        for node in given.values():
            for name in node.rests_on:
                if name not in given:
                    raise DataError(f"skill {node.id} rests on {name}, which no lesson has")
        self.nodes: Mapping[str, SkillNode] = {node.id: node for node in _sorted(given)}
        self._below = {name: _distances(name, lambda at: self.nodes[at].rests_on) for name in self.nodes}
        resting: dict[str, list[str]] = {name: [] for name in self.nodes}
        for node in self.nodes.values():
            for name in node.rests_on:
                resting[name].append(node.id)
        self._above = {name: _distances(name, lambda at: resting[at]) for name in self.nodes}
        self._mates = {
            name: [other for other in self.nodes if other != name and self.nodes[other].lesson == node.lesson]
            for name, node in self.nodes.items()
        }

    def below(self, name: str) -> Mapping[str, int]:
        """Return all that a skill rests on, each with the number of steps down to it."""
        return self._below[name]

    def above(self, name: str) -> Mapping[str, int]:
        """Return all that rests on a skill, each with the number of steps up to it."""
        return self._above[name]

    def mates(self, name: str) -> Sequence[str]:
        """Return the other skills of the same lesson."""
        return self._mates[name]


def skill_graph(outlines: Sequence[Outline]) -> SkillGraph:
    """Return the skills of all lessons that are written."""
    return SkillGraph(
        SkillNode(
            outline.skill_address(skill.id),
            skill.name,
            outline.slug,
            outline.title,
            tuple(outline.skill_address(name) for name in skill.rests_on),
        )
        for outline in outlines
        for skill in outline.skills
    )


def _sorted(given: Mapping[str, SkillNode]) -> list[SkillNode]:
    """Return the skills sorted: the first in the given order whose ground has been laid, again and again."""
    left, order = dict(given), []
    laid: set[str] = set()
    while left:
        found = next((node for node in left.values() if laid.issuperset(node.rests_on)), None)
        if found is None:
            raise DataError(f"these skills rest on each other in a circle: {', '.join(sorted(left))}")
        order.append(left.pop(found.id))
        laid.add(found.id)
    return order


def _distances(start: str, neighbours: Callable[[str], Sequence[str]]) -> dict[str, int]:
    """Return the least number of steps to each skill that can be reached."""
    found: dict[str, int] = {}
    edge, steps = [start], 0
    while edge:
        steps += 1
        edge = [name for at in edge for name in neighbours(at) if name not in found and name != start]
        found.update((name, steps) for name in edge)
    return found
