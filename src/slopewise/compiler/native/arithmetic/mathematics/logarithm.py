"""Logarithms, and the inverse hyperbolic functions, which are made of them."""

from __future__ import annotations

import math
from typing import NamedTuple

from slopewise.compiler.native.arithmetic.mathematics import coefficients as c
from slopewise.compiler.native.arithmetic.mathematics.register import (
    Register,
    absolute,
    copysign,
    fma,
    from_bits,
    polynomial,
    sqrt,
    to_bits,
    where,
)

# The number above 1/2 that mantissas start from: sqrt(1/2), so that they end at sqrt(2).
_LOWEST = {32: 0x3F3504F3, 64: 0x3FE6A09E667F3BCD}
# From here on sqrt(x^2 + 1) is x, and x^2 does not overflow yet.
_LARGE = {32: 2.0**30, 64: 2.0**60}


class Split(NamedTuple):
    """A positive number as 2^k m with sqrt(1/2) <= m < sqrt(2)."""

    m: Register
    k: Register


def split(x: Register) -> Split:
    """Take a positive finite number apart; what it returns for others is not to be used."""
    form = x.format
    subnormal = x < form.least_normal
    x = where(subnormal, x * 2.0**form.mantissa, x)
    lowest = _LOWEST[form.bits]
    offset = to_bits(x) - lowest
    m = from_bits((offset & ((1 << form.mantissa) - 1)) + lowest)
    # k + bias is not negative, so it can be put into the mantissa of 2^mantissa and becomes a float without
    # a conversion, which AVX2 lacks for 64-bit integers.
    biased = (offset + (form.bias << form.mantissa)) >> form.mantissa
    carrier = 2.0**form.mantissa
    k = from_bits(biased | form.bits_of_power(form.mantissa)) - (carrier + form.bias)
    return Split(m, where(subnormal, k - float(form.mantissa), k))


def log_of_mantissa(f: Register, k: Register | None = None) -> Register:
    """Return k ln(2) + log(1 + f) for sqrt(1/2) <= 1 + f <= sqrt(2); without k, log(1 + f)."""
    bits = f.format.bits
    half_square = f * f * 0.5
    if bits == 32:
        correction = f * f * f * polynomial(f, c.LOG[bits])
    else:
        # s = f / (2 + f): log(1 + f) = f - f^2/2 + s (f^2/2 + s^2 Q(s^2)), as in Sun's fdlibm.
        s = f / (f + 2.0)
        square = s * s
        correction = s * fma(square, polynomial(square, c.LOG_QUOTIENT[bits]), half_square)
    if k is None:
        return f - (half_square - correction)
    high, low = c.LN2[bits]
    return fma(k, high, f - (half_square - fma(k, low, correction)))


def at_the_ends(x: Register, y: Register) -> Register:
    """Return the logarithm y of x, made right where x is 0, negative, infinite or nan."""
    y = where(x < math.inf, y, x)
    y = where(x.equals(0.0), y.constant(-math.inf), y)
    return where(x < 0.0, y.constant(math.nan), y)


def log(x: Register) -> Register:
    m, k = split(x)
    return at_the_ends(x, log_of_mantissa(m - 1.0, k))


def log2(x: Register) -> Register:
    m, k = split(x)
    return at_the_ends(x, fma(log_of_mantissa(m - 1.0), c.LOG2_E, k))


def log10(x: Register) -> Register:
    m, k = split(x)
    high, low = c.LOG10_2[x.format.bits]
    y = fma(k, high, fma(k, low, log_of_mantissa(m - 1.0) * c.LOG10_E))
    return at_the_ends(x, y)


def log1p(x: Register) -> Register:
    """Return log(1 + x): the logarithm of u = 1 + x, with what u lost in rounding added to its mantissa."""
    form = x.format
    u = x + 1.0
    lost = where(absolute(x) < 1.0, x - (u - 1.0), 1.0 - (u - x))
    m, k = split(u)
    inverse_scale = from_bits(to_bits(m) - to_bits(u) + form.bits_of_power(0))
    lost = where(u < _LARGE[form.bits], lost * inverse_scale, 0.0)
    y = at_the_ends(u, log_of_mantissa((m - 1.0) + lost, k))
    return copysign(y, x)


def asinh(x: Register) -> Register:
    size = absolute(x)
    large = size > _LARGE[x.format.bits]
    square = size * size
    above = size + square / (sqrt(square + 1.0) + 1.0)
    y = log1p(where(large, size, above))
    return copysign(where(large, y + math.log(2), y), x)


def acosh(x: Register) -> Register:
    large = x > _LARGE[x.format.bits]
    t = x - 1.0
    y = log1p(where(large, x, t + sqrt(fma(t, t, t + t))))
    return where(x < 1.0, y.constant(math.nan), where(large, y + math.log(2), y))


def atanh(x: Register) -> Register:
    size = absolute(x)
    return copysign(log1p((size + size) / (1.0 - size)) * 0.5, x)
