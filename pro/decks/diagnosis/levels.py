"""Heights of losses, and where numbers end: nan, inf, rounding."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import slopewise as sw
import slopewise.array as xp
from slopewise.engine.tensor import Tensor
from slopewise.site.content.lesson import Formula

RARE = 0.02  # the share of positives
PRICE, SPREAD = 200.0, 50.0  # of houses, in thousands
FLIPPED = 0.1  # the share of labels that are wrong


def _number(value: Any) -> float:
    return float(np.asarray(value))


def _log_loss(logit: float, target: float) -> float:
    return _number(
        sw.losses.binary_cross_entropy_with_logits(sw.tensor([logit]), sw.tensor([target])).numpy()
    )


def _log_loss_by_hand(logit: float, target: float) -> float:
    """The same without the check of the target; ours refuses one outside of 0 to 1."""
    z = sw.tensor(logit, dtype=sw.float64)
    return (xp.maximum(z, 0.0) - z * target + xp.log1p(xp.exp(-xp.abs(z)))).item()


def _uniform(classes: int) -> float:
    return sw.losses.cross_entropy(sw.tensor([[0.0] * classes]), sw.tensor([0])).item()


def _entropy(p: float) -> float:
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


def _rare_start(bias: float) -> float:
    """The loss of a constant logit over rows of which few are positive."""
    return RARE * _log_loss(bias, 1.0) + (1 - RARE) * _log_loss(bias, 0.0)


def _unscaled() -> tuple[float, float]:
    """Loss and gradient of the bias for a first prediction of nothing, and targets as they come."""
    target = sw.tensor(PRICE + SPREAD * np.array([-1.0, 1.0]))
    bias = sw.tensor(0.0, requires_grad=True)
    loss = xp.mean((bias - target) ** 2)
    loss.backward()
    assert bias.grad is not None
    return loss.item(), bias.grad.item()


def _first_saturated() -> int:
    """The smallest whole logit whose sigmoid is 1 in float32."""
    return next(z for z in range(1, 100) if sw.sigmoid(sw.tensor(float(z), dtype=sw.float32)).item() == 1.0)


def _largest_exponent() -> int:
    with np.errstate(over="ignore"):
        return (
            next(z for z in range(1, 200) if math.isinf(xp.exp(sw.tensor(float(z), dtype=sw.float32)).item()))
            - 1
        )


def _norm_gradient(smoothing: float) -> float:
    """The gradient of the length of a vector that is zero."""
    x = sw.tensor([0.0, 0.0], requires_grad=True)
    with np.errstate(all="ignore"):
        xp.sqrt(xp.sum(x * x) + smoothing).backward()
    assert x.grad is not None
    return float(x.grad.numpy()[0])


def _vanishing_ones() -> int:
    """How many ones a float32 sum of ones can count."""
    total = np.float32(2**24)
    return int(total) if total + np.float32(1) == total else 0


def _lost_update() -> float:
    """The largest learning rate, a power of ten, at which a gradient of 1 does not move a weight of 1000."""
    w = sw.tensor(1000.0, dtype=sw.float32)
    return next(10.0**-k for k in range(1, 12) if (w - 10.0**-k).item() == 1000.0)


def _check_errors() -> dict[str, float]:
    """Relative errors of a central difference of exp at 1, in both widths."""

    def error(kind: Any, step: float) -> float:
        at = [xp.exp(sw.tensor(1.0 + sign * step, dtype=kind)).item() for sign in (1, -1)]
        width = sw.tensor(1.0 + step, dtype=kind).item() - sw.tensor(1.0 - step, dtype=kind).item()
        return abs((at[0] - at[1]) / width / math.e - 1)

    return {"check32": error(sw.float32, 1e-6), "check64": error(sw.float64, 1e-6)}


def _kink() -> float:
    """A central difference of |x| where the step reaches over the kink."""
    x, step = 0.5e-3, 1e-3
    return (abs(x + step) - abs(x - step)) / (2 * step)


def _sum_or_mean() -> float:
    """How many times larger the gradient of a batch of 256 is when losses are added, not averaged."""
    w = np.zeros(1)
    x = sw.tensor(np.linspace(-1, 1, 256))

    def length(reduction: str) -> float:
        leaf = sw.tensor(w, requires_grad=True)
        loss = sw.losses.squared_error(leaf * x, 2.0 * x, reduction=reduction)
        loss.backward()
        assert leaf.grad is not None
        return abs(leaf.grad.numpy()[0])

    return float(length("sum") / length("mean"))


def _penalised(decay: float) -> float:
    """A loss with a penalty on the weights, on the same rows and weights."""
    draw = np.random.Generator(np.random.Philox(9))
    x, w = sw.tensor(draw.normal(size=(64, 20))), sw.tensor(draw.normal(size=(20,)))
    target = sw.tensor((draw.random(64) < 0.5).astype(float))
    fit = sw.losses.binary_cross_entropy_with_logits(x @ (0.1 * w), target)
    return (fit + 0.5 * decay * xp.sum(w * w)).item()


def _bias_log_odds() -> tuple[float, float]:
    return math.log(RARE / (1 - RARE)), math.log(RARE) - math.log1p(-RARE)


def _entropy_both_ways() -> tuple[float, float]:
    def loss(logit: Tensor) -> Tensor:
        both = sw.losses.binary_cross_entropy_with_logits(logit, sw.tensor([1.0]), reduction="sum")
        none = sw.losses.binary_cross_entropy_with_logits(logit, sw.tensor([0.0]), reduction="sum")
        total: Tensor = RARE * both + (1 - RARE) * none
        return total

    best = sw.tensor([math.log(RARE / (1 - RARE))], dtype=sw.float64)
    assert abs(sw.grad(loss)(best).numpy()[0]) < 1e-6
    return loss(best).item(), _entropy(RARE)


def _variance_both_ways() -> tuple[float, float]:
    y = sw.tensor([1.0, 4.0, 2.0, 9.0], dtype=sw.float64)
    return xp.mean((xp.mean(y) - y) ** 2).item(), float(np.var([1.0, 4.0, 2.0, 9.0]))


FORMULAS = (
    Formula("bias_start", r"b = \ln \frac{p}{1 - p}", _bias_log_odds),
    Formula("entropy_start", r"H(p) = -p \ln p - (1 - p) \ln (1 - p)", _entropy_both_ways),
    Formula("constant_loss", r"\frac{1}{n} \sum_i (\bar{y} - y_i)^2 = \mathrm{Var}(y)", _variance_both_ways),
)


def facts() -> dict[str, Any]:
    """Return what the cards call by name."""
    loss, slope = _unscaled()
    bias = math.log(RARE / (1 - RARE))
    return {
        "neighbours": float(np.spacing(np.float32(1000.0))),
        "penalised": _penalised(0.01),
        "plain_loss": _penalised(0.0),
        "ten": _uniform(10),
        "seven": _uniform(7),
        "two": _uniform(2),
        "rare": RARE,
        "rare_zero": _rare_start(0.0),
        "rare_best": _rare_start(bias),
        "rare_bias": bias,
        "negative": _log_loss_by_hand(3.0, 2.0),
        "price_loss": loss,
        "price_slope": slope,
        "price_best": SPREAD**2,
        "saturated": _first_saturated(),
        "exponent": _largest_exponent(),
        "norm_bad": _norm_gradient(0.0),
        "norm_good": _norm_gradient(1e-12),
        "count_end": _vanishing_ones(),
        "lost_rate": _lost_update(),
        "sum_mean": _sum_or_mean(),
        "flipped": FLIPPED,
        "floor": _entropy(FLIPPED),
        "kink": _kink(),
        "wrapped": _wrapped(),
        **_check_errors(),
    }


def _wrapped() -> int:
    """What 100 − 128 is in bytes."""
    return int(np.subtract(np.array([100], np.uint8), np.array([128], np.uint8))[0])
