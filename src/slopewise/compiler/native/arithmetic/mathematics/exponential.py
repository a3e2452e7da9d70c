"""The exponential function and what is made of it."""

from __future__ import annotations

from typing import NamedTuple

from slopewise.compiler.native.arithmetic.mathematics import coefficients as c
from slopewise.compiler.native.arithmetic.mathematics.register import (
    Register,
    absolute,
    at_least,
    at_most,
    copysign,
    fma,
    from_bits,
    polynomial,
    to_bits,
    where,
)

# Beyond these e^x is 0 or infinite in the format, and rounding makes it so by itself.
EXP_LOW = {32: -104.0, 64: -746.0}
EXP_HIGH = {32: 90.0, 64: 711.0}
# The same for e^x - 1, which is -1 below the first; at the second 2^n / 2 is still finite.
EXPM1_LOW = {32: -20.0, 64: -40.0}
EXPM1_HIGH = {32: 89.0, 64: 710.0}


class Reduced(NamedTuple):
    """x = n ln(2) + r with an integer n and |r| <= ln(2) / 2 (Cody and Waite)."""

    r: Register
    n: Register
    rounded: Register  # n + rounder, which holds n in its low bits


def reduce(x: Register) -> Reduced:
    """Take the nearest multiple of ln(2) away, without a conversion to an integer: nan has none."""
    form = x.format
    high, low = c.LN2[form.bits]
    rounded = fma(x, c.LOG2_E, form.rounder)
    n = rounded - form.rounder
    return Reduced(fma(n, -low, fma(n, -high, x)), n, rounded)


def expm1_near_zero(r: Register) -> Register:
    """Return e^r - 1 for |r| <= ln(2) / 2."""
    return fma(r * r, polynomial(r, c.EXP[r.format.bits]), r)


def power_of_two(reduced: Reduced, shift: int = 0) -> Register:
    """Return 2^(n + shift), which must be a normal number."""
    form = reduced.n.format
    rounder_bits = form.bits_of_power(form.mantissa) + (1 << (form.mantissa - 1))
    exponent = to_bits(reduced.rounded) - (rounder_bits - form.bias - shift)
    return from_bits(exponent << form.mantissa)


def scale(x: Register, reduced: Reduced, shift: int = 0) -> Register:
    """Return x 2^(n + shift) in two steps, so that the result may be subnormal or infinite."""
    form = x.format
    rounder_bits = form.bits_of_power(form.mantissa) + (1 << (form.mantissa - 1))
    exponents = to_bits(reduced.rounded) - (rounder_bits - 2 * form.bias - shift)
    half = exponents >> 1
    return x * from_bits(half << form.mantissa) * from_bits((exponents - half) << form.mantissa)


def exp(x: Register, shift: int = 0) -> Register:
    """Return 2^shift e^x, rounded once in its last step."""
    bits = x.format.bits
    reduced = reduce(at_least(at_most(x, EXP_HIGH[bits]), EXP_LOW[bits]))
    return scale(expm1_near_zero(reduced.r) + 1.0, reduced, shift)


def exp_moderate(x: Register) -> Register:
    """Return e^x for x whose result is a normal number."""
    reduced = reduce(x)
    return (expm1_near_zero(reduced.r) + 1.0) * power_of_two(reduced)


def expm1(x: Register) -> Register:
    bits = x.format.bits
    reduced = reduce(at_least(at_most(x, EXPM1_HIGH[bits]), EXPM1_LOW[bits]))
    near = expm1_near_zero(reduced.r)
    # Half of the result, since 2^n itself overflows where the result still does not.
    half = power_of_two(reduced, -1)
    y = fma(half, near, half - 0.5)
    # Twice the half would round subnormal numbers; the sign is for -0.
    return copysign(where(reduced.n.equals(0.0), near, y + y), x)


def sinh(x: Register) -> Register:
    size = absolute(x)
    half = exp(size, -1)
    square = x * x
    small = fma(size * square, polynomial(square, c.SINH[x.format.bits]), size)
    return copysign(where(size < 1.0, small, half - 0.25 / half), x)


def cosh(x: Register) -> Register:
    half = exp(absolute(x), -1)
    return half + 0.25 / half


def tanh(x: Register) -> Register:
    """Return x + x^3 P(x^2) up to where tanh is 1/2, and beyond 1 - 2 / (e^(2|x|) + 1)."""
    bits = x.format.bits
    size, square = absolute(x), x * x
    small = fma(size * square, polynomial(square, c.TANH[bits]), size)
    reduced = reduce(at_most(size + size, -EXPM1_LOW[bits]))
    power = power_of_two(reduced)
    # (e^r - 1) 2^n + (2^n + 1): the exponential itself is never rounded
    denominator = fma(expm1_near_zero(reduced.r), power, power + 1.0)
    return copysign(where(size < 0.55, small, 1.0 - 2.0 / denominator), x)


def sigmoid(x: Register) -> Register:
    """Return 1 / (1 + e^-x), accurate in both tails.

    Numerator and denominator are scaled down, so that the quotient may be subnormal where e^-x would
    overflow.
    """
    bits = x.format.bits
    shift = {32: -64, 64: -512}[bits]
    reduced = reduce(at_least(at_most(-x, -EXP_LOW[bits]), EXPM1_LOW[bits]))
    power = power_of_two(reduced, shift)
    one = 2.0**shift
    # 1 + 2^n is kept exact, so that the denominator is rounded but once
    total = power + one
    lost = at_most(power, one) - (total - at_least(power, one))
    return one / (total + fma(expm1_near_zero(reduced.r), power, lost))


def erf(x: Register) -> Register:
    """Return x + x P(x^2) up to 1, and beyond 1 - e^Q(|x|), where Q is the logarithm of erfc."""
    bits = x.format.bits
    size = absolute(x)
    small = fma(size, polynomial(size * size, c.ERF[bits]), size)
    far = at_most(size, {32: 4.0, 64: 6.0}[bits]) - 1.0
    large = 1.0 - exp_moderate(polynomial(far, c.LOG_ERFC[bits]))
    return copysign(where(size < 1.0, small, large), x)
