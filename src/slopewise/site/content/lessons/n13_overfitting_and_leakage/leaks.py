"""The other traps of this lesson: four ways in which test rows get into training, and the same without.

All are run on many small files at once, so that a score can be told from luck. The model is a linear
classifier; for copied rows it is a memory, which answers with the class of the nearest row it learned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.data.generated import normal
from slopewise.engine.random import permutation

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

FILES = 24  # files of a run; the first one is shown
NEW = 2000
COLUMNS, KEPT = 300, 8
_UPDATES, _RATE = 80, 0.1
_DEAL = 77  # the stream of permutations that deals rows


@dataclass(frozen=True)
class Outcome:
    """What a way of working reports, and what is true: shares of rows judged right, by file.

    `shown` holds what the first file's picture needs.
    """

    reported: Floats
    true: Floats
    shown: dict[str, Floats]

    @property
    def gap(self) -> float:
        """How much the reports promise too much, on average."""
        return float(self.reported.mean() - self.true.mean())


def linear(X: Floats, y: Numbers) -> Callable[[Floats], NDArray[np.bool_]]:
    """Train a linear classifier for each file; return what each says of further rows.

    Parameters
    ----------
    X : shape (files, rows, columns)
    y : shape (files, rows), 0 or 1
    """
    files, _, columns = X.shape
    weight = sw.tensor(np.zeros((files, columns, 1)), requires_grad=True)
    bias = sw.tensor(np.zeros((files, 1, 1)), requires_grad=True)
    optimizer = sw.optim.Adam([weight, bias], lr=_RATE)
    inputs, targets = sw.tensor(X), sw.tensor(y[:, :, None].astype(np.float64))

    def update() -> sw.Tensor:
        optimizer.zero_grad()
        logits = inputs @ weight + bias
        losses = sw.losses.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        loss = losses.mean(axis=1).sum()
        loss.backward()
        optimizer.step()
        return loss

    step = sw.compile(update, target="interpreter")  # the bits of the plain call, in less time
    for _ in range(_UPDATES):
        step()

    def says(rows: Floats) -> NDArray[np.bool_]:
        with sw.no_grad():
            said: NDArray[np.bool_] = (sw.tensor(rows) @ weight + bias).numpy()[:, :, 0] > 0
        return said

    return says


def _share(said: NDArray[np.bool_], y: Numbers) -> Floats:
    right: Floats = (said == y.astype(bool)).mean(axis=1)
    return right


def _orders(rows: int, seed: int) -> Numbers:
    """Return an order of the rows for each file, shape (files, rows)."""
    return np.stack([permutation(rows, seed, _DEAL, file) for file in range(FILES)])


def _pick(values: NDArray, rows: Numbers) -> NDArray:  # type: ignore[type-arg]
    """Return rows of each file: values (files, rows, ...), numbers (files, some)."""
    return values[np.arange(len(rows))[:, None], rows]


def _file(rows: int, seed: int, call: int, distance: float, files: int = FILES) -> tuple[Floats, Numbers]:
    """Return two columns and a class; the classes' centres lie some standard deviations apart in the "
    "first."""
    y = np.tile(np.arange(rows) % 2, (files, 1))
    X = normal(files * rows * 2, seed, call).reshape(files, rows, 2)
    X[:, :, 0] += distance * (y - 0.5)
    return X, y


# ---- columns chosen first


def columns(seed: int, mended: bool) -> Outcome:
    """300 columns of pure noise, a target by toss of a coin: keep the 8 columns that go with the target "
    "best."""
    rows, held = 60, 20
    X = normal(FILES * rows * COLUMNS, seed, 1).reshape(FILES, rows, COLUMNS)
    y = np.tile(np.arange(rows) % 2, (FILES, 1))
    order = _orders(rows, seed)
    test, learned = order[:, :held], order[:, held:]
    X_test, X_learned, y_test, y_learned = (
        _pick(X, test),
        _pick(X, learned),
        _pick(y, test),
        _pick(y, learned),
    )
    looked_at = (X_learned, y_learned) if mended else (X, y)
    best = np.argsort(-np.abs(correlation(*looked_at)), axis=1)[:, :KEPT]
    says = linear(_columns_of(X_learned, best), y_learned)
    # New rows of noise columns are noise again, whichever columns were kept.
    new, new_y = normal(NEW * KEPT, seed, 2).reshape(1, NEW, KEPT), np.arange(NEW) % 2
    return Outcome(
        _share(says(_columns_of(X_test, best)), y_test),
        _share(says(new), new_y),
        {
            "learned": correlation(X_learned, y_learned)[0],
            "test": correlation(X_test, y_test)[0],
            "kept": best[0].astype(np.float64),
        },
    )


def correlation(X: Floats, y: Numbers) -> Floats:
    """Return the correlation of each column with the class, for each file."""
    centred = X - X.mean(axis=1, keepdims=True)
    signs = (y - y.mean(axis=1, keepdims=True))[:, :, None]
    size = np.sqrt((centred**2).sum(axis=1) * (signs**2).sum(axis=1))
    made: Floats = (centred * signs).sum(axis=1) / size
    return made


def _columns_of(X: Floats, kept: Numbers) -> Floats:
    return np.take_along_axis(X, kept[:, None, :], axis=2)


# ---- scaled first


def scale(seed: int, mended: bool) -> Outcome:
    """Standardise with the mean and the spread of all rows, or of the training rows."""
    rows, held, distance = 32, 8, 1.5
    X, y = _file(rows, seed, 3, distance)
    order = _orders(rows, seed)
    test, learned = order[:, :held], order[:, held:]
    X_test, X_learned = _pick(X, test), _pick(X, learned)
    used = X_learned if mended else X
    mean, spread = used.mean(axis=1, keepdims=True), used.std(axis=1, keepdims=True)
    says = linear((X_learned - mean) / spread, _pick(y, learned))
    new, new_y = _file(NEW, seed, 4, distance, files=1)
    return Outcome(
        _share(says((X_test - mean) / spread), _pick(y, test)),
        _share(says((new - mean) / spread), new_y),
        {
            "learned": X_learned[0],
            "test": X_test[0],
            "all mean": X[0].mean(axis=0),
            "learned mean": X_learned[0].mean(axis=0),
        },
    )


# ---- copied first


def copies(seed: int, mended: bool) -> Outcome:
    """Two exports were merged, so each row is there twice: split them as they lie, or remove the copies."""
    rows, distance = 40, 1.5
    X, y = _file(rows, seed, 5, distance)
    if not mended:
        X, y = np.concatenate([X, X], axis=1), np.concatenate([y, y], axis=1)
    order, held = _orders(X.shape[1], seed), X.shape[1] // 4
    test, learned = order[:, :held], order[:, held:]
    X_test, X_learned, y_learned = _pick(X, test), _pick(X, learned), _pick(y, learned)
    new, new_y = _file(NEW // 4, seed, 6, distance, files=1)
    twins = (nearest(X_test[:1], X_learned[:1])[1] == 0)[0]
    return Outcome(
        _share(_remembered(X_test, X_learned, y_learned), _pick(y, test)),
        _share(_remembered(np.repeat(new, FILES, axis=0), X_learned, y_learned), new_y),
        {"learned": X_learned[0], "test": X_test[0], "twins": twins.astype(np.float64)},
    )


def nearest(rows: Floats, learned: Floats) -> tuple[Numbers, Floats]:
    """Return for each row the number of the nearest learned row, and the squared distance to it."""
    difference = sw.tensor(rows)[:, :, None, :] - sw.tensor(learned)[:, None, :, :]
    distances = (difference**2).sum(axis=-1)
    return sw.argmin(distances, axis=2).numpy(), sw.min(distances, axis=2).numpy()


def _remembered(rows: Floats, learned: Floats, classes: Numbers) -> NDArray[np.bool_]:
    found = nearest(rows, learned)[0]
    said: NDArray[np.bool_] = np.take_along_axis(classes, found, axis=1) == 1
    return said


# ---- a column from later


def later(seed: int, mended: bool) -> Outcome:
    """A column says who was treated: known in the file, where all is over, but for nobody who comes in "
    "new."""
    rows, held, distance = 60, 20, 1.2
    X, y = _file(rows, seed, 7, distance)
    new, new_y = _file(NEW, seed, 8, distance, files=1)
    treated = np.where(normal(X[:, :, 0].size, seed, 9).reshape(y.shape) > -1.6, y, 1 - y).astype(np.float64)
    X[:, :, 1], new[:, :, 1] = treated, 0.0
    shown = X[0].copy()
    if mended:
        X, new = X[:, :, :1], new[:, :, :1]
    order = _orders(rows, seed)
    test, learned = order[:, :held], order[:, held:]
    says = linear(_pick(X, learned), _pick(y, learned))
    return Outcome(
        _share(says(_pick(X, test)), _pick(y, test)),
        _share(says(new), new_y),
        {
            "learned": shown[learned[0]],
            "test": shown[test[0]],
            "learned ill": y[0, learned[0]].astype(np.float64),
            "test ill": y[0, test[0]].astype(np.float64),
        },
    )


LEAKS: dict[str, Callable[[int, bool], Outcome]] = {
    "columns": columns,
    "scale": scale,
    "copies": copies,
    "later": later,
}
