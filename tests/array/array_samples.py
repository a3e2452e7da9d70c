"""Samples of every public function of `slopewise.array`: arguments, and what NumPy makes of them.

Arrays are float64 unless the function is for others. Points are generic: no ties, no kinks, nothing at the
edge of a domain; special points have tests of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Sample(NamedTuple):
    """Arguments for a function; by default NumPy's function of the same name is the reference."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = {}  # noqa: RUF012 (never written to)
    reference: Callable[..., Any] | None = None
    gradient: bool = True  # False: asking for one is an error
    traced: bool = True  # False: a traced function cannot call it
    numpy_dtype: bool = True  # whether the result has the dtype of NumPy's


def of(*args: Any, **kwargs: Any) -> Sample:
    return Sample(args, kwargs)


def as_in(reference: Callable[..., Any], *args: Any, numpy_dtype: bool = True, **kwargs: Any) -> Sample:
    return Sample(args, kwargs, reference, numpy_dtype=numpy_dtype)


X = np.array([[0.7, -1.2, 2.3], [-0.4, 1.6, -2.8]])
Y = np.array([[1.3, 0.65, -0.9], [2.1, -1.7, 0.8]])
ROW = np.array([0.9, -1.4, 0.35])
UNIT = np.array([[0.3, -0.6, 0.15], [-0.45, 0.8, -0.75]])
POSITIVE = np.array([[0.7, 1.2, 2.3], [0.4, 1.6, 2.8]])
CUBE = np.sin(np.arange(24.0) ** 2 * 1.7 + 0.3).reshape(2, 3, 4)
SQUARE = np.array(
    [
        [[2.0, 0.3, -0.5], [0.1, 1.7, 0.4], [-0.2, 0.6, 2.4]],
        [[1.1, -0.7, 0.2], [0.9, 2.2, 0.1], [0.3, 0.5, -1.8]],
    ]
)
SYMMETRIC = SQUARE @ SQUARE.swapaxes(-1, -2) + np.eye(3)
INTS = np.array([[7, -3, 12], [5, 9, -8]])
NATURALS = np.array([[1, 3, 2], [0, 2, 4]])
FLAGS = np.array([[True, False, True], [False, False, True]])
COMPLEX = np.array([1.5 - 0.5j, -0.25 + 2j, 0.75 + 0.1j])
WITH_ZEROS = np.array([[0.0, 1.5, 0.0], [2.0, 0.0, -1.0]])

SAMPLES: dict[str, list[Sample]] = {}


def add(name: str, *samples: Sample) -> None:
    SAMPLES[name] = list(samples)


# ---- elementwise
for name in [
    "negative",
    "positive",
    "square",
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "exp",
    "expm1",
    "floor",
    "ceil",
    "trunc",
    "round",
    "sign",
    "signbit",
]:
    add(name, of(X))
for name in ["isfinite", "isinf", "isnan"]:
    add(name, of(np.array([1.0, math.inf, -math.inf, math.nan])))
for name in ["log", "log2", "log10", "log1p", "sqrt", "reciprocal"]:
    add(name, of(POSITIVE))
add("abs", of(X), of(COMPLEX), of(INTS))
add("asin", as_in(np.arcsin, UNIT))
add("acos", as_in(np.arccos, UNIT))
add("atan", as_in(np.arctan, X))
add("asinh", as_in(np.arcsinh, X))
add("acosh", as_in(np.arccosh, POSITIVE + 1.0))
add("atanh", as_in(np.arctanh, UNIT))
for name in [
    "add",
    "subtract",
    "multiply",
    "maximum",
    "minimum",
    "hypot",
    "logaddexp",
    "copysign",
    "nextafter",
]:
    add(name, of(X, Y), of(X, ROW), of(ROW[:, None], Y[0]))
for name in ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]:
    add(
        name,
        of(X, Y),
        of(INTS, 5),
        of(FLAGS, True) if name.endswith("equal") and "_" not in name else of(X, 0.7),
    )
add("divide", of(X, Y), of(X, ROW))
add("floor_divide", of(X, Y), of(INTS, 4), of(INTS, -4))
add("remainder", of(X, Y), of(INTS, 4), of(INTS, -4))
add("atan2", as_in(np.arctan2, X, Y))
add(
    "pow",
    as_in(np.power, POSITIVE, X),
    as_in(np.power, X, 3),
    as_in(np.power, X, 2),
    as_in(np.power, X, -2),
    as_in(np.power, INTS, NATURALS),
)
add("clip", of(X, -0.5, 1.0), of(X, None, ROW), of(INTS, 0, None), as_in(lambda x: x, X))
for name in ["bitwise_and", "bitwise_or", "bitwise_xor"]:
    add(name, of(INTS, NATURALS), of(FLAGS, np.array([True, True, False])))
add("bitwise_left_shift", as_in(np.left_shift, INTS, NATURALS))
add("bitwise_right_shift", as_in(np.right_shift, INTS, NATURALS))
add("bitwise_invert", as_in(np.invert, INTS), as_in(np.invert, FLAGS))
for name in ["logical_and", "logical_or", "logical_xor"]:
    add(name, of(FLAGS, np.array([True, True, False])), of(WITH_ZEROS, FLAGS))
add("logical_not", of(FLAGS), of(WITH_ZEROS))
for name in ["real", "imag", "conj"]:
    add(name, of(COMPLEX), of(X))

# ---- special functions
add("erf", as_in(np.vectorize(math.erf), X))
add("sigmoid", as_in(lambda x: 1 / (1 + np.exp(-x)), X))
add("relu", as_in(lambda x: np.maximum(x, 0), X))
add(
    "softmax",
    as_in(lambda x, axis=-1: np.exp(x) / np.exp(x).sum(axis, keepdims=True), X),
    as_in(lambda x, axis: np.exp(x) / np.exp(x).sum(axis, keepdims=True), CUBE, axis=(0, 2)),
)
add(
    "log_softmax",
    as_in(lambda x, axis=-1: x - np.log(np.exp(x).sum(axis, keepdims=True)), X),
    as_in(lambda x, axis: x - np.log(np.exp(x).sum(axis, keepdims=True)), X, axis=0),
)
add(
    "logsumexp",
    as_in(lambda x: np.log(np.exp(x).sum()), X),
    as_in(
        lambda x, axis, keepdims: np.log(np.exp(x).sum(axis, keepdims=keepdims)),
        CUBE,
        axis=(0, -1),
        keepdims=True,
    ),
)

# ---- creation
add(
    "asarray",
    of(X),
    of(INTS),
    as_in(lambda x, dtype, copy: x.astype(dtype), INTS, dtype=np.dtype("float32"), copy=True),
)
add("full", of((2, 3), 7), as_in(lambda shape, value: np.full(shape, value), (2,), np.array(1.5)))
add("full_like", of(X, 2.5), of(INTS, 2))
add("zeros", of((2, 3), dtype=np.dtype("float64")), of(4, dtype=np.dtype("int8")))
add("ones", of((2, 3), dtype=np.dtype("float64")), of((), dtype=np.dtype("bool")))
add("empty", as_in(lambda shape, dtype: np.zeros(shape, dtype), (2, 0), dtype=np.dtype("float64")))
for name in ["zeros_like", "ones_like"]:
    add(name, of(X), of(INTS, dtype=np.dtype("float64")))
add("empty_like", as_in(np.zeros_like, X))
add("arange", of(5), of(2, 9, 3), of(5, -5, -2), of(0.5, 3.0, 0.5, dtype=np.dtype("float64")))
add(
    "linspace",
    of(0.0, 1.0, 7, dtype=np.dtype("float64")),
    of(-1, 2, 5, endpoint=False, dtype=np.dtype("float64")),
    of(0, 1, 1, dtype=np.dtype("float64")),
)
add(
    "eye",
    of(3, dtype=np.dtype("float64")),
    of(2, 4, k=1, dtype=np.dtype("int64")),
    of(3, 2, k=-1, dtype=np.dtype("float64")),
)
for name in ["tril", "triu"]:
    add(name, of(CUBE), of(CUBE, k=1), of(CUBE, k=-2), of(FLAGS))
add("meshgrid", of(X[0], ROW), of(X[0], Y[0, :2], ROW[:1], indexing="ij"), of(X[0]))
add("one_hot", as_in(lambda i, n: np.eye(n)[i], NATURALS, 5, numpy_dtype=False))
add("from_dlpack", as_in(lambda x: x, X), as_in(lambda x: x, INTS))

# ---- manipulation
add("broadcast_to", of(ROW, (2, 3)), of(X[:, None], (2, 4, 3)), of(X, (2, 3)))
add("broadcast_arrays", as_in(lambda *xs: list(np.broadcast_arrays(*xs)), X, ROW, np.array(2.0)))
add(
    "concat",
    as_in(lambda xs, axis=0: np.concatenate(xs, axis), [X, Y]),
    as_in(lambda xs, axis: np.concatenate(xs, axis), [X, CUBE[:, :, 0]], axis=1),
    as_in(lambda xs, axis: np.concatenate(xs, axis), [X, ROW], axis=None),
)
add("expand_dims", of(X, 0), of(X, -1), of(X, 1))
add("squeeze", of(X[:, None, :, None], 1), of(X[:, None, :, None], (1, -1)), of(X[None]))
add("flip", of(CUBE), of(CUBE, axis=1), of(CUBE, axis=(0, -1)))
add("moveaxis", of(CUBE, 0, 2), of(CUBE, (0, 1), (-1, 0)))
add("swapaxes", of(CUBE, 0, -1))
add("permute_dims", as_in(np.transpose, CUBE, (2, 0, 1)), as_in(np.transpose, CUBE, (-1, 0, 1)))
add("reshape", of(CUBE, (4, -1)), of(CUBE, (24,)), of(CUBE, -1))
add(
    "stack",
    as_in(lambda xs, axis=0: np.stack(xs, axis), [X, Y, X]),
    as_in(lambda xs, axis: np.stack(xs, axis), [X, Y], axis=-1),
)
add(
    "unstack",
    as_in(lambda x: tuple(x), X),
    as_in(lambda x, axis: tuple(np.moveaxis(x, axis, 0)), CUBE, axis=1),
)
add("split", of(CUBE, 2), of(X, [1, 2], axis=1), of(X, [0, 3], axis=-1))
add("repeat", of(X, 2), of(X, 3, axis=1), Sample((X, np.array([1, 0, 2])), {"axis": 1}, traced=False))
add("tile", of(X, (2,)), of(X, (2, 1, 3)), of(X, (0, 1)))
add("roll", of(CUBE, 1), of(CUBE, -5, axis=1), of(CUBE, (1, 2), axis=(0, -1)))
add(
    "pad",
    of(X, 1),
    of(X, ((1, 0), (2, 1)), constant_values=1.5),
    of(X, (1, 2), mode="edge"),
    of(X, ((1, 1), (2, 1)), mode="reflect"),
    of(X, 3, mode="wrap"),
)

# ---- indexing
add(
    "take",
    of(X, np.array([2, 0, 2]), axis=1),
    of(ROW, np.array([[1, -1], [0, 1]])),
    of(CUBE, np.array(1), axis=-1),
)
add(
    "take_along_axis",
    of(X, NATURALS[:, :2] % 3, axis=1),
    of(X, np.array([[1, 0, 1]]), axis=0),
    of(CUBE, np.array([[[3], [0], [-1]]])),
)


def _put(x: np.ndarray, i: np.ndarray, v: Any, axis: int) -> np.ndarray:
    x = x.copy()
    np.put_along_axis(x, i, v, axis)
    return x


def _scatter_add(x: np.ndarray, i: np.ndarray, v: Any, axis: int) -> np.ndarray:
    x = x.copy()
    grid = list(np.indices(i.shape, sparse=True))
    grid[axis] = i
    np.add.at(x, tuple(grid), v)
    return x


def _index_add(x: np.ndarray, i: np.ndarray, v: Any, axis: int = 0) -> np.ndarray:
    x = x.copy()
    np.add.at(np.moveaxis(x, axis, 0), i, np.moveaxis(np.broadcast_to(v, np.take(x, i, axis).shape), axis, 0))
    return x


PLACES = np.array([[2, 0], [1, 2]])
add("put_along_axis", as_in(_put, X, PLACES, Y[:, :2], axis=1), as_in(_put, X, PLACES, 1.5, axis=1))
add("scatter_add", as_in(_scatter_add, X, np.array([[2, 2, 0], [1, 1, 1]]), Y, axis=1))
add(
    "index_add",
    as_in(_index_add, X, np.array([1, 1, 0]), CUBE[0][:, :3]),
    as_in(_index_add, X, np.array([2, 2]), Y[:, :2], axis=1),
    as_in(_index_add, INTS, np.array([0]), 3),
)

# ---- reductions


def _moment(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis, correction, keepdims: function(x, axis=axis, ddof=correction, keepdims=keepdims)


for name in ["sum", "prod", "max", "min", "mean"]:
    add(name, of(CUBE), of(CUBE, axis=1), of(CUBE, axis=(0, -1), keepdims=True), of(X, axis=()))
SAMPLES["sum"] += [
    of(FLAGS),
    of(INTS.astype(np.int8), axis=0),
    as_in(lambda x, dtype: x.sum(dtype=dtype), INTS, dtype=np.dtype("float64")),
]
SAMPLES["prod"] += [of(WITH_ZEROS, axis=1), of(WITH_ZEROS), of(NATURALS.astype(np.uint8), axis=1)]
for name in ["var", "std"]:
    add(
        name,
        of(CUBE),
        as_in(
            _moment(getattr(np, name)),
            CUBE,
            axis=(0, 2),
            correction=1,
            keepdims=True,
        ),
    )
add(
    "cumulative_sum",
    of(ROW),
    of(CUBE, axis=1),
    of(X, axis=-1, include_initial=True),
    of(INTS.astype(np.int16), axis=0),
)
add("cumulative_prod", of(ROW), of(CUBE, axis=1), of(WITH_ZEROS, axis=-1, include_initial=True))
for name in ["all", "any"]:
    add(name, of(FLAGS), of(FLAGS, axis=0), of(WITH_ZEROS, axis=1, keepdims=True))
add("count_nonzero", of(FLAGS, axis=0), of(WITH_ZEROS, axis=1, keepdims=True))
for name in ["argmax", "argmin"]:
    add(name, of(CUBE), of(CUBE, axis=1), of(CUBE, axis=-1, keepdims=True))
add(
    "diff",
    of(X),
    of(CUBE, axis=0),
    of(CUBE, axis=1, n=2),
    of(X, prepend=Y, append=Y[:, :1]),
    of(FLAGS),
    of(X, n=0),
)

# ---- order, search, sets
add(
    "sort",
    of(CUBE),
    of(CUBE, axis=0),
    as_in(lambda x, descending, axis: -np.sort(-x, axis), CUBE, descending=True, axis=1),
)
add(
    "argsort", of(CUBE), as_in(lambda x, descending: np.argsort(-x, kind="stable"), NATURALS, descending=True)
)
add(
    "topk",
    as_in(lambda x, k: (-np.sort(-x)[..., :k], np.argsort(-x, kind="stable")[..., :k]), CUBE, 2),
    as_in(
        lambda x, k, axis, largest: (np.sort(x, axis)[:k], np.argsort(x, axis, kind="stable")[:k]),
        X,
        1,
        axis=0,
        largest=False,
    ),
)
add(
    "searchsorted",
    of(np.sort(ROW), X),
    of(np.array([1, 2, 2, 3]), NATURALS, side="right"),
    of(ROW, X, sorter=np.argsort(ROW)),
)
add("where", of(FLAGS, X, Y), of(FLAGS, X, 0.5), of(FLAGS, 1.5, ROW))
add("nonzero", Sample((WITH_ZEROS,), traced=False))
REPEATED = np.array([[3, 1, 3], [1, 2, 1]])
for name in ["unique_all", "unique_counts", "unique_inverse"]:
    add(name, Sample((REPEATED,), traced=False), Sample((X,), traced=False))

add("unique_values", *[Sample((x,), reference=np.unique, traced=False) for x in (REPEATED, X)])

# ---- products
add(
    "matmul",
    of(X, Y.T),
    of(CUBE, CUBE.swapaxes(1, 2)),
    of(X, ROW),
    of(ROW, Y.T),
    of(ROW, ROW),
    of(SQUARE, X.T),
    of(INTS, NATURALS.T),
)
add("matrix_transpose", of(CUBE))
add(
    "tensordot",
    of(CUBE, CUBE, axes=3),
    of(CUBE, CUBE, axes=((0, 2), (0, 2))),
    of(X, Y, axes=0),
    of(CUBE, ROW, axes=([1], [0])),
)
add("vecdot", of(X, Y), of(CUBE, ROW[:, None], axis=-2), of(COMPLEX, COMPLEX[::-1].copy()))
add("kron", of(X, Y), of(ROW, X), of(CUBE, np.array(2.0)))
add("einsum", of("ij,kj->ik", X, Y), of("i...,...->...i", X, ROW), of("ijk,ljk,jm->lm", CUBE, CUBE, Y.T))


def _windows(x: np.ndarray, window: int, stride: int, dilation: int) -> np.ndarray:
    reach = (window - 1) * dilation + 1
    return np.lib.stride_tricks.sliding_window_view(x, reach, -1)[..., ::stride, ::dilation]


def _conv1d(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return np.stack(
        [
            [sum(np.correlate(a, b, "valid") for a, b in zip(example, filter_, strict=True)) for filter_ in w]
            for example in x
        ]
    )


add(
    "sliding_windows",
    as_in(
        lambda x, window, axis: np.lib.stride_tricks.sliding_window_view(x, window, axis),
        CUBE,
        (2, 3),
        axis=(0, 2),
    ),
    as_in(_windows, CUBE, 2, stride=1, dilation=2),
    as_in(_windows, CUBE, 2, stride=2, dilation=1),
)
add("conv", as_in(_conv1d, CUBE, np.cos(np.arange(12.0)).reshape(2, 3, 2)))

# ---- the extension linalg
LINALG: dict[str, list[Sample]] = {
    "cholesky": [
        as_in(np.linalg.cholesky, SYMMETRIC),
        as_in(lambda x, upper: np.linalg.cholesky(x).swapaxes(-1, -2), SYMMETRIC, upper=True),
    ],
    "cross": [of(X, Y), of(X.T, Y.T, axis=0)],
    "det": [of(SQUARE)],
    "diagonal": [of(CUBE), of(CUBE, offset=2), of(CUBE, offset=-1), of(CUBE, offset=9)],
    "eigh": [Sample((SYMMETRIC,), gradient=False)],
    "eigvalsh": [Sample((SYMMETRIC,), gradient=False)],
    "inv": [of(SQUARE)],
    "matmul": SAMPLES["matmul"],
    "matrix_norm": [
        of(CUBE),
        of(CUBE, ord=1, keepdims=True),
        of(CUBE, ord=-math.inf),
        Sample((CUBE,), {"ord": 2}, gradient=False),
        Sample((CUBE,), {"ord": "nuc"}, gradient=False),
    ],
    "matrix_power": [of(SQUARE, 3), of(SQUARE, 0), of(SQUARE, -2)],
    "matrix_rank": [Sample((np.ones((2, 3)),), gradient=False), Sample((SQUARE,), gradient=False)],
    "matrix_transpose": SAMPLES["matrix_transpose"],
    "outer": [of(ROW, X[0, :2])],
    "pinv": [Sample((CUBE,), gradient=False), Sample((CUBE,), {"rtol": 0.5}, gradient=False)],
    "qr": [Sample((CUBE,), gradient=False), Sample((CUBE,), {"mode": "complete"}, gradient=False)],
    "slogdet": [of(SQUARE)],
    "solve": [of(SQUARE, CUBE), of(SQUARE, ROW), of(SQUARE[0], CUBE)],
    "svd": [Sample((CUBE,), {"full_matrices": False}, gradient=False)],
    "svdvals": [Sample((CUBE,), gradient=False)],
    "tensordot": SAMPLES["tensordot"],
    "trace": [of(CUBE), of(INTS.astype(np.int8), offset=1)],
    "vecdot": SAMPLES["vecdot"],
    "vector_norm": [
        of(X),
        of(X, axis=0, ord=3),
        of(X, axis=-1, ord=math.inf, keepdims=True),
        of(X, ord=1),
        of(X, ord=-math.inf),
        of(X, ord=0),
        of(X, axis=1, ord=0.5),
    ],
}

# ---- the extension fft; its results carry no gradient, but for the shifts
SPECTRUM = COMPLEX[None] * X


def _fft(*args: Any, **kwargs: Any) -> Sample:
    return Sample(args, kwargs, gradient=False)


FFT: dict[str, list[Sample]] = {
    "fft": [_fft(X), _fft(SPECTRUM, n=5, axis=0, norm="ortho")],
    "ifft": [_fft(SPECTRUM), _fft(SPECTRUM, n=2, norm="forward")],
    "fftn": [_fft(CUBE, s=(3, 5), axes=(0, 2)), _fft(SPECTRUM)],
    "ifftn": [_fft(SPECTRUM, axes=(1, 0), norm="ortho")],
    "rfft": [_fft(X), _fft(CUBE, n=5, axis=1, norm="forward")],
    "irfft": [_fft(SPECTRUM), _fft(SPECTRUM, n=3, axis=0)],
    "rfftn": [_fft(CUBE), _fft(CUBE, s=(4, 2), axes=(2, 1), norm="ortho")],
    "irfftn": [_fft(SPECTRUM), _fft(SPECTRUM, s=(5,), axes=(0,))],
    "hfft": [_fft(SPECTRUM), _fft(SPECTRUM, n=5, norm="ortho")],
    "ihfft": [_fft(X), _fft(X, axis=0, norm="forward")],
    "fftfreq": [as_in(lambda n, d, dtype: np.fft.fftfreq(n, d), 5, d=0.5, dtype=np.dtype("float64"))],
    "rfftfreq": [as_in(lambda n, d, dtype: np.fft.rfftfreq(n, d), 5, d=0.5, dtype=np.dtype("float64"))],
    "fftshift": [of(CUBE), of(X, axes=1)],
    "ifftshift": [of(CUBE), of(X, axes=(1,))],
}
