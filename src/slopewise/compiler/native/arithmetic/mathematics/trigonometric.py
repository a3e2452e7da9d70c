"""Trigonometric functions and their inverses."""

from __future__ import annotations

import math
from typing import NamedTuple

from llvmlite import ir

from slopewise.compiler.native.arithmetic.mathematics import coefficients as c
from slopewise.compiler.native.arithmetic.mathematics.register import (
    Register,
    absolute,
    any_lane,
    at_least,
    at_most,
    copysign,
    declare,
    fma,
    from_bits,
    is_negative,
    polynomial,
    sqrt,
    to_bits,
    type_name,
    where,
)

# Up to here three parts of pi / 2 are enough to reduce an angle; beyond, libm reduces it.
FAST_LIMIT = 1e5


class Angle(NamedTuple):
    """An angle as q pi / 2 + r with |r| <= pi / 4."""

    r: Register
    quarter: Register  # an integer whose two lowest bits are those of q


def reduce(x: Register) -> Angle:
    """Take the nearest multiple of pi / 2 away (Cody and Waite)."""
    form = x.format
    rounded = fma(x, 2.0 / math.pi, form.rounder)
    n = rounded - form.rounder
    r = x
    for part in c.HALF_PI[form.bits]:
        r = fma(n, -part, r)
    return Angle(r, to_bits(rounded))


def _sine(r: Register) -> Register:
    square = r * r
    return fma(r * square, polynomial(square, c.SIN[r.format.bits]), r)


def _cosine(r: Register) -> Register:
    square = r * r
    tail = square * square * polynomial(square, c.COS[r.format.bits])
    # 1 - r^2/2 is rounded; what it lost is small against the tail only if it is given back.
    half = square * 0.5
    head = 1.0 - half
    return head + (((1.0 - head) - half) + tail)


def _top_bit(bits: Register, position: int) -> Register:
    """Return a bit moved to the place of the sign, all others cleared."""
    width: int = bits.element.width
    return (bits << (width - 1 - position)) & (1 << (width - 1))


def _odd_quarter(angle: Angle) -> Register:
    return (angle.quarter & 1).equals(1)


def _sin_of_moderate(x: Register) -> Register:
    angle = reduce(absolute(x))
    size = where(_odd_quarter(angle), _cosine(angle.r), _sine(angle.r))
    sign = _top_bit(angle.quarter, 1) ^ (to_bits(x) & (1 << (x.format.bits - 1)))
    return from_bits(to_bits(size) ^ sign)


def _cos_of_moderate(x: Register) -> Register:
    angle = reduce(absolute(x))
    size = where(_odd_quarter(angle), _sine(angle.r), _cosine(angle.r))
    return from_bits(to_bits(size) ^ _top_bit(angle.quarter + 1, 1))


def _tan_of_moderate(x: Register) -> Register:
    angle = reduce(absolute(x))
    sine, cosine, odd = _sine(angle.r), _cosine(angle.r), _odd_quarter(angle)
    quotient = where(odd, -cosine, sine) / where(odd, sine, cosine)
    return from_bits(to_bits(quotient) ^ (to_bits(x) & (1 << (x.format.bits - 1))))


def sin(x: Register) -> Register:
    return _with_slow_path(x, _sin_of_moderate(x), "sin")


def cos(x: Register) -> Register:
    return _with_slow_path(x, _cos_of_moderate(x), "cos")


def tan(x: Register) -> Register:
    return _with_slow_path(x, _tan_of_moderate(x), "tan")


def _with_slow_path(x: Register, fast: Register, name: str) -> Register:
    """Replace lanes beyond the limit by libm's results, behind a branch that is taken only if there are any.

    Other lanes keep the fast result, so that no number depends on its neighbours.
    """
    builder = x.builder
    far = absolute(x) > FAST_LIMIT
    is_any_far = any_lane(far)
    before = builder.block
    with builder.if_then(is_any_far, likely=False):
        slow = Register(builder, builder.call(_by_lane(builder.module, name, x.type), [x.value]))
        patched = where(far, slow, fast)
        behind = builder.block
    result = builder.phi(x.type)
    result.add_incoming(fast.value, before)
    result.add_incoming(patched.value, behind)
    return Register(builder, result)


def _by_lane(module: ir.Module, name: str, kind: ir.Type) -> ir.Function:
    """Return a function that calls libm for each lane."""
    own_name = f"sw.{name}.far.{type_name(kind)}"
    if own_name in module.globals:
        return module.globals[own_name]
    function = ir.Function(module, ir.FunctionType(kind, [kind]), own_name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    function.attributes.add("cold")
    builder = ir.IRBuilder(function.append_basic_block())
    element = kind.element if isinstance(kind, ir.VectorType) else kind
    libm = declare(module, name if str(element) == "double" else f"{name}f", element, [element])
    x = function.args[0]
    if not isinstance(kind, ir.VectorType):
        builder.ret(builder.call(libm, [x]))
        return function
    result = ir.Constant(kind, ir.Undefined)
    for lane in range(kind.count):
        at = ir.Constant(ir.IntType(32), lane)
        result = builder.insert_element(result, builder.call(libm, [builder.extract_element(x, at)]), at)
    builder.ret(result)
    return function


def _asin_small(x: Register) -> Register:
    """Return asin(x) for |x| <= 1/2."""
    square = x * x
    return fma(x * square, polynomial(square, c.ASIN[x.format.bits]), x)


class _ArcSine(NamedTuple):
    """The part is asin |x| where |x| is small; elsewhere asin(sqrt((1 - |x|) / 2)): half of acos |x|."""

    small: Register
    part: Register


def _arc_sine(x: Register) -> _ArcSine:
    size = absolute(x)
    small = size < 0.5
    return _ArcSine(small, _asin_small(where(small, size, sqrt((1.0 - size) * 0.5))))


def asin(x: Register) -> Register:
    high, low, _ = c.HALF_PI[x.format.bits]
    small, part = _arc_sine(x)
    return copysign(where(small, part, high - (part + part - low)), x)


def acos(x: Register) -> Register:
    high, low, _ = c.HALF_PI[x.format.bits]
    small, part = _arc_sine(x)
    negative = x < 0.0
    near = high - (where(negative, -part, part) - low)
    double = part + part
    return where(small, near, where(negative, 2.0 * high - (double - 2.0 * low), double))


def atan(x: Register) -> Register:
    size = absolute(x)
    steep = size > 1.0
    least, most = where(steep, x.constant(1.0), size), where(steep, size, 1.0)
    return copysign(_angle(least, most, steep, None), x)


def atan2(y: Register, x: Register) -> Register:
    """Return the angle of the point (x, y), in (-pi, pi]; signs of zeros count."""
    width, height = absolute(x), absolute(y)
    steep = height > width
    least, most = at_most(height, width), at_least(width, height)
    # Huge points are brought nearer, since the sum of the two coordinates must not overflow; infinite ones
    # are as good as the point (1, 1) or (1, 0).
    shrink = where(most > 1.0 / x.format.least_normal, x.constant(2.0**-4), 1.0)
    infinite = most.equals(math.inf)
    least = where(infinite, where(least.equals(math.inf), x.constant(1.0), 0.0), least * shrink)
    most = where(infinite | most.equals(0.0), x.constant(1.0), most * shrink)
    angle = copysign(_angle(least, most, steep, is_negative(x)), y)
    return where(x.is_nan() | y.is_nan(), x + y, angle)


def _angle(least: Register, most: Register, steep: Register, behind: Register | None) -> Register:
    """Return the angle of a point above the axis, from the smaller and the larger of its coordinates.

    It is `turns` quarters of pi plus or minus the arc tangent of a small quotient.

    Parameters
    ----------
    steep : whether the larger coordinate is the vertical one
    behind : whether the point lies left of the origin
    """
    bits = least.format.bits
    diagonal = least > most * (math.sqrt(2) - 1)
    quotient = where(diagonal, least - most, least) / where(diagonal, least + most, most)
    square = quotient * quotient
    arc = fma(quotient * square, polynomial(square, c.ATAN[bits]), quotient)
    turns = where(diagonal, least.constant(1.0), 0.0)
    turns, arc = where(steep, 2.0 - turns, turns), where(steep, -arc, arc)
    if behind is not None:
        turns, arc = where(behind, 4.0 - turns, turns), where(behind, -arc, arc)
    high, low, _ = c.HALF_PI[bits]
    return fma(turns, high / 2, fma(turns, low / 2, arc))
