"""Values, gradients and second derivatives against PyTorch's, which tests/reference/make_engine.py stored."""

import json
from pathlib import Path

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine import ops
from slopewise.engine.primitive import apply
from slopewise.engine.primitives.convolution import conv, windows
from slopewise.engine.primitives.host import argsort, cholesky, det, inv, slogdet, solve

DATA = json.loads((Path(__file__).parents[1] / "reference" / "engine.json").read_text())


def softmax(x):
    return ops.exp(x - ops.logsumexp(x, 1, keepdims=True))


def assigned(x, values):
    y = x + 0.0
    y[[0, 2]] = values
    return y


def convolve(x, w, stride, padding, dilation, groups=1):
    """Bring PyTorch's layout into that of the primitive, which has an axis of groups."""
    ndim = x.ndim - 2
    x = x.reshape((x.shape[0], groups, -1, *x.shape[2:]))
    w = w.reshape((groups, -1, *w.shape[1:]))
    y = apply(
        conv,
        ops.swapaxes(x, 0, 1),
        w,
        stride=stride,
        padding=tuple((p, p) for p in padding),
        input_dilation=(1,) * ndim,
        kernel_dilation=dilation,
    )
    y = ops.swapaxes(y, 0, 1)
    return y.reshape((y.shape[0], y.shape[1] * y.shape[2], *y.shape[3:]))


def conv1d(stride, padding, dilation):
    return lambda x, w: convolve(x, w, (stride,), (padding,), (dilation,), groups=2)


def unfold(x):
    y = apply(windows, x, window=(2, 3), stride=(2, 1), dilation=(1, 1))
    n, c, *_ = x.shape
    return y.transpose(0, 1, 4, 5, 2, 3).reshape((n, c * 6, -1))


def sorted_columns(x):
    order = apply(argsort, x, axis=0, descending=False, stable=True)
    return x[order, np.arange(x.shape[1])]


FUNCTIONS = {
    **{
        name: getattr(ops, name)
        for name in (
            *("exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "sigmoid", "erf", "square", "sign"),
            *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
            *("floor", "ceil", "trunc", "maximum", "minimum", "atan2", "hypot", "logaddexp", "copysign"),
            *("matmul", "linear", "tril"),
        )
    },
    "abs": ops.absolute,
    "add": ops.add,
    "sub": ops.subtract,
    "mul": ops.multiply,
    "div": ops.divide,
    "pow": ops.power,
    "relu": lambda x: ops.where(x > 0, x, 0.0),
    "softplus": lambda x: ops.logaddexp(x, 0.0),
    "clip": lambda x: ops.clip(x, -1.0, 1.0),
    "remainder": lambda x: x % 0.7,
    "square_by_pow": lambda x: x**2,
    "cube_by_pow": lambda x: x**3,
    "power_minus_2": lambda x: x**-2,
    "power_0": lambda x: x**0,
    "where": lambda x: ops.where(x > 0, x * x, -x),
    "amax": lambda x: x.max(1),
    "amax_all": lambda x: x.max(),
    "amin": lambda x: x.min(1),
    "amin_all": lambda x: x.min(),
    "sum": lambda x: x.sum(1),
    "mean": lambda x: x.mean(1),
    "var": lambda x: ops.var(x, 1),
    "var_1": lambda x: ops.var(x, 1, correction=1),
    "std_1": lambda x: ops.std(x, 1, correction=1),
    "prod": lambda x: ops.prod(x, 0),
    "cumprod": lambda x: ops.cumprod(x, 0),
    "cumsum": lambda x: ops.cumsum(x, 0),
    "logsumexp": lambda x: ops.logsumexp(x, 1),
    "softmax": softmax,
    "log_softmax": lambda x: x - ops.logsumexp(x, 1, keepdims=True),
    "norm": lambda x: ops.safe_sqrt((x * x).sum(1)),
    "repeated_rows": lambda x: x[[0, 2, 2, -1, 0]],
    "points": lambda x: x[[0, 1, 1], [1, 0, 0]],
    "stepped": lambda x: x[::2, :1],
    "masked": lambda x: x[np.array([True, False, True])],
    "assigned": assigned,
    "concat": lambda x, y: ops.concatenate([x, y[:0], y]),
    "stack_twice": lambda x: ops.stack([x, x]),
    "transpose": lambda x: x.T,
    "flip": lambda x: ops.flip(x, 0),
    "broadcast": lambda x: ops.broadcast_to(x, (2, 3, 2)),
    "sorted": sorted_columns,
    "inv": lambda x: apply(inv, x),
    "det": lambda x: apply(det, x),
    "logabsdet": lambda x: apply(slogdet, x)[1],
    "solve": lambda a, b: apply(solve, a, b),
    "cholesky": lambda x: apply(cholesky, x),
    "conv1d_1_0_1": conv1d(1, 0, 1),
    "conv1d_2_1_1": conv1d(2, 1, 1),
    "conv1d_3_2_2": conv1d(3, 2, 2),
    "conv1d_2_0_3": conv1d(2, 0, 3),
    "conv2d": lambda x, w: convolve(x, w, (2, 1), (1, 0), (1, 2)),
    "unfold": unfold,
}


def identifier(case):
    return case["name"]


def test_every_stored_case_is_compared():
    assert {case["name"] for case in DATA["cases"]} == set(FUNCTIONS)


@pytest.mark.parametrize("case", DATA["cases"], ids=identifier)
def test_values_and_gradients_agree_with_pytorch(case):
    inputs = [sw.tensor(np.array(x)) for x in case["inputs"]]
    y, pull = sw.vjp(FUNCTIONS[case["name"]], *inputs)
    np.testing.assert_allclose(y.numpy(), case["y"], rtol=1e-11, atol=1e-13)
    gradients = pull(sw.tensor(np.array(case["u"])))
    for ours, theirs in zip(gradients, case["gradients"], strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("case", [c for c in DATA["cases"] if "seconds" in c], ids=identifier)
def test_second_derivatives_agree_with_pytorch(case):
    inputs = [sw.tensor(np.array(x)) for x in case["inputs"]]
    u = sw.tensor(np.array(case["u"]))

    def pulled(*values):
        return sw.vjp(FUNCTIONS[case["name"]], *values)[1](u)

    seconds = sw.vjp(pulled, *inputs)[1](tuple(sw.tensor(np.array(v)) for v in case["v"]))
    for ours, theirs in zip(seconds, case["seconds"], strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-9, atol=1e-11)
