"""The lab of activations against what is known about slopes, staircases and vanishing gradients."""

import math

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine.errors import ArgumentError
from slopewise.site.content.lessons.n08_activations.activations import (
    ACTIVATIONS,
    START,
    TARGETS,
    XS,
    Unit,
    slopes,
    stack,
)
from slopewise.site.content.lessons.n08_activations.lab import LAB


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "leaky", "none"])
def test_slopes_are_those_of_finite_differences(name):
    z, h = np.array([-3.0, -0.5, 0.7, 4.0]), 1e-6
    phi = ACTIVATIONS[name]
    nudged = (phi(sw.tensor(z + h)).numpy() - phi(sw.tensor(z - h)).numpy()) / (2 * h)
    np.testing.assert_allclose(slopes(phi, z), nudged, rtol=1e-6)


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_a_walk_takes_the_steps_that_a_hand_takes(loss):
    k, rate, threshold = 3.0, 0.2, START
    for _ in range(5):
        answers = 1 / (1 + np.exp(-k * (XS - threshold)))
        error = answers - TARGETS
        slope = 2 * error * answers * (1 - answers) if loss == "mse" else error
        threshold += rate * k * slope.mean()
    assert Unit("sigmoid", k, loss).walk(rate, 5)[-1].threshold == pytest.approx(threshold)


def test_the_parts_in_the_table_add_up_to_the_gradient():
    for query in ({"k": "4"}, {"k": "4", "loss": "cross_entropy"}):
        frame = LAB.frames(LAB.read(query))[3]
        parts = [float(row[-1].replace("−", "-")) for row in frame.table.rows]
        moment = Unit("sigmoid", 4.0, query.get("loss", "mse")).walk(1.0, 3)[-1]
        assert sum(parts) == pytest.approx(moment.gradient, rel=0.01)


def test_a_step_has_no_gradient_anywhere_and_never_moves():
    moments = Unit("step", 1.0).walk(4.0, 24)
    assert {moment.gradient for moment in moments} == {0.0}
    assert {moment.threshold for moment in moments} == {START}


def test_the_perceptrons_rule_arrives_and_stays():
    moments = Unit("step", 1.0).walk(1.0, 24, "perceptron")
    assert moments[-1].loss == 0
    assert moments[-1].threshold == moments[-2].threshold


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({"k": "4"}, 0),
        ({"k": "1"}, 1),
        ({"k": "40"}, 2),
        ({"k": "40", "loss": "cross_entropy"}, 3),
        ({"run": "neuron-step"}, 2),
        ({"run": "neuron-rule"}, 0),
    ],
)
def test_the_prediction_knows_whether_a_neuron_learns(query, answer):
    assert LAB.frames(LAB.read(query))[0].prediction.answer == answer


def test_with_squared_error_the_near_row_speaks_louder_and_with_cross_entropy_it_does_not():
    frames = [
        LAB.frames(LAB.read({"k": "6", "lr": "0.1", "loss": loss})) for loss in ("mse", "cross_entropy")
    ]
    assert frames[0][1].prediction.answer == 0
    assert frames[1][1].prediction.answer != 0


def test_the_cross_entropy_of_a_step_is_refused():
    with pytest.raises(ArgumentError, match="infinite"):
        LAB.frames(LAB.read({"run": "neuron-step", "loss": "cross_entropy"}))


def test_gradients_of_a_stack_are_those_of_a_network_of_modules():
    layers = stack("sigmoid", 4, 1.0, 3)
    for layer in layers:
        answer = 1 / (1 + np.exp(-layer.inputs))
        np.testing.assert_allclose(layer.local, answer * (1 - answer))
    last = layers[-1]
    answers = 1 / (1 + np.exp(-last.inputs))
    from slopewise.data.generated import normal

    targets = normal(answers.size, 3, 299).reshape(answers.shape)
    by_hand = 2 * (answers - targets) / answers.size * last.local
    assert last.gradient == pytest.approx(math.sqrt((by_hand**2).mean()))


@pytest.mark.parametrize("seed", range(5))
def test_what_the_lesson_claims_of_vanishing_holds_for_other_seeds(seed):
    arrives = {
        name: (layers := stack(name, 10, 1.0, seed + 50))[0].gradient / layers[-1].gradient
        for name in ("sigmoid", "tanh", "relu")
    }
    assert arrives["sigmoid"] < 1e-4
    assert 0.02 < arrives["tanh"] < 1
    assert 0.1 < arrives["relu"] < 10
    weak = stack("relu", 10, 0.5, seed + 50)
    assert weak[0].gradient / weak[-1].gradient < 0.02


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "leaky", "none"])
@pytest.mark.parametrize("scale", ["0.2", "3"])
def test_the_smallest_and_largest_gradients_can_be_drawn(activation, scale):
    for seed in ("0", "99"):
        query = {"run": f"layers-{activation}", "layers": "20", "scale": scale, "seed": seed}
        frames = LAB.frames(LAB.read(query))
        assert len(frames) == 22
