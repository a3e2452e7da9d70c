"""The small world of this lesson: pictures of three shapes, some of them hard for a reason, and a network.

The pictures to learn from were taken under good conditions, the others where the network will be used. The
generator knows why a picture is hard; a learner, and an analyst, must look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.data.generated import normal, uniform
from slopewise.engine.tensor import Tensor
from slopewise.evaluate.outcome import Outcome

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

SIDE = 10  # pixels
SHAPES = ("ring", "square", "cross")
TAGS = {
    "plain": "nothing unusual",
    "shifted": "shifted, cut off",
    "faint": "faint",
    "blurred": "blurred",
    "label": "wrong label",
}
LEARNED = {"plain": 150, "shifted": 4, "faint": 4, "blurred": 4, "label": 12}
USED = {"plain": 170, "shifted": 60, "faint": 30, "blurred": 24, "label": 16}
MORE = 60  # pictures that one fix adds
FIXES = {
    "shifted": f"{MORE} shifted pictures",
    "faint": f"{MORE} faint pictures",
    "blurred": f"{MORE} blurred pictures",
    "relabel": "corrected labels",
    "plain": f"{MORE} usual pictures",
}
_HIDDEN, _UPDATES, _RATE = 16, 50, 0.02


@dataclass(frozen=True)
class Pictures:
    """Pictures, shape (rows, pixels), what they truly show, what their labels say, and why they are hard."""

    pixels: Floats
    shape: Numbers
    label: Numbers
    tag: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.label)

    def __add__(self, other: Pictures) -> Pictures:
        return Pictures(
            np.concatenate([self.pixels, other.pixels]),
            np.concatenate([self.shape, other.shape]),
            np.concatenate([self.label, other.label]),
            np.concatenate([self.tag, other.tag]),
        )

    def corrected(self) -> Pictures:
        """Return the same pictures with labels that say what they show."""
        return Pictures(self.pixels, self.shape, self.shape, self.tag)


def take(counts: Mapping[str, int], seed: int, call: int) -> Pictures:
    """Take so many pictures of each kind; the kinds lie mixed, the shapes are drawn by chance."""
    tag = np.repeat(np.array(list(counts)), list(counts.values()))
    rows = len(tag)
    order = np.argsort(uniform(rows, seed, call), kind="stable")
    tag = tag[order]
    shape = (3 * uniform(rows, seed, call + 1)).astype(np.int64)
    wrong = (shape + 1 + (2 * uniform(rows, seed, call + 2)).astype(np.int64)) % 3
    label = np.where(tag == "label", wrong, shape)
    clean = _draw(shape, tag, uniform(4 * rows, seed, call + 3).reshape(rows, 4))
    noise = 0.12 * normal(rows * SIDE * SIDE, seed, call + 4).reshape(rows, -1)
    return Pictures(np.clip(clean + noise, 0.0, 1.0), shape, label, tag)


def _draw(shape: Numbers, tag: NDArray[np.str_], chance: Floats) -> Floats:
    middle = (SIDE - 1) / 2
    x_middle, y_middle = middle + 0.8 * (chance[:, 0] - 0.5), middle + 0.8 * (chance[:, 1] - 0.5)
    direction = np.floor(4 * chance[:, 2]) * np.pi / 2
    shifted = 3.0 * (tag == "shifted")
    pixel = np.arange(SIDE)
    x = (pixel - (x_middle + shifted * np.cos(direction))[:, None])[:, None, :]
    y = (pixel - (y_middle + shifted * np.sin(direction))[:, None])[:, :, None]
    size = (2.6 + 0.9 * chance[:, 3])[:, None, None]
    far, near = np.maximum(np.abs(x), np.abs(y)), np.minimum(np.abs(x), np.abs(y))
    distance = np.choose(
        shape[:, None, None],
        [np.abs(np.hypot(x, y) - size), np.abs(far - size), np.maximum(near, far - size)],
    )
    drawn = np.clip(1.2 - distance, 0.0, 1.0)
    drawn = np.where((tag == "blurred")[:, None, None], _blur(_blur(drawn)), drawn)
    drawn = np.where((tag == "faint")[:, None, None], 0.25 * drawn, drawn)
    flat: Floats = drawn.reshape(len(shape), -1)
    return flat


def _blur(pictures: Floats) -> Floats:
    """Replace each pixel by the mean of the nine around it."""
    wide = np.pad(pictures, ((0, 0), (1, 1), (1, 1)))
    around = [wide[:, a : a + SIDE, b : b + SIDE] for a in range(3) for b in range(3)]
    return np.asarray(np.mean(around, axis=0))


@lru_cache(maxsize=8)
def learned(seed: int, fix: str = "none") -> Pictures:
    """Return the pictures to learn from, with one fix or none."""
    basis = take(LEARNED, seed, 100)
    if fix == "relabel":
        return basis.corrected()
    return basis if fix == "none" else basis + take({fix: MORE}, seed, 200)


@lru_cache(maxsize=4)
def validation(seed: int) -> Pictures:
    """Return pictures from where the network is used, to be looked at."""
    return take(USED, seed, 300)


@lru_cache(maxsize=4)
def fresh(seed: int) -> Pictures:
    """Return ten times as many pictures from where the network is used, which nobody has looked at."""
    return take({tag: 10 * count for tag, count in USED.items()}, seed, 400)


class Network:
    """A network of one hidden layer, trained by Adam on all pictures at once."""

    def __init__(self, pictures: Pictures, seed: int) -> None:
        sw.manual_seed(seed)
        self._model = sw.nn.Sequential(
            sw.nn.Linear(SIDE * SIDE, _HIDDEN), sw.nn.ReLU(), sw.nn.Linear(_HIDDEN, len(SHAPES))
        )
        optimizer = sw.optim.Adam(self._model.parameters(), lr=_RATE)
        X, y = _as_input(pictures), sw.tensor(pictures.label)
        for _ in range(_UPDATES):
            optimizer.zero_grad()
            sw.losses.cross_entropy(self._model(X), y).backward()
            optimizer.step()

    def judge(self, pictures: Pictures) -> Outcome:
        """Return what the network says of pictures, beside their labels."""
        with sw.no_grad():
            probabilities = sw.softmax(self._model(_as_input(pictures)), axis=-1).numpy()
        return Outcome.of_classes(pictures.label, probabilities.astype(np.float64))


@lru_cache(maxsize=8)
def trained(seed: int, fix: str = "none") -> Network:
    """Return a network that has learned the pictures with one fix, or none; nobody changes it afterwards."""
    return Network(learned(seed, fix), seed)


def _as_input(pictures: Pictures) -> Tensor:
    tensor: Tensor = sw.tensor(pictures.pixels, dtype=sw.float32)
    return tensor


def accuracy(outcome: Outcome) -> float:
    """Return the share of hits."""
    return float((outcome.predicted == outcome.truth).mean())
