"""Generated data sets: small worlds with known answers, for learning, tests and demonstrations.

All randomness is addressed: the same arguments give the same data, and more noise moves the same points
further.

Sources: moons, circles and blobs follow `sklearn.datasets`; the spirals follow K. Lang, M. Witbrock,
"Learning to Tell Two Spirals Apart", 1988.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slopewise.engine.errors import ArgumentError
from slopewise.engine.random import GENERATE_STREAM, permutation, random_words

if TYPE_CHECKING:
    from slopewise.data.tables import Table

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

# What each call of the generator's random stream is for.
_ORDER, _PLACE, _NOISE, _MISSING, _WEIGHTS, _CELL = range(6)

_SQUARES = 4  # rows and columns of the checkerboard, more if there are more classes
_TURNS = 1.5  # of each spiral


def uniform(size: int, seed: int, call: int) -> Floats:
    """Return `size` numbers from [0, 1) with 53 random bits each.

    Examples
    --------
    >>> bool((uniform(3, seed=0, call=1) == uniform(5, seed=0, call=1)[:3]).all())
    True
    """
    words = random_words(2 * size, seed, GENERATE_STREAM, call).astype(np.uint64)
    high, low = words[0::2] >> np.uint64(5), words[1::2] >> np.uint64(6)
    return (high * 2.0**26 + low) / 2.0**53


def normal(size: int, seed: int, call: int) -> Floats:
    """Return `size` standard normal numbers.

    Source: G. Box, M. Muller, "A Note on the Generation of Random Normal Deviates", 1958.
    """
    numbers = uniform(2 * size, seed, call)
    return np.sqrt(-2.0 * np.log1p(-numbers[0::2])) * np.cos(2.0 * np.pi * numbers[1::2])


@dataclass(frozen=True)
class _Kind:
    """A kind of data set: its points before noise, and what it may be asked for."""

    points: Callable[[Codes, int, int], Floats]
    noise: float
    classes: int
    fixed: bool  # whether the number of classes cannot be chosen


def _blobs(codes: Codes, classes: int, seed: int) -> Floats:
    radius = 3.0 / float(np.sin(np.pi / classes))  # neighbours are 6 apart
    return radius * _on_circle(codes / classes)


def _moons(codes: Codes, classes: int, seed: int) -> Floats:
    half_turn = np.pi * uniform(len(codes), seed, _PLACE)
    upper = np.stack([np.cos(half_turn), np.sin(half_turn)], axis=1)
    return np.where(codes[:, None] == 0, upper, np.array([1.0, 0.5]) - upper)


def _circles(codes: Codes, classes: int, seed: int) -> Floats:
    radius = (codes + 1.0) / classes
    return radius[:, None] * _on_circle(uniform(len(codes), seed, _PLACE))


def _spirals(codes: Codes, classes: int, seed: int) -> Floats:
    radius = np.sqrt(uniform(len(codes), seed, _PLACE)) * 0.95 + 0.05
    return radius[:, None] * _on_circle(codes / classes + _TURNS * radius)


def _checkerboard(codes: Codes, classes: int, seed: int) -> Floats:
    side = max(_SQUARES, classes)
    place = uniform(2 * len(codes), seed, _PLACE).reshape(-1, 2)
    draw = uniform(2 * len(codes), seed, _CELL).reshape(-1, 2)
    row = np.floor(draw[:, 0] * side)
    # A square has the class (row + column) mod K: of the row's squares, every K-th from the first of the
    # class.
    first = np.mod(codes - row, classes)
    column = first + classes * np.floor(draw[:, 1] * np.ceil((side - first) / classes))
    return np.stack([column, row], axis=1) + place - side / 2


def _on_circle(turn: Floats) -> Floats:
    angle = 2.0 * np.pi * turn
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


_CLASSIFICATION = {
    "blobs": _Kind(_blobs, noise=1.0, classes=3, fixed=False),
    "moons": _Kind(_moons, noise=0.1, classes=2, fixed=True),
    "circles": _Kind(_circles, noise=0.05, classes=2, fixed=False),
    "spirals": _Kind(_spirals, noise=0.02, classes=2, fixed=False),
    "checkerboard": _Kind(_checkerboard, noise=0.0, classes=2, fixed=False),
}
_REGRESSION = {"linear": 0.5, "sine": 0.1}  # kind -> noise of the target

GENERATED_KINDS = (*_CLASSIFICATION, *_REGRESSION)


def generate(
    kind: str,
    n: int = 500,
    noise: float | None = None,
    classes: int | None = None,
    imbalance: float = 1.0,
    missing: float = 0.0,
    features: int | None = None,
    seed: int = 0,
) -> tuple[NDArray[np.float32], NDArray[np.int64] | NDArray[np.float32]]:
    """Return inputs and targets of a generated data set, in random order.

    ==============  =============================================================  ===============
    kind            what it is                                                     noise
    ==============  =============================================================  ===============
    `blobs`         Gaussian clouds around points of a circle, neighbours 6 apart  1.0, of points
    `moons`         two half circles of radius 1 that reach into each other        0.1, of points
    `circles`       circles around 0; class k of K has radius (k + 1) / K          0.05, of points
    `spirals`       arms of one and a half turns and radius 1                      0.02, of points
    `checkerboard`  squares of side 1 around 0, four by four                       0.0, of points
    `linear`        y = X w + 1, inputs and w standard normal                      0.5, of y
    `sine`          y = sin(x) for x from -pi to pi                                0.1, of y
    ==============  =============================================================  ===============

    Parameters
    ----------
    kind : str, one of the above
    n : int, number of rows
    noise : float, standard deviation of the Gaussian noise; None is the kind's own
    classes : int, for all kinds of classes but moons; None is 3 for blobs, else 2
    imbalance : float of at least 1, how many times as many rows the first class has as the last; sizes fall
        geometrically
    missing : float from 0 to below 1, share of the input cells that are NaN
    features : int, number of inputs: at least 2 for blobs, whose further ones are noise (2), and at least 1
        for linear (3)
    seed : int

    Returns
    -------
    X : float32 array, shape (n, features)
    y : int64 array of class numbers, or float32 array; shape (n,)

    Raises
    ------
    ArgumentError
        If the kind is unknown or an argument does not suit it.

    Examples
    --------
    >>> X, y = generate("moons", n=100, noise=0.2, seed=1)
    >>> X.shape, X.dtype.name, np.bincount(y).tolist()
    ((100, 2), 'float32', [50, 50])
    """
    if kind not in GENERATED_KINDS:
        raise ArgumentError(
            f"there is no generated data set {kind!r}; kinds are {', '.join(GENERATED_KINDS)}"
        )
    _check_numbers(n, noise, imbalance, missing)
    y: Any
    if kind in _CLASSIFICATION:
        X, y = _classification(kind, n, noise, classes, imbalance, features, seed)
    elif classes is not None or imbalance != 1.0:
        raise ArgumentError(f"{kind} is a regression: it has no classes and no imbalance")
    else:
        X, y = _regression(kind, n, noise, features, seed)
    order = permutation(n, seed, GENERATE_STREAM, _ORDER)
    X, y = X[order], y[order]
    holes = permutation(X.size, seed, GENERATE_STREAM, _MISSING)[: int(np.floor(missing * X.size + 0.5))]
    X.reshape(-1)[holes] = np.nan
    return X.astype(np.float32), y if kind in _CLASSIFICATION else y.astype(np.float32)


def generate_table(
    kind: str,
    n: int = 500,
    noise: float | None = None,
    classes: int | None = None,
    imbalance: float = 1.0,
    missing: float = 0.0,
    features: int | None = None,
    seed: int = 0,
) -> Table:
    """Return a generated data set as a table: inputs `x1`, `x2`, ... and the target, `class` (a, b, ...) or
    `y`.

    The arguments are those of `generate`.

    Examples
    --------
    >>> generate_table("blobs", n=30).names
    ['x1', 'x2', 'class']
    """
    import polars as pl

    from slopewise.data.tables import Table

    X, y = generate(kind, n, noise, classes, imbalance, missing, features, seed)
    columns = {f"x{number}": X[:, number - 1] for number in range(1, X.shape[1] + 1)}
    frame = pl.DataFrame({name: np.ascontiguousarray(values) for name, values in columns.items()})
    if kind in _CLASSIFICATION:
        target = pl.Series("class", [class_name(code) for code in y.tolist()])
    else:
        target = pl.Series("y", y)
    return Table.from_frame(frame.with_columns(target), source=f"generated {kind}")


def class_name(code: int) -> str:
    """Return the label of a class number in a generated table: a to z, then aa, ab and so on.

    Examples
    --------
    >>> class_name(0), class_name(25), class_name(26)
    ('a', 'z', 'aa')
    """
    prefix = class_name(code // 26 - 1) if code >= 26 else ""
    return prefix + chr(ord("a") + code % 26)


def _check_numbers(n: int, noise: float | None, imbalance: float, missing: float) -> None:
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ArgumentError(f"n is a whole number of at least 1, not {n!r}")
    if noise is not None and not 0 <= noise < np.inf:
        raise ArgumentError(f"noise is a number of at least 0, not {noise!r}")
    if not 1 <= imbalance < np.inf:
        raise ArgumentError(f"imbalance is a number of at least 1, not {imbalance!r}")
    if not 0 <= missing < 1:
        raise ArgumentError(f"missing is a share from 0 to below 1, not {missing!r}")


def _classification(
    kind: str,
    n: int,
    noise: float | None,
    classes: int | None,
    imbalance: float,
    features: int | None,
    seed: int,
) -> tuple[Floats, Codes]:
    world = _CLASSIFICATION[kind]
    n_classes = world.classes if classes is None else classes
    if isinstance(n_classes, bool) or not isinstance(n_classes, int | np.integer) or n_classes < 2:
        raise ArgumentError(f"classes is a whole number of at least 2, not {classes!r}")
    if world.fixed and n_classes != world.classes:
        raise ArgumentError(f"{kind} has {world.classes} classes, not {n_classes}")
    if n < n_classes:
        raise ArgumentError(f"{n} rows are too few for {n_classes} classes; raise n")
    width = _width(kind, features, at_least=2, default=2, most=None if kind == "blobs" else 2)
    codes = np.repeat(np.arange(n_classes), class_sizes(n, n_classes, imbalance))
    X = np.zeros((n, width))
    X[:, :2] = world.points(codes, n_classes, seed)
    X += (world.noise if noise is None else noise) * normal(X.size, seed, _NOISE).reshape(X.shape)
    return X, codes


def _regression(
    kind: str, n: int, noise: float | None, features: int | None, seed: int
) -> tuple[Floats, Floats]:
    errors = (_REGRESSION[kind] if noise is None else noise) * normal(n, seed, _NOISE)
    if kind == "sine":
        width = _width(kind, features, at_least=1, default=1, most=1)
        X = (2.0 * uniform(n, seed, _PLACE).reshape(n, width) - 1.0) * np.pi
        return X, np.sin(X[:, 0]) + errors
    width = _width(kind, features, at_least=1, default=3, most=None)
    X = normal(n * width, seed, _PLACE).reshape(n, width)
    return X, X @ normal(width, seed, _WEIGHTS) + 1.0 + errors


def _width(kind: str, features: int | None, at_least: int, default: int, most: int | None) -> int:
    width = default if features is None else features
    if isinstance(width, bool) or not isinstance(width, int | np.integer) or width < at_least:
        raise ArgumentError(f"features of {kind} is a whole number of at least {at_least}, not {features!r}")
    if most is not None and width > most:
        raise ArgumentError(f"{kind} has {most} features, not {features}")
    return int(width)


def class_sizes(n: int, classes: int, imbalance: float) -> Codes:
    """Return sizes of classes that fall geometrically from first to last by `imbalance`, each at least 1.

    Examples
    --------
    >>> class_sizes(100, 2, 1.0).tolist(), class_sizes(100, 2, 9.0).tolist(), class_sizes(70, 3, 4.0).tolist()
    ([50, 50], [90, 10], [40, 20, 10])
    """
    weights = float(imbalance) ** (-np.arange(classes) / max(classes - 1, 1))
    quota = n * weights / weights.sum()
    sizes: Codes = np.maximum(np.floor(quota + 1e-9).astype(np.int64), 1)
    while (spare := n - int(sizes.sum())) != 0:
        step = 1 if spare > 0 else -1
        open_to = np.flatnonzero(sizes + step >= 1)
        chosen = open_to[np.argsort(step * (sizes - quota)[open_to], kind="stable")][: abs(spare)]
        sizes[chosen] += step
    return sizes
