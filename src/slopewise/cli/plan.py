"""What `fit` says before it trains: data, target, split, inputs and network, with all defaults spelt out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from slopewise.evaluate.display import count, number, percent, visible

if TYPE_CHECKING:
    from slopewise.train.preparation import Prepared

NAME_WIDTH = 16
MOST_CLASSES = 8  # of more, only the most and the least frequent are named
RARE = 10  # how many times as many rows the largest class has as the smallest, for a word on it


def plan_lines(prepared: Prepared) -> list[str]:
    """Return the plan of a run, line by line."""
    table = prepared.table
    size = f"{count(table.n_rows, 'row')}, {count(len(table.names), 'column')}"
    return [
        f"Data      {visible(table.label, 200)}: {size}",
        *_target_lines(prepared),
        _split_line(prepared),
        *_input_lines(prepared),
        *_network_lines(prepared),
    ]


def _target_lines(prepared: Prepared) -> list[str]:
    name, classes = visible(prepared.question.target), prepared.target.classes
    if classes is None:
        return [f"Target    {name}: regression"]
    codes = prepared.targets("train").astype(np.int64)
    rows = np.bincount(codes, minlength=len(classes)).tolist()
    shares = shares_text([str(label) for label in classes], rows)
    lines = [f"Target    {name}: classification, {count(len(classes), 'class')}; in training {shares}"]
    note = prepared.table.columns[prepared.question.target].note
    if note:
        lines.append(f"          {visible(note, 240)}")
    if max(rows) >= RARE * min(rows):
        lines.append(
            "          The classes are of very unequal size: look at balanced accuracy, not at accuracy."
        )
    return lines


def shares_text(classes: Sequence[str], rows: Sequence[int]) -> str:
    """Return how many rows each class has, the largest first; of many classes the extremes.

    Examples
    --------
    >>> shares_text(["ant", "bee"], [25, 75])
    'bee 75 (75.0%), ant 25 (25.0%)'
    """
    total = sum(rows)
    order = sorted(range(len(rows)), key=lambda place: (-rows[place], place))
    texts = [
        f"{visible(classes[p], NAME_WIDTH)} {count(rows[p])} ({percent(rows[p] / total)})" for p in order
    ]
    return ", ".join(texts if len(texts) <= MOST_CLASSES else [*texts[:3], "…", texts[-1]])


def _split_line(prepared: Prepared) -> str:
    question, sizes = prepared.question, prepared.parts.sizes
    if question.time is not None:
        how = f"by time, {visible(question.time)}"
    elif question.group is not None:
        how = f"at random, each {visible(question.group)} in one part"
    elif question.task == "classification":
        how = "at random, each class in its share"
    else:
        how = "at random"
    parts = ", ".join(f"{count(rows)} {name}" for name, rows in sizes.items())
    return f"Split     {parts} rows, {how}, seed {question.seed}"


def _input_lines(prepared: Prepared) -> list[str]:
    inputs = prepared.inputs
    columns, features = count(len(inputs.inputs), "column"), count(len(inputs.feature_names), "number")
    odd = [
        f"          {visible(name)} as {kind}: {visible(prepared.table.columns[name].note, 240)}"
        for name, kind in inputs.kinds.items()
        if kind == "category" and prepared.table.columns[name].note
    ]
    left_out = [
        f"          without {visible(name)}: {visible(reason, 240)}"
        for name, reason in inputs.dropped.items()
    ]
    return [f"Inputs    {columns} as {features}", *odd, *left_out]


def _network_lines(prepared: Prepared) -> list[str]:
    settings = prepared.settings
    widths = [len(prepared.inputs.feature_names), *settings.hidden, len(prepared.target.classes or [0])]
    parameters = sum((before + 1) * after for before, after in pairwise(widths))
    assert settings.lr is not None
    return [
        f"Network   {' → '.join(map(str, widths))}, {count(parameters, 'parameter')}, ReLU between",
        f"Training  {settings.optimizer}, learning rate {number(settings.lr)}, "
        f"batch size {settings.batch_size}, at most {count(settings.epochs, 'epoch')},",
        f"          until the validation loss has not improved for {count(settings.patience, 'epoch')}",
    ]
