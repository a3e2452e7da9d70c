"""What is seen of a network: its answer over the plane, and each neuron's weights, gradients and answer."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.engine.mode import no_grad
from slopewise.site.playground.design import Design
from slopewise.site.playground.rows import Rows, inputs_of, make_rows
from slopewise.site.playground.words import curve_as_table, surface_as_table, surface_in_words
from slopewise.train.trainer import evaluation_mode

Array = NDArray[Any]
SIDE = 44  # places across the surface
SMALL = 12  # and across a neuron's
CURVE = 121  # places of a curve over one input
MOST_DRAWN = 16  # neurons of a layer


def frame_of(rows: Rows) -> list[float]:
    """Return the ends of the picture: x low and high, y low and high."""
    every = np.concatenate(list(rows.places.values()))
    ends: list[float] = []
    for column in range(min(2, every.shape[1])):
        low, high = float(every[:, column].min()), float(every[:, column].max())
        room = 0.08 * (high - low) or 1.0
        ends += [low - room, high + room]
    if every.shape[1] == 1:
        targets = np.concatenate(list(rows.targets.values()))
        low, high = float(targets.min()), float(targets.max())
        room = 0.15 * (high - low) or 1.0
        ends += [low - room, high + room]
    return [float(f"{end:.5g}") for end in ends]


def rows_and_frame(design: Design) -> tuple[dict[str, list[list[float]]], list[float]]:
    """Return the rows of a design by part, and the ends of their picture."""
    rows = make_rows(design)
    return rows.to_json(), frame_of(rows)


def look(design: Design, rows: Rows, trainer: Any) -> dict[str, Any]:
    """Return the surface and the network as the page draws them."""
    frame = frame_of(rows)
    one_input = rows.places["train"].shape[1] == 1
    targets = rows.targets["train"]
    low, high = float(targets.min()), float(targets.max())
    if one_input:
        x = np.linspace(frame[0], frame[1], CURVE, dtype=np.float32)[:, None]
        answers = _ask(design, rows, trainer, x)
        surface = {"curve": _rounded(_height(design, answers))}
        told = _probabilities(design, answers)
        table = curve_as_table(design, frame, told)
    else:
        answers = _ask(design, rows, trainer, plane(frame, SIDE))
        surface = _surface(design, answers, low, high)
        told = _probabilities(design, answers)
        table = surface_as_table(design, frame, told)
    return {
        "frame": frame,
        "surface": surface,
        "pictured": surface_in_words(design, told),
        "table": table,
        "network": network(design, rows, trainer, frame),
    }


def _probabilities(design: Design, answers: Array) -> Array:
    """Return the probability of each class, shape (places, classes); numbers as they are."""
    if not design.has_classes:
        return answers
    if design.outputs == 1:
        second = _sigmoid(answers)
        return np.stack([1 - second, second], axis=1)
    odds = np.exp(answers - answers.max(axis=1, keepdims=True))
    made: Array = odds / odds.sum(axis=1, keepdims=True)
    return made


def _height(design: Design, answers: Array) -> Array:
    """Return what is drawn over one input: the number, the probability of class 1, or the likely class."""
    if not design.has_classes:
        return answers
    if design.outputs == 1:
        return _sigmoid(answers)
    if design.classes == 2:
        return _sigmoid(answers[:, 1] - answers[:, 0])
    likely: Array = answers.argmax(axis=1).astype(np.float32)
    return likely


def _sigmoid(x: Array) -> Array:
    made: Array = 1 / (1 + np.exp(-np.clip(x, -40, 40)))
    return made


def plane(frame: list[float], side: int) -> Array:
    """Return the places of a square grid, from the lower left, a row after the other."""
    x = np.linspace(frame[0], frame[1], side, dtype=np.float32)
    y = np.linspace(frame[2], frame[3], side, dtype=np.float32)
    return np.stack([part.ravel() for part in np.meshgrid(x, y)], axis=1)


def _ready(design: Design, rows: Rows, places: Array) -> Array:
    """Return the inputs of places on the picture; columns that it does not show are at their mean."""
    others = rows.places["train"].mean(axis=0)[places.shape[1] :]
    places = np.concatenate([places, np.tile(others, (len(places), 1))], axis=1)
    made: Array = (inputs_of(design, places) - rows.mean) / rows.deviation
    return made


def _ask(design: Design, rows: Rows, trainer: Any, places: Array) -> Array:
    answers: Array = trainer.predict(_ready(design, rows, places), batch_size=4096)
    return answers


def _surface(design: Design, answers: Array, low: float, high: float) -> dict[str, Any]:
    """Return one byte for each place: a probability, or the height between the lowest and highest target."""
    if not design.has_classes:
        share = (answers - low) / ((high - low) or 1.0)
        return {"values": _bytes(share), "low": low, "high": high}
    probability = _probabilities(design, answers)
    if design.classes == 2:
        return {"values": _bytes(probability[:, 1])}
    return {"values": _bytes(probability.max(axis=1)), "classes": _raw(probability.argmax(axis=1))}


def network(design: Design, rows: Rows, trainer: Any, frame: list[float]) -> list[dict[str, Any]]:
    """Return the layers: a group is a Linear or residual block with what follows it up to the next."""
    one_input = len(frame) == 4 and rows.places["train"].shape[1] == 1
    places = (
        np.linspace(frame[0], frame[1], SMALL, dtype=np.float32)[:, None]
        if one_input
        else plane(frame, SMALL)
    )
    groups: list[dict[str, Any]] = [{"title": "inputs", "units": len(design.features)}]
    modules = list(trainer.model)
    kinds = [layer.kind for layer in design.layers] + ["outputs", "flatten"][
        : len(modules) - len(design.layers)
    ]
    with evaluation_mode(trainer.model), no_grad():
        x = sw.tensor(_ready(design, rows, places))
        _draw(groups[0], x)
        for kind, module in zip(kinds, modules):
            if kind == "flatten":
                continue
            x = module(x)
            if kind in ("linear", "residual", "outputs"):
                groups.append({"title": kind, "units": x.shape[1]})
                groups[-1] |= _linear(module) if kind != "residual" else {}
            else:
                groups[-1]["title"] += f", {kind}"
            _draw(groups[-1], x)
            others = [] if kind in ("linear", "outputs") else _others(kind, module)
            groups[-1].setdefault("others", []).extend(others)
    return groups


def _draw(group: dict[str, Any], x: Any) -> None:
    values = x.numpy()[:, :MOST_DRAWN]
    reach = np.maximum(np.abs(values).max(axis=0), 1e-9) if np.isfinite(values).all() else 1.0
    group["maps"] = [_bytes(column) for column in (values / reach / 2 + 0.5).T]


def _linear(module: Any) -> dict[str, Any]:
    return {
        "weight": _rounded(module.weight.detach().numpy()[:MOST_DRAWN]),
        "bias": _rounded(module.bias.detach().numpy()[:MOST_DRAWN]),
        "weight_gradient": _gradient(module.weight),
        "bias_gradient": _gradient(module.bias),
    }


def _others(kind: str, module: Any) -> list[dict[str, Any]]:
    """Return the parameters of a layer that is no Linear, by name and as lists."""
    return [
        {
            "name": f"{kind}.{name}",
            "values": _rounded(parameter.detach().numpy().ravel()[:MOST_DRAWN]),
            "gradients": None
            if parameter.grad is None
            else _rounded(parameter.grad.numpy().ravel()[:MOST_DRAWN]),
            "size": parameter.size,
        }
        for name, parameter in module.named_parameters()
    ]


def _gradient(parameter: Any) -> Any:
    return None if parameter.grad is None else _rounded(parameter.grad.numpy()[:MOST_DRAWN])


def _rounded(values: Array) -> Any:
    if values.ndim > 1:
        return [_rounded(row) for row in values]
    return [float(f"{value:.4g}") if math.isfinite(value) else None for value in values.tolist()]


def _bytes(share: Array) -> str:
    return _raw(np.clip(np.nan_to_num(share, nan=0.5), 0, 1) * 255)


def _raw(values: Array) -> str:
    return base64.b64encode(values.astype(np.uint8).tobytes()).decode()
