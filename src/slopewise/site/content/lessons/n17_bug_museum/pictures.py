"""What the instruments show, as pictures and in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from slopewise.site.content.lessons.n17_bug_museum.instruments import TIMES, Reading, Recording, grid
from slopewise.site.drawing import Plot, Scale, brief, fixed, linear, logarithmic
from slopewise.site.drawing.scale import covering
from slopewise.site.labs import Figure

SIZE = (480, 300)


def percent(share: float) -> str:
    """Return a share as whole percent."""
    return f"{100 * share:.0f}%"


def number(value: float) -> str:
    """Return a number with three digits, or a whole one where it is large."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else brief(value, 3)


def curves(recording: Recording, update: int, before: Recording | None) -> Figure:
    """Draw the losses up to an update; with `before`, also the validation loss of the run with the fault."""
    runs = [recording] if before is None else [recording, before]
    total = recording.updates
    values = [value for run in runs for reading in run.readings for value in _losses(reading)]
    values += [loss for run in runs for loss in run.losses]
    plot = Plot(
        linear(0, total),
        _height(values, 0.0),
        x_title="update",
        y_title="loss",
        title="Loss by update",
        description=_last_losses(_at(recording, update)),
        size=SIZE,
    )
    plot.line([(k + 1.0, loss) for k, loss in enumerate(recording.losses[:update])], "thin")
    if before is not None:
        plot.line([(r.update, r.validation) for r in before.readings if r.update <= total], "dashed ink")
    shown = [reading for reading in recording.readings if reading.update <= update]
    for kind, pick in (("forward", 0), ("backward", 1)):
        path = [(float(reading.update), _losses(reading)[pick]) for reading in shown]
        plot.line(path, kind)
        plot.dots(path, kind, 2.6)
    caption = "Loss. Grey: each batch, as the loop prints it; blue: training rows; rust: validation rows"
    return Figure(caption + ("; dashed: validation rows, with the fault" if before else ""), plot.svg())


def gradients(recording: Recording, update: int) -> tuple[Figure, str]:
    """Draw the length of each layer's gradient."""
    told = []
    for layer, norm in _at(recording, update).gradients.items():
        told.append(f"{layer} {'none at all' if norm is None else brief(norm, 3)}")
    figure = _by_layer(
        recording, update, "Length of the stored gradient, by layer", "gradient", lambda r: r.gradients
    )
    return figure, f"Length of the gradients: {', '.join(told)}."


def ratios(recording: Recording, update: int) -> tuple[Figure, str]:
    """Draw how large an update is against the weights it moves."""
    there = _at(recording, update).ratios
    figure = _by_layer(
        recording,
        update,
        "Length of the update over length of the weights",
        "update / weight",
        lambda r: r.ratios,
    )
    if not there:
        return figure, ""
    told = ", ".join(f"{layer} {brief(ratio, 3)}" for layer, ratio in there.items())
    return figure, f"Update over weight: {told}."


def class_map(recording: Recording, update: int) -> tuple[Figure, str]:
    """Draw what the model says over the plane, under the rows as they go into the loop."""
    reading = _at(recording, update)
    X, y = recording.namespace["X_train"], recording.namespace["y_train"]
    xs, ys = grid(X)
    plot = Plot(
        linear(float(xs[0]), float(xs[-1])),
        linear(float(ys[0]), float(ys[-1])),
        x_title="first column",
        y_title="second column",
        title="What the model says over the plane, and the training rows",
        description=f"{percent(reading.right_training)} of the training rows lie where the model says their "
        f"class.",
        size=SIZE,
    )
    levels = [0.25, 0.75, 1.1] if y.max() > 1 else [0.1, 0.3, 0.5, 0.7, 0.9, 1.01]
    if np.isfinite(reading.map).all():
        plot.contours(xs, ys, reading.map, levels)
    for label, kind in enumerate(("hollow", "ink", "backward")):
        plot.dots([(float(a), float(b)) for a, b in X[y == label]], kind, 3)
    words = f"{percent(reading.right_training)} of the training rows are right."
    return Figure("Map of the model's answers, with the training rows and their labels", plot.svg()), words


def asked(recording: Recording, update: int) -> tuple[Figure, str]:
    """Draw ten answers for each of some rows."""
    done = [(when, said) for when, said in recording.asked if when <= update]
    plot = Plot(
        Scale(0.0, 13.0, tuple((k, str(k)) for k in (1, 4, 8, 12)), lambda value: value / 13),
        linear(0, 1),
        x_title="validation row",
        y_title="probability of class 1",
        title=f"Each row asked {TIMES} times",
        size=SIZE,
    )
    caption = f"The same 12 rows, asked {TIMES} times each, at the last score"
    if not done:
        return Figure(caption, plot.svg()), "Nothing is scored yet: the first epoch is under way."
    when, said = done[-1]
    for answers in said:
        plot.dots([(k + 1.0, float(value)) for k, value in enumerate(answers[:12])], "backward", 2.6)
    spread = float(said.std(axis=0).max())
    same = "The ten answers are the same." if spread < 1e-9 else ""
    words = same or f"Ten answers for one row spread by up to {brief(spread, 2)} (standard deviation)."
    share = recording.asked_right[len(done) - 1]
    return Figure(caption, plot.svg()), f"Scored after update {when}: {percent(share)} right. {words}"


def units(recording: Recording, update: int) -> tuple[Figure, str]:
    """Draw each hidden unit at its two weights."""
    reading = _at(recording, update)
    every = np.concatenate([r.units for r in recording.readings])
    reach = max(float(np.abs(every[np.isfinite(every)]).max(initial=0.0)), 0.2) * 1.1
    plot = Plot(
        linear(-reach, reach),
        linear(-reach, reach),
        x_title="weight of the first column",
        y_title="weight of the second",
        title="The hidden units, each at its two weights",
        size=SIZE,
    )
    plot.rule("muted", x=0.0)
    plot.rule("muted", y=0.0)
    plot.dots([(float(a), float(b)) for a, b in reading.units], "forward", 5)
    places = len({(round(float(a), 5), round(float(b), 5)) for a, b in reading.units})
    words = f"The {len(reading.units)} hidden units stand at {places} place{'s' if places > 1 else ''}."
    return Figure("Each hidden unit at its two weights", plot.svg()), words


def active(recording: Recording, update: int) -> tuple[Figure, str]:
    """Draw for each hidden unit the share of training rows where it is not 0."""
    shares = _at(recording, update).active
    plot = Plot(
        Scale(
            0.0, len(shares) + 1.0, ((1.0, "1"), (float(len(shares)), str(len(shares)))), _upto(len(shares))
        ),
        Scale(-0.03, 1.03, tuple((k / 4, f"{25 * k}%") for k in range(5)), lambda v: (v + 0.03) / 1.06),
        x_title="hidden unit",
        y_title="rows where it is on",
        title="Share of the rows at which each hidden unit is on",
        size=SIZE,
    )
    for unit, share in enumerate(shares, start=1):
        plot.line([(unit, 0.0), (unit, float(share))], "forward")
        plot.dots([(unit, float(share))], "forward" if share else "backward", 4)
    dead = int((shares == 0).sum())
    words = f"{dead} of {len(shares)} hidden units are 0 for every training row."
    return Figure("Hidden units: share of the training rows at which each is not 0", plot.svg()), words


def shares(recording: Recording, update: int) -> tuple[Figure, str]:
    """Draw the share of class 1 in each batch."""
    plot = Plot(
        linear(0, recording.updates),
        Scale(-0.05, 1.05, tuple((k / 4, f"{25 * k}%") for k in range(5)), lambda v: (v + 0.05) / 1.1),
        x_title="update",
        y_title="class 1 in the batch",
        title="Share of class 1 in each batch",
        size=SIZE,
    )
    seen = recording.shares[:update]
    plot.line([(k + 1.0, share) for k, share in enumerate(seen)], "thin")
    plot.dots([(k + 1.0, share) for k, share in enumerate(seen)], "forward", 2.4)
    pure = sum(share in (0.0, 1.0) for share in seen)
    words = f"{pure} of the {len(seen)} batches so far held one class only."
    return Figure("Share of class 1 in each batch", plot.svg()), words


def answers(recording: Recording, update: int) -> tuple[Figure, str]:
    """Draw predictions against targets."""
    reading = _at(recording, update)
    y = recording.namespace["y_val"]
    every = [float(v) for r in recording.readings for v in r.outputs if math.isfinite(v)]
    ends = covering([*y.tolist(), *np.clip(every, -3, 3).tolist()])
    plot = Plot(
        ends,
        ends,
        x_title="target",
        y_title="prediction",
        title="Predictions against targets, validation rows",
        size=SIZE,
    )
    plot.line([(ends.low, ends.low), (ends.high, ends.high)], "dashed")
    plot.dots([(float(a), float(b)) for a, b in zip(y, reading.outputs)], "forward", 2.6)
    words = (
        f"Predictions run from {brief(float(reading.outputs.min()), 3)} to "
        f"{brief(float(reading.outputs.max()), 3)}, targets from {brief(float(y.min()), 3)} to "
        f"{brief(float(y.max()), 3)}."
    )
    return Figure("Predictions against targets; on the dashed line they are equal", plot.svg()), words


def inputs(recording: Recording, update: int) -> tuple[Figure, str]:
    """Draw the rows as the model sees them."""
    X, X_val = recording.namespace["X_train"], recording.namespace["X_val"]
    both = np.concatenate([X, X_val])
    plot = Plot(
        covering(both[:, 0].tolist()),
        covering(both[:, 1].tolist()),
        x_title="first column",
        y_title="second column",
        title="Training and validation rows as the model sees them",
        size=SIZE,
    )
    for rows, labels, kinds in (
        (X_val, recording.namespace["y_val"], ("validation", "backward")),
        (X, recording.namespace["y_train"], ("hollow", "ink")),
    ):
        for label, kind in enumerate(kinds):
            plot.dots([(float(a), float(b)) for a, b in rows[labels == label]], kind, 3)
    means = [float(rows.mean(axis=0)[0]) for rows in (X, X_val)]
    words = (
        f"As the model sees them, the first column has mean {fixed(means[0])} on training rows and "
        f"{fixed(means[1])} on validation rows."
    )
    caption = (
        "Rows as the model sees them. Plain: training; rust: validation. Hollow: class 0; filled: class 1"
    )
    return Figure(caption, plot.svg()), words


Instrument = Callable[[Recording, int], tuple[Figure, str]]
INSTRUMENTS: dict[str, Instrument] = {
    "gradients": gradients,
    "ratios": ratios,
    "map": class_map,
    "asked": asked,
    "units": units,
    "active": active,
    "shares": shares,
    "answers": answers,
    "inputs": inputs,
}


def _at(recording: Recording, update: int) -> Reading:
    return next(reading for reading in reversed(recording.readings) if reading.update <= update)


def _losses(reading: Reading) -> tuple[float, float]:
    return reading.training, reading.validation


def _last_losses(reading: Reading) -> str:
    told = f"training {brief(reading.training)}, validation {brief(reading.validation)}"
    return f"After update {reading.update}: {told}."


def _upto(count: int) -> Callable[[float], float]:
    return lambda value: value / (count + 1)


def _height(values: Sequence[float], low: float) -> Scale:
    """Return a scale from 0, or one of powers of ten where values run away."""
    finite = [value for value in values if math.isfinite(value) and abs(value) < 1e30]
    highest = max(finite, default=1.0)
    if highest <= 6:
        return linear(min(low, *finite) if finite else low, max(highest, 0.1) * 1.05)
    least = min((value for value in finite if value > 0), default=0.1)
    return logarithmic(max(least, 1e-3, highest * 1e-12) * 0.8, highest * 1.3)


def _by_layer(
    recording: Recording,
    update: int,
    caption: str,
    y_title: str,
    pick: Callable[[Reading], Mapping[str, float | None]],
) -> Figure:
    found = [value for reading in recording.readings for value in pick(reading).values()]
    values = [value for value in found if value and math.isfinite(value) and value < 1e30]
    highest, least = max(values, default=1.0), min(values, default=0.01)
    plot = Plot(
        linear(0, recording.updates),
        logarithmic(max(min(least, highest / 100) * 0.5, highest * 1e-9), highest * 2),
        x_title="update",
        y_title=y_title,
        title=caption,
        size=SIZE,
    )
    layers = list(recording.readings[0].gradients)
    for layer, kind in zip(layers, ("forward", "backward", "ink")):
        path = [
            (float(reading.update), value)
            for reading in recording.readings
            if reading.update <= update and (value := pick(reading).get(layer)) is not None
        ]
        plot.line(path, kind)
        plot.dots(path, kind, 2.6)
    keys = ", ".join(f"{colour}: {layer}" for colour, layer in zip(("blue", "rust", "plain"), layers))
    return Figure(f"{caption}. {keys[0].upper()}{keys[1:]}", plot.svg())
