"""The rows of a design: made or brought, split in three, and turned into the network's inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.data.generated import normal
from slopewise.site.playground import plan
from slopewise.site.playground.design import Design
from slopewise.site.playground.targets import OVER_A_SQUARE

Array = NDArray[Any]
NOISE_CALL = 9  # of the random stream that the noise of our own targets is drawn by


@dataclass(frozen=True)
class Rows:
    """Places and targets by part; `mean` and `deviation` are of the training rows' inputs.

    Attributes
    ----------
    places : dict of part to array, shape (rows, 1 or 2)
        The rows as they are drawn.
    inputs : dict of part to array, shape (rows, features)
    targets : dict of part to array, shape (rows,)
    """

    places: dict[str, Array]
    inputs: dict[str, Array]
    targets: dict[str, Array]
    mean: Array
    deviation: Array

    def part(self, name: str) -> tuple[Array, Array]:
        """Return inputs and targets of a part."""
        return self.inputs[name], self.targets[name]

    def to_json(self) -> dict[str, list[list[float]]]:
        """Return places and target of each row, by part."""
        return {
            part: [
                [float(f"{number:.5g}") for number in (*place[:2], target)]
                for place, target in zip(places.tolist(), self.targets[part].tolist())
            ]
            for part, places in self.places.items()
        }


def make_rows(design: Design) -> Rows:
    """Return the rows of a design; the same design always gives the same."""
    X, y = _all_rows(design)
    seed = design.whole("data_seed")
    n_validation, n_test = plan.split_sizes(design)
    stratify = y if design.has_classes else None
    X_rest, X_test, y_rest, y_test = sw.data.train_test_split(
        X, y, test_size=n_test, stratify=stratify, seed=seed
    )
    stratify = y_rest if design.has_classes else None
    X_train, X_validation, y_train, y_validation = sw.data.train_test_split(
        X_rest, y_rest, test_size=n_validation, stratify=stratify, seed=seed
    )
    places = {"train": X_train, "validation": X_validation, "test": X_test}
    inputs = {part: inputs_of(design, X) for part, X in places.items()}
    mean, deviation = np.zeros(1, np.float32), np.ones(1, np.float32)
    if design.is_standardised:
        mean, deviation = inputs["train"].mean(axis=0), inputs["train"].std(axis=0)
        deviation = np.where(deviation > 0, deviation, np.float32(1))
    inputs = {part: (values - mean) / deviation for part, values in inputs.items()}
    return Rows(
        places, inputs, {"train": y_train, "validation": y_validation, "test": y_test}, mean, deviation
    )


def _all_rows(design: Design) -> tuple[Array, Array]:
    if design.own is not None:
        kind = np.int64 if design.has_classes else np.float32
        return np.asarray(design.own.rows, np.float32), np.asarray(design.own.targets, kind)
    X, y = plan.data_call(design).make()
    if design.data not in OVER_A_SQUARE:
        return X, y
    target, seed = OVER_A_SQUARE[design.data](X), design.whole("data_seed")
    if design.has_classes:  # the noise moves the rows
        moved = X + design.noise * normal(2 * len(X), seed, NOISE_CALL).reshape(-1, 2)
        return moved.astype(np.float32), target
    return X, (target + design.noise * normal(len(X), seed, NOISE_CALL)).astype(np.float32)


def inputs_of(design: Design, X: Array) -> Array:
    """Return the chosen inputs of some places: coordinates, their squares, product and sines.

    Of own data with more than two columns they are the columns.
    """
    if design.places > 2:
        return X.astype(np.float32)
    x1, x2 = X[:, 0], X[:, -1]
    columns = {
        "x1": x1,
        "x2": x2,
        "x1x1": x1 * x1,
        "x2x2": x2 * x2,
        "x1x2": x1 * x2,
        "sin1": np.sin(x1),
        "sin2": np.sin(x2),
    }
    return np.stack([columns[name] for name in design.features], axis=1).astype(np.float32)
