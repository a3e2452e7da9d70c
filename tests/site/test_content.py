"""All content: what each lesson must have, formulas against the engine, numbers that nobody typed."""

import re

import numpy as np
import pytest

from slopewise.engine.errors import DataError
from slopewise.site.content import markup
from slopewise.site.content.course import load_course
from slopewise.site.content.lesson import LESSONS, check_lesson, load_lesson
from slopewise.site.content.snippets import needs

FOLDERS = sorted(LESSONS.glob("n[0-9][0-9]_*"))
FORMULAS = [(folder.name, formula) for folder in FOLDERS for formula in load_lesson(folder).formulas]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_lesson_is_whole(folder):
    lesson = load_lesson(folder)
    check_lesson(lesson, folder)
    assert {card.skill for card in lesson.cards} == {skill.id for skill in lesson.skills}


@pytest.mark.parametrize(
    ("folder", "formula"), FORMULAS, ids=[f"{name}-{formula.name}" for name, formula in FORMULAS]
)
def test_a_formula_agrees_with_the_engine(folder, formula):
    left, right = formula.sides()
    np.testing.assert_allclose(np.asarray(left, float), np.asarray(right, float), rtol=1e-5)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_displayed_formula_and_no_decimal_number_is_typed_into_a_text(folder):
    text = (folder / "text.md").read_text()
    prose = re.sub(r"```.*?```|`[^`]*`|\{\{.*?\}\}|\{%.*?%\}|\]\([^)]*\)", " ", text, flags=re.DOTALL)
    assert "$$" not in prose
    assert re.findall(r"\d+\.\d+", prose) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_formula_of_a_lesson_is_used(folder):
    texts = "".join(file.read_text() for file in folder.glob("*") if file.suffix in (".md", ".toml"))
    for formula in load_lesson(folder).formulas:
        assert f"formula.{formula.name}" in texts, formula.name


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_sentences_are_short(folder):
    text = markup.plain(re.sub(r"```.*?```|^\|.*$|^:::.*$", "", load_lesson(folder).text, flags=re.S | re.M))
    sentences = re.split(r"(?<=[.?!:;])\s", text)
    assert max(len(sentence.split()) for sentence in sentences) <= 48


def test_numbers_of_lessons_and_identities_of_cards_are_unique():
    lessons = load_course().lessons
    assert len({lesson.number for lesson in lessons}) == len(lessons)
    cards = [card.uuid for lesson in lessons for card in lesson.cards]
    assert len(set(cards)) == len(cards)


def test_the_identity_of_a_card_does_not_change():
    lesson = load_lesson(LESSONS / "n04_gradient_descent")
    card = next(card for card in lesson.cards if card.id == "define")
    assert str(card.uuid) == "6f71a22d-b7f7-5c5e-99a2-488c50964671"


def test_a_snippet_of_ours_prints_what_was_recorded():
    from slopewise.site.content.snippets import run_snippet

    ran = 0
    for file in sorted(LESSONS.glob("*/snippets/*.py")):
        if needs(file.read_text()) == ["slopewise"]:
            assert run_snippet(file) == file.with_suffix(".out").read_text(), file.name
            ran += 1
    assert ran


def test_a_search_finds_terms_lessons_sections_and_cards():
    kinds = {hit.kind for hit in load_course().search("gradient")}
    assert {"Glossary", "Lesson", "Card"} <= kinds
    assert load_course().search("learning rate")[0].title == "Learning rate (step size)"
    assert load_course().search("") == []
    assert load_course().search("zzzz") == []


@pytest.mark.parametrize("latex", [r"\nosuchcommand{x}", r"x \foo"])
def test_a_formula_that_cannot_be_set_is_refused(latex):
    with pytest.raises(Exception, match="formula"):
        markup.math(latex)


def test_markup_does_not_let_html_through():
    assert "<script>" not in markup.block("<script>alert(1)</script> [x](javascript:alert(1))")
    assert "javascript:" not in re.sub(r"\[x\]\(.*?\)", "", markup.block("[x](javascript:alert(1))"))


def test_a_lesson_that_misses_something_names_the_file(tmp_path):
    folder = tmp_path / "gradient"
    folder.mkdir()
    with pytest.raises(DataError, match="is called like n04_gradient_descent"):
        load_lesson(folder)
