"""Elementwise primitives: one number from the numbers at the same place."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from slopewise.engine import special
from slopewise.engine.aval import Array, Aval, Dtype
from slopewise.engine.errors import DtypeError, GradientError
from slopewise.engine.primitive import Primitive, Rule, apply, define
from slopewise.engine.primitives.rules import BOOL, batch_elementwise, broadcast_shapes, elementwise

FLOAT = "f"
FLOAT_COMPLEX = "fc"
NUMBER = "iufc"
REAL = "iuf"
ALL = "biufc"
BITS = "biu"


def flat(*_: Any, **__: Any) -> None:
    """The gradient rule of a piecewise constant function: zero everywhere."""
    return


def _row(
    name: str,
    kinds: str,
    compute: Callable[..., Any],
    *vjp: Rule | None,
    saves: str = "",
    result: Any = None,
    core: bool = True,
) -> Primitive:
    return define(
        name,
        infer=elementwise(name, kinds, result),
        compute=compute,
        vjp=vjp or None,
        batch=batch_elementwise(name),
        saves=saves,
        core=core,
        elementwise=True,
    )


# ---- one operand. Complex dtypes are eager and carry no gradient.
# A row: name, dtype kinds, NumPy function, gradient with respect to x, and what that looks at (`saves`).
neg: Primitive = _row("neg", NUMBER, np.negative, lambda g, y, x: -g)
abs: Primitive = _row("abs", REAL, np.abs, lambda g, y, x: g * ops.sign(x), saves="x")  # abs'(0) = 0
sign: Primitive = _row("sign", NUMBER, np.sign, flat)
exp: Primitive = _row("exp", FLOAT_COMPLEX, np.exp, lambda g, y, x: g * y, saves="y")
expm1: Primitive = _row("expm1", FLOAT_COMPLEX, np.expm1, lambda g, y, x: g * (y + 1), saves="y")
log: Primitive = _row("log", FLOAT_COMPLEX, np.log, lambda g, y, x: g / x, saves="x")
log1p: Primitive = _row("log1p", FLOAT_COMPLEX, np.log1p, lambda g, y, x: g / (x + 1), saves="x")
log2: Primitive = _row("log2", FLOAT_COMPLEX, np.log2, lambda g, y, x: g / (x * math.log(2)), saves="x")
log10: Primitive = _row("log10", FLOAT_COMPLEX, np.log10, lambda g, y, x: g / (x * math.log(10)), saves="x")
sqrt: Primitive = _row("sqrt", FLOAT_COMPLEX, np.sqrt, lambda g, y, x: g * 0.5 / y, saves="y")
sin: Primitive = _row("sin", FLOAT_COMPLEX, np.sin, lambda g, y, x: g * ops.cos(x), saves="x")
cos: Primitive = _row("cos", FLOAT_COMPLEX, np.cos, lambda g, y, x: -g * ops.sin(x), saves="x")
tan: Primitive = _row("tan", FLOAT_COMPLEX, np.tan, lambda g, y, x: g * (1 + y * y), saves="y")
asin: Primitive = _row("asin", FLOAT_COMPLEX, np.arcsin, lambda g, y, x: g / ops.sqrt(1 - x * x), saves="x")
acos: Primitive = _row("acos", FLOAT_COMPLEX, np.arccos, lambda g, y, x: -g / ops.sqrt(1 - x * x), saves="x")
atan: Primitive = _row("atan", FLOAT_COMPLEX, np.arctan, lambda g, y, x: g / (1 + x * x), saves="x")
sinh: Primitive = _row("sinh", FLOAT_COMPLEX, np.sinh, lambda g, y, x: g * ops.cosh(x), saves="x")
cosh: Primitive = _row("cosh", FLOAT_COMPLEX, np.cosh, lambda g, y, x: g * ops.sinh(x), saves="x")
tanh: Primitive = _row("tanh", FLOAT_COMPLEX, np.tanh, lambda g, y, x: g * (1 - y * y), saves="y")
asinh: Primitive = _row(
    "asinh", FLOAT_COMPLEX, np.arcsinh, lambda g, y, x: g / ops.sqrt(x * x + 1), saves="x"
)
acosh: Primitive = _row(
    "acosh", FLOAT_COMPLEX, np.arccosh, lambda g, y, x: g / ops.sqrt(x * x - 1), saves="x"
)
atanh: Primitive = _row("atanh", FLOAT_COMPLEX, np.arctanh, lambda g, y, x: g / (1 - x * x), saves="x")
sigmoid: Primitive = _row("sigmoid", FLOAT, special.sigmoid, lambda g, y, x: g * y * (1 - y), saves="y")
erf: Primitive = _row(
    "erf", FLOAT, special.erf, lambda g, y, x: g * ops.exp(-x * x) * (2 / math.sqrt(math.pi)), saves="x"
)
relu: Primitive = _row(
    "relu", REAL, special.relu, lambda g, y, x: apply(gate, g, y), saves="y"
)  # relu'(0) = 0
floor: Primitive = _row("floor", REAL, np.floor, flat)
ceil: Primitive = _row("ceil", REAL, np.ceil, flat)
trunc: Primitive = _row("trunc", REAL, np.trunc, flat)
round: Primitive = _row("round", NUMBER, np.round, flat)  # halves to even
isnan: Primitive = _row("isnan", NUMBER, np.isnan, result=BOOL)
isinf: Primitive = _row("isinf", NUMBER, np.isinf, result=BOOL)
isfinite: Primitive = _row("isfinite", NUMBER, np.isfinite, result=BOOL)
signbit: Primitive = _row("signbit", FLOAT, np.signbit, result=BOOL)
invert: Primitive = _row("invert", BITS, np.invert)


# ---- two operands


def _x_over(g: Any, x: Any, y: Any) -> Any:
    """Share of a maximum's gradient that goes to x: all if it is larger, half of a tie."""
    return g * ops.where(x == y, 0.5, (x > y).astype(g.dtype))


def _pow_base(g: Any, y: Any, x: Any, p: Any) -> Any:
    """p x^(p-1), and 0 where p is 0 even at x = 0."""
    return g * ops.where(p == 0, 0.0, p * ops.power(x, ops.where(p == 0, 1.0, p - 1)))


def _pow_exponent(g: Any, y: Any, x: Any, p: Any) -> Any:
    """x^p log x, and 0 at x = 0 where p >= 0, its limit from the right."""
    at_zero = (x == 0) & (p >= 0)
    return g * ops.where(at_zero, 0.0, y * ops.log(ops.where(at_zero, 1.0, x)))


def _hypot_share(g: Any, y: Any, x: Any) -> Any:
    return g * ops.where(y == 0, 0.0, x / ops.where(y == 0, 1.0, y))


def _logaddexp_share(g: Any, y: Any, x: Any) -> Any:
    return g * ops.where(y == -math.inf, 0.0, ops.exp(x - ops.where(y == -math.inf, 0.0, y)))


gate: Primitive = _row(
    "gate",
    REAL,
    lambda x, control: np.where(control > 0, x, x.dtype.type(0)),  # x where the control is positive, else 0
    lambda g, y, x, control: apply(gate, g, control),
    flat,
    saves="x",
)
add: Primitive = _row("add", NUMBER, np.add, lambda g, y, a, b: g, lambda g, y, a, b: g)
sub: Primitive = _row("sub", NUMBER, np.subtract, lambda g, y, a, b: g, lambda g, y, a, b: -g)
mul: Primitive = _row(
    "mul", NUMBER, np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a, saves="x"
)
div: Primitive = _row(
    "div", FLOAT_COMPLEX, np.divide, lambda g, y, a, b: g / b, lambda g, y, a, b: -g * (y / b), saves="xy"
)
pow: Primitive = _row(
    "pow",
    NUMBER,
    np.power,
    lambda g, y, x, p: _pow_base(g, y, x, p),
    lambda g, y, x, p: _pow_exponent(g, y, x, p),
    saves="xy",
)
maximum: Primitive = _row(
    "maximum",
    REAL,
    np.maximum,
    lambda g, y, a, b: _x_over(g, a, b),
    lambda g, y, a, b: _x_over(g, b, a),
    saves="x",
)
minimum: Primitive = _row(
    "minimum",
    REAL,
    np.minimum,
    lambda g, y, a, b: _x_over(g, b, a),
    lambda g, y, a, b: _x_over(g, a, b),
    saves="x",
)
floor_divide: Primitive = _row("floor_divide", REAL, np.floor_divide, flat, flat)
remainder: Primitive = _row(
    "remainder",
    REAL,
    np.remainder,
    lambda g, y, a, b: g,
    lambda g, y, a, b: -g * ops.floor(a / b),
    saves="x",
)
atan2: Primitive = _row(
    "atan2",
    FLOAT,
    np.arctan2,
    lambda g, y, a, b: g * (b / (a * a + b * b)),
    lambda g, y, a, b: -g * (a / (a * a + b * b)),
    saves="x",
)
hypot: Primitive = _row(
    "hypot",
    FLOAT,
    np.hypot,
    lambda g, y, a, b: _hypot_share(g, y, a),
    lambda g, y, a, b: _hypot_share(g, y, b),
    saves="xy",
)
logaddexp: Primitive = _row(
    "logaddexp",
    FLOAT,
    np.logaddexp,
    lambda g, y, a, b: _logaddexp_share(g, y, a),
    lambda g, y, a, b: _logaddexp_share(g, y, b),
    saves="xy",
)
copysign: Primitive = _row(
    "copysign", FLOAT, np.copysign, lambda g, y, a, b: g * ops.sign(a) * ops.sign(y), flat, saves="xy"
)
nextafter: Primitive = _row("nextafter", FLOAT, np.nextafter, lambda g, y, a, b: g, flat)

eq: Primitive = _row("eq", ALL, np.equal, result=BOOL)
ne: Primitive = _row("ne", ALL, np.not_equal, result=BOOL)
lt: Primitive = _row("lt", REAL, np.less, result=BOOL)
le: Primitive = _row("le", REAL, np.less_equal, result=BOOL)
gt: Primitive = _row("gt", REAL, np.greater, result=BOOL)
ge: Primitive = _row("ge", REAL, np.greater_equal, result=BOOL)
bitwise_and: Primitive = _row("and", BITS, np.bitwise_and)
bitwise_or: Primitive = _row("or", BITS, np.bitwise_or)
bitwise_xor: Primitive = _row("xor", BITS, np.bitwise_xor)
shift_left: Primitive = _row("shift_left", "iu", np.left_shift)
shift_right: Primitive = _row("shift_right", "iu", np.right_shift)


# ---- choice and conversion


def _infer_select(condition: Aval, x: Aval, y: Aval) -> Aval:
    if condition.dtype != BOOL:
        raise DtypeError(f"'where' needs a boolean condition, not {condition.dtype}")
    if x.dtype != y.dtype:
        raise DtypeError(f"'where' needs two values of one dtype, not {x.dtype} and {y.dtype}")
    return Aval(broadcast_shapes("where", condition.shape, x.shape, y.shape), x.dtype)


select: Primitive = define(
    "select",
    infer=_infer_select,
    compute=np.where,
    vjp=(None, lambda g, y, c, a, b: ops.where(c, g, 0.0), lambda g, y, c, a, b: ops.where(c, 0.0, g)),
    batch=batch_elementwise("select"),
    saves="x",
    elementwise=True,
)


def _cast(x: Array, dtype: Dtype) -> Array:
    return x.astype(dtype)


def _cast_vjp(g: Any, y: Any, x: Any, dtype: Dtype) -> Any:
    if dtype.kind == "c":
        raise GradientError(
            "complex numbers carry no gradient: .detach() what becomes complex, or keep to real ones"
        )
    return g.astype(x.dtype) if dtype.kind == "f" else None


cast: Primitive = define(
    "cast",
    infer=lambda x, dtype: Aval(x.shape, dtype),
    compute=_cast,
    vjp=(_cast_vjp,),
    batch=batch_elementwise("cast"),
    saves="",
    elementwise=True,
)


def _infer_stop(x: Aval) -> Aval:
    return x


detach: Primitive = define(
    "detach",
    infer=_infer_stop,
    compute=lambda x: x,
    vjp=(flat,),
    batch=batch_elementwise("detach"),
    saves="",
    elementwise=True,
)
alias: Primitive = define(
    "alias",
    infer=_infer_stop,
    compute=lambda x: x,
    vjp=(lambda g, y, x: g,),
    batch=batch_elementwise("alias"),
    saves="",
    elementwise=True,
)

from slopewise.engine import ops  # noqa: E402  (gradient rules are written in ops, which are made of these rows)
