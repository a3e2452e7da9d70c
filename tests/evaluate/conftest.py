"""Runs that were never trained: records as `fit` writes them, around made-up predictions."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from slopewise.data import Table, read_table, split
from slopewise.engine.random import random_words
from slopewise.evaluate.baselines import Baseline
from slopewise.evaluate.evaluation import Evaluation, evaluate_part
from slopewise.evaluate.outcome import Outcome
from slopewise.train.environment import environment

PENGUINS = Path(__file__).parents[2] / "examples" / "data" / "penguins.csv"


@dataclass
class Run:
    record: dict
    epochs: list
    evaluation: Evaluation | None


def uniform(size, stream):
    return random_words(size, seed=11, stream=stream) / 2**32


def normal(size, stream):
    return np.sqrt(-2 * np.log(1 - uniform(size, stream))) * np.cos(2 * np.pi * uniform(size, stream + 1))


def described(table, target, dropped):
    columns = []
    for name, info in table.columns.items():
        use = "target" if name == target else "dropped" if name in dropped else "input"
        columns.append(
            {
                "name": name,
                "kind": info.kind,
                "missing": info.missing,
                "unique": info.unique,
                "examples": list(info.examples),
                "use": use,
                "features": {"category": info.unique + 1}.get(info.kind, 1) if use == "input" else 0,
                "reason": dropped.get(name, ""),
            }
        )
    return columns


def record_of(table, target, task, parts, dropped=None):
    name = Path(table.source).name if table.source else "table.csv"
    return {
        "format": 1,
        "slopewise": "0.1.0",
        "created": "2026-11-21T20:00:00+00:00",
        "status": "finished",
        "command": f"slopewise fit examples/data/{name} --target {target} --out runs/demo",
        "data": {
            "name": name,
            "path": f"../../examples/data/{name}",
            "given": f"examples/data/{name}",
            "fingerprint": table.fingerprint,
            "rows": table.n_rows,
        },
        "target": target,
        "task": task,
        "columns": described(table, target, dropped or {}),
        "split": {
            "stratify": target if task == "classification" else None,
            "groups": None,
            "time": None,
            "rows": {part: len(rows) for part, rows in parts.items()},
        },
        "model": {
            "layers": [
                {"name": "Linear 12 → 64", "output": "64", "parameters": 832},
                {"name": "ReLU", "output": "64", "parameters": 0},
                {"name": "Linear 64 → 3", "output": "3", "parameters": 195},
            ],
            "parameters": 1027,
        },
        "optimizer": {"name": "adam", "lr": 0.01, "weight_decay": 0.0},
        "training": {"epochs": 200, "patience": 20, "batch_size": 32, "loss": "cross_entropy"},
        "seed": 0,
        "environment": environment("eager"),
        "result": {"epochs": 61, "best_epoch": 41, "seconds": 1.26, "stopped": "early", "reason": ""},
        "test_openings": [{"when": "2026-11-21T20:00:02+00:00", "why": "fit", "rows": len(parts["test"])}],
    }


def curve(score):
    epochs = []
    for epoch in range(1, 62):
        loss = 1.1 * np.exp(-epoch / 9) + 0.012
        rise = 0.00045 * max(0, epoch - 41)
        wobble = 0.012 * np.sin(epoch * 1.7)
        epochs.append(
            {
                "epoch": epoch,
                "loss": loss,
                "validation_loss": loss + 0.04 + rise + wobble,
                score: 0.995 - 0.5 * np.exp(-epoch / 6),
                f"validation_{score}": 0.99 - 0.55 * np.exp(-epoch / 6) + wobble / 4,
            }
        )
    return epochs


def classification_run(table, target="species", clarity=3.0, dropped=None):
    cells = ["missing" if cell is None else str(cell) for cell in table[target].to_list()]
    classes = sorted(set(cells))
    codes = np.array([classes.index(cell) for cell in cells])
    parts = split(table, validation=0.2, test=0.2, stratify=target, seed=0).to_dict()
    rows = {name: np.array(parts[name]) for name in ("train", "validation", "test")}
    logits = normal(table.n_rows * len(classes), 1).reshape(-1, len(classes))
    logits[np.arange(len(codes)), codes] += clarity
    prob = np.exp(1.5 * logits)
    record = record_of(table, target, "classification", rows, dropped)
    inputs = [c["name"] for c in record["columns"] if c["use"] == "input"]
    baseline = Baseline.of_classes(codes[rows["train"]], len(classes))
    evaluated = [
        evaluate_part(
            name,
            Outcome.of_classes(codes[places], prob[places] / prob[places].sum(axis=1, keepdims=True)),
            baseline,
            classes=classes,
            table=table,
            rows=places,
            columns=inputs,
        )
        for name, places in rows.items()
    ]
    return Run(record, curve("accuracy"), Evaluation("classification", target, classes, baseline, evaluated))


def regression_run(table, target="body_mass_g", noise=300.0):
    known = table.take(np.flatnonzero(table[target].is_not_null().to_numpy()))
    values = known[target].cast(pl.Float64).to_numpy()
    parts = split(known, validation=0.2, test=0.2, seed=0).to_dict()
    rows = {name: np.array(parts[name]) for name in ("train", "validation", "test")}
    predicted = values + noise * normal(len(values), 5) - 0.1 * (values - values.mean())
    record = record_of(known, target, "regression", rows)
    inputs = [c["name"] for c in record["columns"] if c["use"] == "input"]
    baseline = Baseline.of_numbers(values[rows["train"]])
    evaluated = [
        evaluate_part(
            name,
            Outcome.of_numbers(values[places], predicted[places]),
            baseline,
            table=known,
            rows=places,
            columns=inputs,
        )
        for name, places in rows.items()
    ]
    return Run(record, curve("mae"), Evaluation("regression", target, [], baseline, evaluated))


@pytest.fixture(scope="session")
def penguins() -> Table:
    return read_table(PENGUINS)


@pytest.fixture(scope="session")
def species_run(penguins):
    return classification_run(penguins)


@pytest.fixture(scope="session")
def mass_run(penguins):
    return regression_run(penguins)


@pytest.fixture(scope="session")
def make_run():
    return classification_run


@pytest.fixture(scope="session")
def negative_run():
    """A regression worse than its baseline, of numbers below zero."""
    frame = pl.DataFrame({"x": np.repeat([-2.5, -1.5], 40), "y": -50 + normal(80, 3)})
    return regression_run(Table.from_frame(frame), target="y", noise=4.0)
