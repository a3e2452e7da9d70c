"""Hints at ideas: the matcher, and its precision and recall on twenty labelled answers a prompt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise.engine.errors import DataError
from slopewise.site.content.hint_scores import ANSWERS, folders, labelled, score, table
from slopewise.site.content.hints import ideas_in, read_phrasing, stem
from slopewise.site.content.lesson import read_lesson


def found(text, *phrasings):
    return ideas_in(text, [[read_phrasing(phrasing) for phrasing in phrasings]])[0]


@pytest.mark.parametrize(
    ("text", "phrasing"),
    [
        ("It goes AGAINST the gradient.", "against gradient"),
        ("The gradient: we move against it", "move* against"),
        ("Errors are averaged.", "average error"),
        ("It multiplies.", "multiply"),
        ("It does not prevent overfitting.", "not prevent overfit*"),
        ("It doesn’t prevent overfitting.", "not prevent overfit*"),
        ("It never prevents it", "not prevent"),
        ("mini-batches of rows", "minibatch"),
        ("Hardly anything arrives", "hardly|tiny arriv*"),
    ],
)
def test_a_phrasing_is_found_in_other_forms_and_orders(text, phrasing):
    assert found(text, phrasing)


@pytest.mark.parametrize(
    ("text", "phrasing"),
    [
        ("It does not point uphill.", "uphill"),
        ("The gradient isn't a vector.", "gradient vector"),
        ("Backpropagation never updates weights.", "update weight"),
        ("The gradient is big. The vector is small.", "gradient vector"),
        ("gradient one two three four five six seven eight vector", "gradient vector"),
        ("against", "against against"),
        ("the gradients", "grad"),
    ],
)
def test_a_phrasing_is_not_found_across_sentences_far_apart_or_negated(text, phrasing):
    assert not found(text, phrasing)


@given(st.text(max_size=300))
def test_any_text_is_read_without_complaint(text):
    assert ideas_in(text, [[read_phrasing("against|opposite gradient*")], []])[1] is False


@given(st.text(alphabet=st.characters(categories=["Ll"]), min_size=1, max_size=20))
def test_a_stem_begins_its_word(word):
    assert word.startswith(stem(word))
    assert stem(word)


@pytest.mark.parametrize("text", ["", "  ", "|", "a | b"])
def test_an_empty_phrasing_is_refused(text):
    with pytest.raises(ValueError, match="is no phrasing"):
        read_phrasing(text)


@pytest.fixture(scope="module")
def answers():
    return [answer for folder in folders() for answer in labelled(folder)]


def test_hints_are_right_and_found_often_enough(answers):
    """The floor holds over all answers, and over those that no phrasing was written for."""
    print(table(answers))
    for part in (answers, [answer for answer in answers if answer.is_kept_back]):
        assert score(part).precision >= 0.85
        assert score(part).recall >= 0.8


def test_no_prompt_is_much_worse_than_the_rest(answers):
    for key in {(answer.lesson, answer.prompt) for answer in answers}:
        part = [answer for answer in answers if (answer.lesson, answer.prompt) == key]
        assert score(part).precision >= 0.7, key
        assert score(part).recall >= 0.65, key


def test_every_prompt_has_answers_with_each_of_its_ideas_and_without_any(answers):
    for key in {(answer.lesson, answer.prompt) for answer in answers}:
        part = [answer for answer in answers if (answer.lesson, answer.prompt) == key]
        assert len({answer.text for answer in part}) == ANSWERS, key
        assert all(map(any, zip(*(answer.held for answer in part)))), key
        assert any(not any(answer.held) for answer in part), key


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_model_answers_hold_most_of_their_ideas(folder):
    prompts = read_lesson(folder).prompts
    hits = [
        ideas_in(prompt.answer, [[read_phrasing(text) for text in idea] for idea in prompt.accept])
        for prompt in prompts
    ]
    assert sum(map(sum, hits)) >= 0.75 * sum(len(prompt.ideas) for prompt in prompts), hits


def test_a_prompt_without_twenty_answers_is_refused(tmp_path):
    (tmp_path / "answers").mkdir()
    (tmp_path / "lesson.toml").write_text('[[prompt]]\nid = "a"\nideas = ["x"]\n')
    (tmp_path / "prompts.toml").write_text('[a]\naccept = [["x"]]\n')
    (tmp_path / "answers" / "a.toml").write_text('answers = [["0", "x"]]\n')
    with pytest.raises(DataError, match="20 answers, not 1"):
        labelled(tmp_path)
