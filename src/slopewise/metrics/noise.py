"""The noise of a score: between which values it would have fallen, had other rows been drawn for the test."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from slopewise.engine.errors import ArgumentError
from slopewise.engine.random import random_words
from slopewise.metrics._inputs import Floats

# The resampling weights of a bootstrap are drawn from this stream; modules count up from 0.
BOOTSTRAP_STREAM = 0xFFFFFFF0

# Rows weighed in one bootstrap, and the fewest resamples: they keep a table of a million rows to seconds.
_ROW_BUDGET = 10_000_000
_FEWEST_RESAMPLES = 50

# From here on the percentiles of a mean's resamples are those of a normal distribution, for all one can see.
_MANY_VALUES = 1000


def wilson_interval(correct: float, rows: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval for a share: `correct` of `rows` independent rows.

    Unlike share ± 1.96 standard errors it stays within 0 and 1 and is honest for few rows and for shares near
    0 or 1.

    Parameters
    ----------
    correct : float, 0 to `rows`
    rows : float, above 0
    confidence : float, between 0 and 1

    Returns
    -------
    (low, high) : floats

    Raises
    ------
    ArgumentError
        If an argument is outside of its range.

    References
    ----------
    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927).

    Examples
    --------
    >>> low, high = wilson_interval(9, 10)
    >>> round(low, 4), round(high, 4)
    (0.5958, 0.9821)
    """
    if not (rows > 0 and 0 <= correct <= rows):
        raise ArgumentError(
            f"correct is {correct} of {rows} rows: use 0 <= correct <= rows, and at least one row"
        )
    z = _normal_quantile(confidence)
    share = correct / rows
    centre = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows)) / (1 + z * z / rows)
    # At 0 and at 1 the bound is exactly the share; rounding must not push it past.
    low = 0.0 if correct == 0 else max(0.0, centre - half)
    high = 1.0 if correct == rows else min(1.0, centre + half)
    return low, high


def bootstrap_interval(
    score: Callable[[Floats], ArrayLike],
    rows: int,
    *,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[Any, Any]:
    """Return the interval of one score, or of several at once, under the bootstrap.

    A resample draws `rows` rows with replacement; it is passed on as the number of times each row was drawn,
    so any score that takes `sample_weight` can be measured without copying rows. Resamples on which a score
    is NaN (say, no row of a class was drawn) are left out of its interval.

    The interval reaches between the percentiles of the resamples. Of a large table too few resamples are
    drawn for that (at least 50, as many as come to ten million rows); then it is their mean ± the normal
    quantile times their standard deviation, which for so many rows is the same.

    Parameters
    ----------
    score : callable from float64 weights, shape (rows,), to a float or an array of shape (scores,)
    rows : int, above 0
    confidence : float, between 0 and 1
    resamples : int, at least 2
    seed : int
        The draws have the address (seed, BOOTSTRAP_STREAM, resample): the same seed gives the same interval.

    Returns
    -------
    (low, high) : floats, or float64 arrays of shape (scores,); NaN for a score that was NaN on every resample

    Raises
    ------
    ArgumentError
        If an argument is outside of its range.

    References
    ----------
    B. Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7 (1979).

    Examples
    --------
    >>> error = np.array([1.0, 2.0, 3.0, 4.0])
    >>> low, high = bootstrap_interval(lambda weight: np.average(error, weights=weight), 4)
    >>> bool(1.0 <= low < 2.5 < high <= 4.0)
    True
    """
    if rows < 1 or resamples < 2:
        raise ArgumentError(f"rows is {rows} and resamples {resamples}: use at least 1 row and 2 resamples")
    z = _normal_quantile(confidence)
    drawn = min(resamples, max(_FEWEST_RESAMPLES, _ROW_BUDGET // rows))
    values = np.array([score(_draw(rows, seed, number)) for number in range(drawn)], dtype=np.float64)
    tail = (1 - confidence) / 2
    low = np.full(values.shape[1:], np.nan)
    high = low.copy()
    for place in np.ndindex(low.shape):
        known = values[(slice(None), *place)]
        known = known[~np.isnan(known)]
        if known.size == 0:
            continue
        if drawn < resamples:
            low[place], high[place] = known.mean() - z * known.std(), known.mean() + z * known.std()
        else:
            low[place], high[place] = np.quantile(known, [tail, 1 - tail])
    return low[()], high[()]


def mean_interval(
    values: ArrayLike, *, confidence: float = 0.95, resamples: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return the interval of a mean under the bootstrap: what `bootstrap_interval` returns for it, sooner.

    The mean of a resample has the mean of the values, and their standard deviation over the square root of
    their number: both exactly, so of many values nothing needs to be drawn. The interval then is the normal
    one, which is where the percentiles of ever more resamples of so many values end. Of fewer than a
    thousand values, whose resamples may be skewed, the percentiles are drawn.

    Parameters
    ----------
    values : array_like of numbers, shape (rows,), at least one
    confidence, resamples, seed : as for `bootstrap_interval`; the last two count where there are few values

    Returns
    -------
    (low, high) : floats

    References
    ----------
    B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), equation 5.12.

    Examples
    --------
    >>> low, high = mean_interval(np.arange(10_000.0))
    >>> round(low, 1), round(high, 1)
    (4942.9, 5056.1)
    """
    known = np.asarray(values, dtype=np.float64)
    if known.size < _MANY_VALUES:
        low, high = bootstrap_interval(
            lambda weight: np.average(known, weights=weight),
            known.size,
            confidence=confidence,
            resamples=resamples,
            seed=seed,
        )
        return float(low), float(high)
    half = _normal_quantile(confidence) * float(known.std()) / math.sqrt(known.size)
    return float(known.mean()) - half, float(known.mean()) + half


def _draw(rows: int, seed: int, number: int) -> Floats:
    """How many times each row comes up in `rows` draws with replacement."""
    words = random_words(rows, seed, BOOTSTRAP_STREAM, number).astype(np.uint64)
    # The high half of word * rows is uniform on 0..rows-1 up to a bias of rows / 2**32.
    drawn = (words * np.uint64(rows)) >> np.uint64(32)
    return np.bincount(drawn.astype(np.int64), minlength=rows).astype(np.float64)


def _normal_quantile(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ArgumentError(f"confidence is {confidence}: use a share between 0 and 1, such as 0.95")
    return NormalDist().inv_cdf(0.5 + confidence / 2)
