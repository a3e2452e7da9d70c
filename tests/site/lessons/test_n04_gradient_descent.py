"""The lab of gradient descent against what is known about each surface."""

import numpy as np
import pytest

import slopewise as sw
from slopewise.site.content.lessons.n04_gradient_descent.lab import LAB
from slopewise.site.content.lessons.n04_gradient_descent.surfaces import (
    SURFACES,
    descend,
    stability_limit,
    sweep,
)


@pytest.mark.parametrize("name", SURFACES)
def test_nothing_on_the_map_is_lower_than_the_lowest_point(name):
    surface = SURFACES[name]
    grid = np.stack(np.meshgrid(np.linspace(-2.5, 2.5, 201), np.linspace(-2, 2, 161)), axis=-1)
    lowest = surface.loss(sw.tensor(np.array(surface.lowest))).item()
    assert surface.loss(sw.tensor(grid)).numpy().min() >= lowest - 1e-9


@pytest.mark.parametrize("name", [name for name in SURFACES if name != "kink"])
def test_the_gradient_vanishes_at_the_lowest_point(name):
    surface = SURFACES[name]
    gradient = sw.grad(surface.loss)(sw.tensor(np.array(surface.lowest))).numpy()
    np.testing.assert_allclose(gradient, 0, atol=1e-5)


def test_the_limits_are_two_over_the_largest_curvature():
    assert stability_limit(SURFACES["bowl"]) == pytest.approx(0.5)
    assert stability_limit(SURFACES["valley"]) == pytest.approx(0.08)
    assert stability_limit(SURFACES["kink"]) is None


def test_a_walk_in_the_bowl_is_the_power_of_its_factors():
    points, _, _ = descend(SURFACES["bowl"], (2.0, 1.5), 0.1, 5)
    np.testing.assert_allclose(points[5], [2.0 * 0.9**5, 1.5 * 0.6**5])


def test_the_sweep_is_what_each_walk_by_itself_gives():
    rates = np.array([0.05, 0.3, 0.7])
    alone = [descend(SURFACES["bowl"], (2.0, 1.5), rate, 10)[1][-1] for rate in rates[:2]]
    np.testing.assert_allclose(sweep(SURFACES["bowl"], (2.0, 1.5), rates, 10)[:2], alone)


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({"lr": "0.1"}, 0),
        ({"lr": "0.005"}, 1),
        ({"surface": "kink", "lr": "0.3"}, 2),
        ({"lr": "0.6"}, 3),
    ],
)
def test_the_prediction_knows_the_fate_of_a_walk(query, answer):
    assert LAB.frames(LAB.read(query))[0].prediction.answer == answer
