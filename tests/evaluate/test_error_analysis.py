"""Where a model errs."""

import numpy as np
import pytest

from slopewise.evaluate.error_analysis import by_class, confusion, error_sizes, worst, worst_slices
from slopewise.evaluate.outcome import Outcome

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.5, 0.2, 0.3], [0.9, 0.0, 0.1]])
CLASSES = Outcome.of_classes(np.array([0, 1, 1, 0]), PROBABILITIES)


def test_the_confusion_matrix_and_the_classes_tell_the_same():
    assert confusion(CLASSES).tolist() == [[2, 0, 0], [1, 1, 0], [0, 0, 0]]
    first, second, third = by_class(CLASSES)
    assert (first.rows, first.predicted, first.precision, first.recall) == (2, 3, 2 / 3, 1.0)
    assert (second.rows, second.predicted, second.precision, second.recall) == (2, 1, 1.0, 0.5)
    assert (third.rows, third.predicted) == (0, 0)
    assert np.isnan([third.precision, third.recall, third.f1]).all()


def test_the_worst_prediction_gave_the_truth_the_least():
    assert error_sizes(CLASSES) == pytest.approx([0.3, 0.2, 0.8, 0.1])
    assert worst(CLASSES, 2).tolist() == [2, 0]


def test_ties_among_the_worst_keep_the_order_of_the_rows():
    outcome = Outcome.of_numbers(np.zeros(4), np.array([1.0, -2.0, 2.0, 1.0]))
    assert worst(outcome, 10).tolist() == [1, 2, 0, 3]


def test_slices_that_are_worse_by_more_than_noise_are_found():
    truth = np.zeros(400, dtype=np.int64)
    wrong = np.zeros(400, dtype=bool)
    wrong[:40] = True  # all of the first hundred's first 40
    prob = np.stack([~wrong, wrong], axis=1).astype(float)
    columns = {
        "where": np.array(["hill"] * 100 + [None] * 300, dtype=object),
        "height": np.concatenate([np.linspace(0, 1, 100), np.linspace(2, 3, 250), np.full(50, np.nan)]),
        "chance": np.array(["a", "b"] * 200),
        "name": np.array([f"row {row}" for row in range(400)]),
    }
    found = worst_slices(Outcome.of_classes(truth, prob), columns)
    assert [(item.column, item.value, item.rows) for item in found] == [
        ("height", "0 to 0.881313", 88),
        ("where", "hill", 100),
    ]
    assert found[1].score == 0.6
    assert found[1].low < 0.6 < found[1].high < 0.9


def test_small_slices_are_left_out():
    said = np.concatenate([np.full(5, 9.0), np.zeros(95)])
    columns = {"where": np.array(["hill"] * 5 + ["coast"] * 95)}
    assert worst_slices(Outcome.of_numbers(np.zeros(100), said), columns) == []
    assert len(worst_slices(Outcome.of_numbers(np.zeros(100), said), columns, fewest=5)) == 1
