"""No relation of a lesson is merely typed, and what is typed or shown by a lab adds up."""

import re
import tomllib
from importlib import import_module

import numpy as np
import pytest

import slopewise as sw
from slopewise.site.content.lesson import LESSONS
from slopewise.site.content.library import DECKS
from slopewise.site.content.typed_formulas import (
    adds_up,
    is_arithmetic,
    sides_of,
    unproved_formulas,
    value_of,
)
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


# ---- what labs show


RUNS = {
    "n02_gradient_and_derivative": [{}],
    "n03_forward_pass_and_loss": [
        *({"loss": loss} for loss in ("squared", "absolute", "cross", "class")),
        {"way": "turned"},
    ],
    "n04_gradient_descent": [{}],
    "n06_autograd": [{}, {"quotient": "central"}, {"run": "nest"}],
    "n07_backpropagation": [{}],
    "n08_activations": [{"run": "neuron-rule"}, {"loss": "cross_entropy"}],
    "n14_optimization": [{"rule": rule} for rule in ("sgd", "momentum", "adam")],
    "n16_your_own_data": [{"story": "label"}],
}
_NAME = r"((?:[^{}]|\{[^{}]*\})+)"
_A_PART = rf"\\frac\{{\\partial {_NAME}\}}\{{\\partial {_NAME}\}}"


def of_the_bowl():
    """The gradient of the bowl of lesson 2 at the lab's point, by nudges."""
    point, h = np.array([1.5, 0.8]), 1e-6

    def height(w):
        return 0.5 * w[0] ** 2 + w[1] ** 2

    return np.array([(height(point + d) - height(point - d)) / (2 * h) for d in h * np.eye(2)])


def after_the_first_step(optimizer, **settings):
    """What an optimizer of the engine adds to the start of lesson 14's valley."""
    w = sw.tensor(np.array([-2.0, 1.0]), requires_grad=True)
    made = optimizer([w], lr=0.02, **settings)
    (0.5 * ((w[0] - 1.0) ** 2 + 25.0 * w[1] ** 2)).backward()
    made.step()
    return w.numpy() - [-2.0, 1.0]


def six_rows(w=0.5, b=0.5):
    x = np.array([-2.0, -1.2, -0.4, 0.4, 1.2, 2.0])
    return x, w * x + b - np.array([-1.6, 0.6, -0.3, 1.3, 0.6, 3.2])


def stepped(weight):
    x, errors = six_rows()
    return 0.5 - 0.3 * (2 * errors * x**weight).mean()


# A quantity that is set equal to numbers, and the numbers of the first frame that shows it.
QUANTITIES = {
    "n02_gradient_and_derivative": {
        r"\frac{\partial L}{\partial w_1}": lambda: of_the_bowl()[0],
        r"\frac{\partial L}{\partial w_2}": lambda: of_the_bowl()[1],
        r"\nabla L": of_the_bowl,
        r"\lVert \nabla L \rVert": lambda: np.linalg.norm(of_the_bowl()),
        r"w - \eta \, \nabla L": lambda: [1.5, 0.8] - 0.3 * of_the_bowl(),
    },
    "n03_forward_pass_and_loss": {
        r"\hat{y} - y": lambda: six_rows()[1][0],
        "L": lambda: (six_rows()[1] ** 2).mean(),
        "p": lambda: sw.sigmoid(sw.tensor(-0.5, dtype=sw.float64)).item(),
        "p - y": lambda: sw.sigmoid(sw.tensor(-0.5, dtype=sw.float64)).item(),
        "w": lambda: stepped(1),
        "b": lambda: stepped(0),
    },
    "n04_gradient_descent": {r"w - \eta \, \nabla L": lambda: [1.8, 0.9]},
    "n06_autograd": {
        r"\frac{f(x + h) - f(x)}{h}": lambda: np.sin(1.8**2) + 1.8 - np.sin(0.8**2) - 0.8,
        r"\frac{f(x + h) - f(x - h)}{2 h}": lambda: (np.sin(1.8**2) + 2 - np.sin(0.2**2)) / 2,
    },
    "n07_backpropagation": {r"\frac{\partial L}{\partial L}": lambda: 1.0},
    "n08_activations": {
        r"b - \eta \, \frac{\partial L}{\partial b}": None,  # test_n08_activations walks by hand
        r"b - \eta \, \frac{1}{n} \sum (y - \hat{y})": None,
    },
    "n14_optimization": {
        r"-\eta \, g": lambda: after_the_first_step(sw.optim.SGD),
        "b": lambda: [-3.0, 25.0],
        r"-\eta \, b": lambda: after_the_first_step(sw.optim.SGD, momentum=0.9),
        r"\hat m": lambda: [-3.0, 25.0],
        r"\sqrt{\hat v}": lambda: [3.0, 25.0],
        r"-\eta \, \frac{\hat m}{\sqrt{\hat v}}": lambda: after_the_first_step(sw.optim.Adam),
    },
    "n16_your_own_data": {"p_o": None, "p_e": None},  # made of the table's counts; test_n16_your_own_data
}


@pytest.fixture(scope="module")
def shown():
    """The formulas of each lab's frames, in order."""
    made = {}
    for name, runs in RUNS.items():
        lab = import_module(f"slopewise.site.content.lessons.{name}.lab").LAB
        frames = [frame for query in runs for frame in lab.frames(lab.read(query))]
        made[name] = [frame.formula for frame in frames if frame.formula]
    return made


def test_the_labs_that_show_formulas_are_these():
    for folder in FOLDERS:
        programs = "".join(file.read_text() for file in folder.glob("*.py"))
        assert ("formula=" in programs) == (folder.name in RUNS), folder.name


@pytest.mark.parametrize("name", RUNS)
def test_the_arithmetic_of_a_lab_adds_up(shown, name):
    assert [formula for formula in shown[name] if not adds_up(formula)] == []


@pytest.mark.parametrize("name", RUNS)
def test_each_relation_that_a_lab_shows_is_proved(shown, name):
    facts = import_module(f"slopewise.site.content.lessons.{name}.facts")
    proved = {formula.latex for formula in (*facts.FORMULAS, *getattr(facts, "LAB_FORMULAS", ()))}
    for formula in shown[name]:
        for sides in sides_of(formula):
            relation = re.sub(r"\\cos \d+\^\\circ", r"\\cos \\varphi", " = ".join(sides))
            known = len(sides) == 0 or relation in QUANTITIES[name] or relation in proved
            assert known or is_derivative(relation) or is_chain_rule(relation), formula


def is_chain_rule(relation):
    """Whether it says ∂L/∂t = ∂L/∂s · ∂s/∂t, or adds that to what is there."""
    parts = re.findall(_A_PART, relation)
    if len(parts) == 4 and parts[0] == parts[1]:
        parts = parts[1:]
    return len(parts) == 3 and parts == [("L", parts[0][1]), ("L", parts[1][1]), (parts[1][1], parts[0][1])]


def is_derivative(relation):
    """Whether it is the derivative of the function that lesson 6 works with, by nudges."""
    left, _, right = relation.partition(" = ")
    right, places, h = right.replace(r"\operatorname{cos}", r"\cos"), np.array([-1.0, 0.3, 2.0]), 1e-6
    nudged = (np.sin((places + h) ** 2) - np.sin((places - h) ** 2)) / (2 * h) + 1
    return left == "f'(x)" and np.allclose([value_of(right, {"x": x}) for x in places], nudged)


@pytest.mark.parametrize("name", RUNS)
def test_each_quantity_that_a_lab_shows_is_what_it_is_called(shown, name):
    for quantity, expected in QUANTITIES[name].items():
        parts = [part for formula in shown[name] for part in re.split(r",?\s*\\q?quad", formula)]
        sides = next(
            sides
            for part in parts
            if (sides := [side.strip() for side in re.split(r"=|\\leftarrow", part)])[0] == quantity
            and is_arithmetic(sides[-1])
        )
        if expected is not None:
            np.testing.assert_allclose(value_of(sides[-1]), expected(), rtol=2e-3, err_msg=quantity)


LAB_FORMULAS = [
    (name, formula)
    for name in RUNS
    for formula in getattr(import_module(f"slopewise.site.content.lessons.{name}.facts"), "LAB_FORMULAS", ())
]


@pytest.mark.parametrize(
    ("name", "formula"), LAB_FORMULAS, ids=[f"{name}-{formula.name}" for name, formula in LAB_FORMULAS]
)
def test_a_formula_of_a_lab_agrees_with_the_engine(name, formula):
    left, right = formula.sides()
    np.testing.assert_allclose(np.asarray(left, float), np.asarray(right, float), rtol=1e-5, atol=1e-9)
