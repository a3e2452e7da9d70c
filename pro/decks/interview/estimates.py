"""What the cards estimate: costs, flattery, error bars, and what a setting does to a run."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import slopewise as sw
from slopewise.engine.tensor import Tensor
from slopewise.site.content.lesson import Formula
from slopewise.site.content.typed_numbers import Typed

Sides = tuple[Any, Any]
ALARM, MISS = 1, 9  # what a false alarm and a miss cost
MISSING = 1 / 3  # the share of a column that is filled by its mean
KEPT = 1 / 1000  # the share of negatives that were kept
RATE, WEIGHT, RAMP = 0.001, 0.02, 1000  # Adam's rate, a usual weight, and the updates of a warm-up
EDGE = 0.3  # the learning rate from which on a run diverges
ROWS, RIGHT = 400, 0.9  # of a test set, and its accuracy
CURVATURES, SPREAD = np.array([1.0, 4.0]), np.array([3.0, 2.0])  # a bowl, and the noise of one row's gradient
DAILY = 0.9  # the correlation of a day with the day before
DECAY, DECAY_RATE = 0.1, 0.001
SCATTER = 0.3  # of the scores of five seeds, in points
GAIN, BETWEEN_SEEDS = 0.5, 1.0  # of a method, and the scatter of its seeds, in points
FALL, WOBBLE = 0.01, 0.03  # of a validation loss, by the epoch
PLACE = np.array([0.5, -0.2])


def error_of(share: float, rows: int) -> float:
    """The standard error of an accuracy."""
    return math.sqrt(share * (1 - share) / rows)


def best_of(count: int) -> float:
    """By how many standard deviations the best of some equally good scores lies above their truth."""
    x = np.linspace(-9, 9, 6001)
    density = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    below = np.array([0.5 * (1 + math.erf(at / math.sqrt(2))) for at in x])
    return float((count * x * density * below ** (count - 1)).sum() * (x[1] - x[0]))


def _threshold() -> Sides:
    """The cheapest of 1,001 thresholds for calibrated probabilities, and the formula."""
    p = (np.arange(1000) + 0.5) / 1000
    at = np.arange(1001) / 1000
    costs = [((1 - p[p > t]) * ALARM).sum() + (p[p <= t] * MISS).sum() for t in at]
    return at[int(np.argmin(costs))], ALARM / (ALARM + MISS)


def _filled() -> Sides:
    """Variance and correlation after every third value was replaced by the mean, over those before."""
    value = np.repeat(np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), 3)
    target = value + np.tile([0.5, 0.0, -0.5], 5)
    gap = np.tile([False, False, True], 5)
    target[gap] = value[gap]  # so that what is missing has nothing to do with the target's noise
    filled = np.where(gap, 0.0, value)
    before = np.corrcoef(value, target)[0, 1]
    after = np.corrcoef(filled, target)[0, 1]
    shares = [filled.var() / value.var(), after / before]
    return shares, [1 - MISSING, math.sqrt(1 - MISSING)]


def _undersampled() -> Sides:
    """Shares of positives among all rows, counted, and from what a model on the kept rows says."""
    positives, negatives = np.array([50.0, 3.0, 900.0]), np.array([20_000.0, 70_000.0, 1_000.0])
    said = positives / (positives + KEPT * negatives)
    return positives / (positives + negatives), KEPT * said / (KEPT * said + 1 - said)


def true_share(said: float) -> float:
    """What a probability means that was learned on rows of which few negatives were kept."""
    return KEPT * said / (KEPT * said + 1 - said)


def first_update() -> float:
    """The length of Adam's first update, over a usual weight."""
    w = sw.tensor(np.array([WEIGHT]), requires_grad=True)
    optimizer = sw.optim.Adam([w], lr=RATE)
    (w * 7.0).sum().backward()
    optimizer.step()
    return float(abs(w.numpy()[0] - WEIGHT)) / WEIGHT


def state_bytes(optimizer: str) -> int:
    """Bytes that an optimizer keeps for each float32 parameter, beside the parameter and its gradient."""
    w = sw.tensor(np.ones(1000, dtype=np.float32), requires_grad=True)
    made = sw.optim.SGD([w], lr=0.1, momentum=0.9) if optimizer == "momentum" else sw.optim.Adam([w], lr=0.1)
    kept = [value for name, value in made.state_dict().items() if ".state." in name]
    return sum(value.size * 4 for value in kept) // 1000


def _expected_fall(rate: float, rows: float) -> float:
    """How far one update on a batch lowers the loss on average: noise of either sign along each axis."""

    def height(w: Tensor) -> float:
        return float((0.5 * sw.tensor(CURVATURES) * w * w).sum().item())

    slope = sw.grad(lambda w: (0.5 * sw.tensor(CURVATURES) * w * w).sum())(sw.tensor(PLACE)).numpy()
    after = [
        height(sw.tensor(PLACE - rate * (slope + np.array([a, b]) * SPREAD / math.sqrt(rows))))
        for a in (-1, 1)
        for b in (-1, 1)
    ]
    return height(sw.tensor(PLACE)) - float(np.mean(after))


def _best_fall(rows: float) -> float:
    """The largest expected fall over all rates: a parabola through three of them."""
    parabola = np.polyfit([0.0, 0.1, 0.2], [_expected_fall(rate, rows) for rate in (0.0, 0.1, 0.2)], 2)
    return float(-(parabola[1] ** 2) / (4 * parabola[0]))


def noise_scale() -> float:
    """The rows at which the noise of a batch costs half of the progress: tr(HΣ) / gᵀHg."""
    slope = CURVATURES * PLACE
    return float((CURVATURES * SPREAD**2).sum() / (CURVATURES * slope**2).sum())


def _progress() -> Sides:
    rows = np.array([1.0, 5.0, 40.0, 300.0])
    return [_best_fall(n) / _best_fall(1e12) for n in rows], 1 / (1 + noise_scale() / rows)


def _edge() -> Sides:
    """The rate at which steps on a parabola stop getting shorter, found by halving, and the curvature."""
    curvature, low, high = 2 / EDGE, 0.0, 1.0
    for _ in range(50):
        rate = (low + high) / 2
        step = rate * sw.grad(lambda w: 0.5 * curvature * w * w)(sw.tensor(1.0, dtype=sw.float64)).item()
        low, high = (rate, high) if abs(1 - step) < 1 else (low, rate)
    return 2 / low, curvature


def _power_law() -> Sides:
    """What is left above the floor at some sizes, and the law through the first and the last."""
    sizes, left = np.array([10_000, 40_000, 160_000]), np.array([8.0, 4.0, 2.0])
    b = math.log(left[0] / left[2]) / math.log(sizes[2] / sizes[0])
    return left, left[0] * (sizes / sizes[0]) ** -b


def rows_for(left: float) -> int:
    """How many rows bring the error to so many points above its floor, if two sizes tell the law."""
    b = math.log(8 / 4) / math.log(40_000 / 10_000)
    return round(10_000 * (8 / left) ** (1 / b))


def _two_spreads() -> Sides:
    """The spread of the mean of five seeds on the same 1,000 rows: drawn, and by the formula."""
    rows, seeds = np.array([-1.0, 1.0]), np.array([-1.0, 1.0])
    means = [
        0.95 * a + SCATTER * np.mean(b)
        for a in rows
        for b in np.array(np.meshgrid(*[seeds] * 5)).reshape(5, -1).T
    ]
    return float(np.std(means)), math.sqrt(0.95**2 + SCATTER**2 / 5)


def _ahead() -> Sides:
    """What earlier values explain of a series that follows its last one: from its covariances, and the formula."""
    days, found = (1, 3, 7), []
    covariance = DAILY ** np.abs(np.subtract.outer(np.arange(20), np.arange(20)))
    for ahead in days:
        known = covariance[: 20 - ahead, : 20 - ahead]
        towards = covariance[: 20 - ahead, -1]
        found.append(towards @ np.linalg.solve(known, towards))
    return found, [DAILY ** (2 * ahead) for ahead in days]


def _seeds() -> Sides:
    """The difference that is twice its standard error with two seeds of each method: over all their luck."""
    luck = np.array(np.meshgrid(*[BETWEEN_SEEDS * np.array([-1.0, 1.0])] * 4)).reshape(4, -1)
    difference = 2 * float((luck[:2].mean(axis=0) - luck[2:].mean(axis=0)).std())
    return 2.0, 8 * BETWEEN_SEEDS**2 / difference**2


def _patience() -> Sides:
    """The fall that is twice the wobble of a difference of two readings, in epochs of the fall."""
    luck = np.array(np.meshgrid(*[WOBBLE * np.array([-1.0, 1.0])] * 2)).reshape(2, -1)
    return 2 * float((luck[0] - luck[1]).std()) / FALL, 2 * math.sqrt(2) * WOBBLE / FALL


def _worse() -> float:
    """How often a reading is worse than the one before, if both wobble like a normal number."""
    return 0.5 * math.erfc(FALL / (math.sqrt(2) * WOBBLE) / math.sqrt(2))


def in_float32(*terms: float) -> float:
    """The sum of some numbers in float32, from left to right."""
    total = sw.tensor(0.0)
    for term in terms:
        total = total + sw.tensor(term)
    return float(total.item())


def scale_left() -> float:
    """What decay leaves of a scale of 1 whose gradient is 0: by the engine for 100 updates, a hundred times."""
    w = sw.tensor(np.array([1.0]), requires_grad=True)
    optimizer = sw.optim.AdamW([w], lr=DECAY_RATE, weight_decay=DECAY)
    for _ in range(100):
        optimizer.zero_grad()
        (0.0 * w).sum().backward()
        optimizer.step()
    return float(w.numpy()[0]) ** 100


FORMULAS = (
    Formula("threshold", r"p > \frac{c_a}{c_a + c_m}", _threshold),
    Formula("filled", r"\mathrm{Var}' = (1 - m) \, \mathrm{Var} \qquad r' = \sqrt{1 - m} \; r", _filled),
    Formula("undersampled", r"p = \frac{s \, q}{s \, q + 1 - q}", _undersampled),
    Formula("progress", r"\frac{\Delta(B)}{\Delta(\infty)} = \frac{1}{1 + B_n / B}", _progress),
    Formula("edge", r"\lambda_{\max} = \frac{2}{\eta_{\max}}", _edge),
    Formula("power_law", r"e(n) = e(n_0) \left( \frac{n}{n_0} \right)^{-b}", _power_law),
    Formula("ahead", r"R^2(k) = \rho^{2 k}", _ahead),
    Formula("seeds", r"n = \frac{8 s^2}{d^2}", _seeds),
    Formula("patience", r"k \geq \frac{2 \sqrt{2} \, s}{d}", _patience),
    Formula("two_spreads", r"\sqrt{\mathrm{SE}_{\text{rows}}^2 + \frac{s^2}{k}}", _two_spreads),
)


def facts() -> dict[str, Any]:
    """Return what the cards call by name."""
    error = error_of(RIGHT, ROWS)
    return {
        "alarm_cost": ALARM,
        "miss_cost": MISS,
        "threshold": ALARM / (ALARM + MISS),
        "variance_left": 1 - MISSING,
        "correlation_left": math.sqrt(1 - MISSING),
        "true_share": true_share(0.5),
        "first_update": first_update(),
        "warmed_update": first_update() / RAMP,
        "adam_rate": RATE,
        "usual_weight": WEIGHT,
        "ramp": RAMP,
        "momentum_bytes": state_bytes("momentum"),
        "adam_bytes": state_bytes("adam"),
        "edge": EDGE,
        "edge_curvature": 2 / EDGE,
        "edge_fastest": EDGE / 2,
        "three_looks": best_of(3) * error,
        "fifty_looks": best_of(50) * error,
        "gain": GAIN,
        "seed_scatter": BETWEEN_SEEDS,
        "seeds_needed": round(8 * BETWEEN_SEEDS**2 / GAIN**2),
        "fall": FALL,
        "wobble": WOBBLE,
        "worse": _worse(),
        "patience": math.ceil(2 * math.sqrt(2) * WOBBLE / FALL),
        "rows_error": error_of(0.9, 1000),
        "both_errors": math.sqrt((100 * error_of(0.9, 1000)) ** 2 + SCATTER**2 / 5),
        "baseline_error": error_of(0.95, 1000),
        "seed_spread": SCATTER,
        "daily": DAILY,
        "r2_day": DAILY**2,
        "r2_week": DAILY**14,
        "ten_tries": best_of(10) * error_of(0.8, 500),
        "rule_costs": round((1 - 0.92) * 10_000 * 10),
        "one_order": in_float32(1e8, 1.0, -1e8),
        "other_order": in_float32(1e8, -1e8, 1.0),
        "decay": DECAY,
        "decay_rate": DECAY_RATE,
        "scale_left": scale_left(),
        "claimed": 95.5,
        "rows_for_two": rows_for(2),
    }


TYPED = {
    "card/paper-too-good": Typed("81 500 79", lambda: [81 - 79]),
    "card/when-not-to-train": Typed("92 10,000 10 20,000"),
    "card/weight-decay-where": Typed("1 10,000 0"),
    "card/imbalance": Typed("50"),
    "card/batch-size-limits": Typed("2,000", lambda: [1_000_000 / 2_000]),
    "card/error-bars": Typed("90 1,000"),
    "card/more-data-or-model": Typed("8 10,000 4 40,000 2"),
    "card/test-set-touched": Typed("90 400"),
    "card/baseline-first": Typed("1,000 95"),
}
