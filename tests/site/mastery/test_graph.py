"""The skills of all lessons: each says what it rests on, and none rests on itself."""

import pytest

from slopewise.engine.errors import DataError
from slopewise.site.content.lesson import LESSONS, parse_toml
from slopewise.site.mastery.graph import SkillGraph, SkillNode, skill_graph

FOLDERS = sorted(LESSONS.glob("n[0-9][0-9]_*"))


def node(name, *rests_on):
    return SkillNode(name, name, name.partition("/")[0], "A lesson", rests_on)


@pytest.fixture(scope="module")
def graph(course):
    return skill_graph(course.outlines)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_skill_declares_what_it_rests_on(folder):
    for skill in parse_toml(folder / "lesson.toml")["skill"]:
        assert "rests_on" in skill, f"{folder.name}: {skill['id']}: write rests_on, [] for a first skill"


def test_only_the_very_first_skills_rest_on_nothing(graph):
    first = {name for name, found in graph.nodes.items() if not found.rests_on}
    assert first == {"training/stages", "gradient-and-derivative/derivative"}


def test_a_skill_rests_on_skills_of_its_own_or_an_earlier_lesson(course, graph):
    number = {entry.slug: entry.number for entry in course.entries}
    for found in graph.nodes.values():
        for name in found.rests_on:
            assert number[graph.nodes[name].lesson] <= number[found.lesson], (found.id, name)


def test_the_order_puts_each_skill_after_all_that_it_rests_on(graph):
    place = {name: number for number, name in enumerate(graph.nodes)}
    for name in graph.nodes:
        assert all(place[below] < place[name] for below in graph.below(name))
        assert all(name in graph.below(above) for above in graph.above(name))


def test_distances_count_the_shortest_way():
    graph = SkillGraph([node("a/1"), node("a/2", "a/1"), node("b/1", "a/2", "a/1")])
    assert graph.below("b/1") == {"a/2": 1, "a/1": 1}
    assert graph.above("a/1") == {"a/2": 1, "b/1": 1}
    assert graph.mates("a/1") == ["a/2"]


def test_a_circle_and_an_unknown_ground_are_refused_by_name():
    with pytest.raises(DataError, match="in a circle: a/1, a/2"):
        SkillGraph([node("a/1", "a/2"), node("a/2", "a/1"), node("b/1")])
    with pytest.raises(DataError, match="a/1 rests on x/1, which no lesson has"):
        SkillGraph([node("a/1", "x/1")])
