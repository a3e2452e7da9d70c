"""All content: what each lesson must have, formulas against the engine, numbers that nobody typed."""

import logging
import re
import shutil
from importlib import import_module

import numpy as np
import pytest

from slopewise.engine.errors import DataError
from slopewise.site.content import lesson as lesson_module
from slopewise.site.content import markup
from slopewise.site.content.course import load_course
from slopewise.site.content.lesson import LESSONS, check_lesson, load_lesson, parse_toml, read_lesson
from slopewise.site.content.library import load_pro_decks
from slopewise.site.content.outline import load_outline
from slopewise.site.content.read_ahead import ReadAhead
from slopewise.site.content.snippets import needs
from slopewise.site.content.typed_formulas import wrong_sums
from slopewise.site.content.typed_numbers import written_items

FOLDERS = sorted(LESSONS.glob("n[0-9][0-9]_*"))
FORMULAS = [
    (folder.name, formula)
    for folder in FOLDERS
    for formula in import_module(f"slopewise.site.content.lessons.{folder.name}.facts").FORMULAS
]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_lesson_is_whole(folder):
    lesson = read_lesson(folder)
    check_lesson(lesson, folder)


@pytest.mark.parametrize(
    ("folder", "formula"), FORMULAS, ids=[f"{name}-{formula.name}" for name, formula in FORMULAS]
)
def test_a_formula_agrees_with_the_engine(folder, formula):
    left, right = formula.sides()
    np.testing.assert_allclose(np.asarray(left, float), np.asarray(right, float), rtol=1e-5)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_displayed_formula_is_typed(folder):
    for key, text in written_items(folder).items():
        assert "$$" not in text, key


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_formula_of_a_lesson_is_used(folder):
    texts = "".join(written_items(folder).values())
    for formula in read_lesson(folder).formulas:
        assert f"formula.{formula.name} " in texts or f"${formula.latex}$" in texts, formula.name


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_typed_arithmetic_adds_up(folder):
    lesson = read_lesson(folder)
    texts = [lesson.text, lesson.workflow, *lesson.goals, *lesson.takeaways]
    texts += [part for card in lesson.cards for part in (card.front, card.back)]
    texts += [part for asked in lesson.questions for part in (asked.ask, asked.because, *asked.choices)]
    texts += [part for prompt in lesson.prompts for part in (prompt.ask, prompt.answer)]
    assert wrong_sums("\n\n".join(texts)) == []


def test_typed_arithmetic_of_decks_adds_up():
    texts = [part for deck in load_pro_decks() for card in deck.cards for part in (card.front, card.back)]
    assert "= 2.30$" in "".join(texts)  # numbers are in, as a reader sees them
    assert wrong_sums("\n\n".join(texts)) == []


def longest_sentence(text):
    """Return the words of the longest sentence, or part of one between colons; tables and code apart."""
    prose = re.sub(r"```.*?```|^\|.*$|^:::.*$|\$\$.*?\$\$", "", text, flags=re.DOTALL | re.MULTILINE)
    parts = [part for block in re.split(r"\n\s*\n|\n- |\n\d\. ", prose) for part in [markup.plain(block)]]
    return max(len(piece.split()) for part in parts for piece in re.split(r"(?<=[.?!:;])[\"”*)]*\s", part))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_sentences_are_short(folder):
    lesson = read_lesson(folder)
    texts = [lesson.text, *(text for card in lesson.cards for text in (card.front, card.back))]
    texts += [text for question in lesson.questions for text in (question.ask, question.because)]
    assert max(map(longest_sentence, texts)) <= 30
    assert max(longest_sentence(prompt.answer) for prompt in lesson.prompts) <= 40


def test_numbers_of_lessons_and_identities_of_cards_are_unique(course):
    lessons = course.lessons
    assert len({lesson.number for lesson in lessons}) == len(lessons)
    cards = [card.uuid for lesson in lessons for card in lesson.cards]
    assert len(set(cards)) == len(cards)


def test_the_identity_of_a_card_does_not_change():
    lesson = read_lesson(LESSONS / "n04_gradient_descent")
    card = next(card for card in lesson.cards if card.id == "define")
    assert str(card.uuid) == "6f71a22d-b7f7-5c5e-99a2-488c50964671"


def test_what_a_snippet_printed_was_recorded_from_its_text_as_it_is_now():
    from slopewise.site.content.snippets import is_recorded

    files = sorted(LESSONS.glob("*/snippets/*.py"))
    assert len(files) > 40
    assert [file for file in files if not is_recorded(file)] == []  # make site-snippets mends it


@pytest.mark.parametrize("changed", ["torch.py", "torch.out"])
def test_a_snippet_that_was_changed_and_not_run_again_is_noticed(tmp_path, changed):
    from slopewise.site.content.snippets import _note, is_recorded

    file = tmp_path / "torch.py"
    for one, text in (("torch.py", "print(1)\n"), ("torch.out", "1\n")):
        (tmp_path / one).write_text(text)
    assert not is_recorded(file)
    _note(file)
    assert is_recorded(file)
    with (tmp_path / changed).open("a") as open_file:
        open_file.write("#")
    assert not is_recorded(file)


@pytest.mark.slow
def test_a_snippet_of_ours_prints_what_was_recorded():
    from slopewise.site.content.snippets import run_snippet

    ran = 0
    for file in sorted(LESSONS.glob("*/snippets/*.py")):
        if needs(file.read_text()) == ["slopewise"]:
            assert run_snippet(file) == file.with_suffix(".out").read_text(), file.name
            ran += 1
    assert ran


def test_a_search_finds_terms_lessons_sections_and_cards(course):
    kinds = {hit.kind for hit in course.search("gradient")}
    assert {"Glossary", "Lesson", "Card"} <= kinds
    assert course.search("learning rate")[0].title == "Learning rate (step size)"
    first = [course.search(word)[0].title.split()[0] for word in ("relu", "overfit", "zero_grad")]
    assert first == ["ReLU", "Overfitting", "Zeroing"]
    assert course.search("") == []
    assert course.search("zzzz") == []


def test_a_lesson_that_misses_something_names_the_file(tmp_path):
    folder = tmp_path / "gradient"
    folder.mkdir()
    with pytest.raises(DataError, match="is called like n04_gradient_descent"):
        load_lesson(folder)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_outline_of_a_lesson_says_what_the_lesson_says(folder):
    outline, lesson = load_outline(folder), read_lesson(folder)
    for name in ("number", "slug", "title", "summary", "minutes", "prerequisites", "next", "skills"):
        assert getattr(outline, name) == getattr(lesson, name), name
    shown = {f"{outline.slug}/{row.id}": (len(row.choices), row.answer) for row in lesson.questions}
    assert {row.item: (row.choices, row.answer) for row in outline.question_outlines} == shown
    assert outline.cards == tuple(card.uuid for card in lesson.cards)


@pytest.fixture
def copied(tmp_path):
    """A copy of a lesson's folder, to break."""
    return shutil.copytree(LESSONS / "n07_backpropagation", tmp_path / "n07_backpropagation")


def change(file, there, instead):
    """Put something in the place of all that a pattern finds in a file."""
    text, count = re.subn(there, instead, file.read_text())
    assert count
    file.write_text(text)


BROKEN = [  # file, what is there, what takes its place, and what is said of it
    ("lesson.toml", r"(?s)goals = \[.*?\]", "goals = []", "needs learning goals"),
    ("lesson.toml", r"(?s)takeaways = \[.*?\]", "", "needs key takeaways"),
    ("lesson.toml", r'workflow = ".*"', 'workflow = " "', "needs its place in the workflow"),
    ("lesson.toml", r"(?m)^next = .*", "next = []", "needs what to read next"),
    ("lesson.toml", r"(?m)^next = .*", 'next = ["backpropagation"]', "next names the lesson itself"),
    ("lesson.toml", r"(?s)\[\[source\]\].*(?=\[\[snippet\]\]\nid = \"slopewise)", "", "needs its sources"),
    ("lesson.toml", r"(?s)\[\[prompt\]\].*?(?=\[\[)", "", "needs one or two prompts"),
    ("lesson.toml", r"(?s)(\[\[prompt\]\].*?)(?=\[\[)", r"\1\1\1", "needs one or two prompts"),
    ("lesson.toml", r'answer = ".*"', 'answer = "In one."', "prompt explain: its answer has two sentences"),
    (
        "lesson.toml",
        r"(?m)^ideas = .*\ntags = .*",
        'ideas = ["x"]\ntags = ["x"]',
        "needs the ideas of its answer",
    ),
    ("lesson.toml", r'(?m)(?<=\]\n)tags = \["important", "definition"\]', "", "prompt explain: needs tags"),
    (
        "lesson.toml",
        r'(?m)^tags = \["important"\]',
        'tags = ["urgent"]',
        "needs tags, of important, definition",
    ),
    ("text.md", r"\{\{ formula\.\w+ \}\}", "", "needs the idea in a formula"),
    ("text.md", r":::lab", "", "needs the marker :::lab once, not 0 times"),
    ("text.md", r":::lab", ":::labs", "there is no marker :::labs"),
    ("text.md", r":::figure by-hand", ":::figure other", "the figure other is not in FIGURES"),
    ("cards.toml", r"(?s)(\[\[card\]\](?:(?!\[\[card).)*){5}\Z", "", "needs ten cards or more"),
    ("cards.toml", r'skill = "cost"', 'skill = "chain"', "no card is for the skill 'cost'"),
    ("cards.toml", r'skill = "cost"', 'skill = "costs"', "the lesson has no skill 'costs'"),
    ("cards.toml", r'id = "seed"', 'id = "define"', "the id 'define' is there twice"),
    ("cards.toml", r'tags = \["review"\]', "tags = []", "needs tags"),
    ("questions.toml", r"answer = 2", "answer = 7", "answer is not one of its choices"),
    ("questions.toml", r'tags = \["review"\]', "", "needs tags"),
]


@pytest.mark.parametrize(("file", "there", "instead", "problem"), BROKEN, ids=[row[-1] for row in BROKEN])
def test_a_lesson_that_lacks_something_is_refused_in_a_line_that_names_the_file(
    copied, file, there, instead, problem
):
    (copied / "prompts.toml").unlink()  # it would be the first to miss its prompt
    change(copied / file, there, instead)
    with pytest.raises(DataError) as caught:
        load_lesson(copied)
    assert str(caught.value).startswith(f"{copied / file}: ")
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_making_the_course_runs_no_lesson(monkeypatch):
    def refuse(folder):
        raise AssertionError(f"{folder} was read")

    monkeypatch.setattr("slopewise.site.content.course.read_lesson", refuse)
    course = load_course()
    assert sum(len(outline.cards) for outline in course.outlines) >= 10 * len(FOLDERS)
    with pytest.raises(AssertionError, match="n01_training was read"):
        course.entries[0].lesson  # noqa: B018 (read for what it does)


def test_a_lesson_that_the_course_gives_another_number_than_its_folder_is_refused(monkeypatch):
    plan = parse_toml(LESSONS.parent / "course.toml")
    plan["part"][0]["lesson"][1]["number"] = 3
    monkeypatch.setattr("slopewise.site.content.course._toml", lambda name: plan)
    with pytest.raises(
        DataError, match=r"course\.toml: gradient-and-derivative is lesson 3, .* n02_gradient"
    ):
        load_course()


def test_a_lesson_that_is_planned_needs_a_title_until_it_is_written(monkeypatch):
    plan, planned = parse_toml(LESSONS.parent / "course.toml"), {"number": 18, "slug": "deep-ends"}
    plan["part"][-1]["lesson"].append(planned)
    monkeypatch.setattr(
        "slopewise.site.content.course._toml",
        lambda name: plan if name == "course.toml" else {"term": [], "concept": [], "relation": []},
    )
    with pytest.raises(DataError, match=r"course\.toml: deep-ends is not written: give it a title"):
        load_course()
    planned |= {"title": "Deep ends", "summary": "Where it goes on."}
    entry = load_course().entry("deep-ends")
    assert (entry.title, entry.outline, entry.lesson) == ("Deep ends", None, None)


def test_a_lesson_is_read_once_and_one_that_was_read_waits_for_no_other():
    first = read_lesson(FOLDERS[0])
    with lesson_module._READING:
        assert read_lesson(FOLDERS[0]) is first


@pytest.mark.parametrize("name", ["lesson.toml", "cards.toml", "questions.toml"])
def test_a_file_that_is_no_toml_is_refused_at_the_start(copied, name):
    (copied / name).write_text("[[")
    with pytest.raises(DataError, match=name):
        load_outline(copied)
    (copied / name).unlink()
    with pytest.raises(DataError, match=name):
        load_outline(copied)


def test_a_lesson_without_a_title_or_with_a_number_in_it_is_refused_at_the_start(copied):
    change(copied / "lesson.toml", "(?m)^title = .*", "")
    with pytest.raises(DataError, match="lack 'title'"):
        load_outline(copied)
    change(copied / "lesson.toml", r"\A", 'title = "{{ loss }}"')
    with pytest.raises(DataError, match="cannot call numbers"):
        load_outline(copied)


def test_a_text_that_calls_an_unknown_number_is_refused_when_it_is_read(copied):
    change(copied / "text.md", r"\Z", "{{ no_such_number }}")
    with pytest.raises(DataError, match=r"text\.md: 'no_such_number' is undefined"):
        load_lesson(copied)


def test_a_lesson_that_cannot_be_read_is_in_the_log_and_the_others_are_read(course, monkeypatch, caplog):
    read = []

    def read_or_refuse(folder):
        read.append(folder.name)
        if folder == FOLDERS[0]:
            raise DataError("text.md: broken")
        if folder == FOLDERS[1]:
            raise ZeroDivisionError

    monkeypatch.setattr("slopewise.site.content.lesson.load_lesson", read_or_refuse)
    monkeypatch.setattr("slopewise.site.content.lesson._read", {})
    reading = ReadAhead(course)
    with caplog.at_level(logging.ERROR):
        reading.start()
        reading._thread.join()
    reading.stop()
    assert read == [folder.name for folder in FOLDERS]
    assert [bool(record.exc_info) for record in caplog.records] == [False, True]
    assert "training cannot be shown: text.md: broken" in caplog.text


def test_no_place_is_that_of_most_right_answers():
    places = [question.answer for folder in FOLDERS for question in read_lesson(folder).questions]
    shares = np.bincount(places) / len(places)
    assert shares.max() < 0.5
    assert (shares[:3] > 0.15).all()


@pytest.mark.parametrize(
    ("latex", "spaces"),
    [
        (r"y \log p", 2),
        (r"-\log p", 1),
        (r"\ln \ln x", 2),
        (r"\ln(2m)", 0),
        (r"2 \cos^2 x", 2),
        (r"a + b", 0),
    ],
)
def test_names_of_functions_have_a_thin_space_where_no_bracket_or_sign_stands(latex, spaces):
    assert markup.math(latex).count("<mspace") == spaces


def test_limits_stand_below_in_displayed_formulas_only():
    assert "<munder><mo" in markup.math(r"\lim_{h \to 0} h", True)
    assert "<munder>" not in markup.math(r"\lim_{h \to 0} h")


def test_a_stop_stays_on_the_line_of_its_formula():
    html = markup.inline("At $w = 3$. Then ($x$), and $y$ again")
    assert html.count('class="held"') == 2
    assert "</span>.</span>" in html
    assert '="held">(<span' in html


def test_only_a_formula_and_its_stop_are_held_on_a_line():
    html = markup.block("Where $a$ is the first of many words, of which no line holds all, and $b$.")
    assert html.count('class="held"') == 1
    assert "many words" in html.partition('class="held"')[0]


def test_search_finds_cards_with_formulas_and_shows_them_as_text(course):
    shown = [hit.title + hit.excerpt for hit in course.search("gradient")]
    assert any("w₁²" in text for text in shown)
    assert not any(sign in text for text in shown for sign in ("\\", "$", "nabla", "`"))
