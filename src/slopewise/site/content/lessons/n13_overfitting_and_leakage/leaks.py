"""The other traps of this lesson: six ways in which test rows have their say, and the same without.

All are run on many small files at once, so that a score can be told from luck. The model is a linear
classifier; for copied rows and for groups it is a memory, which answers with the class of the nearest row it
learned.
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
NEW = 10_000
COLUMNS, KEPT = 300, 8
TRIES, TRIED = 20, 3  # models that are peeked at, and columns of each
PATIENTS, ROWS_EACH = 16, 4
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


def linear(X: Floats, y: Numbers) -> Callable[..., NDArray[np.bool_]]:
    """Train a linear classifier for each file; return what each, or only some, say of further rows.

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

    def says(rows: Floats, only: Numbers | slice = slice(None)) -> NDArray[np.bool_]:
        with sw.no_grad():
            logits = sw.tensor(rows) @ sw.tensor(weight.numpy()[only]) + sw.tensor(bias.numpy()[only])
        said: NDArray[np.bool_] = logits.numpy()[:, :, 0] > 0
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
    """Return two columns and a class, whose centres lie some standard deviations apart in the first."""
    y = np.tile(np.arange(rows) % 2, (files, 1))
    X = normal(files * rows * 2, seed, call).reshape(files, rows, 2)
    X[:, :, 0] += distance * (y - 0.5)
    return X, y


# ---- columns chosen first


def columns(seed: int, mended: bool) -> Outcome:
    """300 columns of noise, a target by toss of a coin: keep the 8 columns that go with it best."""
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
    new, new_y = _file(NEW, seed, 6, distance, files=1)
    known = {tuple(row) for row in X_learned[0].tolist()}
    twins = np.array([tuple(row) in known for row in X_test[0].tolist()])
    return Outcome(
        _share(_remembered(X_test, X_learned, y_learned), _pick(y, test)),
        _share(_remembered(new, X_learned, y_learned), new_y),
        {"learned": X_learned[0], "test": X_test[0], "twins": twins.astype(np.float64)},
    )


def nearest(rows: Floats, learned: Floats) -> Numbers:
    """Return for each row, shape (rows, 2), the number of the nearest learned row."""
    known = sw.tensor(learned)
    # The squared distance, without the part that is the same for all learned rows.
    distances = (known**2).sum(-1) - 2 * (sw.tensor(rows) @ known.T)
    found: Numbers = sw.argmin(distances, axis=1).numpy()
    return found


def _remembered(rows: Floats, learned: Floats, classes: Numbers) -> NDArray[np.bool_]:
    """Return what each file's memory says of its rows, or of the same rows for all files."""
    of_files = np.broadcast_to(rows, (len(learned), *rows.shape[1:]))
    said = [one[nearest(asked, known)] for asked, known, one in zip(of_files, learned, classes)]
    right: NDArray[np.bool_] = np.stack(said) == 1
    return right


# ---- a group on both sides


def groups(seed: int, mended: bool) -> Outcome:
    """Split rows of which some belong to one patient: by lot, or by patient."""
    X, y = _patients(PATIENTS, seed, 11, FILES)
    held = PATIENTS // 4
    if mended:
        order = _orders(PATIENTS, seed)[:, :, None] * ROWS_EACH + np.arange(ROWS_EACH)
        order = order.reshape(FILES, -1)
    else:
        order = _orders(PATIENTS * ROWS_EACH, seed)
    test, learned = order[:, : held * ROWS_EACH], order[:, held * ROWS_EACH :]
    X_test, X_learned, y_learned = _pick(X, test), _pick(X, learned), _pick(y, learned)
    new, new_y = _patients(NEW // ROWS_EACH, seed, 13, 1)
    known = set((learned[0] // ROWS_EACH).tolist())
    shared = np.array([patient in known for patient in (test[0] // ROWS_EACH).tolist()])
    return Outcome(
        _share(_remembered(X_test, X_learned, y_learned), _pick(y, test)),
        _share(_remembered(new, X_learned, y_learned), new_y),
        {"learned": X_learned[0], "test": X_test[0], "twins": shared.astype(np.float64)},
    )


def _patients(count: int, seed: int, call: int, files: int) -> tuple[Floats, Numbers]:
    """Return rows of patients, half of them ill: the rows of one lie near each other."""
    ill = np.arange(count) % 2
    centres = normal(files * count * 2, seed, call).reshape(files, count, 2)
    centres[:, :, 0] += 0.8 * (ill - 0.5)
    near = 0.1 * normal(files * count * ROWS_EACH * 2, seed, call + 1).reshape(files, -1, 2)
    return np.repeat(centres, ROWS_EACH, axis=1) + near, np.tile(np.repeat(ill, ROWS_EACH), (files, 1))


# ---- peeked at the test rows


def peek(seed: int, mended: bool) -> Outcome:
    """Train 20 models, each on three columns of its own; keep the one that some rows score best.

    Which rows choose is the only difference: the test rows, or validation rows. All models are weak, and
    about alike.
    """
    rows, held, columns = 60, 15, 12
    y = np.tile(np.arange(rows) % 2, (FILES, 1))
    X = normal(FILES * rows * columns, seed, 15).reshape(FILES, rows, columns)
    new, new_y = normal(NEW * columns, seed, 16).reshape(1, NEW, columns), np.arange(NEW) % 2
    X += 0.35 * (y - 0.5)[:, :, None]
    new += 0.35 * (new_y - 0.5)[None, :, None]
    tried = np.stack([permutation(columns, seed, _DEAL, 1000 + k)[:TRIED] for k in range(TRIES)])
    order = _orders(rows, seed)
    test, validation, learned = order[:, :held], order[:, held : 2 * held], order[:, 2 * held :]
    says = linear(_each_try(_pick(X, learned), tried), np.repeat(_pick(y, learned), TRIES, axis=0))

    def scores(part: Numbers) -> Floats:
        said = says(_each_try(_pick(X, part), tried))
        return _share(said, np.repeat(_pick(y, part), TRIES, axis=0)).reshape(FILES, TRIES)

    on_test = scores(test)
    chose = scores(validation) if mended else on_test
    kept, files = chose.argmax(axis=1), np.arange(FILES)
    of_first = _share(says(_each_try(new, tried), slice(TRIES)), new_y)
    true = says(new[0][:, tried[kept]].transpose(1, 0, 2), files * TRIES + kept)
    return Outcome(
        on_test[files, kept],
        _share(true, new_y),
        {"learned": chose[0], "test": of_first, "kept": kept[:1].astype(np.float64)},
    )


def _each_try(X: Floats, tried: Numbers) -> Floats:
    """Return the columns of each try for each file, shape (files * tries, rows, columns of a try)."""
    files, rows, _ = X.shape
    return X[:, :, tried].transpose(0, 2, 1, 3).reshape(files * len(tried), rows, tried.shape[1])


# ---- a column from later


def later(seed: int, mended: bool) -> Outcome:
    """A column says who was treated: known in the file, where all is over, and of no newcomer."""
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
    "peek": peek,
    "copies": copies,
    "groups": groups,
    "later": later,
    "scale": scale,
}
