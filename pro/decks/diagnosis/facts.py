"""The numbers of the cards: each comes from a run, or a value, that has the fault."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import slopewise as sw
from pro.decks.diagnosis import levels, loops, scores
from slopewise.site.content.lesson import Formula
from slopewise.site.content.typed_numbers import Typed

FORMULAS: tuple[Formula, ...] = (*levels.FORMULAS, *loops.FORMULAS, *scores.FORMULAS)


@cache
def facts() -> dict[str, Any]:
    """Return what the cards call by name."""
    return {**levels.facts(), **loops.facts(), **scores.facts()}


def _sigmoid_in_float32() -> float:
    return float(sw.sigmoid(sw.tensor(17.0)).item())


def _largest_exponent() -> float:
    """The largest exponent once the largest logit was subtracted."""
    z = np.array([900.0, 3.0, -40.0])
    return float((z - z.max()).max())


def _of_float32() -> tuple[float, float]:
    """The distance of neighbours above two to the 24th, and the bits of a number's digits."""
    return float(np.spacing(np.float32(2**24))), float(np.finfo(np.float32).nmant + 1)


def _right_of_the_kink() -> float:
    return float(sw.grad(sw.abs)(sw.tensor(0.5)).item())


def _bytes() -> list[float]:
    limits = np.iinfo(np.uint8)
    return [float(limits.min), float(limits.max), float(limits.max) + 1]


def _curvature() -> list[float]:
    """The curvature that a run's growth tells, and the two shares of the learning rate that follow."""
    read, true = loops._curvature_read()
    assert np.isclose(read, true)
    return [read, 1.0, 2.0]


def _of_adam() -> float:
    """Adam's step for tiny gradients with the usual eps, in learning rates."""
    return loops._step_of_adam([1e-4] * 5)


def _of_itself() -> list[float]:
    """A row minus its own mean, and its spread."""
    row = np.array([[3.0, 900.0]])
    return [*(row - row.mean(axis=0))[0], *row.std(axis=0)]


TYPED = {
    "card/wrong-head": Typed("10 7"),
    "card/negative-loss": Typed("0 1 2 3"),
    "card/variance-level": Typed("0"),
    "card/unscaled-target": Typed("200 50"),
    "card/sum-reduction": Typed("256 1"),
    "card/stuck-at-two": Typed("0"),
    "card/log-of-zero": Typed(shows=lambda: [_sigmoid_in_float32()]),
    "card/exp-overflow": Typed(shows=lambda: [_largest_exponent()]),
    "card/length-of-nothing": Typed("0"),
    "card/sum-stands-still": Typed("1", lambda: [_of_float32()[0]]),
    "card/update-rounds-away": Typed("1000 1", lambda: [_of_float32()[1]]),
    "card/check-in-float32": Typed("1"),
    "card/check-at-kink": Typed("0", lambda: [_right_of_the_kink()]),
    "card/bytes-wrap": Typed("100 128", _bytes),
    "card/padding-counts": Typed("10"),
    "card/all-zero": Typed(shows=lambda: loops._zero_weights()[:2]),
    "card/twin-units": Typed("200"),
    "card/none-or-zero": Typed("0"),
    "card/spike": Typed("1"),
    "card/clip-by-value": Typed("10 1"),
    "card/read-the-curvature": Typed(shows=_curvature),
    "card/unscaled-feature": Typed("100 1", lambda: [100.0**2]),
    "card/not-in-optimizer": Typed("50"),
    "card/rows-mix": Typed("0"),
    "card/step-before-backward": Typed("1"),
    "card/shrinking-weights": Typed("1 100"),
    "card/accumulation": Typed(shows=lambda: [loops._accumulated()]),
    "card/momentum-raised": Typed("0"),
    "card/large-eps": Typed(shows=lambda: [_of_adam()]),
    "card/resume-schedule": Typed("1000 900 0"),
    "card/resume-order": Typed("40"),
    "card/schedule-per-batch": Typed("50 20 0"),
    "card/too-much-decay": Typed("1"),
    "card/young-statistics": Typed("1"),
    "card/batch-of-two": Typed("3 900"),
    "card/constant-feature": Typed("1 0"),
    "card/wrong-threshold": Typed("1"),
    "card/scaled-by-itself": Typed(shows=_of_itself),
    "card/argmax-axis": Typed("32 10 1 0"),
    "card/labels-from-one": Typed("1 3 0 2"),
}
