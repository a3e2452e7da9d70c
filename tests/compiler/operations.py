"""The steps that random programs are made of: one row for each kind."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

import slopewise as sw
from slopewise.engine import ops
from slopewise.engine.creation import tensor
from slopewise.engine.primitive import TABLE, apply

FLOAT, NUMBER, ANY = "f", "fi", "fib"
SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33]  # around the widths of vectors
MOST_ELEMENTS = 3000


class Operation(NamedTuple):
    """A kind of step: its dtypes, how its parameters are drawn (None: not for this tensor), what it does."""

    kinds: str
    choose: Callable[..., dict[str, Any] | None]
    run: Callable[..., Any]


# ---- how parameters are drawn


def nothing(draw, x):
    return {}


def axis(draw, x):
    return {"axis": draw(st.integers(-x.ndim, x.ndim - 1))} if x.ndim else None


def nonempty_axis(draw, x):
    return axis(draw, x) if x.size else None


def axes(draw, x):
    """Some axes, all of them, or None."""
    if not x.size:
        return None
    chosen = draw(st.none() | st.sets(st.integers(0, x.ndim - 1)) if x.ndim else st.none())
    return {"axis": None if chosen is None else tuple(sorted(chosen)), "keepdims": draw(st.booleans())}


def constant(draw, x):
    return {"number": draw(st.sampled_from([0.0, 1.0, 2.0, -1.0, 0.5, 3.0, -0.7]))}


def integer(draw, x):
    return {"number": draw(st.sampled_from([1, 2, 3, -2, 5]))}


def exponent(draw, x):
    return {"number": draw(st.sampled_from([0.0, 1.0, 2.0, 3.0, 0.5, -1.0, 1.7]))}


def new_shape(draw, x):
    factors = [f for f in range(1, 9) if x.size and x.size % f == 0] or [1]
    first = draw(st.sampled_from(factors))
    return (
        {"shape": draw(st.sampled_from([(-1,), (first, -1), (-1, first), (1, first, -1)]))}
        if x.size
        else None
    )


def permutation(draw, x):
    return {"axes": tuple(draw(st.permutations(range(x.ndim))))}


def lead(draw, x):
    return {"shape": (draw(st.integers(1, 4)), *x.shape)} if x.size < MOST_ELEMENTS // 4 else None


def part(draw, x):
    if not x.ndim:
        return None
    key = []
    for size in x.shape:
        start = draw(st.integers(0, max(size - 1, 0)))
        key.append((start, draw(st.integers(start, size)), draw(st.sampled_from([1, 1, 2, 3]))))
    return {"key": tuple(key)}


def padding(draw, x):
    return (
        {"width": tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in x.shape)}
        if x.ndim
        else None
    )


def weights(draw, x):
    """A matrix with which a stack of rows can be multiplied."""
    if x.ndim < 1 or x.shape[-1] == 0:
        return None
    columns = draw(st.sampled_from(SIZES))
    return {"matrix": filled((x.shape[-1], columns), x.dtype) / math.sqrt(x.shape[-1])}


def filled(shape, dtype):
    return np.random.default_rng(math.prod(shape)).normal(size=shape).astype(dtype)


def picks(draw, x):
    if not x.ndim or not x.shape[0]:
        return None
    size = x.shape[0]
    return {"indices": np.array(draw(st.lists(st.integers(-size, size - 1), min_size=1, max_size=7)))}


def columns(draw, x):
    return picks(draw, x) if x.ndim == 2 and x.shape[1] else None


def kernel(draw, x):
    """A convolution of what has three or four axes: batch, channels, space."""
    if x.ndim not in (2, 3) or not x.size:
        return None
    channels = x.shape[1] if x.ndim == 3 else 1
    width = draw(st.integers(1, min(3, x.shape[-1])))
    return {
        "weight": filled((draw(st.integers(1, 4)), channels, width), x.dtype) / math.sqrt(channels * width),
        "stride": draw(st.integers(1, 2)),
        "padding": draw(st.integers(0, 2)),
    }


def window(draw, x):
    if not x.ndim or not x.shape[-1]:
        return None
    return {"size": draw(st.integers(1, min(3, x.shape[-1]))), "stride": draw(st.integers(1, 3))}


def direction(draw, x):
    return {"reverse": draw(st.booleans())} if x.ndim and x.shape[0] else None


def address(draw, x):
    return {"words": np.array([draw(st.integers(0, 9)), 0, draw(st.integers(0, 9)), 1], np.uint32)}


# ---- what steps do


def _conv(x, weight, stride, padding):
    x = x if x.ndim == 3 else x.reshape((x.shape[0], 1, x.shape[1]))
    return sw.conv(x, tensor(weight), stride=stride, padding=padding)


def _part(x, key):
    return x[tuple(slice(*triple) for triple in key)]


def _replaced(x, key):
    y = x * 1
    y[tuple(slice(*triple) for triple in key)] = 2
    return y


def _dropped(x, words):
    bits = apply(TABLE["random_bits"], tensor(words), shape=x.shape)
    return ops.where(bits >= 2**30, x / 0.75, 0.0)


def _recurrent(x, reverse):
    start = ops.zeros(x.shape[1:], x.dtype)
    state, states = sw.scan(lambda s, v: (ops.tanh(s * 0.5 + v), s + v), start, x, reverse=reverse)
    return states + state


def _accumulated(x, reverse):
    """A loop without gradient whose result is a count."""
    return sw.scan(lambda s, v: (s + (v > 0), None), ops.zeros(x.shape[1:], np.int64), x, reverse=reverse)[0]


def _added_at(x, indices):
    return sw.index_add(x, tensor(indices), ops.gather(x, tensor(indices)) * 0.5)


def _whole(x):
    """Return integers; what becomes of nan and of numbers that do not fit is not defined."""
    return ops.astype(ops.clip(ops.where(ops.isnan(x), 0.0, x), -99.0, 99.0), np.int64)


def _looked_up(x, indices):
    places = ops.remainder(_whole(x), len(indices))
    return ops.gather(tensor(filled((len(indices), 3), x.dtype)), places)


def _chosen(x, indices):
    rows = ops.arange(len(indices)) * 0 + tensor(indices)
    return ops.gather(x, rows, rows * 0)


def _positive(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: function(ops.absolute(x) + 0.25)


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: function(ops.clip(x, -3.0, 3.0))


def _inside(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: function(ops.tanh(x) * 0.9)


BINARY = {
    "add": Operation(NUMBER, nothing, ops.add),
    "subtract": Operation(NUMBER, nothing, ops.subtract),
    "multiply": Operation(NUMBER, nothing, ops.multiply),
    "divide": Operation(FLOAT, nothing, lambda x, y: x / (ops.absolute(y) + 0.5)),
    "maximum": Operation(NUMBER, nothing, ops.maximum),
    "minimum": Operation(NUMBER, nothing, ops.minimum),
    "hypot": Operation(FLOAT, nothing, ops.hypot),
    "atan2": Operation(FLOAT, nothing, lambda x, y: ops.atan2(x, ops.absolute(y) + 0.5)),
    "logaddexp": Operation(FLOAT, nothing, ops.logaddexp),
    "copysign": Operation(FLOAT, nothing, ops.copysign),
    "less": Operation(NUMBER, nothing, ops.less),
    "equal": Operation(ANY, nothing, ops.equal),
    "not_equal": Operation(ANY, nothing, ops.not_equal),
    "less_equal": Operation(NUMBER, nothing, ops.less_equal),
    "greater_equal": Operation(NUMBER, nothing, ops.greater_equal),
    "where": Operation(NUMBER, nothing, lambda x, y: ops.where(x > 0, y, x)),
    "and": Operation("ib", nothing, ops.bitwise_and),
    "or": Operation("ib", nothing, ops.bitwise_or),
    "xor": Operation("ib", nothing, ops.bitwise_xor),
    "concat": Operation(ANY, nothing, lambda x, y: ops.concatenate([x.reshape((-1,)), y.reshape((-1,))])),
    "stack": Operation(ANY, nothing, lambda x, y: ops.stack(ops.broadcast_together(x, y), axis=-1)),
}

UNARY = {
    "negative": Operation(NUMBER, nothing, ops.negative),
    "absolute": Operation(NUMBER, nothing, ops.absolute),
    "sign": Operation(NUMBER, nothing, ops.sign),
    "exp": Operation(FLOAT, nothing, _bounded(ops.exp)),
    "expm1": Operation(FLOAT, nothing, _bounded(ops.expm1)),
    "log": Operation(FLOAT, nothing, _positive(ops.log)),
    "log1p": Operation(FLOAT, nothing, _positive(ops.log1p)),
    "log2": Operation(FLOAT, nothing, _positive(ops.log2)),
    "log10": Operation(FLOAT, nothing, _positive(ops.log10)),
    "sqrt": Operation(FLOAT, nothing, _positive(ops.sqrt)),
    "sin": Operation(FLOAT, nothing, ops.sin),
    "cos": Operation(FLOAT, nothing, ops.cos),
    "tan": Operation(FLOAT, nothing, _inside(ops.tan)),
    "asin": Operation(FLOAT, nothing, _inside(ops.asin)),
    "acos": Operation(FLOAT, nothing, _inside(ops.acos)),
    "atan": Operation(FLOAT, nothing, ops.atan),
    "sinh": Operation(FLOAT, nothing, _bounded(ops.sinh)),
    "cosh": Operation(FLOAT, nothing, _bounded(ops.cosh)),
    "tanh": Operation(FLOAT, nothing, ops.tanh),
    "asinh": Operation(FLOAT, nothing, ops.asinh),
    "acosh": Operation(FLOAT, nothing, lambda x: ops.acosh(ops.absolute(x) + 1.25)),
    "atanh": Operation(FLOAT, nothing, _inside(ops.atanh)),
    "sigmoid": Operation(FLOAT, nothing, ops.sigmoid),
    "erf": Operation(FLOAT, nothing, ops.erf),
    "relu": Operation(FLOAT, nothing, ops.relu),
    "floor": Operation(FLOAT, nothing, ops.floor),
    "ceil": Operation(FLOAT, nothing, ops.ceil),
    "trunc": Operation(FLOAT, nothing, ops.trunc),
    "round": Operation(FLOAT, nothing, ops.round),
    "square": Operation(NUMBER, nothing, ops.square),
    "isfinite": Operation(FLOAT, nothing, ops.isfinite),
    "isinf": Operation(FLOAT, nothing, ops.isinf),
    "next": Operation(FLOAT, nothing, lambda x: ops.nextafter(x, 0.0)),
    "signbit": Operation(FLOAT, nothing, lambda x: ops.signbit(ops.where(ops.isnan(x), 0.0, x))),
    "invert": Operation("ib", nothing, ops.bitwise_invert),
    "softplus": Operation(FLOAT, nothing, lambda x: ops.logaddexp(x, 0.0)),
    "to_float": Operation("ib", nothing, lambda x: ops.astype(x, np.float32)),
    "to_double": Operation(ANY, nothing, lambda x: ops.astype(x, np.float64)),
    "to_single": Operation(FLOAT, nothing, lambda x: ops.astype(x, np.float32)),
    "to_int": Operation(FLOAT, nothing, _whole),
    "detached": Operation(FLOAT, nothing, lambda x: x * ops.detach(x)),
    "checkpoint": Operation(FLOAT, nothing, sw.checkpoint(lambda x: ops.tanh(x * x) * 0.5)),
    "outer": Operation(FLOAT, nothing, lambda x: x.reshape((-1, 1))[:40] * x.reshape((1, -1))[:, :40]),
    "gram": Operation(
        FLOAT, nothing, lambda x: (y := x.reshape((-1, max(1, x.shape[-1] if x.ndim else 1)))) @ y.T
    ),
    "tril": Operation(FLOAT, nothing, lambda x: ops.tril(x.reshape((1, -1)) + ops.zeros((3, 1), x.dtype))),
    "take_column": Operation(FLOAT, columns, _chosen),
    "plus": Operation(FLOAT, constant, lambda x, number: x + number),
    "minus": Operation(FLOAT, constant, lambda x, number: number - x),
    "times": Operation(FLOAT, constant, lambda x, number: x * number),
    "over": Operation(FLOAT, constant, lambda x, number: x / (number or 4.0)),
    "power": Operation(FLOAT, exponent, lambda x, number: ops.power(ops.absolute(x) + 0.25, number)),
    "integer_power": Operation("i", nothing, lambda x: ops.power(x, 2)),
    "plus_integer": Operation("i", integer, lambda x, number: x + number),
    "floor_divide": Operation(NUMBER, integer, lambda x, number: x // number),
    "remainder": Operation(NUMBER, integer, lambda x, number: x % number),
    "shift": Operation("i", nothing, lambda x: ops.bitwise_left_shift(ops.absolute(x), 2) - (x >> 1)),
    "masked": Operation(NUMBER, constant, lambda x, number: ops.where(x > number, x, 0)),
    "sum": Operation(NUMBER, axes, lambda x, axis, keepdims: ops.sum(x, axis, keepdims=keepdims)),
    "mean": Operation(FLOAT, axes, lambda x, axis, keepdims: ops.mean(x, axis, keepdims=keepdims)),
    "max": Operation(NUMBER, axes, lambda x, axis, keepdims: ops.max(x, axis, keepdims=keepdims)),
    "min": Operation(NUMBER, axes, lambda x, axis, keepdims: ops.min(x, axis, keepdims=keepdims)),
    "prod": Operation(FLOAT, axes, lambda x, axis, keepdims: ops.prod(ops.tanh(x), axis, keepdims=keepdims)),
    "var": Operation(FLOAT, axes, lambda x, axis, keepdims: ops.var(x, axis, keepdims=keepdims)),
    "any": Operation("b", axes, lambda x, axis, keepdims: ops.any(x, axis, keepdims=keepdims)),
    "all": Operation("b", axes, lambda x, axis, keepdims: ops.all(x, axis, keepdims=keepdims)),
    "logsumexp": Operation(FLOAT, axes, lambda x, axis, keepdims: ops.logsumexp(x, axis, keepdims=keepdims)),
    "log_softmax": Operation(FLOAT, nonempty_axis, ops.log_softmax),
    "softmax": Operation(FLOAT, nonempty_axis, ops.softmax),
    "argmax": Operation(NUMBER, nonempty_axis, ops.argmax),
    "argmin": Operation(NUMBER, nonempty_axis, ops.argmin),
    "cumsum": Operation(NUMBER, axis, ops.cumsum),
    "cumprod": Operation(FLOAT, axis, lambda x, axis: ops.cumprod(ops.tanh(x), axis)),
    "reshape": Operation(ANY, new_shape, ops.reshape),
    "transpose": Operation(ANY, permutation, ops.transpose),
    "broadcast_to": Operation(ANY, lead, ops.broadcast_to),
    "slice": Operation(ANY, part, _part),
    "replace": Operation(NUMBER, part, _replaced),
    "flip": Operation(ANY, axis, ops.flip),
    "pad": Operation(NUMBER, padding, lambda x, width: sw.pad(x, width)),
    "linear": Operation(
        FLOAT, weights, lambda x, matrix: (x if x.ndim > 1 else x.reshape((1, -1))) @ tensor(matrix)
    ),
    "conv": Operation(FLOAT, kernel, _conv),
    "max_pool": Operation(
        FLOAT, window, lambda x, size, stride: ops.max(sw.sliding_windows(x, size, stride=stride), -1)
    ),
    "windows": Operation(
        FLOAT, window, lambda x, size, stride: ops.sum(sw.sliding_windows(x, size, stride=stride), -1)
    ),
    "take": Operation(ANY, picks, lambda x, indices: ops.gather(x, tensor(indices))),
    "look_up": Operation(FLOAT, picks, _looked_up),
    "index_add": Operation(FLOAT, picks, _added_at),
    "dropout": Operation(FLOAT, address, _dropped),
    "recurrence": Operation(FLOAT, direction, _recurrent),
    "count": Operation(FLOAT, direction, _accumulated),
}

OPERATIONS = {**UNARY, **BINARY}
