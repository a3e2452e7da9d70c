"""The grounds of this lesson, and walks on them by the library's own update rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise import array as xp
from slopewise.data.generated import normal
from slopewise.engine.tensor import Tensor
from slopewise.optim import schedules

Floats = NDArray[np.float64]
Point = tuple[float, float]

UPDATES = 40
OUT_OF_BOUNDS = 1e3
_TURN = float(np.sqrt(0.5))  # sine and cosine of 45 degrees


@dataclass(frozen=True)
class Ground:
    """A loss of two parameters, from shape (..., 2) to shape (...), and where a walk on it starts."""

    name: str
    loss: Callable[[Tensor], Tensor]
    start: Point
    lowest: Point
    character: str

    def heights(self, xs: Floats, ys: Floats) -> Floats:
        """Return the loss on a grid, shape (rows, columns)."""
        grid = np.stack(np.meshgrid(xs, ys), axis=-1)
        losses: Floats = self.loss(sw.tensor(grid)).numpy()
        return losses


def _valley(w: Tensor) -> Tensor:
    return 0.5 * ((w[..., 0] - 1.0) ** 2 + 25.0 * w[..., 1] ** 2)


def _tilted(w: Tensor) -> Tensor:
    along = _TURN * (w[..., 0] - 1.2) + _TURN * (w[..., 1] - 0.8)
    across = _TURN * (w[..., 1] - 0.8) - _TURN * (w[..., 0] - 1.2)
    return 0.5 * (along**2 + 25.0 * across**2)


def _bend(w: Tensor) -> Tensor:
    x, y = w[..., 0], w[..., 1]
    return 0.1 * (x - 1.0) ** 2 + (y - 0.5 * x**2 + 0.5) ** 2


def _plateau(w: Tensor) -> Tensor:
    return 1.0 - xp.exp(-0.5 * ((w[..., 0] - 1.0) ** 2 + w[..., 1] ** 2))


GROUNDS = {
    "valley": Ground(
        "a narrow valley",
        _valley,
        (-2.0, 1.0),
        (1.0, 0.0),
        "The valley is 25 times as curved across as along, and runs along an axis.",
    ),
    "tilted": Ground(
        "the same valley, turned by 45°",
        _tilted,
        (1.2 - 4 * _TURN, 0.8 - 2 * _TURN),
        (1.2, 0.8),
        "It is the same valley and the same start, turned by 45°: now both parameters share its flat and "
        "its steep direction.",
    ),
    "bend": Ground(
        "a bent valley",
        _bend,
        (-2.0, 0.6),
        (1.0, 0.0),
        "The floor of the valley bends, so the way down keeps changing its direction.",
    ),
    "plateau": Ground(
        "a plateau with a hole",
        _plateau,
        (-2.0, 1.0),
        (1.0, 0.0),
        "Far from the hole it is almost flat: the gradient is tiny there.",
    ),
}


@dataclass(frozen=True)
class Rule:
    """An update rule of the library, and how the settings of the lab reach it."""

    name: str
    kind: type[sw.optim.UpdateRule]
    options: Callable[[float], dict[str, Any]]


RULES = {
    "sgd": Rule("plain gradient descent", sw.optim.SGD, lambda beta: {}),
    "momentum": Rule("momentum", sw.optim.SGD, lambda beta: {"momentum": beta}),
    "nesterov": Rule(
        "Nesterov's momentum", sw.optim.SGD, lambda beta: {"momentum": beta, "nesterov": beta > 0}
    ),
    "rmsprop": Rule("RMSprop", sw.optim.RMSprop, lambda beta: {}),
    "adam": Rule("Adam", sw.optim.Adam, lambda beta: {"betas": (beta, 0.999)}),
    "adamw": Rule("AdamW", sw.optim.AdamW, lambda beta: {"betas": (beta, 0.999)}),
}

SCHEDULES: dict[str, tuple[str, Callable[[float], schedules.Schedule]]] = {
    "constant": ("constant", schedules.Constant),
    "step": ("halved every 10 updates", lambda lr: schedules.StepDecay(lr, every=10, factor=0.5)),
    "cosine": ("cosine, down to 0", lambda lr: schedules.CosineDecay(lr, steps=UPDATES)),
    "warmup": (
        "5 updates of warm-up, then cosine",
        lambda lr: schedules.WarmUp(schedules.CosineDecay(lr, steps=UPDATES - 5), steps=5, start=0.2),
    ),
}


@dataclass(frozen=True)
class Plan:
    """How to walk: all settings but the learning rate."""

    rule: str = "sgd"
    beta: float = 0.9
    schedule: str = "constant"
    noise: float = 0.0
    decay: float = 0.0
    seed: int = 0

    def optimizer(self, w: Tensor, lr: float) -> sw.optim.UpdateRule:
        """Return the library's optimizer for one parameter tensor."""
        rule = RULES[self.rule]
        made: Any = rule.kind
        schedule = SCHEDULES[self.schedule][1](lr)
        optimizer: sw.optim.UpdateRule = made(
            [w], lr=schedule, weight_decay=self.decay, **rule.options(self.beta)
        )
        return optimizer

    def tilts(self, updates: int) -> Floats:
        """Return what each update's batch adds to the gradient, shape (updates, 2)."""
        return self.noise * normal(2 * updates, self.seed, 300).reshape(-1, 2)


@dataclass
class Walk:
    """What happened: the place before each update and after the last; the rest by update.

    `remembered` holds the optimizer's state after each update, by name. A walk that leaves all bounds ends.
    """

    points: list[Floats] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    gradients: list[Floats] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    remembered: list[dict[str, Floats]] = field(default_factory=list)

    @property
    def updates(self) -> int:
        return len(self.points) - 1


def walk(ground: Ground, plan: Plan, lr: float, updates: int = UPDATES) -> Walk:
    """Walk with the library's optimizer. A batch's noise tilts the loss: it adds to the gradient."""
    w = sw.tensor(np.array(ground.start), requires_grad=True)
    optimizer = plan.optimizer(w, lr)
    made = Walk([w.numpy().copy()])
    for tilt in sw.tensor(plan.tilts(updates)):
        optimizer.zero_grad()
        loss = ground.loss(w)
        (loss + (tilt * w).sum()).backward()
        assert w.grad is not None
        made.losses.append(loss.item())
        made.gradients.append(w.grad.numpy().copy())
        made.rates.append(optimizer.lr)
        optimizer.step()
        state = optimizer.param_groups[0].state[0]
        made.remembered.append({name: value.numpy().copy() for name, value in state.items()})
        made.points.append(w.numpy().copy())
        if np.abs(made.points[-1]).max() > OUT_OF_BOUNDS:
            break
    made.losses.append(ground.loss(sw.tensor(made.points[-1])).item())
    return made


def sweep(
    ground: Ground, plan: Plan, lrs: Floats, updates: int = UPDATES, tilts: Floats | None = None
) -> Floats:
    """Return the losses before each update and after the last, shape (updates + 1, learning rates).

    All walk at once, as rows of one tensor: an optimizer's update function takes a learning rate for each
    row as well as one for all. `tilts`, shape (updates, learning rates, 2), gives each walk noise of its own;
    otherwise all have the plan's.
    """
    kind = RULES[plan.rule].kind
    w = sw.tensor(np.tile(np.array(ground.start), (len(lrs), 1)), requires_grad=True)
    settings = plan.optimizer(w, 1.0).param_groups[0].settings
    shares = SCHEDULES[plan.schedule][1](1.0)
    slopes = sw.grad(lambda w: ground.loss(w).sum())
    w = w.detach()
    state = kind.initial_state(w, settings)
    passed = [w.numpy()]
    for step, tilt in enumerate(sw.tensor(plan.tilts(updates) if tilts is None else tilts)):
        lr = sw.tensor(lrs[:, None] * shares(step).item())
        scalars = kind.scalars(sw.tensor(step + 1.0, dtype=sw.float64), lr, settings)
        h = {name: xp.asarray(value, dtype=sw.float64) for name, value in scalars.items()}
        within = abs(w).max(axis=1, keepdims=True) < OUT_OF_BOUNDS
        moved, state = kind.update(w, slopes(w) + tilt, state, h, settings)
        w = sw.where(within, moved, w)
        passed.append(w.numpy())
    losses: Floats = ground.loss(sw.tensor(np.array(passed))).numpy()
    return losses
