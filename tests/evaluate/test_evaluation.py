"""The evaluation as a record: complete, and the same after a trip through JSON."""

import json
from pathlib import Path

import numpy as np
import pytest

from slopewise.engine.errors import ArgumentError
from slopewise.evaluate.baselines import Baseline
from slopewise.evaluate.evaluation import POINTS, Evaluation, evaluate_part
from slopewise.evaluate.outcome import Outcome
from slopewise.train.files import to_json


def same(first, second):
    """Equal, with NaN equal to NaN."""
    return to_json(first.to_dict()) == to_json(second.to_dict())


@pytest.mark.parametrize("fixture", ["species_run", "mass_run"])
def test_an_evaluation_comes_back_from_json(fixture, request):
    evaluation = request.getfixturevalue(fixture).evaluation
    back = Evaluation.from_dict(json.loads(to_json(evaluation.to_dict())))
    assert same(back, evaluation)
    train = back.part("train")
    assert all(np.isnan(score.low) for score in train.scores)


def test_rows_that_were_trained_on_get_no_noise_and_no_error_analysis(species_run):
    train = species_run.evaluation.part("train")
    assert train.worst == [] == train.slices
    assert sum(row.rows for row in train.classes) == train.rows


def test_slices_are_made_of_validation_rows_only():
    prob = np.repeat(np.array([[0.0, 1.0], [1.0, 0.0]]), 20, axis=0)
    outcome = Outcome.of_classes(np.zeros(40, dtype=np.int64), prob)
    baseline = Baseline.of_classes(outcome.truth, 2)

    class Side:
        def column(self, name, rows):
            import polars as pl

            return pl.Series(["left"] * 20 + ["right"] * 20).gather(rows)

        def row_numbers(self, rows):
            return rows + 1

        def line_numbers(self, rows):
            return None

    parts = {
        name: evaluate_part(name, outcome, baseline, classes="ab", table=Side(), columns=["side"])
        for name in ("validation", "test")
    }
    assert [item.value for item in parts["validation"].slices] == ["left"]
    assert parts["test"].slices == []


def test_the_worst_rows_carry_the_numbers_and_cells_of_the_file(species_run, penguins):
    part = species_run.evaluation.part("test")
    lines = Path(penguins.source).read_text().splitlines()
    header = lines[0].split(",")
    assert part.worst_columns == [name for name in header if name != "species"]
    for row in part.worst:
        assert row.line == row.row + 1
        cells = dict(zip(header, lines[row.line - 1].split(","), strict=True))
        assert row.truth == cells["species"]
        for name, cell in zip(part.worst_columns, row.cells, strict=True):
            assert (cell is None and cells[name] in ("NA", "")) or cell in (cells[name], f"{cells[name]}.0")


def test_points_are_drawn_by_lot_when_there_are_many():
    truth = np.arange(1000.0)
    part = evaluate_part("test", Outcome.of_numbers(truth, truth + 1), Baseline.of_numbers(truth))
    actual = [point[0] for point in part.points]
    assert len(actual) == POINTS == len(set(actual))
    assert np.mean(actual) == pytest.approx(499.5, abs=60)
    assert sum(part.residual_counts) == 1000


def test_a_part_without_rows_is_refused():
    with pytest.raises(ArgumentError, match="'test' has no rows"):
        evaluate_part("test", Outcome.of_numbers(np.array([]), np.array([])), Baseline.of_numbers([1.0]))


def test_an_unknown_score_is_named(species_run):
    with pytest.raises(ArgumentError, match="no score 'mae': there are accuracy"):
        species_run.evaluation.part("test").score("mae")
