"""Rules for elementwise primitives and reductions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from slopewise.engine.aval import Array, Aval, Dtype
from slopewise.engine.graph import Symbol
from slopewise.engine.primitives import elementwise as e
from slopewise.engine.primitives import reductions as r
from slopewise.engine.primitives.shapes import reshape

if TYPE_CHECKING:
    from slopewise.compiler.passes.algebra import Algebra, Rule

Operands = tuple[Symbol, ...]
Params = dict[str, Any]


# ---- neutral elements


def _neutral_right(number: float) -> Rule:
    """x op number = x."""

    def rule(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
        return m.widened(x[0], aval) if aval.dtype.kind in "iuf" and m.is_number(x[1], number) else None

    return rule


def _neutral(number: float) -> Rule:
    """x op number = number op x = x."""

    def rule(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
        if aval.dtype.kind not in "iuf":  # a complex product with 1 changes infinities and signs of zero
            return None
        for one, other in (x, x[::-1]):
            if m.is_number(other, number):
                return m.widened(one, aval)
        return None

    return rule


def _add_zero(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
    """x + -0.0 = x, and x + 0 = x for integers; but -0.0 + 0.0 is 0.0."""
    return _neutral(-0.0 if aval.dtype.kind == "f" else 0)(m, x, params, aval)


def _neutral_bits(number: bool, integer: int) -> Rule:
    """x and all ones, x or zero."""

    def rule(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
        wanted = number if aval.dtype.kind == "b" else integer
        for one, other in (x, x[::-1]):
            known = m.number(other)
            if known is not None and known == np.array(wanted).astype(aval.dtype):
                return m.widened(one, aval)
        return None

    return rule


def _idempotent(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
    """x op x = x."""
    return x[0] if x[0] is x[1] else None


# ---- strength


def _divide_by_power_of_two(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
    """x / 2^k = x * 2^-k, as long as 2^-k is a normal number."""
    divisor = m.number(x[1])
    if divisor is None or aval.dtype.kind != "f" or not np.isfinite(divisor) or divisor == 0:
        return None
    with np.errstate(over="ignore"):
        inverse = np.asarray(1 / divisor, aval.dtype)
    if (
        abs(np.frexp(divisor)[0]) != 0.5
        or not np.isfinite(inverse)
        or abs(inverse) < np.finfo(aval.dtype).tiny
    ):
        return None
    return m.widened(m.value(e.mul, x[0], m.constant(inverse, like=x[1])), aval)


def _square(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
    """x^2 = x x, which is how NumPy computes it, if the exponent is one number and not an array of 2s."""
    if x[1] not in m.constants or aval.dtype.kind not in "iuf" or not m.is_number(x[1], 2):
        return None
    return m.widened(m.value(e.mul, x[0], x[0]), aval)


def _involution(primitive: Any) -> Rule:
    """f(f(x)) = x."""
    return lambda m, x, params, aval: m.operand(x[0], primitive)


def _abs_of_sign_change(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
    """|-x| = |x|, ||x|| = |x|."""
    if m.operand(x[0], e.abs) is not None:
        return x[0]
    negated = m.operand(x[0], e.neg)
    return None if negated is None else m.value(e.abs, negated)


def _identity(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
    return x[0]


# ---- choice


def _select(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
    """A choice between equal values, by a condition that is known, or by the opposite of one."""
    condition, yes, no = x
    if yes is no:
        return m.widened(yes, aval)
    known = m.number(condition)
    if known is not None:
        return m.widened(yes if known else no, aval)
    opposite = m.operand(condition, e.invert)
    return None if opposite is None else m.value(e.select, opposite, no, yes)


# ---- conversion


def keeps_all_values(source: Dtype, target: Dtype) -> bool:
    """Tell whether a dtype can hold each value of another, to the bit."""
    if source == target or source.kind == "b":
        return target.kind in "biuf"
    if source.kind in "iu" and target.kind == "f":
        bits = source.itemsize * 8 - (source.kind == "i")
        return bits <= np.finfo(target).nmant + 1
    return source.kind in "iuf" and target.kind in "iuf" and bool(np.can_cast(source, target, "safe"))


def _cast(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
    """A cast to the dtype that a value has, or by way of a dtype that holds all its values."""
    if x[0].dtype == aval.dtype:
        return x[0]
    origin = m.operand(x[0], e.cast)
    if origin is None or not keeps_all_values(origin.dtype, x[0].dtype):
        return None
    if origin.dtype.kind == "f" and aval.dtype.kind in "iu":
        return None  # what becomes of a number that does not fit depends on the instruction
    return m.value(e.cast, origin, dtype=aval.dtype)


# ---- reductions of one element each


def _one_element(primitive: Any) -> Rule:
    """A reduction over axes of size 1 arranges elements anew, one over no axes does nothing."""

    def rule(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
        if any(x[0].shape[axis] != 1 for axis in params["axes"]) or aval.dtype.kind == "c":
            return None
        value = m.value(reshape, x[0], shape=aval.shape)
        if primitive is r.sum and aval.dtype.kind == "f":  # starts from 0.0, so that -0.0 becomes 0.0
            return m.value(e.add, value, m.constant(_zero(aval.dtype), like=value))
        return value

    return rule


def _zero(dtype: Dtype) -> Array:
    return np.zeros((), dtype)


ARITHMETIC: dict[str, tuple[Rule, ...]] = {
    "add": (_add_zero,),
    "sub": (_neutral_right(0.0),),
    "mul": (_neutral(1),),
    "div": (_neutral_right(1), _divide_by_power_of_two),
    "pow": (_square,),
    "neg": (_involution(e.neg),),
    "invert": (_involution(e.invert),),
    "abs": (_abs_of_sign_change,),
    "maximum": (_idempotent,),
    "minimum": (_idempotent,),
    "and": (_idempotent, _neutral_bits(True, -1)),
    "or": (_idempotent, _neutral_bits(False, 0)),
    "select": (_select,),
    "cast": (_cast,),
    "detach": (_identity,),
    "alias": (_identity,),
    **{row.name: (_one_element(row),) for row in (r.sum, r.prod, r.max, r.min, r.any, r.all)},
}
