"""The lab's loop against the same loop written without the engine."""

import re

import numpy as np
import pytest

from slopewise.engine.errors import ArgumentError
from slopewise.site.content.lessons.n09_training_loop.lab import BACKWARD, LAB, STEP, rows, run_loop


def by_hand(moments, rate):
    """Carry out the updates in NumPy, on the batches that the lab drew."""
    X, y, _, _ = rows()
    weight, bias = -0.5, 0.0
    for moment in moments:
        if moment.line == STEP:
            x, target = X[moment.batch, 0], y[moment.batch]
            error = weight * x + bias - target
            weight, bias = weight - rate * 2 * np.mean(error * x), bias - rate * 2 * np.mean(error)
    return weight, bias


@pytest.mark.parametrize("batch", [2, 5, 12])
def test_the_loop_makes_the_updates_that_a_hand_makes(batch):
    moments = list(run_loop(0.1, batch, 3, "none"))
    assert (moments[-1].weight, moments[-1].bias) == pytest.approx(by_hand(moments, 0.1))


def test_without_a_reset_gradients_are_running_sums():
    whole = [m.gradient[0] for m in run_loop(1e-9, 12, 3, "zero") if m.line == BACKWARD]
    np.testing.assert_allclose(whole, np.array([1, 2, 3]) * whole[0], rtol=1e-6)


def test_without_a_step_nothing_changes():
    moments = list(run_loop(0.1, 4, 3, "step"))
    assert {(m.weight, m.bias) for m in moments} == {(-0.5, 0.0)}


def test_an_epoch_uses_every_training_row_once():
    moments = [m for m in run_loop(0.1, 5, 1, "none") if m.line == STEP]
    assert sorted(row for m in moments for row in m.batch) == list(range(12))


def test_more_lines_than_the_lab_shows_are_refused():
    with pytest.raises(ArgumentError, match="choose fewer epochs or larger batches"):
        LAB.frames(LAB.read({"batch": "2", "epochs": "8"}))


def test_the_table_holds_the_start_and_every_batch_that_the_picture_shows_with_any_fault():
    for fault in ("none", "zero", "step"):
        made = LAB.frames(LAB.read({"epochs": "2", "fault": fault}))
        assert made[0].table.rows[0][:2] == ("at the start", "not yet")
        losses = [float(row[1]) for row in made[-1].table.rows if "batch" in row[0]]
        described = re.search(r"<desc>(.*?)</desc>", made[-1].figures[-1].svg)[1]
        assert [float(text.replace("−", "-")) for text in described.split(", ")] == losses
        weights = {row[2] for row in made[-1].table.rows}
        assert (len(weights) == 1) == (fault == "step")
