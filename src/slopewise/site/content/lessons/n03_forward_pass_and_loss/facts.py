"""The numbers, formulas and the figure of this lesson, computed on the engine."""

from __future__ import annotations

import math
from functools import partial
from html import escape
from typing import Any

import numpy as np

import slopewise as sw
from slopewise.engine.errors import ShapeError
from slopewise.site.content.lesson import Formula
from slopewise.site.content.lessons.n03_forward_pass_and_loss.models import (
    CLASSES,
    KINDS,
    NUMBERS,
    X,
    descend,
    run_pass,
)
from slopewise.site.content.typed_formulas import value_of
from slopewise.site.content.typed_numbers import Typed
from slopewise.site.drawing import brief
from slopewise.site.labs import Figure

# The network that the text works through: two inputs, two hidden values, one prediction.
INPUT = np.array([3.0, 1.0])
W1, B1 = np.array([[1.0, -1.0], [-1.0, 0.5]]), np.array([0.0, 1.0])
W2, B2 = np.array([0.5, 2.0]), -0.2
TARGET = 1.5
ERRORS = (0.1, 1.0, 10.0)
LOGITS = (-6.0, -2.0, 0.0, 2.0, 6.0)
VALUES = np.array([2.0, 3.0, 4.0, 5.0, 36.0])  # one of them is far off


def _forward() -> dict[str, Any]:
    """Run the small network, and keep every value on the way."""
    before = sw.tensor(W1) @ sw.tensor(INPUT) + sw.tensor(B1)
    hidden = sw.relu(before)
    prediction = (sw.tensor(W2) * hidden).sum() + B2
    return {
        "before": before.tolist(),
        "hidden": hidden.tolist(),
        "prediction": prediction.item(),
        "error": prediction.item() - TARGET,
        "loss": sw.losses.mse(prediction, sw.tensor(TARGET, dtype=sw.float64)).item(),
    }


def _number_losses(error: float) -> list[tuple[float, float]]:
    """Return the value and the slope of squared, absolute and Huber loss at an error."""
    zero = sw.tensor(0.0, dtype=sw.float64)
    found = []
    for loss in (sw.losses.mse, sw.losses.mae, sw.losses.huber):
        at = sw.value_and_grad(lambda p, loss=loss: loss(p, zero))
        value, slope = at(sw.tensor(error, dtype=sw.float64))
        found.append((value.item(), slope.item()))
    return found


def _class_losses(logit: float) -> list[float]:
    """Return p, then value and slope of cross-entropy and of squared error, for a row of class 1."""
    one, z = sw.tensor([1.0], dtype=sw.float64), sw.tensor([logit], dtype=sw.float64)
    row = [sw.sigmoid(z).item()]
    for key in ("cross", "class"):
        losses = KINDS[key].losses
        value, slope = sw.value_and_grad(lambda v, losses=losses: losses(v, one).sum())(z)
        row += [value.item(), slope.item()]
    return row


def _best_constant(loss: Any) -> float:
    """Return which of many constants has the lowest loss over VALUES."""
    candidates = np.round(np.arange(0, 40, 0.01), 2)
    tried = sw.tensor(candidates[:, None] + 0 * VALUES)
    losses = loss(tried, sw.tensor(np.tile(VALUES, (len(candidates), 1))), reduction="none").numpy()
    return float(candidates[losses.mean(axis=1).argmin()])


def _accuracy_slope() -> tuple[float, float]:
    """Return the accuracy on the lab's classes, and how it changes with a small nudge of the weight."""

    def accuracy(w: float) -> float:
        said = sw.sigmoid(w * sw.tensor(X) + 0.5).numpy() > 0.5
        return float((said == (CLASSES == 1)).mean())

    return accuracy(0.5), (accuracy(0.5 + 1e-4) - accuracy(0.5 - 1e-4)) / 2e-4


def _broadcast() -> tuple[str, float, int, str]:
    """Return what NumPy's habit makes of a column minus a row, and what our loss says to it."""
    column, row = np.array([[1.0], [2.0], [3.0]]), np.array([1.0, 2.0, 3.0])
    made = (column - row) ** 2
    try:
        sw.losses.mse(sw.tensor(column), sw.tensor(row))
    except ShapeError as error:
        return str(made.shape), float(made.mean()), made.size, str(error)
    raise AssertionError("a loss of unlike shapes must be refused")


def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    wrong = sw.tensor(np.array([[-6.0, 6.0]]))
    first = sw.tensor(np.array([0]))
    shape, mistaken, cells, refusal = _broadcast()
    accuracy, slope = _accuracy_slope()
    line = descend(KINDS["squared"], 0.5, 0.5, 0.3, 6, turned=False)
    turned = descend(KINDS["squared"], 0.5, 0.5, 0.3, 6, turned=True)
    stuck = {
        key: [made.loss for made in descend(KINDS[key], -2.0, 0.5, 0.3, 6, turned=False)]
        for key in ("cross", "class")
    }
    return {
        "inputs": INPUT.tolist(),
        "w1": W1.tolist(),
        "b1": B1.tolist(),
        "w2": W2.tolist(),
        "b2": B2,
        "target": TARGET,
        "forward": _forward(),
        "numbers": [(error, *_number_losses(error)) for error in ERRORS],
        "classes": [(z, *_class_losses(z)) for z in LOGITS],
        "values": VALUES.tolist(),
        "best_squared": _best_constant(sw.losses.mse),
        "best_absolute": _best_constant(sw.losses.mae),
        "accuracy": 100 * accuracy,
        "accuracy_slope": slope,
        "once": sw.losses.cross_entropy(wrong, first).item(),
        "twice": sw.losses.cross_entropy(sw.softmax(wrong, axis=1), first).item(),
        "twice_best": sw.losses.cross_entropy(sw.softmax(-10 * wrong, axis=1), first).item(),
        "shape": shape,
        "mistaken": mistaken,
        "cells": cells,
        "refusal": refusal,
        "lab_before": line[0].loss,
        "lab_after": line[1].loss,
        "lab_turned": turned[1].loss,
        "outlier_share": 100 * line[0].losses[-1] / line[0].losses.sum(),
        "outlier_error": float(line[0].scores[-1] - NUMBERS[-1]),
        "stuck_cross": (stuck["cross"][0], stuck["cross"][-1]),
        "stuck_class": (stuck["class"][0], stuck["class"][-1]),
    }


# ---- the figure

_BOX, _BOX_HIGH = 150, 62


def _network() -> Figure:
    """The forward pass as boxes: values in blue, weights at the arrows."""
    made = _forward()
    left, middle, right, far = 12, 252, 512, 752
    boxes = [
        (left, 14, "x₁", "", brief(INPUT[0])),
        (left, 134, "x₂", "", brief(INPUT[1])),
        (middle, 14, "h₁", f"relu({brief(made['before'][0])})", brief(made["hidden"][0])),
        (middle, 134, "h₂", f"relu({brief(made['before'][1])})", brief(made["hidden"][1])),
        (right, 74, "ŷ", "", brief(made["prediction"])),
        (far, 14, "target y", "", brief(TARGET)),
        (far, 134, "loss", "(ŷ − y)²", brief(made["loss"])),
    ]
    arrows = [
        *((left, 14 + 120 * i, middle, 14 + 120 * j, brief(W1[j, i])) for i in range(2) for j in range(2)),
        *((middle, 14 + 120 * j, right, 74, brief(W2[j])) for j in range(2)),
        (right, 74, far, 134, ""),
    ]
    parts = [_arrow(*arrow) for arrow in arrows]
    parts.append(
        f'<g class="edge forward"><path d="M{far + _BOX / 2} 76V130"/>'
        f'<path class="head" d="M{far + _BOX / 2} 134l-4 -9h8z"/></g>'
    )
    parts += [_box(*box) for box in boxes]
    told = "; ".join(f"{name} is {value}" for _, _, name, _, value in boxes)
    svg = (
        f'<svg class="tape-graph" viewBox="0 0 {far + _BOX + 12} 214" role="img" '
        f'aria-label="A forward pass through a small network"><desc>{escape(told)}</desc>'
        f"{''.join(parts)}</svg>"
    )
    return Figure(
        "The forward pass: values in blue, weights at the arrows; biases are added in the boxes", svg
    )


def _arrow(x1: int, y1: int, x2: int, y2: int, weight: str) -> str:
    """Draw an arrow between two boxes, its weight near its start, on the side where no other arrow runs."""
    start, end = (x1 + _BOX, y1 + _BOX_HIGH // 2), (x2, y2 + _BOX_HIGH // 2)
    across, down = end[0] - start[0], end[1] - start[1]
    turn = math.degrees(math.atan2(down, across))
    beside = 14 if down else 0
    below = 16 if down < 0 or (down == 0 and y1 > 100) else -7
    x, y = start[0] + 0.26 * across + beside, start[1] + 0.26 * down + below
    line = f'<path d="M{start[0]} {start[1]}L{end[0]} {end[1]}"/>'
    head = (
        f'<path class="head" d="M0 0l-9 -4v8z" transform="translate({end[0]} {end[1]}) rotate({turn:.1f})"/>'
    )
    label = f'<text class="op" x="{x:.0f}" y="{y:.0f}" text-anchor="middle">{escape(weight)}</text>'
    return f'<g class="edge forward">{line}{head}{label if weight else ""}</g>'


def _box(x: int, y: int, name: str, made: str, value: str) -> str:
    operation = f'<text class="op" x="{x + _BOX - 9}" y="{y + 22}" text-anchor="end">{escape(made)}</text>'
    return (
        f'<g class="box"><rect x="{x}" y="{y}" width="{_BOX}" height="{_BOX_HIGH}" rx="6"/>'
        f'<text class="name" x="{x + 10}" y="{y + 22}">{escape(name)}</text>{operation if made else ""}'
        f'<text class="value" x="{x + 10}" y="{y + 46}">{escape(value)}</text></g>'
    )


FIGURES = {"network": _network}


# ---- the formulas


def _two_layers() -> tuple[Any, Any]:
    """The prediction by the modules of the library, and by the sums of the text."""
    model = sw.nn.Sequential(sw.nn.Linear(2, 2), sw.nn.ReLU(), sw.nn.Linear(2, 1))
    with sw.no_grad():
        for parameter, value in zip(model.parameters(), (W1, B1, W2[None, :], np.array([B2]))):
            parameter[...] = sw.tensor(value, dtype=sw.float32)
    by_module = model(sw.tensor(INPUT[None, :], dtype=sw.float32)).item()
    hidden = [max(0.0, W1[j] @ INPUT + B1[j]) for j in range(2)]
    return by_module, W2[0] * hidden[0] + W2[1] * hidden[1] + B2


def _collapse() -> tuple[Any, Any]:
    """Two linear layers after each other, and the one layer that they are."""
    x = sw.tensor(INPUT)
    second = sw.tensor(np.stack([W2, -W2]))
    return (second @ (sw.tensor(W1) @ x)).numpy(), ((second @ sw.tensor(W1)) @ x).numpy()


def _error() -> tuple[Any, Any]:
    """The errors of the lab's rows by the definition, and from the slopes of the engine."""
    made = run_pass(KINDS["squared"], 0.5, 0.5)
    return made.predictions - NUMBERS, made.slopes * len(X) / 2


def _both_signs() -> tuple[Any, Any]:
    """The slope of the square of ŷ − y, and that of the square of y − ŷ."""
    y = sw.tensor(TARGET, dtype=sw.float64)
    at = sw.tensor(0.8, dtype=sw.float64)
    one = sw.grad(lambda p: (p - y) ** 2)(at).item()
    other = sw.grad(lambda p: (y - p) ** 2)(at).item()
    assert one == other
    return one, 2 * (0.8 - TARGET)


def _mean() -> tuple[Any, Any]:
    """The library's mean squared error, and the sum written out."""
    made = run_pass(KINDS["squared"], 0.5, 0.5)
    return (
        sw.losses.mse(sw.tensor(made.predictions), sw.tensor(NUMBERS)).item(),
        sum((p - y) ** 2 for p, y in zip(made.predictions, NUMBERS)) / len(X),
    )


def _cross_entropy() -> tuple[Any, Any]:
    """The library's cross-entropy of logits, and minus the logarithm of the right class's softmax."""
    logits = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]])
    right = np.array([0, 2])
    exps = np.exp(logits)
    shares = exps / exps.sum(axis=1, keepdims=True)
    by_hand = -np.log(shares[[0, 1], right]).mean()
    return sw.losses.cross_entropy(sw.tensor(logits), sw.tensor(right)).item(), by_hand


def _prediction_minus_target() -> tuple[Any, Any]:
    """The slope of cross-entropy in the logits, and softmax minus the target written as 0 and 1."""
    logits = sw.tensor(np.array([[2.0, -1.0, 0.5]]))
    slope = sw.grad(lambda z: sw.losses.cross_entropy(z, sw.tensor(np.array([0]))))(logits)
    return slope.numpy(), sw.softmax(logits, axis=1).numpy() - np.array([[1.0, 0.0, 0.0]])


FORMULAS = (
    Formula("two_layers", r"h = \mathrm{relu}(W_1 x + b_1) \qquad \hat{y} = W_2 h + b_2", _two_layers),
    Formula("collapse", r"W_2 (W_1 x) = (W_2 W_1) \, x", _collapse),
    Formula("error", r"e = \hat{y} - y", _error),
    Formula(
        "both_signs",
        r"\frac{\partial}{\partial \hat{y}} (\hat{y} - y)^2 = \frac{\partial}{\partial \hat{y}} "
        r"(y - \hat{y})^2 = 2 (\hat{y} - y)",
        _both_signs,
    ),
    Formula("mean", r"L = \frac{1}{n} \sum_{i=1}^{n} (\hat{y}_i - y_i)^2", _mean),
    Formula(
        "cross_entropy",
        r"L = - \log p_{\text{right}} \qquad p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}",
        _cross_entropy,
    ),
    Formula("p_minus_y", r"\frac{\partial L}{\partial z_k} = p_k - y_k", _prediction_minus_target),
)


def _slope_of_a_row(name: str) -> tuple[Any, Any]:
    """The engine's slope of each row's loss in its score, and the formula that the lab shows."""
    kind, scores = KINDS[name], np.array([-3.0, -0.7, 0.4, 0.9, 2.5, -1.5])
    ours = sw.grad(lambda z: kind.losses(z, sw.tensor(kind.targets)).sum())(sw.tensor(scores)).numpy()
    if name == "absolute":  # words, not a formula to compute
        return ours, np.sign(scores - kind.targets)
    rows = zip(kind.predict(scores), kind.targets)
    return ours, [value_of(kind.slope_latex, {"p": said, "yhat": said, "y": y}) for said, y in rows]


def _line(name: str) -> tuple[Any, Any]:
    """The predictions of a forward pass, and by hand."""
    line = 0.7 * X - 0.3
    made = run_pass(KINDS[name], 0.7, -0.3).predictions
    return made, 1 / (1 + np.exp(-line)) if KINDS[name].is_class else line


def _to_parameters(weight: bool) -> tuple[Any, Any]:
    """The gradient in weight or bias by nudges, and the sum of the rows' slopes."""
    sides = []
    for kind in KINDS.values():
        w, b, h = 0.5, 0.47, 1e-6
        up, down = (run_pass(kind, w + d * weight, b + d * (not weight)).loss for d in (h, -h))
        sides.append(((up - down) / (2 * h), float((run_pass(kind, w, b).slopes * X**weight).sum())))
    return [nudged for nudged, _ in sides], [added for _, added in sides]


LAB_FORMULAS = (
    *(
        Formula(
            f"slope_{name}",
            (
                r"\frac{\partial}{\partial z} \, "
                if kind.is_class
                else r"\frac{\partial}{\partial \hat{y}} \, "
            )
            + f"{kind.loss_latex} = {kind.slope_latex}",
            partial(_slope_of_a_row, name),
        )
        for name, kind in KINDS.items()
    ),
    Formula("line", r"\hat{y} = w x + b", partial(_line, "squared")),
    Formula("probability", r"p = \sigma(w x + b)", partial(_line, "cross")),
    Formula(
        "to_bias",
        r"\frac{\partial L}{\partial b} = \sum_i \frac{\partial L}{\partial z_i}",
        partial(_to_parameters, False),
    ),
    Formula(
        "to_weight",
        r"\frac{\partial L}{\partial w} = \sum_i \frac{\partial L}{\partial z_i} \, x_i",
        partial(_to_parameters, True),
    ),
)


# ---- numbers that texts type


def _pulls() -> list[float]:
    """Return how hard cross-entropy pulls at a logit of −6, and p (1 − p) there."""
    p = sw.sigmoid(sw.tensor(-6.0, dtype=sw.float64)).item()
    return [-_class_losses(-6.0)[2], p * (1 - p)]


TYPED = {
    "text/a-loss-for-classes": Typed("−2 0", _pulls),
    "text/what-often-goes-wrong": Typed(
        "3 1", lambda: [sw.losses.mse(sw.tensor(NUMBERS), sw.tensor(NUMBERS)).item()]
    ),
    "prompt/cross-entropy": Typed("1"),  # of p (1 − p)
    "question/confident": Typed("1", _pulls),
    "question/shapes": Typed("3 1 0"),  # two shapes, and a wrong choice
    "question/accuracy": Typed("0 1"),  # a wrong choice
    "card/shapes": Typed("1"),
    "card/not-squared": Typed(shows=lambda: _pulls()[1:]),
}
