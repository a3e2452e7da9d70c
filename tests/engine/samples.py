"""Samples for each row of the table of primitives: operands and parameters at generic points.

Floating operands are float64 and away from kinks, so that finite differences make sense there; what holds at
the kinks is in test_gradient_cases.py. Tests walk the table, so a row that has no samples here fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.creation import tensor
from slopewise.engine.linearize import linearize
from slopewise.engine.primitives.loop import Extent
from slopewise.engine.trace import trace_function

FLOAT64 = np.dtype(np.float64)


@dataclass(frozen=True)
class Sample:
    """Operands and parameters of one application of a primitive."""

    operands: tuple[np.ndarray, ...]
    params: dict[str, Any] = field(default_factory=dict)


def array(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0) -> np.ndarray:
    """Return float64 numbers between bounds in a fixed irregular order, no two alike and none round."""
    size = int(np.prod(shape))
    order = np.random.default_rng(seed).permutation(size)
    return (low + (high - low) * (order + 0.437) / max(size, 1)).reshape(shape)


def positive(*shape: int, seed: int = 0) -> np.ndarray:
    return array(*shape, low=0.3, high=2.6, seed=seed)


def integers(*shape: int, low: int = -3, high: int = 4, dtype: Any = np.int64, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def booleans(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, shape).astype(bool)


def complexes(*shape: int) -> np.ndarray:
    return array(*shape) + 1j * array(*shape, seed=1)


def positive_definite(*shape: int) -> np.ndarray:
    half = array(*shape)
    return half @ half.swapaxes(-1, -2) + 2 * np.eye(shape[-1])


def well_conditioned(*shape: int) -> np.ndarray:
    return array(*shape, low=-1.0, high=1.0) + 3 * np.eye(shape[-1])


def _unary(**ranges: tuple[float, float]) -> list[Sample]:
    """Samples of a function of one operand: a matrix, no axes, no elements."""
    low, high = ranges.get("within", (-2.0, 2.0))
    return [
        Sample((array(2, 3, low=low, high=high),)),
        Sample((np.asarray(low + 0.37 * (high - low)),)),
        Sample((np.zeros((0, 2)),)),
    ]


def _binary(make: Callable[..., np.ndarray] = array) -> list[Sample]:
    """Samples of a function of two operands that broadcast in all the ways there are."""
    return [
        Sample((make(2, 3), make(2, 3, seed=1))),
        Sample((make(4, 1, 3), make(2, 1, seed=1))),
        Sample((make(3), make(2, 3, seed=1))),
        Sample((make(2, 3), make(seed=1))),
        Sample((make(0, 3), make(1, 3, seed=1))),
    ]


def _integer_binary(**options: Any) -> list[Sample]:
    def make(*shape: int, seed: int = 0) -> np.ndarray:
        return integers(*shape, seed=seed, **options)

    return [Sample((make(2, 3), make(2, 3, seed=1))), Sample((make(2, 1), make(3, seed=1)))]


def _axes(make: Callable[..., np.ndarray] = array, empty: bool = True) -> list[Sample]:
    """Samples of a reduction: one axis, several, none, all, and an axis without elements."""
    samples = [Sample((make(2, 3, 4),), {"axes": axes}) for axes in [(0,), (2,), (0, 2), (0, 1, 2), ()]]
    return [
        *samples,
        Sample((make(),), {"axes": ()}),
        *([Sample((make(3, 0),), {"axes": (1,)})] if empty else []),
    ]


def _axis(make: Callable[..., np.ndarray] = array, **params: Any) -> list[Sample]:
    return [
        Sample((make(5),), {"axis": 0, **params}),
        Sample((make(2, 3, 4),), {"axis": 1, **params}),
        Sample((make(3, 1),), {"axis": 1, **params}),
    ]


# ---- rows with parameters


def _cast() -> list[Sample]:
    return [
        Sample((array(2, 3),), {"dtype": FLOAT64}),
        Sample((integers(2, 3),), {"dtype": FLOAT64}),
        Sample((array(2, 3),), {"dtype": np.dtype(np.int64)}),
        Sample((array(2, 3),), {"dtype": np.dtype(np.bool_)}),
        Sample((array(2, 3),), {"dtype": np.dtype(np.complex128)}),
        Sample((booleans(2, 3),), {"dtype": np.dtype(np.float32)}),
    ]


def _conv() -> list[Sample]:
    def sample(
        x: np.ndarray, w: np.ndarray, stride: Any, padding: Any, dilated: Any, kernel_dilation: Any
    ) -> Sample:
        return Sample(
            (x, w),
            {
                "stride": stride,
                "padding": padding,
                "input_dilation": dilated,
                "kernel_dilation": kernel_dilation,
            },
        )

    one, two = (1, 1), (2, 2)
    return [
        sample(array(1, 2, 2, 5), array(1, 3, 2, 3, seed=1), (1,), ((0, 0),), (1,), (1,)),
        sample(array(2, 1, 2, 6), array(2, 2, 2, 3, seed=1), (2,), ((1, 1),), (1,), (1,)),
        sample(array(1, 2, 1, 7), array(1, 1, 1, 2, seed=1), (3,), ((2, 0),), (1,), (3,)),
        sample(array(1, 1, 2, 4), array(1, 1, 2, 3, seed=1), (1,), ((-1, 2),), (2,), (1,)),
        sample(array(1, 2, 2, 5, 4), array(1, 2, 2, 3, 2, seed=1), two, (one, (0, 1)), one, (1, 2)),
        sample(array(1, 1, 1, 6, 6), array(1, 1, 1, 2, 2, seed=1), two, ((0, 0), (0, 0)), one, one),
        sample(
            array(1, 1, 1, 2), array(1, 1, 1, 3, seed=1), (1,), ((0, 0),), (1,), (1,)
        ),  # the kernel never fits
        sample(array(1, 0, 1, 4), array(1, 2, 1, 3, seed=1), (1,), ((0, 0),), (1,), (1,)),
    ]


def _windows() -> list[Sample]:
    return [
        Sample((array(2, 7),), {"window": (3,), "stride": (2,), "dilation": (1,)}),
        Sample((array(2, 8),), {"window": (2,), "stride": (3,), "dilation": (2,)}),
        Sample((array(5, 4),), {"window": (2, 3), "stride": (1, 1), "dilation": (2, 1)}),
        Sample((array(2, 2),), {"window": (3,), "stride": (1,), "dilation": (1,)}),
    ]


def _overlap_add() -> list[Sample]:
    return [
        Sample((array(2, 3, 3),), {"space": (7,), "stride": (2,), "dilation": (1,)}),
        Sample((array(2, 3, 2),), {"space": (9,), "stride": (3,), "dilation": (2,)}),
        Sample((array(3, 2, 2, 3),), {"space": (5, 4), "stride": (1, 1), "dilation": (2, 1)}),
    ]


def _gather() -> list[Sample]:
    rows, columns = integers(4, low=-3, high=3), integers(4, low=-2, high=2, seed=1)
    return [
        Sample((array(3, 2), rows), {"axes": (0,)}),
        Sample((array(3, 2), columns.reshape(2, 2)), {"axes": (1,)}),
        Sample((array(3, 2), rows, columns), {"axes": (0, 1)}),
        Sample((array(3, 4, 2), rows, columns), {"axes": (0, 2)}),
        Sample((array(3, 2), np.asarray(-1)), {"axes": (0,)}),
        Sample((array(3, 2), np.zeros((0,), np.int64)), {"axes": (0,)}),
    ]


def _scatter_add() -> list[Sample]:
    rows, columns = integers(4, low=-3, high=3), integers(4, low=-2, high=2, seed=1)
    return [
        Sample((array(4, 2), rows), {"axes": (0,), "shape": (3, 2)}),
        Sample((array(4, 3), columns), {"axes": (1,), "shape": (3, 2)}),
        Sample((array(4), rows, columns), {"axes": (0, 1), "shape": (3, 2)}),
        Sample((array(4, 4), rows, columns), {"axes": (0, 2), "shape": (3, 4, 2)}),
        Sample((array(2), np.asarray(-1)), {"axes": (0,), "shape": (3, 2)}),
        Sample((array(0, 2), np.zeros((0,), np.int64)), {"axes": (0,), "shape": (3, 2)}),
    ]


def _scatter() -> list[Sample]:
    repeated, apart = np.array([0, -1, 0, 2]), np.array([3, -5])
    return [
        Sample((array(3, 2), array(4, 2, seed=1), repeated), {"axes": (0,)}),
        Sample((array(2, 5), array(2, 2, seed=1), apart), {"axes": (1,)}),
        Sample((array(3, 5), array(4, seed=1), repeated, np.array([1, 1, 1, -1])), {"axes": (0, 1)}),
        Sample((array(3, 2), array(2, seed=1), np.asarray(1)), {"axes": (0,)}),
        Sample((array(3, 2), array(0, 2, seed=1), np.zeros((0,), np.int64)), {"axes": (0,)}),
    ]


def _matmul() -> list[Sample]:
    plain = {"transpose_a": False, "transpose_b": False}
    samples = [
        Sample(
            (array(*((3, 2) if a else (2, 3))), array(*((4, 3) if b else (3, 4)), seed=1)),
            {"transpose_a": a, "transpose_b": b},
        )
        for a in (False, True)
        for b in (False, True)
    ]
    return [
        *samples,
        Sample((array(5, 2, 3), array(3, 4, seed=1)), plain),
        Sample((array(2, 1, 2, 3), array(4, 3, 2, seed=1)), plain),
        Sample((array(2, 0), array(0, 3, seed=1)), plain),
        Sample((integers(2, 3), integers(3, 2, seed=1)), plain),
    ]


def _slice() -> list[Sample]:
    return [
        Sample((array(5, 4),), {"starts": (1, 0), "stops": (5, 4), "steps": (2, 1)}),
        Sample((array(5, 4),), {"starts": (0, 1), "stops": (5, 4), "steps": (3, 2)}),
        Sample((array(5, 4),), {"starts": (0, 2), "stops": (0, 3), "steps": (1, 1)}),
        Sample((array(),), {"starts": (), "stops": (), "steps": ()}),
    ]


def _pad() -> list[Sample]:
    return [
        Sample((array(3, 2),), {"before": (1, 0), "after": (2, 1), "inner": (0, 2)}),
        Sample((array(0, 2),), {"before": (1, 0), "after": (1, 0), "inner": (3, 0)}),
        Sample((array(),), {"before": (), "after": (), "inner": ()}),
    ]


# ---- rows that hold graphs


def _call() -> list[Sample]:
    def body(x: Any, y: Any) -> Any:
        return ops.sin(x) * y, ops.exp(y).sum()

    operands = (array(2, 3), array(3, seed=1))
    graph = trace_function(body, tuple(map(tensor, operands))).graph
    linear = linearize(graph, (True, True))
    partly = linearize(graph, (False, True))
    return [
        Sample(operands, {"graph": graph, "linear": None}),
        Sample(operands, {"graph": linear.forward, "linear": linear}),
        Sample(operands, {"graph": partly.forward, "linear": partly}),  # linearized for one, asked for both,
    ]


def _scan() -> list[Sample]:
    weight, state, xs = array(2, 2), array(2, seed=1), array(4, 2, seed=2)

    def body(w: Any, s: Any, x: Any) -> Any:
        s = ops.tanh(w @ s + x)
        return s, s * w.sum()

    graph = trace_function(body, (tensor(weight), tensor(state), tensor(xs[0]))).graph
    linear = linearize(graph, (True, True, True), frozenset([1]))
    samples = []
    for reverse in (False, True):
        extent = Extent(1, 1, 4, reverse)
        samples.append(Sample((weight, state, xs), {"graph": graph, "linear": None, "extent": extent}))
    extent = Extent(1, 1, 4, False)
    samples.append(Sample((weight, state, xs), {"graph": linear.forward, "linear": linear, "extent": extent}))
    partly = linearize(graph, (False, True, False), frozenset([1]))  # linearized for the state, asked for all
    samples.append(Sample((weight, state, xs), {"graph": partly.forward, "linear": partly, "extent": extent}))
    counter = trace_function(lambda i, s: (i + 1, s * 0.5), (tensor(0), tensor(state))).graph
    samples.append(
        Sample((np.asarray(0), state), {"graph": counter, "linear": None, "extent": Extent(0, 2, 3, False)})
    )
    return samples


def _matrices(make: Callable[..., np.ndarray], **params: Any) -> list[Sample]:
    return [Sample((make(3, 3),), params), Sample((make(2, 2, 2),), params)]


_ADDRESS = np.array([7, 0, 3, 1], np.uint32)

SAMPLES: dict[str, list[Sample]] = {
    # one operand
    "neg": [*_unary(), Sample((integers(2, 3),)), Sample((complexes(2),))],
    "abs": [*_unary(), Sample((integers(2, 3),))],
    "sign": [*_unary(), Sample((integers(2, 3),))],
    "exp": [*_unary(), Sample((complexes(2),))],
    "expm1": _unary(),
    "log": _unary(within=(0.1, 3.0)),
    "log1p": _unary(within=(-0.8, 2.0)),
    "log2": _unary(within=(0.1, 3.0)),
    "log10": _unary(within=(0.1, 3.0)),
    "sqrt": _unary(within=(0.1, 3.0)),
    "sin": _unary(),
    "cos": _unary(),
    "tan": _unary(within=(-1.2, 1.2)),
    "asin": _unary(within=(-0.9, 0.9)),
    "acos": _unary(within=(-0.9, 0.9)),
    "atan": _unary(),
    "sinh": _unary(),
    "cosh": _unary(),
    "tanh": _unary(),
    "asinh": _unary(),
    "acosh": _unary(within=(1.2, 3.0)),
    "atanh": _unary(within=(-0.9, 0.9)),
    "gate": _binary(),
    "relu": _unary(),
    "sigmoid": _unary(within=(-6.0, 6.0)),
    "erf": _unary(within=(-3.0, 3.0)),
    "floor": [*_unary(), Sample((integers(2, 3),))],
    "ceil": [*_unary(), Sample((integers(2, 3),))],
    "trunc": [*_unary(), Sample((integers(2, 3),))],
    "round": [*_unary(), Sample((integers(2, 3),))],
    "isnan": [Sample((np.array([1.0, np.nan, np.inf]),)), Sample((integers(2),))],
    "isinf": [Sample((np.array([1.0, np.nan, np.inf]),)), Sample((integers(2),))],
    "isfinite": [Sample((np.array([1.0, np.nan, np.inf]),)), Sample((integers(2),))],
    "signbit": [Sample((np.array([1.0, -0.0, 0.0, -2.0]),))],
    "invert": [Sample((booleans(2, 3),)), Sample((integers(2, 3),))],
    # two operands
    "add": [*_binary(), *_integer_binary()],
    "sub": [*_binary(), *_integer_binary()],
    "mul": [*_binary(), *_integer_binary()],
    "div": _binary(positive),
    "pow": [*_binary(positive), *_integer_binary(low=0, high=4)],
    "maximum": [*_binary(), *_integer_binary()],
    "minimum": [*_binary(), *_integer_binary()],
    "floor_divide": [*_binary(positive), *_integer_binary(low=1)],
    "remainder": [*_binary(positive), *_integer_binary(low=1)],
    "atan2": _binary(),
    "hypot": _binary(),
    "logaddexp": _binary(),
    "copysign": _binary(),
    "nextafter": _binary(),
    **{name: [*_binary(), *_integer_binary()] for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    **{name: [*_integer_binary(), *_binary(booleans)] for name in ("and", "or", "xor")},
    **{name: _integer_binary(low=0, high=5) for name in ("shift_left", "shift_right")},
    "select": [
        Sample((booleans(2, 3), array(2, 3), array(2, 3, seed=1))),
        Sample((booleans(3), array(2, 1), array(seed=1))),
        Sample((booleans(2, 1), integers(3), integers(2, 3, seed=1))),
    ],
    "cast": _cast(),
    "detach": _unary(),
    "alias": _unary(),
    # shape
    "reshape": [Sample((array(2, 6),), {"shape": (3, 4)}), Sample((array(1, 1),), {"shape": ()})],
    "transpose": [Sample((array(2, 3, 4),), {"axes": (2, 0, 1)}), Sample((array(),), {"axes": ()})],
    "broadcast_to": [
        Sample((array(3, 1),), {"shape": (2, 3, 4)}),
        Sample((array(),), {"shape": (2, 2)}),
        Sample((array(1, 3),), {"shape": (0, 3)}),
    ],
    "slice": _slice(),
    "pad": _pad(),
    "flip": [Sample((array(2, 3),), {"axes": (0, 1)}), Sample((array(2, 3),), {"axes": ()})],
    "concatenate": [
        Sample((array(2, 3), array(1, 3, seed=1), array(0, 3)), {"axis": 0}),
        Sample((array(2, 1), array(2, 2, seed=1)), {"axis": 1}),
        Sample((array(2, 1),), {"axis": 1}),
    ],
    # reductions
    "sum": [*_axes(), *_axes(integers)],
    "prod": [
        *_axes(positive),
        *_axes(integers),
        Sample((np.array([[0.0, 1.5, 2.5], [0.0, 0.0, 3.5]]),), {"axes": (1,)}),
    ],
    "log_softmax": _axes(),
    "max": [*_axes(empty=False), *_axes(integers, empty=False)],
    "min": [*_axes(empty=False), *_axes(integers, empty=False)],
    "any": _axes(booleans),
    "all": _axes(booleans),
    "argmax": [*_axis(), *_axis(integers), *_axis(booleans)],
    "argmin": [*_axis(), *_axis(integers), *_axis(booleans)],
    "cumsum": [*_axis(), *_axis(integers), Sample((array(2, 0),), {"axis": 1})],
    "cumprod": [*_axis(), *_axis(integers), Sample((np.array([1.5, 0.0, 2.5, 0.0, 3.5]),), {"axis": 0})],
    # products, windows, picking
    "matmul": _matmul(),
    "conv": _conv(),
    "windows": _windows(),
    "overlap_add": _overlap_add(),
    "gather": _gather(),
    "scatter_add": _scatter_add(),
    "scatter": _scatter(),
    # host
    "inv": _matrices(well_conditioned),
    "cholesky": _matrices(positive_definite),
    "det": [*_matrices(well_conditioned), Sample((np.zeros((0, 0)),))],
    "slogdet": _matrices(well_conditioned),
    "solve": [
        Sample((well_conditioned(3, 3), array(3, 2, seed=1))),
        Sample((well_conditioned(2, 3, 3), array(3, 2, seed=1))),
        Sample((well_conditioned(3, 3), array(2, 3, 1, seed=1))),
    ],
    "svd": [Sample((array(3, 2),), {"full_matrices": full}) for full in (False, True)],
    "svdvals": [Sample((array(2, 3, 2),))],
    "eigh": _matrices(positive_definite),
    "eigvalsh": _matrices(positive_definite),
    "qr": [Sample((array(3, 2),), {"mode": mode}) for mode in ("reduced", "complete")],
    "pinv": [Sample((array(3, 2),), {"rtol": rtol}) for rtol in (None, 1e-10)],
    "fourier": [
        Sample((make(2, 3),), {"transform": transform, "sizes": sizes, "axes": axes, "norm": "backward"})
        for transform, make in (
            ("fft", complexes),
            ("ifft", complexes),
            ("rfft", array),
            ("irfft", complexes),
        )
        for sizes, axes in (((4,), (1,)), ((3, 2), (1, 0)))
    ],
    "argsort": [
        sample
        for descending in (False, True)
        for make in (array, integers, booleans)
        for sample in _axis(make, descending=descending, stable=True)
    ],
    "searchsorted": [
        Sample((np.array([-1.0, 0.5, 2.0]), array(2, 3)), {"side": side}) for side in ("left", "right")
    ],
    "real": [Sample((complexes(2, 3),))],
    "imag": [Sample((complexes(2, 3),))],
    "conj": [Sample((complexes(2, 3),))],
    "complex_abs": [Sample((complexes(2, 3),))],
    # others
    "random_bits": [Sample((_ADDRESS,), {"shape": (2, 5)}), Sample((_ADDRESS,), {"shape": ()})],
    "call": _call(),
    "scan": _scan(),
}
