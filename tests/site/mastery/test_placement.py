"""The placement test: short, from the middle, and ending where a simulated learner stands."""

import pytest

from slopewise.engine.errors import DataError
from slopewise.site.mastery.graph import skill_graph
from slopewise.site.mastery.next_step import next_step
from slopewise.site.mastery.placement import LEAST, MOST, UNKNOWN, Answer, Placement


@pytest.fixture(scope="module")
def placement(course):
    questions = [question for outline in course.outlines for question in outline.question_outlines]
    return Placement(skill_graph(course.outlines), questions)


def taken(placement, knows):
    """Return the answers of a learner who answers rightly what `knows` says, and nothing else."""
    answers = []
    while (question := placement.next_question(answers)) is not None:
        answers.append(Answer(question.item, question.answer if knows(question) else UNKNOWN))
    return answers


def test_the_first_question_is_from_the_middle_of_the_graph(placement):
    skill = placement.next_question([]).skill
    below, above = placement.graph.below(skill), placement.graph.above(skill)
    assert min(len(below), len(above)) >= 5
    assert len(below) + len(above) >= len(placement.graph.nodes) / 3


@pytest.mark.parametrize("last", [0, 1, 3, 5, 7, 9, 11, 13])
def test_a_learner_who_knows_the_first_lessons_is_sent_close_to_where_they_stand(placement, course, last):
    number = {entry.slug: entry.number for entry in course.entries}
    answers = taken(placement, lambda question: number[question.item.partition("/")[0]] <= last)
    assert LEAST <= len(answers) <= MOST
    step = next_step(placement.graph, placement.evidence(answers))
    found = number[placement.graph.nodes[step.skill].lesson]
    assert found >= last - 5
    assert found <= last + 1


def test_no_skill_is_asked_twice_and_no_question_that_needs_its_lesson(placement):
    for rule in (lambda question: True, lambda question: False, lambda question: len(question.item) % 2):
        asked = [placement.questions[answer.item] for answer in taken(placement, rule)]
        assert len({question.skill for question in asked}) == len(asked)
        assert all(question.alone for question in asked)


def test_other_answers_lead_to_other_questions(placement):
    rules = (lambda question: True, lambda question: False)
    paths = [[answer.item for answer in taken(placement, rule)] for rule in rules]
    assert paths[0][0] == paths[1][0]
    assert len(set(paths[0]) ^ set(paths[1])) >= 4


def test_answers_are_read_and_the_later_one_counts(placement):
    texts = ["backpropagation/product:2", "backpropagation/product:-1"]
    assert placement.read(texts) == [Answer("backpropagation/product", UNKNOWN)]


@pytest.mark.parametrize("text", ["", "x", "backpropagation/product:9", "backpropagation/product:²", "a/b:0"])
def test_what_is_no_answer_is_refused_with_its_text(placement, text):
    with pytest.raises(DataError, match="is no answer to a question"):
        placement.read([text])
