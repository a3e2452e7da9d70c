"""Elementwise functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slopewise.engine.ops.promotion import as_tensor, floating, promote, promote_pair
from slopewise.engine.primitive import Primitive, apply
from slopewise.engine.primitives import elementwise as rows
from slopewise.engine.tensor import Tensor

Unary = Callable[[Any], Tensor]


Binary = Callable[[Any, Any], Tensor]


def _binary(row: Primitive) -> Binary:
    def operation(x1: Any, x2: Any, /) -> Tensor:
        return apply(row, *promote_pair(x1, x2))  # type: ignore[no-any-return]

    operation.__name__ = operation.__qualname__ = row.name
    return operation


def _floating_binary(row: Primitive) -> Binary:
    """Integers become float32 first, as a quotient of integers is no integer."""

    def operation(x1: Any, x2: Any, /) -> Tensor:
        a, b = promote_pair(x1, x2)
        return apply(row, floating(a), floating(b))  # type: ignore[no-any-return]

    operation.__name__ = operation.__qualname__ = row.name
    return operation


def _unary(row: Primitive) -> Unary:
    def operation(x: Any, /) -> Tensor:
        return apply(row, as_tensor(x))  # type: ignore[no-any-return]

    operation.__name__ = operation.__qualname__ = row.name
    return operation


def _floating_unary(row: Primitive) -> Unary:
    def operation(x: Any, /) -> Tensor:
        return apply(row, floating(as_tensor(x)))  # type: ignore[no-any-return]

    operation.__name__ = operation.__qualname__ = row.name
    return operation


negative: Unary = _unary(rows.neg)


sign: Unary = _unary(rows.sign)


exp: Unary = _floating_unary(rows.exp)


expm1: Unary = _floating_unary(rows.expm1)


log: Unary = _floating_unary(rows.log)


log1p: Unary = _floating_unary(rows.log1p)


log2: Unary = _floating_unary(rows.log2)


log10: Unary = _floating_unary(rows.log10)


sqrt: Unary = _floating_unary(rows.sqrt)


sin: Unary = _floating_unary(rows.sin)


cos: Unary = _floating_unary(rows.cos)


tan: Unary = _floating_unary(rows.tan)


asin: Unary = _floating_unary(rows.asin)


acos: Unary = _floating_unary(rows.acos)


atan: Unary = _floating_unary(rows.atan)


sinh: Unary = _floating_unary(rows.sinh)


cosh: Unary = _floating_unary(rows.cosh)


tanh: Unary = _floating_unary(rows.tanh)


asinh: Unary = _floating_unary(rows.asinh)


acosh: Unary = _floating_unary(rows.acosh)


atanh: Unary = _floating_unary(rows.atanh)


sigmoid: Unary = _floating_unary(rows.sigmoid)


relu: Unary = _unary(rows.relu)


erf: Unary = _floating_unary(rows.erf)


floor: Unary = _unary(rows.floor)


ceil: Unary = _unary(rows.ceil)


trunc: Unary = _unary(rows.trunc)


round: Unary = _unary(rows.round)


isnan: Unary = _unary(rows.isnan)


isinf: Unary = _unary(rows.isinf)


isfinite: Unary = _unary(rows.isfinite)


signbit: Unary = _unary(rows.signbit)


bitwise_invert: Unary = _unary(rows.invert)


add: Binary = _binary(rows.add)


subtract: Binary = _binary(rows.sub)


multiply: Binary = _binary(rows.mul)


divide: Binary = _floating_binary(rows.div)


floor_divide: Binary = _binary(rows.floor_divide)


remainder: Binary = _binary(rows.remainder)


maximum: Binary = _binary(rows.maximum)


minimum: Binary = _binary(rows.minimum)


atan2: Binary = _floating_binary(rows.atan2)


hypot: Binary = _floating_binary(rows.hypot)


logaddexp: Binary = _floating_binary(rows.logaddexp)


copysign: Binary = _floating_binary(rows.copysign)


nextafter: Binary = _floating_binary(rows.nextafter)


equal: Binary = _binary(rows.eq)


not_equal: Binary = _binary(rows.ne)


less: Binary = _binary(rows.lt)


less_equal: Binary = _binary(rows.le)


greater: Binary = _binary(rows.gt)


greater_equal: Binary = _binary(rows.ge)


bitwise_and: Binary = _binary(rows.bitwise_and)


bitwise_or: Binary = _binary(rows.bitwise_or)


bitwise_xor: Binary = _binary(rows.bitwise_xor)


bitwise_left_shift: Binary = _binary(rows.shift_left)


bitwise_right_shift: Binary = _binary(rows.shift_right)


def absolute(x: Any, /) -> Tensor:
    """Return the magnitude of each element."""
    from slopewise.engine.primitives.host import complex_abs

    x = as_tensor(x)
    return apply(complex_abs if x.dtype.kind == "c" else rows.abs, x)  # type: ignore[no-any-return]


def square(x: Any, /) -> Tensor:
    """Return each element times itself."""
    x = as_tensor(x)
    return apply(rows.mul, x, x)  # type: ignore[no-any-return]


def power(x1: Any, x2: Any, /) -> Tensor:
    """Return x1 to the power of x2; a square is a product."""
    if isinstance(x2, int | float) and not isinstance(x2, bool) and x2 == 2 and isinstance(x1, Tensor):
        a = x1 if isinstance(x2, int) else floating(x1)
        return square(a)
    return apply(rows.pow, *promote(x1, x2))  # type: ignore[no-any-return]


def where(condition: Any, x1: Any, x2: Any, /) -> Tensor:
    """Return elements of x1 where the condition holds and of x2 elsewhere."""
    return apply(rows.select, as_tensor(condition), *promote_pair(x1, x2))  # type: ignore[no-any-return]


def clip(x: Any, /, min: Any = None, max: Any = None) -> Tensor:
    """Limit each element to [min, max]; the gradient is 1 inside and at both bounds, as in PyTorch."""
    result = as_tensor(x)
    if min is not None:
        result = where(less(result, min), min, result)
    if max is not None:
        result = where(greater(result, max), max, result)
    return result
