"""Functions of two numbers: powers, lengths, sums of exponentials."""

from __future__ import annotations

import math
from typing import NamedTuple

from slopewise.compiler.native.arithmetic.mathematics import coefficients as c
from slopewise.compiler.native.arithmetic.mathematics.exponential import (
    EXP_HIGH,
    EXP_LOW,
    exp,
    expm1_near_zero,
    reduce,
    scale,
)
from slopewise.compiler.native.arithmetic.mathematics.logarithm import log1p, split
from slopewise.compiler.native.arithmetic.mathematics.register import (
    Operand,
    Register,
    absolute,
    at_least,
    at_most,
    fma,
    intrinsic,
    is_negative,
    polynomial,
    sqrt,
    where,
)


class Pair(NamedTuple):
    """The unevaluated sum of a number and a much smaller one: about twice the precision of the format."""

    high: Register
    low: Register


def _sum(large: Register, small: Operand) -> Pair:
    """Return the exact sum of two numbers, the first not smaller than the second (Dekker 1971)."""
    total = large + small
    return Pair(total, small - (total - large))


def _product(x: Register, y: Operand) -> Pair:
    """Return the exact product."""
    product = x * y
    return Pair(product, fma(x, y, -product))


def _times(x: Pair, y: Pair) -> Pair:
    high, low = _product(x.high, y.high)
    return Pair(high, fma(x.low, y.high, fma(x.high, y.low, low)))


def _log_pair(x: Register) -> Pair:
    """Return log(x) of positive finite x to about 1.4 times the digits of the format.

    With s = (m - 1) / (m + 1), log(m) = 2 s + s^3 (2/3 + s^2 U(s^2)); all but U is carried in pairs.
    """
    bits = x.format.bits
    m, k = split(x)
    f = m - 1.0
    below = m + 1.0
    below_low = m - (below - 1.0)
    s_high = f / below
    s = Pair(s_high, fma(-s_high, below_low, fma(-s_high, below, f)) / below)
    square = _times(s, s)
    two_thirds, rest = c.TWO_THIRDS[bits]
    series = _sum(f.constant(two_thirds), square.high * polynomial(square.high, c.LOG_PAIR[bits]))
    cubic = _times(_times(s, square), Pair(series.high, series.low + rest))
    ln2, ln2_low = c.LN2[bits]
    whole = _product(k, ln2)
    first = _sum(whole.high, s.high + s.high)
    second = _sum(first.high, cubic.high)
    low = (first.low + second.low) + (fma(k, ln2_low, whole.low) + (s.low + s.low + cubic.low))
    return _sum(second.high, low)


def _exp_pair(x: Pair) -> Register:
    bits = x.high.format.bits
    bounded = at_least(at_most(x.high, EXP_HIGH[bits]), EXP_LOW[bits])
    reduced = reduce(bounded)
    low = where(bounded.equals(x.high), x.low, 0.0)
    return scale(expm1_near_zero(reduced.r + low) + 1.0, reduced)


def pow(x: Register, y: Register) -> Register:
    """Return x^y with the special cases of C99, Annex F.9.4.4."""
    size = absolute(x)
    # Beyond this every power but that of 1 is 0 or infinite; it keeps the product with the logarithm finite.
    limit = {32: 2.0**40, 64: 2.0**80}[x.format.bits]
    exponent = at_least(at_most(y, limit), -limit)
    logarithm = _log_pair(size)
    high, low = _product(exponent, logarithm.high)
    result = _exp_pair(Pair(high, fma(exponent, logarithm.low, low)))

    zero, infinite = size.equals(0.0), size.equals(math.inf)
    vanishes = zero ^ (y < 0.0)
    extreme = where(vanishes, x.constant(0.0), math.inf)
    result = where(zero | infinite, extreme, result)

    half = y * 0.5
    is_whole = intrinsic("rint", y).equals(y)
    is_odd = is_whole & ~intrinsic("rint", half).equals(half)
    result = where(is_negative(x) & is_odd, -result, result)
    undefined = (x < 0.0) & ~is_whole & ~infinite
    result = where(undefined, x.constant(math.nan), result)
    result = where(x.is_nan() | y.is_nan(), x + y, result)
    return where(y.equals(0.0) | x.equals(1.0), x.constant(1.0), result)


def hypot(x: Register, y: Register) -> Register:
    """Return sqrt(x^2 + y^2), scaled by a power of two where a square would overflow or lose digits."""
    far = {32: 90, 64: 700}[x.format.bits]
    a, b = absolute(x), absolute(y)
    large = at_least(a, b)
    one = x.constant(1.0)
    shrink, grow = x.constant(2.0**-far), x.constant(2.0**far)
    huge, tiny = large > 2.0 ** (far // 2), large < 2.0 ** (-far // 2)
    factor = where(huge, shrink, where(tiny, grow, one))
    back = where(huge, grow, where(tiny, shrink, one))
    a, b = a * factor, b * factor
    length = sqrt(fma(a, a, b * b)) * back
    infinite = absolute(x).equals(math.inf) | absolute(y).equals(math.inf)
    return where(infinite, x.constant(math.inf), length)


def logaddexp(x: Register, y: Register) -> Register:
    """Return log(e^x + e^y) as max + log(1 + e^-|x - y|)."""
    larger = where(x > y, x, y)
    general = larger + log1p(exp(-absolute(x - y)))
    # Two equal infinities have no difference.
    return where(x.equals(y), x + math.log(2), general)
