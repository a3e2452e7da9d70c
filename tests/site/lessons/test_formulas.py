"""No relation of a lesson is merely typed, and what is typed or shown by a lab adds up."""

import tomllib
from importlib import import_module

import pytest

from slopewise.site.content.lesson import LESSONS
from slopewise.site.content.library import DECKS
from slopewise.site.content.typed_formulas import adds_up, unproved_formulas
from slopewise.site.content.typed_numbers import rows_of, written_items

FOLDERS = sorted(LESSONS.glob("n[0-9][0-9]_*"))


def facts_of(folder):
    return import_module(f"slopewise.site.content.{folder.parent.name}.{folder.name}.facts")


@pytest.mark.parametrize(
    "folder",
    [*FOLDERS, *(file.parent for file in sorted(DECKS.glob("*/deck.toml")))],
    ids=lambda folder: folder.name,
)
def test_each_typed_relation_is_given_or_proved(folder):
    facts = facts_of(folder)
    proved = [formula.latex for formula in getattr(facts, "FORMULAS", ())]
    assert unproved_formulas(written_items(folder), proved, getattr(facts, "GIVEN", ())) == []


def test_glossary_and_concept_map_type_no_relation():
    items = {}
    for name in ("glossary", "concepts", "course"):
        items |= rows_of(tomllib.loads((LESSONS.parent / f"{name}.toml").read_text()))
    assert unproved_formulas(items, [], []) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Its slope is $f'(x) = 3x$.", "types the formula f'(x) = 3x"),
        (r"At $\eta \geq 2$ it climbs.", r"types the formula \eta \geq 2"),
        (r"With $k = \sqrt{n}$ it is best.", r"types the formula k = \sqrt{n}"),
        ("$L = e^2$", "types the formula L = e^2"),  # of an error, not of Euler's number
    ],
)
def test_a_relation_that_nothing_proves_is_found(text, problem):
    assert problem in "; ".join(unproved_formulas({"card/x": text}, [], []))
    assert problem not in "; ".join(unproved_formulas({"card/x": text}, [problem[18:]], []))


@pytest.mark.parametrize(
    "text", ["$x = 3$", r"$\eta = 10^{-3}$", "$w_1 = {{ w | digits }}$", r"$2 \cdot 3 = 6$"]
)
def test_a_case_and_arithmetic_need_no_entry(text):
    assert unproved_formulas({"card/x": text}, [], []) == []


def test_an_idle_entry_is_found():
    assert unproved_formulas({}, [], ["u = A w"]) == ["GIVEN lists u = A w, which is typed nowhere"]


@pytest.mark.parametrize(
    ("latex", "right"),
    [
        (r"0.1 \cdot 3 = 0.3", True),
        (r"0.1 \cdot 3 = 0.31", False),
        (r"2.193 \cdot (-0.2588) = -0.5676", True),
        (
            r"\begin{bmatrix} 1 \\ 2 \end{bmatrix} - 0.5 \cdot \begin{bmatrix} 2 \\ 2 \end{bmatrix} "
            r"= \begin{bmatrix} 0 \\ 1 \end{bmatrix}",
            True,
        ),
        (r"\begin{bmatrix} 1 \\ 2 \end{bmatrix} = \begin{bmatrix} 1 \\ 3 \end{bmatrix}", False),
        (r"a = 1 + 1 = 2 \qquad b = 1 + 1 = 3", False),
        (r"p = \sigma(0) = 0.5", True),
        (r"\frac{1.24 - 1.2}{10^{-1}} = 0.42", True),  # as 1.24 is rounded
    ],
)
def test_arithmetic_is_held_against_its_rounding(latex, right):
    assert adds_up(latex) is right
