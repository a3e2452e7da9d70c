"""The numbers, formulas and figures of this lesson, computed on the engine."""

from __future__ import annotations

import math
from itertools import combinations, islice
from typing import Any

import numpy as np

import slopewise as sw
from slopewise.site.content.lesson import Formula
from slopewise.site.content.lessons.n05_batches.walkers import (
    ROWS,
    START,
    Floats,
    World,
    batches,
    collect,
    noise_floor,
    scatter,
    walk,
)
from slopewise.site.content.typed_numbers import Typed
from slopewise.site.drawing import Plot, logarithmic
from slopewise.site.labs import Figure

SEED, RATE, MIDDLE, NOISE = 3, 0.2, 8, 0.8
EPOCHS, UPDATES = 3, 40
COUNTED, BATCH = 1000, 32  # rows and batch size of the counting example
_FEW = 6  # rows of the world in which all batches can be tried


def _heights(order: str = "shuffle", **limit: int) -> list[tuple[int, int, int, float]]:
    """Return batch size, updates, rows seen and height at the end of each walk."""
    world = collect(NOISE, SEED)
    walks = [walk(world, size, RATE, order, SEED, **limit) for size in (ROWS, MIDDLE, 1)]
    return [(each.size, len(each.points) - 1, int(each.seen[-1]), float(each.heights[-1])) for each in walks]


def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    world = collect(NOISE, SEED)
    each = world.gradients(START[None])[0]
    sizes = [
        len(batch) for batch in islice(batches(COUNTED, BATCH, "shuffle", 0), math.ceil(COUNTED / BATCH))
    ]
    floors = [(rate, noise_floor(world, 1, rate, SEED, updates=200, walkers=12)) for rate in (0.2, 0.1)]
    return {
        "rows": ROWS,
        "rate": RATE,
        "middle": MIDDLE,
        "epochs": EPOCHS,
        "same_updates": UPDATES,
        "counted": COUNTED,
        "batch": BATCH,
        "per_epoch": len(sizes),
        "whole": sizes.count(BATCH),
        "last": sizes[-1],
        "ten_epochs": 10 * len(sizes),
        "by_updates": _heights(updates=UPDATES),
        "by_rows": _heights(rows=EPOCHS * ROWS),
        "by_file": _heights("file", rows=EPOCHS * ROWS),
        "scatter": [(size, scatter(each, size)) for size in (1, 4, 16, 64, ROWS)],
        "length": float(np.linalg.norm(each.mean(0))),
        "floors": floors,
        "floor_ratio": floors[0][1] / floors[1][1],
        "weight_mean": _uneven()[1],
        "plain_mean": _uneven()[0],
        "true_mean": _uneven()[2],
    }


def _uneven() -> tuple[float, float, float]:
    """Return the mean of the batches' losses, the mean weighted by rows, and the loss over all ten rows."""
    world = collect(NOISE, SEED, rows=10)
    w = sw.tensor(START)
    parts = list(islice(batches(10, 4, "file", 0), 3))
    losses = [World(world.X[part], world.y[part], NOISE).loss(w).item() for part in parts]
    weighted = sum(loss * len(part) for loss, part in zip(losses, parts)) / 10
    return float(np.mean(losses)), float(weighted), float(world.loss(w).item())


# ---- figures


def noise() -> Figure:
    """The noise of a batch's gradient by batch size, drawn and by formula."""
    world = collect(NOISE, SEED)
    each = world.gradients(START[None])[0]
    sizes = [2**power for power in range(7)]
    plot = Plot(
        logarithmic(0.9, 140),
        logarithmic(0.1, 10),
        x_title="rows in a batch",
        y_title="noise",
        title="Noise of a batch's gradient by batch size",
        description=", ".join(f"{size} rows: {scatter(each, size):.2g}" for size in sizes),
        size=(560, 280),
    )
    whole = np.arange(1, ROWS)
    plot.line([(float(size), scatter(each, int(size))) for size in whole], "forward")
    plot.dots([(float(size), _measured(each, size)) for size in sizes], "ink", 4)
    return Figure(
        "Noise of the gradient, by rows in a batch: measured on 400 batches each (dots), and by the formula",
        plot.svg(),
    )


def _measured(each: Floats, size: int) -> float:
    """Return the root mean square distance of 400 batches' gradients from that of all rows."""
    count = 400 * size
    rounds = math.ceil(count / (ROWS // size * size))
    found = []
    for batch in islice(batches(ROWS, size, "shuffle", 77), rounds * math.ceil(ROWS / size)):
        if len(batch) == size:
            found.append(each[batch].mean(0))
    distances = ((np.array(found[:400]) - each.mean(0)) ** 2).sum(1)
    return float(np.sqrt(distances.mean()))


FIGURES = {"noise": noise}


# ---- checks of the formulas


def _few() -> tuple[World, Floats]:
    world = collect(NOISE, SEED, rows=_FEW)
    return world, world.gradients(START[None])[0]


def _update() -> tuple[Any, Any]:
    """One update of the lab's walker, and of the optimizer on the same rows."""
    world = collect(NOISE, SEED)
    rows = next(batches(ROWS, MIDDLE, "shuffle", SEED))
    w = sw.tensor(START, requires_grad=True)
    optimizer = sw.optim.SGD([w], lr=RATE)
    World(world.X[rows], world.y[rows], NOISE).loss(w).backward()
    optimizer.step()
    each = world.gradients(START[None])[0]
    return w.numpy(), START - RATE * each[rows].mean(0)


def _unbiased() -> tuple[Any, Any]:
    """The mean over all batches of two rows there are, and the gradient over all rows."""
    world, _ = _few()
    pairs = [np.array(pair) for pair in combinations(range(_FEW), 2)]
    return np.mean([world.gradient(START, pair) for pair in pairs], axis=0), world.gradient(
        START, np.arange(_FEW)
    )


def _noise() -> tuple[Any, Any]:
    """The standard deviation over all batches there are, and by the formula, for four batch sizes."""
    _, each = _few()
    sizes = (1, 2, 3, 5)
    found = []
    for size in sizes:
        means = np.array([each[list(batch)].mean(0) for batch in combinations(range(_FEW), size)])
        found.append(math.sqrt(((means - each.mean(0)) ** 2).sum(1).mean()))
    sigma = math.sqrt(((each - each.mean(0)) ** 2).sum(1).mean())
    return found, [sigma / math.sqrt(b) * math.sqrt((_FEW - b) / (_FEW - 1)) for b in sizes]


def _count() -> tuple[Any, Any]:
    """Batches that a loader hands out, and the formula."""
    sizes = (1, 32, 300, 1000)
    X = np.zeros((COUNTED, 1), dtype=np.float32)
    made = [sum(1 for _ in sw.data.DataLoader(X, batch_size=size)) for size in sizes]
    return made, [math.ceil(COUNTED / size) for size in sizes]


def _weighted() -> tuple[Any, Any]:
    _, weighted, true = _uneven()
    return weighted, true


def _scaling() -> tuple[Any, Any]:
    """Two tiny steps on two batches, and one step twice as long on both together."""
    world, tiny = collect(NOISE, SEED), 1e-8
    first, second = islice(batches(ROWS, MIDDLE, "shuffle", SEED), 2)
    w = START - tiny * world.gradient(START, first)
    two = w - tiny * world.gradient(w, second)
    one = START - 2 * tiny * world.gradient(START, np.concatenate([first, second]))
    return (two - START) / tiny, (one - START) / tiny


FORMULAS = (
    Formula(
        "update",
        r"w_{t+1} = w_t - \eta \cdot \frac{1}{B} \sum_{i \in \text{batch}} \nabla \ell_i(w_t)",
        _update,
    ),
    Formula("unbiased", r"\operatorname{E}[g_B] = \nabla L", _unbiased),
    Formula(
        "noise", r"\operatorname{std}(g_B) = \frac{\sigma}{\sqrt{B}} \cdot \sqrt{\frac{N - B}{N - 1}}", _noise
    ),
    Formula("count", r"\text{updates in an epoch} = \lceil N / B \rceil", _count),
    Formula("weighted", r"L = \sum_b \frac{n_b}{N} \, L_b", _weighted),
    Formula(
        "scaling",
        r"w_t - \eta \, g_1(w_t) - \eta \, g_2(w_{t+1}) \approx w_t - 2 \eta \, g_{1 \cup 2}(w_t)",
        _scaling,
    ),
)


# ---- numbers that texts type


def _at_the_bottom() -> list[float]:
    """Return the length of the gradient over all rows where their loss is lowest."""
    world = collect(NOISE, SEED)
    return [float(np.linalg.norm(world.gradients(world.lowest[None])[0].mean(0)))]


def _of_all_rows() -> list[float]:
    """Return the noise of a batch that holds all rows."""
    return [scatter(collect(NOISE, SEED).gradients(START[None])[0], ROWS)]


TYPED = {
    "text/how-noisy-is-a-batch": Typed(shows=_of_all_rows),
    "text/what-the-noise-does-at-the-end": Typed(shows=_at_the_bottom),
    "text/often-said-not-quite-right": Typed("32 128"),  # advice
    "snippet/keras_fit": Typed("32"),  # Keras' convention
    "question/clock": Typed("1"),
    "card/floor": Typed(shows=_at_the_bottom),
    "lab": Typed("400"),
}
