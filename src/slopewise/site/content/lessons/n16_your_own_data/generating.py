"""The story of a generator: the same points, more noise, and what is the best that can be learned of them."""

from __future__ import annotations

import numpy as np

from slopewise.data import generate
from slopewise.site.content.lessons.n16_your_own_data.collecting import percent
from slopewise.site.content.lessons.n16_your_own_data.orchards import FRESH, Floats, Numbers, learn
from slopewise.site.drawing import Plot, linear
from slopewise.site.drawing.scale import covering
from slopewise.site.labs import Figure, Frame, Prediction, Table, Values

# kind -> its noise at 1 on the slider
KINDS = {"moons": 0.6, "circles": 0.4, "blobs": 4.0}
STEPS = 5
_NEW_SEED = 1000  # fresh rows are made with another seed
_CLOSE, _FAR = 0.03, 0.15  # falls of the score that count as none, and as small


def generating(values: Values) -> list[Frame]:
    """Show the points at rising noise, from the same seed, each with what a network learns of them."""
    kind, rows, seed = str(values["kind"]), int(values["rows"]), int(values["seed"])
    noises = [float(values["noise"]) * KINDS[kind] * step / (STEPS - 1) for step in range(STEPS)]
    made = [_points(kind, rows, noise, seed) for noise in noises]
    scores = [_score(kind, X, y, noise, seed) for (X, y), noise in zip(made, noises)]
    everything = np.concatenate([X for X, _ in made])
    table = Table(
        "The same seed, rising noise",
        ("noise (standard deviation)", "fresh rows named right"),
        [(f"{noise:.2f}", percent(score)) for noise, score in zip(noises, scores)],
    )
    return [
        Frame(
            f"Noise {noise:.2f}",
            _words(kind, rows, seed, noise, scores[step]),
            figures=[
                Figure("Filled: class a; hollow: class b", _scatter(*made[step], everything)),
                Figure("Accuracy on fresh rows, by noise", _curve(noises, scores, step)),
            ],
            table=Table(table.caption, table.columns, table.rows[: step + 1], current=step),
            prediction=_ask(noises, scores) if step == 0 and noises[-1] > 0 else None,
        )
        for step, noise in enumerate(noises)
    ]


def _points(kind: str, rows: int, noise: float, seed: int) -> tuple[Floats, Numbers]:
    X, y = generate(kind, rows, noise, 2 if kind == "blobs" else None, seed=seed)
    return X.astype(np.float64), y.astype(np.int64)


def _score(kind: str, X: Floats, y: Numbers, noise: float, seed: int) -> float:
    new, truth = _points(kind, FRESH, noise, seed + _NEW_SEED)
    mean, spread = X.mean(axis=0), X.std(axis=0)
    say = learn((X - mean) / spread, y, seed)
    return float((say((new - mean) / spread) == truth).mean())


def moons_score(rows: int, noise: float) -> float:
    """Return the share of fresh moons that a network names right which learned some of this noise."""
    return _score("moons", *_points("moons", rows, noise, 0), noise, 0)


def _words(kind: str, rows: int, seed: int, noise: float, score: float) -> str:
    words = f"{rows} points of {kind} from seed {seed}. "
    words += (
        f"Each was moved by chance, with a standard deviation of {noise:.2f}. It is the same points that "
        "move: a seed is an address. "
        if noise
        else "Without noise each lies exactly where its class is. "
    )
    return words + f"A network that learned them names {percent(score)} of {FRESH:,} fresh points right."


def _ask(noises: list[float], scores: list[float]) -> Prediction:
    fall = scores[0] - scores[-1]
    return Prediction(
        f"The noise rises to {noises[-1]:.2f}, and the seed stays. What becomes of the score on fresh "
        "points?",
        (
            f"It stays within {100 * _CLOSE:.0f} points",
            f"It falls by {100 * _CLOSE:.0f} to {100 * _FAR:.0f} points",
            "It falls by more",
        ),
        0 if fall < _CLOSE else 1 if fall <= _FAR else 2,
        f"From {percent(scores[0])} to {percent(scores[-1])}: where the classes overlap, no model knows "
        "better.",
    )


def _scatter(X: Floats, y: Numbers, everything: Floats) -> str:
    plot = Plot(
        covering(everything[:, 0].tolist()),
        covering(everything[:, 1].tolist()),
        x_title="x1",
        y_title="x2",
        title="Generated points",
        description=f"{len(y)} points of two classes",
        size=(440, 330),
    )
    for value, look in ((0, "forward"), (1, "hollow")):
        plot.dots([(float(a), float(b)) for a, b in X[y == value]], look, 3.4)
    return plot.svg()


def _curve(noises: list[float], scores: list[float], step: int) -> str:
    plot = Plot(
        linear(0.0, max(noises[-1], 0.01) * 1.05),
        linear(0.4, 1.04, 6),
        x_title="noise",
        y_title="accuracy",
        title="Accuracy on fresh rows by noise",
        description=", ".join(percent(score) for score in scores[: step + 1]),
        size=(440, 330),
    )
    known = list(zip(noises, scores))[: step + 1]
    plot.line(known, "forward")
    plot.dots(known, "forward", 4.5)
    plot.label(*known[-1], percent(known[-1][1]), "forward", dy=18)
    return plot.svg()
