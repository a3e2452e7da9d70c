"""Schedules of the learning rate: functions from the number of updates so far to a learning rate.

Both are 0-d tensors. A schedule takes the place of a number: `Adam(params, lr=CosineDecay(1e-2,
steps=1000))`. It keeps no state, the optimizer counts, so eager and compiled training agree and a resumed
run goes on where it stopped. To count in epochs, wrap it in `PerEpoch`. Schedules can be multiplied with
each other and with numbers. Values are those of PyTorch's schedulers; after its last step a schedule
stays at its end.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.creation import scalar_like
from slopewise.engine.errors import ArgumentError
from slopewise.engine.mode import no_grad
from slopewise.engine.tensor import Tensor

FLOAT64 = np.dtype(np.float64)


class Schedule(ABC):
    """Base class of schedules; a subclass gives `at`.

    Examples
    --------
    >>> import slopewise as sw
    >>> schedule = sw.optim.schedules.WarmUp(sw.optim.schedules.ExponentialDecay(0.1, 0.5), steps=2)
    >>> [schedule(step).item() for step in range(5)]
    [0.0, 0.05, 0.1, 0.05, 0.025]
    >>> optimizer = sw.optim.SGD([sw.tensor(1.0, requires_grad=True)], lr=schedule)
    >>> optimizer.lr
    0.0
    """

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate after `step` updates.

        Parameters
        ----------
        step : Tensor of shape (), or int

        Returns
        -------
        float64 Tensor, shape ()
        """
        with no_grad():
            return self.at(ops.astype(ops.as_tensor(step), FLOAT64))

    @abstractmethod
    def at(self, step: Tensor) -> Tensor:
        """Return the learning rate; `step` is a float64 Tensor of shape ()."""

    def __mul__(self, other: float | Schedule) -> Schedule:
        if not isinstance(other, Schedule):
            return Product(self, Constant(other))
        return Product(self, other)

    __rmul__ = __mul__


def _check(schedule: Schedule, **limits: float) -> None:
    """Raise an ArgumentError unless each field is a finite number of at least its limit."""
    for name, low in limits.items():
        value = getattr(schedule, name)
        if not (isinstance(value, int | float | np.number) and low <= value < math.inf):
            raise ArgumentError(
                f"{type(schedule).__name__}: {name} must be a number of at least {low}, not {value!r}"
            )


def _milestones(schedule: MultiStepDecay | Sequence) -> tuple[int, ...]:
    """Return the milestones as a tuple, or raise an ArgumentError unless they are ascending steps from 1."""
    given = schedule.milestones
    steps = tuple(given) if isinstance(given, list | tuple) else None
    if steps is None or list(steps) != sorted(set(steps)) or min(steps, default=1) < 1:
        raise ArgumentError(
            f"{type(schedule).__name__}: milestones must be ascending step numbers, not {given!r}"
        )
    return steps


def _share(step: Tensor, steps: float) -> Tensor:
    """Return how much of a stretch of steps is done, at most 1."""
    return ops.minimum(step / steps, scalar_like(1.0, FLOAT64))


def _cosine(start: float | Tensor, end: float | Tensor, share: Tensor) -> Tensor:
    """Go from start to end along half a wave of the cosine."""
    return end + (start - end) * (1 + ops.cos(math.pi * share)) / 2


def _linear(start: float | Tensor, end: float | Tensor, share: Tensor) -> Tensor:
    """Go from start to end along a line."""
    return start + (end - start) * share


# ---- one formula each


@dataclass(frozen=True)
class Constant(Schedule):
    """The same learning rate at every step; a building block.

    Examples
    --------
    >>> Constant(0.1)(7).item()
    0.1
    """

    lr: float

    def __post_init__(self) -> None:
        _check(self, lr=0)

    def at(self, step: Tensor) -> Tensor:
        return scalar_like(self.lr, FLOAT64)


@dataclass(frozen=True)
class StepDecay(Schedule):
    """lr factor^floor(step / every): multiplied by `factor` after each `every` steps (PyTorch's StepLR).

    Examples
    --------
    >>> [StepDecay(0.8, every=2, factor=0.5)(step).item() for step in range(5)]
    [0.8, 0.8, 0.4, 0.4, 0.2]
    """

    lr: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        _check(self, lr=0, every=1, factor=0)

    def at(self, step: Tensor) -> Tensor:
        return self.lr * self.factor ** ops.floor(step / self.every)


@dataclass(frozen=True)
class MultiStepDecay(Schedule):
    """Multiplied by `factor` at each of the steps `milestones` (PyTorch's MultiStepLR).

    Examples
    --------
    >>> [MultiStepDecay(0.8, milestones=(1, 4), factor=0.5)(step).item() for step in range(5)]
    [0.8, 0.4, 0.4, 0.4, 0.2]
    """

    lr: float
    milestones: tuple[int, ...]
    factor: float = 0.1

    def __post_init__(self) -> None:
        _check(self, lr=0, factor=0)
        object.__setattr__(self, "milestones", _milestones(self))

    def at(self, step: Tensor) -> Tensor:
        passed = scalar_like(0.0, FLOAT64)
        for milestone in self.milestones:
            passed = passed + (step >= milestone)
        return self.lr * self.factor**passed


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """lr factor^step: multiplied by `factor` after each step (PyTorch's ExponentialLR).

    Examples
    --------
    >>> [ExponentialDecay(0.8, factor=0.5)(step).item() for step in range(3)]
    [0.8, 0.4, 0.2]
    """

    lr: float
    factor: float

    def __post_init__(self) -> None:
        _check(self, lr=0, factor=0)

    def at(self, step: Tensor) -> Tensor:
        return self.lr * self.factor**step


@dataclass(frozen=True)
class LinearRamp(Schedule):
    """From `start` to `end` along a line, in `steps` steps (PyTorch's LinearLR).

    Examples
    --------
    >>> [LinearRamp(0.0, 1.0, steps=2)(step).item() for step in range(4)]
    [0.0, 0.5, 1.0, 1.0]
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        _check(self, start=0, end=0, steps=1)

    def at(self, step: Tensor) -> Tensor:
        return _linear(self.start, self.end, _share(step, self.steps))


@dataclass(frozen=True)
class PolynomialDecay(Schedule):
    """lr (1 - step / steps)^power, 0 in the end (PyTorch's PolynomialLR).

    Examples
    --------
    >>> [PolynomialDecay(0.8, steps=4, power=2)(step).item() for step in (0, 2, 4, 5)]
    [0.8, 0.2, 0.0, 0.0]
    """

    lr: float
    steps: int
    power: float = 1.0

    def __post_init__(self) -> None:
        _check(self, lr=0, steps=1, power=0)

    def at(self, step: Tensor) -> Tensor:
        return self.lr * (1 - _share(step, self.steps)) ** float(self.power)


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """end + (lr - end) (1 + cos(pi step / steps)) / 2: `end` after `steps` steps.

    PyTorch's CosineAnnealingLR.

    References
    ----------
    I. Loshchilov, F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.

    Examples
    --------
    >>> [round(CosineDecay(0.8, steps=4)(step).item(), 6) for step in (0, 2, 4, 5)]
    [0.8, 0.4, 0.0, 0.0]
    """

    lr: float
    steps: int
    end: float = 0.0

    def __post_init__(self) -> None:
        _check(self, lr=0, steps=1, end=0)

    def at(self, step: Tensor) -> Tensor:
        return _cosine(self.lr, self.end, _share(step, self.steps))


@dataclass(frozen=True)
class CosineRestarts(Schedule):
    """Cosine decay that starts again after `steps` steps, and each time takes `growth` times as long.

    PyTorch's CosineAnnealingWarmRestarts.

    References
    ----------
    I. Loshchilov, F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.

    Examples
    --------
    >>> [round(CosineRestarts(0.8, steps=2, growth=2)(step).item(), 6) for step in range(7)]
    [0.8, 0.4, 0.8, 0.682843, 0.4, 0.117157, 0.8]
    """

    lr: float
    steps: int
    growth: int = 1
    end: float = 0.0

    def __post_init__(self) -> None:
        _check(self, lr=0, steps=1, growth=1, end=0)

    def at(self, step: Tensor) -> Tensor:
        if self.growth == 1:
            return _cosine(self.lr, self.end, step % self.steps / self.steps)
        # Period n starts at steps (growth^n - 1) / (growth - 1); its inverse may miss a whole number.
        grown = 1 + step * ((self.growth - 1) / self.steps)
        length = self.growth ** ops.floor(ops.log(grown) / math.log(self.growth) + 1e-9)
        start = (length - 1) * (self.steps / (self.growth - 1))
        return _cosine(self.lr, self.end, (step - start) / (length * self.steps))


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Up from lr / start_divisor to lr, then down to the start / end_divisor, all in `steps` steps.

    PyTorch's OneCycleLR; momentum is not cycled.

    Parameters
    ----------
    lr : the highest learning rate
    steps : how many updates the training has
    peak : the share of them on the way up, between 0 and 1
    start_divisor, end_divisor : float, above 0
    shape : "cosine" or "linear"

    References
    ----------
    L. Smith, N. Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning
    Rates", 2017.

    Examples
    --------
    >>> [round(OneCycle(1.0, steps=10)(step).item(), 4) for step in (0, 2, 9)]
    [0.04, 1.0, 0.0]
    """

    lr: float
    steps: int
    peak: float = 0.3
    start_divisor: float = 25.0
    end_divisor: float = 1e4
    shape: str = "cosine"

    def __post_init__(self) -> None:
        _check(self, lr=0, steps=2, peak=0, start_divisor=0, end_divisor=0)
        if not 0 < self.peak * self.steps - 1 < self.steps - 1:
            raise ArgumentError(
                f"OneCycle: peak={self.peak} of {self.steps} steps leaves no step on the way up or down; "
                "use more steps, or another share between 0 and 1"
            )
        if not (self.start_divisor and self.end_divisor):
            raise ArgumentError("OneCycle: start_divisor and end_divisor must be above 0")
        if self.shape not in ("cosine", "linear"):
            raise ArgumentError(f"OneCycle: shape must be 'cosine' or 'linear', not {self.shape!r}")

    def at(self, step: Tensor) -> Tensor:
        go = _cosine if self.shape == "cosine" else _linear
        top, last = self.peak * self.steps - 1, self.steps - 1
        start = self.lr / self.start_divisor
        up = go(start, self.lr, _share(step, top))
        down = go(self.lr, start / self.end_divisor, _share(step - top, last - top))
        return ops.where(step <= top, up, down)


# ---- schedules of schedules


@dataclass(frozen=True)
class Product(Schedule):
    """One schedule times another, written `a * b` (PyTorch's ChainedScheduler).

    Examples
    --------
    >>> (ExponentialDecay(0.8, 0.5) * 0.5)(1).item()
    0.2
    """

    first: Schedule
    second: Schedule

    def at(self, step: Tensor) -> Tensor:
        return self.first.at(step) * self.second.at(step)


@dataclass(frozen=True)
class Sequence(Schedule):
    """One schedule after another; each counts from its own start (PyTorch's SequentialLR).

    Parameters
    ----------
    schedules : one more than milestones
    milestones : the steps, ascending, at which the next one takes over

    Examples
    --------
    >>> schedule = Sequence([Constant(0.8), ExponentialDecay(0.4, 0.5)], milestones=[2])
    >>> [schedule(step).item() for step in range(4)]
    [0.8, 0.8, 0.4, 0.2]
    """

    schedules: tuple[Schedule, ...]
    milestones: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedules", tuple(self.schedules))
        object.__setattr__(self, "milestones", _milestones(self))
        if len(self.schedules) != len(self.milestones) + 1:
            raise ArgumentError(
                f"Sequence: {len(self.schedules)} schedules need {len(self.schedules) - 1} milestones, "
                f"not {len(self.milestones)}"
            )

    def at(self, step: Tensor) -> Tensor:
        lr = self.schedules[0].at(step)
        for start, schedule in zip(self.milestones, self.schedules[1:], strict=True):
            # A schedule is only asked for steps that it has: before its start, for its first.
            own = ops.maximum(step - start, scalar_like(0.0, FLOAT64))
            lr = ops.where(step >= start, schedule.at(own), lr)
        return lr


@dataclass(frozen=True)
class WarmUp(Schedule):
    """A line up to a schedule's first learning rate in `steps` steps, then the schedule from its start.

    Parameters
    ----------
    schedule : Schedule, or a number for a constant learning rate
    steps : int; how long the warm-up takes
    start : float in [0, 1]; the share of the learning rate to start from

    References
    ----------
    P. Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017.

    Examples
    --------
    >>> [WarmUp(0.4, steps=4)(step).item() for step in (0, 1, 2, 4, 9)]
    [0.0, 0.1, 0.2, 0.4, 0.4]
    """

    schedule: Schedule | float
    steps: int
    start: float = 0.0

    def __post_init__(self) -> None:
        _check(self, steps=1, start=0)
        if self.start > 1:
            raise ArgumentError(f"WarmUp: start must be at most 1, not {self.start!r}")
        if not isinstance(self.schedule, Schedule):
            object.__setattr__(self, "schedule", Constant(self.schedule))

    def at(self, step: Tensor) -> Tensor:
        assert isinstance(self.schedule, Schedule)
        after = self.schedule.at(ops.maximum(step - self.steps, scalar_like(0.0, FLOAT64)))
        return after * _linear(self.start, 1.0, _share(step, self.steps))


@dataclass(frozen=True)
class PerEpoch(Schedule):
    """A schedule that counts epochs: the learning rate changes after each `steps_per_epoch` updates.

    Examples
    --------
    >>> [PerEpoch(ExponentialDecay(0.8, 0.5), steps_per_epoch=2)(step).item() for step in range(5)]
    [0.8, 0.8, 0.4, 0.4, 0.2]
    """

    schedule: Schedule
    steps_per_epoch: int

    def __post_init__(self) -> None:
        _check(self, steps_per_epoch=1)

    def at(self, step: Tensor) -> Tensor:
        return self.schedule.at(ops.floor(step / self.steps_per_epoch))


__all__ = [
    "Constant",
    "CosineDecay",
    "CosineRestarts",
    "ExponentialDecay",
    "LinearRamp",
    "MultiStepDecay",
    "OneCycle",
    "PerEpoch",
    "PolynomialDecay",
    "Product",
    "Schedule",
    "Sequence",
    "StepDecay",
    "WarmUp",
]
