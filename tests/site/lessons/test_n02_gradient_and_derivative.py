"""The lab of the gradient: slopes in all directions, against what is known of each surface."""

import numpy as np
import pytest

import slopewise as sw
from slopewise.site.content.lessons.n02_gradient_and_derivative.lab import LAB, TURN
from slopewise.site.content.lessons.n02_gradient_and_derivative.surfaces import (
    SURFACES,
    flat_place,
    gradient,
    nudged_slope,
    slope_along,
)

POINT = np.array([1.5, 0.8])


def frames(**query):
    return LAB.frames(LAB.read(query))


@pytest.mark.parametrize("name", SURFACES)
@pytest.mark.parametrize("angle", [0.0, 0.7, 2.0, 4.5])
def test_three_ways_to_a_slope_agree(name, angle):
    surface, direction = SURFACES[name], np.array([np.cos(angle), np.sin(angle)])
    slope = slope_along(surface, POINT, direction)
    assert slope == pytest.approx(gradient(surface, POINT) @ direction)
    assert slope == pytest.approx(nudged_slope(surface, POINT, direction), rel=1e-6)


@pytest.mark.parametrize("name", SURFACES)
def test_no_direction_is_steeper_than_the_gradient(name):
    surface = SURFACES[name]
    steepest = np.linalg.norm(gradient(surface, POINT))
    angles = np.linspace(0, 2 * np.pi, 73)
    slopes = [slope_along(surface, POINT, np.array([np.cos(a), np.sin(a)])) for a in angles]
    assert max(slopes) <= steepest * (1 + 1e-12)
    assert min(slopes) >= -steepest * (1 + 1e-12)


def test_the_gradients_are_those_of_the_formulas():
    np.testing.assert_allclose(gradient(SURFACES["bowl"], POINT), [1.5, 1.6])
    np.testing.assert_allclose(gradient(SURFACES["saddle"], POINT), [1.5, -0.8])
    np.testing.assert_allclose(gradient(SURFACES["hillside"], POINT), [0.6, -0.8])


def test_a_flat_place_is_called_what_it_is():
    assert "lowest" in flat_place(SURFACES["bowl"], np.zeros(2))
    assert "saddle" in flat_place(SURFACES["saddle"], np.zeros(2))
    hills = SURFACES["hills"]
    top = np.array([1.2, 0.4])
    for _ in range(200):
        top = top + 0.05 * gradient(hills, top)
    assert "highest" in flat_place(hills, top)


@pytest.mark.parametrize("surface", ["bowl", "saddle"])
def test_at_a_flat_place_the_lab_turns_no_compass(surface):
    made = frames(surface=surface, w1="0", w2="0")
    assert [frame.title for frame in made][-1] == "The gradient is zero"
    assert made[1].prediction is None


def test_the_compass_finds_the_slope_level_at_right_angles_and_opposite_at_half_a_turn():
    rows = {row[0]: row[2] for row in frames()[-1].table.rows}
    assert len(rows) == 360 // TURN + 1
    assert rows["90°"] == rows["270°"] == "0"
    assert rows["0°"] == rows["360°"] == "2.1932"
    assert rows["180°"] == "−2.1932"


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({"surface": "hillside", "lr": "0.4"}, 0),  # on a plane the promise is kept
        ({}, 1),
        ({"surface": "saddle", "w1": "0.1", "lr": "0.3"}, 2),  # it grows steeper on the way down
        ({"lr": "1.5"}, 3),
    ],
)
def test_the_lab_knows_what_the_step_will_do(query, answer):
    assert frames(**query)[-2].prediction.answer == answer


def test_the_step_of_the_lab_is_the_optimizers():
    w = sw.tensor(POINT, requires_grad=True)
    SURFACES["bowl"].height(w).backward()
    sw.optim.SGD([w], lr=0.3).step()
    assert "leads to (1.05, 0.32)" in frames()[-1].words
    np.testing.assert_allclose(w.numpy(), [1.05, 0.32])


def test_arrows_on_the_map_are_not_distorted():
    """A right angle of the surface is one in the picture: both axes have the same unit."""
    from slopewise.site.content.lessons.n02_gradient_and_derivative.lab import _Place

    ground = _Place(SURFACES["bowl"], POINT, 0.3).ground
    (x0, y0), (x1, y1) = ground.at(0, 0), ground.at(1, 1)
    assert x1 - x0 == pytest.approx(y0 - y1)
