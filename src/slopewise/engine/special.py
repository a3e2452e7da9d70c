"""Special functions that NumPy does not have, on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from slopewise.engine.aval import Array


def relu(x: Array) -> Array:
    """Return max(x, 0); nan stays nan."""
    return np.maximum(x, 0)


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)) without overflow, accurate in both tails."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)  # type: ignore[no-any-return]


# W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969), 631-637:
# coefficients as in the NETLIB routine CALERF, highest power first for Horner's rule.
_ERF_P = (
    1.85777706184603153e-1,
    3.16112374387056560e00,
    1.13864154151050156e02,
    3.77485237685302021e02,
    3.20937758913846947e03,
)
_ERF_Q = (1.0, 2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03, 2.84423683343917062e03)
_ERFC_P = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594e00,
    6.61191906371416295e01,
    2.98635138197400131e02,
    8.81952221241769090e02,
    1.71204761263407058e03,
    2.05107837782607147e03,
    1.23033935479799725e03,
)
_ERFC_Q = (
    1.0,
    1.57449261107098347e01,
    1.17693950891312499e02,
    5.37181101862009858e02,
    1.62138957456669019e03,
    3.29079923573345963e03,
    4.36261909014324716e03,
    3.43936767414372164e03,
    1.23033935480374942e03,
)


def _horner(coefficients: tuple[float, ...], x: Array) -> Array:
    total: Any = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total = total * x + coefficient
    return np.asarray(total)


def erf(x: Array) -> Array:
    """Return the error function, to about one unit in the last place of float64."""
    z = np.asarray(x, np.float64)
    magnitude = np.abs(z)
    small = magnitude <= 0.46875
    square = np.where(small, z * z, 0.0)
    inner = z * _horner(_ERF_P, square) / _horner(_ERF_Q, square)
    # beyond 6 erf is 1 to the last bit, so that the third of Cody's intervals is never needed
    clipped = np.clip(magnitude, 0.46875, 6.0)
    # exp(-x^2) in two factors keeps the error of x^2 out of the exponent
    rounded = np.floor(clipped * 16) / 16
    decay = np.exp(-rounded * rounded) * np.exp(-(clipped - rounded) * (clipped + rounded))
    outer = np.sign(z) * (1 - decay * _horner(_ERFC_P, clipped) / _horner(_ERFC_Q, clipped))
    return np.where(small | np.isnan(z), inner, outer).astype(np.asarray(x).dtype)


def log_softmax(x: Array, axes: tuple[int, ...]) -> Array:
    """Return x - log(sum(exp(x))) over axes, without overflow and without the loss of small probabilities."""
    if x.size == 0:
        return x
    shifted = x - np.maximum.reduce(x, axis=axes, keepdims=True)
    return shifted - np.log(np.add.reduce(np.exp(shifted), axis=axes, keepdims=True))
