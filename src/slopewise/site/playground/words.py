"""What the pictures of a training show, in sentences and in tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise.site.playground.design import DATA, OPTIMIZERS, SCHEDULES, Design

Array = NDArray[Any]
PLACES = 5  # across the table of the picture
PLACES_OF_CURVE = 9


def said(value: float | None, digits: int = 4) -> str:
    """Return a number as a text says it.

    Examples
    --------
    >>> said(-0.123456), said(None)
    ('−0.1235', 'not a number')
    """
    return "not a number" if value is None else f"{value:.{digits}g}".replace("-", "−")


def score_name(design: Design) -> str:
    """Return what the score beside the loss is called."""
    return "R²" if design.metric == "r2" else "accuracy"


def class_names(design: Design) -> list[str]:
    """Return what the classes are called."""
    return list(design.own.classes) if design.own is not None else [str(k) for k in range(design.classes)]


def legend(design: Design, rows: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return what the colours of the picture mean, in order: classes, or lowest and highest target."""
    if design.own is not None and design.has_classes:
        return class_names(design)
    if design.has_classes:
        return [f"class {name}" for name in class_names(design)]
    targets = [float(row[-1]) for row in rows["train"]]
    return [f"{said(min(targets), 3)} and below", f"{said(max(targets), 3)} and above"]


def before_training(design: Design, rows: Mapping[str, Sequence[Any]]) -> str:
    """Return what is known of a design without a look at its network."""
    return (
        f"{len(rows['train'])} training rows, {len(rows['validation'])} validation rows, and "
        f"{len(rows['test'])} test rows, which stay sealed. The network has {design.n_parameters} parameters "
        f"and has made no update yet.{_left_out(design)}"
    )


def in_words(design: Design, view: Mapping[str, Any], counts: Mapping[str, int]) -> str:
    """Return what the pictures show after some updates."""
    _, batch, loss, score, validation_loss, validation_score, *_ = view["scores"]
    sentences = [
        f"After {view['step']} updates the loss is {said(loss)} on {counts['train']} training rows and "
        f"{said(validation_loss)} on {counts['validation']} validation rows; the {score_name(design)} is "
        f"{said(score)} and {said(validation_score)}.",
        view["pictured"],
        f"The learning rate is {said(view['lr'])}.",
    ]
    if batch is not None:
        sentences.append(f"The last batch had the loss {said(batch)}.")
    return " ".join(sentences) + _left_out(design)


def _left_out(design: Design) -> str:
    if design.own is None or not design.own.left_out:
        return ""
    return f" {design.own.left_out} of your rows are left out: a cell is missing, or there are too many."


def surface_in_words(design: Design, answers: Array) -> str:
    """Return what a network says over the whole picture; answers are numbers, or probabilities by class."""
    if not np.isfinite(answers).all():
        return "Over the picture the network's answers are no longer numbers."
    if not design.has_classes:
        low, high = float(answers.min()), float(answers.max())
        return f"Over the picture its answers go from {said(low, 3)} to {said(high, 3)}."
    shares = np.bincount(answers.argmax(axis=1), minlength=answers.shape[1]) / len(answers)
    parts = [f"class {name} on {100 * share:.0f}%" for name, share in zip(class_names(design), shares)]
    return f"Over the picture it says {', '.join(parts[:-1])} and {parts[-1]} of the places."


def surface_as_table(design: Design, frame: Sequence[float], answers: Array) -> dict[str, Any]:
    """Return some places of the picture with what the network says there.

    Rows go from the highest place to the lowest, as the picture does.
    """
    side = round(len(answers) ** 0.5)
    chosen = np.linspace(0, side - 1, PLACES).round().astype(int)
    x, y = np.linspace(frame[0], frame[1], side)[chosen], np.linspace(frame[2], frame[3], side)[chosen]
    grid = answers.reshape(side, side, -1)[np.ix_(chosen[::-1], chosen)]
    return {
        "columns": [said(float(value), 3) for value in x],
        "rows": [
            [said(float(place), 3), *(_cell(design, cell) for cell in row)]
            for place, row in zip(y[::-1], grid)
        ],
    }


def curve_as_table(design: Design, frame: Sequence[float], answers: Array) -> dict[str, Any]:
    """Return some places along one input with what the network says there."""
    chosen = np.linspace(0, len(answers) - 1, PLACES_OF_CURVE).round().astype(int)
    x = np.linspace(frame[0], frame[1], len(answers))[chosen]
    return {
        "columns": [said(float(value), 3) for value in x],
        "rows": [["the network says", *(_cell(design, answers[place]) for place in chosen)]],
    }


def _cell(design: Design, answer: Array) -> str:
    if not np.isfinite(answer).all():
        return "not a number"
    if not design.has_classes:
        return said(float(answer.ravel()[0]), 3)
    return f"{class_names(design)[int(answer.argmax())]} ({100 * float(answer.max()):.0f}%)"


def described(design: Design) -> str:
    """Return a design in a sentence, for a card that stands alone."""
    values = design.values
    data = f"own data, {design.own.name}" if design.own is not None else DATA[design.data][0]
    layers = ", ".join(layer.text().replace(":", " ") for layer in design.layers) or "no hidden layer"
    rate = f"learning rate {design.number('lr'):g}"
    if values["schedule"] != "constant":
        rate += f" ({SCHEDULES[str(values['schedule'])][0].lower()})"
    return (
        f"{data}; {layers}; {OPTIMIZERS[str(values['optimizer'])][0]}, {rate}, batches of "
        f"{design.whole('batch')}, seed {design.whole('seed')}"
    )
