"""No number of a lesson is merely typed: it is computed, given by the case, or proved on the engine."""

import tomllib
from importlib import import_module

import numpy as np
import pytest

import slopewise as sw
from slopewise.site.content.lesson import LESSONS
from slopewise.site.content.library import DECKS
from slopewise.site.content.typed_numbers import Typed, lab_words, rows_of, unproved_numbers, written_items

FOLDERS = [
    *sorted(LESSONS.glob("n[0-9][0-9]_*")),
    *(file.parent for file in sorted(DECKS.glob("*/deck.toml"))),
]


def typed_in(folder):
    facts = import_module(f"slopewise.site.content.{folder.parent.name}.{folder.name}.facts")
    return getattr(facts, "TYPED", {})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_typed_number_is_given_or_proved(folder):
    items = written_items(folder)
    if words := lab_words(folder):
        items["lab"] = words
    assert unproved_numbers(items, typed_in(folder)) == []


def of_relu():
    z = sw.tensor([-2.0, 3.0])
    return [*sw.relu(z).numpy()[:1], *sw.grad(lambda v: sw.relu(v).sum())(z).numpy()]


def of_a_dead_unit():
    return [sw.relu(sw.tensor(-9.0)).item(), sw.grad(sw.relu)(sw.tensor(-9.0)).item()]


def moved_by_batch_norm():
    made = sw.nn.BatchNorm1d(1)(sw.tensor(np.array([[3.0], [9.0], [-4.0]], dtype=np.float32))).numpy()
    return [made.mean(), made.std()]


COURSE = {
    "term/Batch normalization": Typed(shows=moved_by_batch_norm),
    "term/Dead ReLU": Typed(shows=of_a_dead_unit),
    "term/ReLU": Typed(shows=of_relu),
    "term/Sigmoid": Typed(shows=lambda: [sw.sigmoid(sw.tensor(z)).item() for z in (-30.0, 30.0)]),
    "term/Softmax": Typed(shows=lambda: [sw.softmax(sw.tensor([0.3, -2.0, 5.0]), axis=0).sum().item()]),
    "term/Step function": Typed(shows=lambda: [sw.nn.step(sw.tensor(z)).item() for z in (-0.1, 0.1)]),
    "term/Vanishing gradient": Typed("1"),  # below 1 is what shrinks
}


def test_each_number_of_glossary_and_concept_map_is_given_or_proved():
    items = {}
    for name in ("glossary", "concepts", "course"):
        items |= rows_of(tomllib.loads((LESSONS.parent / f"{name}.toml").read_text()))
    assert unproved_numbers(items, COURSE) == []


@pytest.mark.parametrize(
    ("text", "typed", "problem"),
    [
        ("The loss is 0.35.", Typed(), "types 0.35"),
        ("The loss is 0.35.", Typed(shows=lambda: [0.36]), "types 0.35"),
        ("A factor of $25$.", Typed(), "types 25"),
        ("It falls to −3.", Typed(shows=lambda: [3.0]), "types"),
        ("Nothing.", Typed("7"), "types it no more"),
        ("It is 2.", Typed("2", lambda: [4.0]), "no such number"),
    ],
)
def test_a_number_that_nothing_proves_is_found(text, typed, problem):
    assert problem in "; ".join(unproved_numbers({"card/x": text}, {"card/x": typed}))


@pytest.mark.parametrize(
    "text",
    ["In 1951, `x = 3` and {{ loss }}", "$w_1^2 + 10^{-3}$", "see lesson 12", "float32 and L2", "1. Start"],
)
def test_what_is_no_typed_number_is_left_alone(text):
    assert unproved_numbers({"card/x": text}, {}) == []


def test_a_computed_number_is_compared_in_the_digits_that_are_typed():
    assert (
        unproved_numbers({"x": "1,000 rows, −0.5 and 16"}, {"x": Typed("1,000", lambda: [-0.56, 15.65])})
        != []
    )
    assert (
        unproved_numbers({"x": "1,000 rows, −0.5 and 16"}, {"x": Typed("1,000", lambda: [-0.54, 15.65])})
        == []
    )
