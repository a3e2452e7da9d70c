"""The language of the tape lab, and its gradients against finite differences."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise.engine.errors import ArgumentError, SlopewiseError
from slopewise.site.content.lessons.n07_backpropagation.expression import FUNCTIONS, parse
from slopewise.site.content.lessons.n07_backpropagation.lab import LAB, record

INPUTS = {"w": 0.7, "x": 1.3, "b": -0.4, "y": 2.0}


def value(text):
    tape = record(parse(text), {name: INPUTS[name] for name in parse(text).inputs()})
    return tape.entries[-1].value.item()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("w + x*b", 0.7 + 1.3 * -0.4),
        ("(w + x)*b", (0.7 + 1.3) * -0.4),
        ("w - x - b", 0.7 - 1.3 + 0.4),
        ("w/x/b", 0.7 / 1.3 / -0.4),
        ("-x^2", -(1.3**2)),
        ("--x + 1", 2.3),
        ("2*x^3", 2 * 1.3**3),
        ("sin(x)*exp(b)", math.sin(1.3) * math.exp(-0.4)),
    ],
)
def test_an_expression_means_what_it_means_in_mathematics(text, expected):
    assert value(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    ["x +", "x)", "(x", "x y", "foo(x)", "sin x", "x^y", "1 + 2", "x", "x" + "+x" * 40, "(" * 60 + "x"],
)
def test_what_is_no_expression_is_refused_in_one_line(text):
    with pytest.raises(ArgumentError) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=60))
def test_no_text_does_more_than_be_refused(text):
    try:
        frames = LAB.frames(LAB.read({"f": text}))
    except SlopewiseError:
        return
    assert frames


@st.composite
def expressions(draw, depth=3):
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(["w", "x", "b", "y", "1.5"]))
    if draw(st.booleans()):
        left, right = draw(expressions(depth=depth - 1)), draw(expressions(depth=depth - 1))
        return f"({left} {draw(st.sampled_from('+-*/'))} {right})"
    return f"{draw(st.sampled_from(sorted(FUNCTIONS)))}({draw(expressions(depth=depth - 1))})"


@given(expressions())
def test_gradients_agree_with_finite_differences(text):
    try:
        frames = LAB.frames(LAB.read({"f": text[:60]} | {name: str(v) for name, v in INPUTS.items()}))
    except SlopewiseError:
        return
    for _, ours, nudged, _ in frames[-1].table.rows:
        left, right = (float(text.replace("−", "-")) for text in (ours, nudged))
        assert left == pytest.approx(right, rel=1e-3, abs=1e-4)


def test_a_value_used_three_times_adds_up():
    last = LAB.frames(LAB.read({"f": "x*x*x + x", "x": "3"}))[-1]
    assert last.table.rows[0][1] == "28"


def test_every_step_back_is_asked_about_at_most_once_a_kind():
    frames = LAB.frames(LAB.read({"f": "x*x*x*x"}))
    assert 1 <= sum(frame.prediction is not None for frame in frames) <= 3


def test_an_input_without_a_finite_value_is_refused_with_the_operation():
    with pytest.raises(ArgumentError, match=r"log\(v1\) has no finite value"):
        LAB.frames(LAB.read({"f": "log(x - x)"}))
