"""Makes engine.json: values and gradients that PyTorch gives, at generic points and where conventions matter.

Run in an environment of its own (`pip install torch==2.13.0`): python tests/reference/make_engine.py
The tests read engine.json only. A case is a name, inputs, the value y, a cotangent u, the gradients of <u, y>
and, where PyTorch has them, the gradients of the sum of those gradients' elements times fixed weights v.
"""

import json
from pathlib import Path

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
INF, NAN = float("inf"), float("nan")


def fixed(shape, start):
    """Return numbers without a pattern that are the same each time."""
    count = int(torch.tensor(shape).prod()) if shape else 1
    return (torch.sin(torch.arange(count) * 1.7 + start) * 1.3).reshape(shape)


def case(name, function, *inputs, second=True):
    leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs]
    y = function(*leaves)
    u = fixed(y.shape, 0.5)
    gradients = torch.autograd.grad((u * y).sum(), leaves, create_graph=second, allow_unused=True)
    gradients = [torch.zeros_like(x) if g is None else g for x, g in zip(leaves, gradients)]
    result = {"name": name, "inputs": [x.tolist() for x in leaves], "u": u.tolist(), "y": y.tolist(),
              "gradients": [g.tolist() for g in gradients]}  # fmt: skip
    if second:
        v = [fixed(x.shape, 1.5 + k) for k, x in enumerate(leaves)]
        total = sum((g * w).sum() for g, w in zip(gradients, v))
        seconds = [None] * len(leaves)
        if total.requires_grad:
            seconds = torch.autograd.grad(total, leaves, allow_unused=True)
        result["v"] = [w.tolist() for w in v]
        zeros = [torch.zeros_like(x) for x in leaves]
        result["seconds"] = [(zero if s is None else zero + s).tolist() for zero, s in zip(zeros, seconds)]
    return result


GENERIC = [-2.3, -1.2, -0.4, 0.3, 0.9, 1.7]
UNIT = [-0.9, -0.5, -0.1, 0.2, 0.6, 0.95]
POSITIVE = [0.05, 0.3, 0.9, 1.7, 3.1]
AROUND_ZERO = [-1.5, 0.0, 1.5]
MATRIX = [[2.0, 0.3, -0.7], [0.1, 1.5, 0.4], [-0.2, 0.6, 1.9]]
OTHER = [[0.5, -1.0], [1.5, 0.25], [-0.75, 2.0]]


def elementwise_cases():
    for name in ("exp", "expm1", "sin", "cos", "atan", "sinh", "cosh", "tanh", "asinh", "sigmoid", "erf"):
        yield case(name, getattr(torch, name), GENERIC)
    for name in ("log", "log1p", "log2", "log10", "sqrt"):
        yield case(name, getattr(torch, name), POSITIVE)
    for name in ("asin", "acos", "atanh", "tan"):
        yield case(name, getattr(torch, name), UNIT)
    yield case("acosh", torch.acosh, [1.1, 1.7, 3.0])
    for name in ("abs", "sign", "floor", "ceil", "trunc"):
        yield case(name, getattr(torch, name), [*GENERIC, 0.0], second=name == "abs")
    yield case("square", torch.square, AROUND_ZERO)
    yield case("relu", torch.relu, AROUND_ZERO)
    yield case("sqrt", torch.sqrt, [0.0, 4.0], second=False)
    yield case("log", torch.log, [0.0, 4.0], second=False)
    yield case("log1p", torch.log1p, [-1e-12, 0.0, 1e-12, 1e-5])
    yield case("expm1", torch.expm1, [-1e-12, 0.0, 1e-12, 1e-5])
    yield case("sigmoid", torch.sigmoid, [-1e3, -40.0, 40.0, 1e3])
    yield case("softplus", F.softplus, [-1e3, -40.0, 0.0, 40.0, 1e3], second=False)
    yield case("tanh", torch.tanh, [-1e3, -20.0, 20.0, 1e3])
    yield case("clip", lambda x: torch.clamp(x, -1.0, 1.0), [-1.5, -1.0, 0.0, 1.0, 1.5])
    yield case("remainder", lambda x: torch.remainder(x, 0.7), GENERIC)


def pair_cases():
    a, b = [1.5, -0.5, 2.0, 0.3], [0.5, 1.5, -1.0, 0.9]
    for name in ("add", "sub", "mul", "div", "maximum", "minimum", "atan2", "hypot", "logaddexp"):
        yield case(name, getattr(torch, name), a, b)
    yield case("copysign", torch.copysign, a, b, second=False)
    yield case("maximum", torch.maximum, [1.0, 2.0, 3.0], [1.0, 3.0, 2.0], second=False)
    yield case("minimum", torch.minimum, [1.0, 2.0, 3.0], [1.0, 3.0, 2.0], second=False)
    yield case("logaddexp", torch.logaddexp, [1e4, -1e4, 0.0], [1e4, 1e4, -1e4], second=False)
    yield case("pow", torch.pow, [0.5, 1.5, 2.0], [2.5, -1.5, 3.0])
    yield case("pow", torch.pow, [0.0, 0.0, 0.0, 2.0], [2.0, 1.0, 3.0, 0.0], second=False)
    yield case("pow", torch.pow, [0.0], [0.0], second=False)
    yield case("square_by_pow", lambda x: x**2, AROUND_ZERO)
    yield case("cube_by_pow", lambda x: x**3, AROUND_ZERO)
    yield case("power_minus_2", lambda x: x**-2, [-1.5, 0.5, 2.0])
    yield case("power_0", lambda x: x**0, AROUND_ZERO, second=False)
    yield case("where", lambda x: torch.where(x > 0, x * x, -x), GENERIC)


def reduction_cases():
    ties = [[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [0.0, -1.0, 5.0]]
    for name, function in [("amax", torch.amax), ("amin", torch.amin)]:
        yield case(name, lambda x, f=function: f(x, dim=1), ties, second=False)
        yield case(name + "_all", lambda x, f=function: f(x), ties, second=False)
    yield case("sum", lambda x: x.sum(1), ties)
    yield case("mean", lambda x: x.mean(1), ties)
    yield case("var", lambda x: x.var(1, correction=0), MATRIX)
    yield case("var_1", lambda x: x.var(1, correction=1), MATRIX)
    yield case("std_1", lambda x: x.std(1, correction=1), MATRIX)
    for line in ([1.5, -2.0, 0.5], [1.5, 0.0, 0.5], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]):
        yield case("prod", lambda x: x.prod(0), line)
        yield case("cumprod", lambda x: x.cumprod(0), line)
    yield case("cumsum", lambda x: x.cumsum(0), [1.5, 0.0, 0.5])
    yield case("logsumexp", lambda x: x.logsumexp(1), MATRIX)
    yield case("logsumexp", lambda x: x.logsumexp(1), [[1e4, 1e4, 0.0], [-1e4, -1e4, -1e4]], second=False)
    yield case("softmax", lambda x: x.softmax(1), MATRIX)
    yield case("softmax", lambda x: x.softmax(1), [[-INF, 0.5, 1.5], [1e4, -1e4, 1e4]])
    yield case("log_softmax", lambda x: x.log_softmax(1), [[0.1, 0.5, 1.5], [1e4, -1e4, 1e4]])
    yield case("norm", lambda x: torch.linalg.vector_norm(x, dim=1), [[3.0, 4.0], [1.0, -1.0]])
    yield case("norm", lambda x: torch.linalg.vector_norm(x, dim=1), [[0.0, 0.0], [1.0, -1.0]], second=False)


def shape_cases():
    index = torch.tensor([0, 2, 2, -1, 0])
    yield case("repeated_rows", lambda x: x[index], OTHER)
    yield case("points", lambda x: x[torch.tensor([0, 1, 1]), torch.tensor([1, 0, 0])], OTHER)
    yield case("stepped", lambda x: x[::2, :1], OTHER)
    yield case("masked", lambda x: x[torch.tensor([True, False, True])], OTHER)
    yield case(
        "assigned",
        lambda x, v: x.clone().index_put((torch.tensor([0, 2]),), v),
        OTHER,
        [[9.0, 8.0], [7.0, 6.0]],
    )
    yield case("concat", lambda x, y: torch.cat([x, y[:0], y]), OTHER, OTHER)
    yield case("stack_twice", lambda x: torch.stack([x, x]), OTHER)
    yield case("transpose", lambda x: x.permute(1, 0), OTHER)
    yield case("flip", lambda x: x.flip(0), OTHER)
    yield case("broadcast", lambda x: x.broadcast_to(2, 3, 2), OTHER)
    yield case("sorted", lambda x: x.sort(0).values, OTHER)
    yield case("tril", torch.tril, MATRIX)


def product_cases():
    yield case("matmul", torch.matmul, MATRIX, OTHER)
    yield case("matmul", torch.matmul, MATRIX, [1.0, -2.0, 0.5])
    yield case("matmul", torch.matmul, [1.0, -2.0, 0.5], MATRIX)
    yield case("matmul", torch.matmul, [1.0, -2.0, 0.5], [0.5, 0.25, 1.0])
    yield case("matmul", torch.matmul, [MATRIX, MATRIX], OTHER)
    yield case("linear", F.linear, MATRIX, [[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]], [0.25, -0.5])
    yield case("inv", torch.linalg.inv, MATRIX)
    yield case("det", torch.linalg.det, MATRIX)
    yield case("logabsdet", lambda x: torch.linalg.slogdet(x)[1], MATRIX)
    yield case("solve", torch.linalg.solve, MATRIX, OTHER)
    positive = (torch.tensor(MATRIX) @ torch.tensor(MATRIX).T).tolist()
    yield case("cholesky", torch.linalg.cholesky, positive)


def convolution_cases():
    x, w = fixed((2, 4, 7), 0.1).tolist(), fixed((6, 2, 3), 0.2).tolist()
    for stride, padding, dilation in [(1, 0, 1), (2, 1, 1), (3, 2, 2), (2, 0, 3)]:
        name = f"conv1d_{stride}_{padding}_{dilation}"
        settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": 2}
        yield case(name, lambda x, w, s=settings: F.conv1d(x, w, **s), x, w)
    x, w = fixed((2, 2, 5, 6), 0.3).tolist(), fixed((3, 2, 2, 3), 0.4).tolist()
    yield case("conv2d", lambda x, w: F.conv2d(x, w, None, (2, 1), (1, 0), (1, 2)), x, w)
    yield case("unfold", lambda x: F.unfold(x, (2, 3), padding=0, stride=(2, 1)), x, second=False)


def main():
    groups = (elementwise_cases, pair_cases, reduction_cases, shape_cases, product_cases, convolution_cases)
    data = {"torch": torch.__version__, "cases": [made for group in groups for made in group()]}
    Path(__file__).with_name("engine.json").write_text(json.dumps(data) + "\n")


if __name__ == "__main__":
    main()
