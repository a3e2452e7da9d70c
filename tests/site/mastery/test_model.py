"""The model: what answers may and may not do to what the site believes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise.site.content import load_course
from slopewise.site.mastery.graph import skill_graph
from slopewise.site.mastery.model import (
    PRIOR,
    READY,
    Evidence,
    level,
    mastery,
    weigh_answer,
    weigh_recall,
)
from slopewise.site.mastery.next_step import next_step

GRAPH = skill_graph(load_course().outlines)
pieces = st.builds(
    lambda skill, is_right, choices, kind: Evidence(skill, weigh_answer(is_right, choices), kind, "an item"),
    st.sampled_from(list(GRAPH.nodes)),
    st.booleans(),
    st.integers(2, 5),
    st.sampled_from(["question", "prediction", "prompt", "card"]),
)
histories = st.lists(pieces, max_size=25)


@given(histories, pieces)
def test_a_right_answer_lowers_no_mastery_and_a_wrong_one_raises_none(history, piece):
    before, after = mastery(GRAPH, history), mastery(GRAPH, [*history, piece])
    for name in GRAPH.nodes:
        if piece.speaks_against:
            assert after[name] <= before[name] + 1e-12
        else:
            assert after[name] >= before[name] - 1e-12


@given(histories, st.randoms())
def test_the_order_of_answers_does_not_matter(history, random):
    other = list(history)
    random.shuffle(other)
    one, two = mastery(GRAPH, history), mastery(GRAPH, other)
    assert one == pytest.approx(two)


@given(histories)
def test_no_skill_is_ever_certain(history):
    assert all(0.01 < value < 0.99 for value in mastery(GRAPH, history).values())


def test_without_an_answer_every_skill_has_the_prior():
    assert all(value == pytest.approx(PRIOR) for value in mastery(GRAPH, []).values())


def test_a_right_answer_speaks_for_the_ground_and_a_wrong_one_against_what_rests_on_it():
    skill = "backpropagation/chain"
    right = mastery(GRAPH, [Evidence(skill, weigh_answer(True, 4), "question", "q")])
    wrong = mastery(GRAPH, [Evidence(skill, weigh_answer(False, 4), "question", "q")])
    below, far = "gradient-and-derivative/derivative", "train-and-eval/batchnorm"
    assert right[skill] > right[below] > PRIOR > wrong[far] > wrong[skill]
    assert wrong[below] == pytest.approx(PRIOR)
    assert right[far] == pytest.approx(PRIOR)


@pytest.mark.parametrize("choices", [2, 3, 4, 5])
def test_more_choices_make_a_right_answer_tell_more(choices):
    assert weigh_answer(True, choices + 1) > weigh_answer(True, choices) > 0 > weigh_answer(False, choices)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_card_that_fades_speaks_less_for_its_skill(one, other):
    low, high = sorted((one, other))
    assert weigh_recall(low) <= weigh_recall(high)


@given(histories, st.frozensets(st.sampled_from(sorted({node.lesson for node in GRAPH.nodes.values()}))))
def test_what_is_suggested_is_not_ready_and_all_that_it_rests_on_is(history, done):
    step = next_step(GRAPH, history, done)
    known = mastery(GRAPH, history)
    if step is None:
        assert min(known.values()) >= READY
    else:
        assert known[step.skill] < READY
        assert all(known[name] >= READY for name in GRAPH.nodes[step.skill].rests_on)
        assert step.why.endswith(".")


def missed(skill, kind="question"):
    return Evidence(skill, weigh_answer(False, 4), kind, "an item")


def knows(skill):
    return [Evidence(skill, weigh_answer(True, 4), "question", f"item {n}") for n in range(3)]


def test_nothing_known_begins_at_the_beginning():
    step = next_step(GRAPH, [])
    assert (step.kind, step.address) == ("begin", "/lessons/training")
    assert "Nothing is known of you yet" in step.why


def test_a_skill_that_was_missed_is_suggested_with_what_rests_on_it():
    history = [*knows("gradient-descent/update-rule"), missed("backpropagation/local")]
    step = next_step(GRAPH, [*history, *knows("gradient-and-derivative/along")], frozenset(["training"]))
    assert step.kind == "missed"
    assert step.skill == "backpropagation/local"
    assert step.why == (
        "You missed a question on “finding local derivatives”, which the lesson on activations rests on."
    )


def test_what_something_missed_rests_on_comes_first():
    step = next_step(GRAPH, [missed("gradient-and-derivative/uphill")])
    assert step.kind == "ground"
    assert step.skill == "gradient-and-derivative/derivative"
    assert "“knowing where a gradient points”, which rests on “finding and estimating" in step.why


def test_forgotten_cards_send_to_the_cards_of_their_lesson():
    weight = weigh_recall(0.2)
    step = next_step(GRAPH, [Evidence("training/stages", weight, "card", "a card")])
    assert step.kind == "forgotten"
    assert step.address == "/review?deck=training"
    assert step.why.startswith("You are forgetting cards on “ordering the stages of a project”")


def test_who_knows_everything_needs_no_step():
    assert next_step(GRAPH, [piece for skill in GRAPH.nodes for piece in knows(skill)]) is None


def test_levels_are_words():
    assert [level(value, True) for value in (0.2, 0.5, 0.9)] == ["shaky", "growing", "sound"]
    assert level(0.9, False) == "new"
