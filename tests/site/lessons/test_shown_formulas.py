"""Formulas as lessons show them: all sides of each are computed from the LaTeX itself.

A case gives what stands in a formula its values, most of them by the engine, and the sides must agree. So a
wrong sign in what a learner reads is found, whatever the check beside it computes.
"""

from importlib import import_module
from itertools import chain

import pytest
from shown_formulas import labs, lessons_1_to_9, lessons_10_to_17
from shown_formulas.reading import agrees, differences, slips

from slopewise.site.content.lesson import LESSONS

LESSON_NAMES = [folder.name for folder in sorted(LESSONS.glob("n[0-9][0-9]_*"))]
CASES = {}
for lesson in LESSON_NAMES:
    number = int(lesson[1:3])
    of_text = getattr(lessons_1_to_9 if number < 10 else lessons_10_to_17, f"lesson_{number}")
    for name, known in chain(of_text(), getattr(labs, f"lab_{number}", tuple)()):
        CASES.setdefault((lesson, name), []).append(known)
APART = {  # the formulas that are no sides to compute; a check on the engine holds them in `FORMULAS`
    "n01_training": {"objective"},  # a minimiser: the same for every positive factor before the sum
    "n06_autograd": {"rewritten"},  # its right side is what the lesson's own program writes
    "n08_activations": {"step"},  # two values, of which a condition picks one
}
STILL_TRUE = {
    ("n06_autograd", "dual"): {
        r"f(x + \varepsilon v) = f(x) + \varepsilon \, f'(x) \, v, \qquad \varepsilon^3 = 0"
    }
}
EACH_FORMULA = pytest.mark.parametrize(
    ("lesson", "name"), CASES, ids=[f"{lesson}-{name}" for lesson, name in CASES]
)


def shown(lesson):
    """Return the formulas of a lesson and its lab as they are shown, by name."""
    facts = import_module(f"slopewise.site.content.lessons.{lesson}.facts")
    formulas = (*facts.FORMULAS, *getattr(facts, "LAB_FORMULAS", ()))
    return {formula.name: formula.latex for formula in formulas}


@EACH_FORMULA
def test_all_sides_of_a_formula_are_the_same_number(lesson, name):
    for known in CASES[lesson, name]:
        assert max(differences(shown(lesson)[name], known)) < 1e-4


@pytest.mark.parametrize("lesson", LESSON_NAMES)
def test_every_formula_has_a_case(lesson):
    assert {name for each, name in CASES if each == lesson} == set(shown(lesson)) - APART.get(lesson, set())


@EACH_FORMULA
def test_a_slip_in_a_formula_is_found(lesson, name):
    made = slips(shown(lesson)[name])
    missed = {slip for slip in made if all(agrees(slip, known) for known in CASES[lesson, name])}
    assert made
    assert missed == STILL_TRUE.get((lesson, name), set())
