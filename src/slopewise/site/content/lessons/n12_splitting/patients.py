"""The small world of this lesson: patients, measured several times each, some of them ill.

A file of 64 rows lies in the order in which it was collected: the healthy first, the rows of a patient
together. The model answers with the class of the nearest row that it has learned: it can do nothing but
remember, so what it reports depends on the split alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.data.folds import GroupKFold, KFold, StratifiedKFold
from slopewise.data.generated import normal
from slopewise.data.splitting import split

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

PATIENTS, ROWS_EACH, ILL = 16, 4, 4
ROWS = PATIENTS * ROWS_EACH
FRESH_PATIENTS = 2500
FRESH = FRESH_PATIENTS * ROWS_EACH  # rows that nobody has seen: a score on them is free of luck
_DISTANCE = 0.8  # between the classes' centres, in units of how patients differ
_WITHIN = 0.1  # how far a patient's rows lie from each other, in the same units
WAYS = {
    "order": "as it lies in the file",
    "shuffle": "shuffled",
    "stratify": "shuffled and stratified",
    "group": "by patient",
}


@dataclass(frozen=True)
class World:
    """Rows with their class (1 is ill) and their patient."""

    X: Floats
    y: Numbers
    patient: Numbers


def collect(seed: int, patients: int = PATIENTS, ill: int = ILL, call: int = 100) -> World:
    """Return the rows of some patients, the healthy ones first."""
    is_ill = (np.arange(patients) >= patients - ill).astype(np.int64)
    centres = normal(2 * patients, seed, call).reshape(-1, 2)
    centres[:, 0] += _DISTANCE * is_ill
    patient = np.repeat(np.arange(patients), ROWS_EACH)
    noise = normal(2 * len(patient), seed, call + 1).reshape(-1, 2)
    return World(centres[patient] + _WITHIN * noise, is_ill[patient], patient)


def fresh(seed: int) -> World:
    """Return 10,000 rows of patients whom nobody has seen, in the same shares."""
    return collect(seed, FRESH_PATIENTS, FRESH_PATIENTS * ILL // PATIENTS, call=200)


def accuracy(world: World, learned: Numbers, rows: Floats, classes: Numbers) -> float:
    """Return how often the nearest of the learned rows has the right class."""
    known = sw.tensor(world.X[learned])
    # The squared distance, without the part that is the same for all learned rows.
    distances = (known**2).sum(-1) - 2 * (sw.tensor(rows) @ known.T)
    nearest = sw.argmin(distances, axis=1).numpy()
    return float((world.y[learned][nearest] == classes).mean())


def one_split(world: World, way: str, seed: int) -> dict[str, Numbers]:
    """Return the rows of training, validation and test."""
    made = split(
        ROWS,
        validation=0.2,
        test=0.25,
        stratify=world.y if way == "stratify" else None,
        groups=world.patient if way == "group" else None,
        shuffle=way != "order",
        seed=seed,
    )
    return {
        "training": np.sort(made.train),
        "validation": np.sort(made.validation),
        "test": np.sort(made.test),
    }


def folds(world: World, way: str, k: int, seed: int) -> list[tuple[Numbers, Numbers]]:
    """Return (training rows, test rows) of each fold."""
    if way == "group":
        return list(GroupKFold(k, shuffle=True, seed=seed).split(range(ROWS), groups=world.patient))
    if way == "stratify":
        return list(StratifiedKFold(k, shuffle=True, seed=seed).split(range(ROWS), world.y))
    return list(KFold(k, shuffle=way == "shuffle", seed=seed).split(range(ROWS)))
