"""The lab of autograd: rewriting rules against the tape, and what nudges do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import slopewise as sw
from slopewise.engine.errors import ArgumentError, SlopewiseError
from slopewise.site.content.lessons.n06_autograd.lab import LAB
from slopewise.site.content.lessons.n06_autograd.symbolic import (
    derivative,
    parse_of_x,
    shared,
    substitute,
    value_of,
    written,
    written_out,
)
from slopewise.site.content.lessons.n06_autograd.ways import by_tape, nests, nudges
from slopewise.site.content.lessons.n07_backpropagation.expression import FUNCTIONS
from slopewise.site.content.markup import math


def slope_by_rules(text, x):
    return value_of(derivative(parse_of_x(text)), sw.tensor(x, dtype=sw.float64)).item()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_rule_and_it_agrees_with_the_tape(name):
    text = f"{name}(x*x + x) * x"
    assert slope_by_rules(text, 0.7) == pytest.approx(by_tape(parse_of_x(text), 0.7)[1])


@pytest.mark.parametrize("text", ["x^3", "x/(1-x)", "-x*x - (x - 3)", "2^2*x", "1/x^2", "x^0 + x^1"])
def test_every_sign_has_a_rule_and_it_agrees_with_the_tape(text):
    assert slope_by_rules(text, 0.7) == pytest.approx(by_tape(parse_of_x(text), 0.7)[1])


@st.composite
def expressions(draw, depth=3):
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(["x", "x", "1.5"]))
    if draw(st.booleans()):
        left, right = draw(expressions(depth=depth - 1)), draw(expressions(depth=depth - 1))
        return f"({left} {draw(st.sampled_from('+-*/'))} {right})"
    return f"{draw(st.sampled_from(['exp', 'sin', 'tanh', 'sigmoid']))}({draw(expressions(depth=depth - 1))})"


@given(expressions())
def test_rules_and_tape_agree_and_what_is_written_can_be_set(text):
    try:
        whole = parse_of_x(text)
        _, slope, _ = by_tape(whole, 0.7)
    except SlopewiseError:
        return
    if abs(slope) < 1e6:
        assert slope_by_rules(text, 0.7) == pytest.approx(slope, rel=1e-9, abs=1e-9)
    assert shared(derivative(whole)) <= written_out(derivative(whole))
    math(written(derivative(whole)))


def test_written_brackets_say_what_is_computed():
    assert written(parse_of_x("x - (x - 1)")) == "x - (x - 1)"
    assert written(parse_of_x("(x + 1)*x")) == r"(x + 1) \cdot x"
    assert written(parse_of_x("x*x + 1")) == r"x \cdot x + 1"
    assert written(parse_of_x("(x + 1)^2")) == "(x + 1)^{2}"


def test_putting_a_function_into_itself_multiplies_its_formula_and_adds_to_its_tape():
    logistic = parse_of_x("4*x*(1-x)")
    twice = substitute(logistic, logistic)
    assert written_out(twice) == 3 * written_out(logistic)
    made = nests("4*x*(1-x)", 0.3, 5)
    assert [nest.taped for nest in made] == [3, 6, 9, 12, 15]
    assert all(nest.by_rules == pytest.approx(nest.by_tape) for nest in made)
    assert made[4].written > 5 * made[2].written
    assert made[4].shared < 60


def test_the_central_quotient_is_exact_on_a_parabola_and_the_forward_one_is_off_by_h():
    for nudge in nudges(parse_of_x("x^2"), 1.0, "float64")[:3]:
        assert nudge.central == pytest.approx(2.0, abs=1e-12)
        assert nudge.forward - 2.0 == pytest.approx(nudge.h, rel=1e-9)


@pytest.mark.parametrize(
    ("query", "best"), [({}, "10⁻⁸"), ({"quotient": "central"}, "10⁻⁵"), ({"dtype": "float32"}, "10⁻²")]
)
def test_the_prediction_knows_the_best_nudge(query, best):
    asked = LAB.frames(LAB.read(query))[0].prediction
    assert asked.choices[asked.answer] == best


def test_a_nudge_below_the_precision_is_said_to_vanish():
    last = LAB.frames(LAB.read({"x": "2", "dtype": "float32"}))[-1]
    assert "too small to be seen in float32" in last.words


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"f": "w*x"}, "the only input here is x"),
        ({"f": "log(x)", "x": "-1"}, "no finite value"),
        ({"f": "exp(x)", "x": "5", "run": "nest"}, "no finite slope"),
        ({"f": "x +"}, "ends too early"),
    ],
)
def test_what_has_no_derivative_is_refused_in_one_line(query, message):
    with pytest.raises(ArgumentError, match=message):
        LAB.frames(LAB.read(query))


@given(
    st.text(alphabet="x+-*/^()0123456789. explogsintahqrbudmw", max_size=40),
    st.sampled_from(["nudge", "nest"]),
)
def test_no_text_does_more_than_be_refused(text, run):
    try:
        frames = LAB.frames(LAB.read({"f": text, "run": run}))
    except SlopewiseError:
        return
    assert frames


@pytest.mark.parametrize(
    "f", ["sin(sin(sin(sin(sin(sin(sin(x)))))))", "-" * 15 + "x", "x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x"]
)
def test_the_longest_functions_can_be_nested_to_the_greatest_depth(f):
    assert len(LAB.frames(LAB.read({"f": f, "run": "nest", "depth": "8"}))) == 8
