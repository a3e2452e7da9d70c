"""LBFGS: a quasi-Newton method, for problems whose loss and gradient are exact."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.creation import tensor, zeros
from slopewise.engine.errors import ArgumentError, TraceError
from slopewise.engine.mode import current_mode, enable_grad, no_grad
from slopewise.engine.tensor import Tensor
from slopewise.optim.line_search import Point, strong_wolfe
from slopewise.optim.optimizer import Optimizer
from slopewise.optim.parameter_group import ScheduleFunction, Settings, check_at_least_zero

_LEAST_CURVATURE = 1e-10  # a pair of changes with less would make the Hessian's estimate indefinite


@dataclass
class _Memory:
    """What is known of the curvature, and where the last iteration was; vectors are over all parameters."""

    n_iterations: int = 0
    steps: list[Tensor] = field(default_factory=list)
    gradient_changes: list[Tensor] = field(default_factory=list)
    curvatures: list[float] = field(default_factory=list)  # step times gradient change, of each pair
    scale: float = 1.0  # of the first estimate of the inverse Hessian
    direction: Tensor | None = None
    length: float = 0.0
    gradient: Tensor | None = None

    def next_direction(self, gradient: Tensor, history_size: int) -> Tensor:
        """Take in the gradient at the place that the last step led to, and return where to go from there."""
        if self.direction is not None and self.gradient is not None:
            self._remember(self.direction * self.length, gradient - self.gradient, history_size)
        self.n_iterations += 1
        self.gradient = gradient
        self.direction = self._product(-gradient)
        return self.direction

    def _remember(self, step: Tensor, change: Tensor, history_size: int) -> None:
        curvature = dot(change, step)
        if not curvature > _LEAST_CURVATURE:
            return
        self.steps = [*self.steps, step][-history_size:]
        self.gradient_changes = [*self.gradient_changes, change][-history_size:]
        self.curvatures = [*self.curvatures, curvature][-history_size:]
        self.scale = curvature / dot(change, change)

    def _product(self, vector: Tensor) -> Tensor:
        """Multiply by the estimate of the inverse Hessian: the two-loop recursion."""
        pairs = list(zip(self.steps, self.gradient_changes, self.curvatures, strict=True))
        shares = []
        for step, change, curvature in reversed(pairs):
            share = dot(step, vector) / curvature
            vector = vector - share * change
            shares.append(share)
        vector = vector * self.scale
        for step, change, curvature in pairs:
            vector = vector + (shares.pop() - dot(change, vector) / curvature) * step
        return vector


def dot(a: Tensor, b: Tensor) -> float:
    """Return the inner product of two vectors as a number."""
    return float((a @ b).item())


def largest(x: Tensor) -> float:
    """Return the largest magnitude in a vector."""
    return float(ops.max(ops.absolute(x)).item())


class LBFGS(Optimizer):
    """LBFGS, limited-memory BFGS: Newton's method with an estimate of the inverse Hessian from the last
    steps.

    For losses that are the same function at every call: full batches, curve fitting. One `step` makes up
    to `max_iter` iterations, and calls the closure for each of them. It looks at values, so the step
    itself cannot be compiled; the closure can be, and holds nearly all of the work.

    ::

        s_k = x_k+1 - x_k,   y_k = g_k+1 - g_k        (the last history_size pairs with s.y > 1e-10)
        d = - H g                                     (H from the pairs by the two-loop recursion, first
        s.y / y.y I) x = x + t d                                   (t = lr, or from the line search, which
        tries lr first)

    Parameters
    ----------
    params : iterable of Tensor, (name, Tensor), or one dict; see `Optimizer`
    lr : number or schedule
    max_iter : int; iterations in a step
    max_eval : int; calls of the closure in a step, 5/4 max_iter by default
    tolerance_grad : stop when no element of the gradient is larger
    tolerance_change : stop when the loss or the parameters change by less
    history_size : int; how many pairs are remembered, of two numbers per parameter each
    line_search_fn : "strong_wolfe", which is advised, or None for steps of fixed length

    References
    ----------
    D. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization", 1989; J.
    Nocedal, S. Wright, "Numerical Optimization", 2006, algorithm 7.4. Defaults and behaviour are
    PyTorch's.

    Examples
    --------
    >>> import slopewise as sw
    >>> x = sw.tensor([-1.2, 1.0], dtype="float64", requires_grad=True)
    >>> optimizer = sw.optim.LBFGS([x], max_iter=100, line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2    # Rosenbrock's valley
    ...     loss.backward()
    ...     return loss
    >>> round(optimizer.step(closure).item(), 4)    # the loss before the step
    24.2
    >>> [round(number, 4) for number in x.tolist()]
    [1.0, 1.0]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | ScheduleFunction = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        self._memory = _Memory()
        super().__init__(
            params,
            lr=lr,
            max_iter=max_iter,
            max_eval=max_iter * 5 // 4 if max_eval is None else max_eval,
            tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change,
            history_size=history_size,
            line_search_fn=line_search_fn,
        )

    @classmethod
    def check(cls, settings: Settings) -> None:
        for name in ("max_iter", "max_eval", "history_size"):
            if not (isinstance(settings[name], int) and settings[name] >= 1):
                raise ArgumentError(
                    f"LBFGS: {name} must be a whole number of at least 1, not {settings[name]!r}"
                )
        check_at_least_zero(
            "LBFGS", **{name: settings[name] for name in ("tolerance_grad", "tolerance_change")}
        )
        if settings["line_search_fn"] not in (None, "strong_wolfe"):
            raise ArgumentError(
                f"LBFGS: line_search_fn must be 'strong_wolfe' or None, not {settings['line_search_fn']!r}"
            )

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add the one group that there can be: all parameters make one vector."""
        if self.param_groups:
            raise ArgumentError("LBFGS has one parameter group: all parameters make one vector")
        super().add_param_group(group)

    # ---- stepping

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor:
        """Make up to `max_iter` iterations.

        Parameters
        ----------
        closure : resets the gradients, computes the loss, calls `backward()` on it and returns it

        Returns
        -------
        the loss before the step
        """
        if closure is None:
            raise ArgumentError("LBFGS: step needs a closure that computes the loss again; see its example")
        if current_mode().trace is not None:
            raise TraceError(
                "LBFGS looks at values and cannot be part of a compiled function; compile its closure instead"
            )
        with no_grad():
            with enable_grad():
                first = closure()
            self._iterate(closure, float(first.item()))
            self._step.copy_(self._step + 1.0)
        return first

    def _iterate(self, closure: Callable[[], Tensor], loss: float) -> None:
        group, memory = self.param_groups[0], self._memory
        settings = group.settings
        lr = float(group.lr_at(self._step).item())
        here = Point(0.0, loss, self._gradient(), 0.0)
        evaluations_left = settings["max_eval"] - 1
        for iterations_left in reversed(range(settings["max_iter"])):
            if largest(here.gradient) <= settings["tolerance_grad"]:
                return
            direction = memory.next_direction(here.gradient, settings["history_size"])
            memory.length = lr
            if memory.n_iterations == 1:  # nothing is known of the scale yet
                memory.length *= min(1.0, 1.0 / float(ops.sum(ops.absolute(here.gradient)).item()))
            here = here._replace(t=0.0, slope=dot(here.gradient, direction))
            if here.slope > -settings["tolerance_change"]:
                return
            if settings["line_search_fn"] is None and not iterations_left:
                self._move(self._values(), direction, memory.length)
                return  # nobody would look at the loss there
            there, n_evaluations = self._go(closure, here, direction, evaluations_left)
            memory.length = there.t
            evaluations_left -= n_evaluations
            change = min(largest(direction) * abs(there.t), abs(there.value - here.value))
            if evaluations_left <= 0 or change <= settings["tolerance_change"]:
                return
            here = there

    def _go(
        self, closure: Callable[[], Tensor], here: Point, direction: Tensor, evaluations_left: int
    ) -> tuple[Point, int]:
        """Move along the direction; return the point reached and how often the closure was called."""
        values = self._values()

        def evaluate(t: float) -> Point:
            self._move(values, direction, t)
            with enable_grad():
                loss = closure()
            gradient = self._gradient()
            return Point(t, float(loss.item()), gradient, dot(gradient, direction))

        settings = self.param_groups[0].settings
        if settings["line_search_fn"] is None:
            return evaluate(self._memory.length), 1
        there, n = strong_wolfe(
            evaluate,
            here,
            self._memory.length,
            largest(direction),
            tolerance=settings["tolerance_change"],
            max_evaluations=evaluations_left,
        )
        self._move(values, direction, there.t)
        return there, n

    # ---- parameters as one vector

    def _values(self) -> list[Tensor]:
        return [parameter.detach() for parameter in self.param_groups[0].params]

    def _gradient(self) -> Tensor:
        """Return the gradients as one vector; those that are None are 0."""
        parts = []
        for parameter in self.param_groups[0].params:
            gradient = parameter.grad
            parts.append(
                zeros((parameter.size,), parameter.dtype) if gradient is None else gradient.reshape(-1)
            )
        return ops.concatenate(parts)

    def _move(self, values: list[Tensor], direction: Tensor, t: float) -> None:
        """Set the parameters to values + t direction."""
        offset = 0
        for parameter, value in zip(self.param_groups[0].params, values, strict=True):
            part = direction[offset : offset + parameter.size].reshape(parameter.shape)
            parameter.copy_(value + t * part)
            offset += parameter.size

    # ---- saving

    def state_dict(self) -> dict[str, Any]:
        """Return all state under flat names; beside those of other optimizers, the keys "memory.<name>"."""
        memory = self._memory
        saved: dict[str, Any] = {name: getattr(memory, name) for name in ("n_iterations", "scale", "length")}
        if memory.direction is not None and memory.gradient is not None:
            saved["direction"] = np.array(memory.direction)
            saved["gradient"] = np.array(memory.gradient)
        if memory.steps:
            saved["steps"] = np.stack([np.array(step) for step in memory.steps])
            saved["curvatures"] = np.array(memory.curvatures)
            saved["gradient_changes"] = np.stack([np.array(change) for change in memory.gradient_changes])
        return super().state_dict() | {f"memory.{name}": value for name, value in saved.items()}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned; the next steps are the same to the bit."""
        prefix = "memory."
        memory = {key.removeprefix(prefix): value for key, value in saved.items() if key.startswith(prefix)}
        super().load_state_dict({key: value for key, value in saved.items() if not key.startswith(prefix)})
        self._memory = _Memory(
            n_iterations=int(memory["n_iterations"]),
            scale=float(memory["scale"]),
            length=float(memory["length"]),
            steps=[tensor(row) for row in np.asarray(memory.get("steps", ()))],
            gradient_changes=[tensor(row) for row in np.asarray(memory.get("gradient_changes", ()))],
            curvatures=np.asarray(memory.get("curvatures", ())).tolist(),
            direction=tensor(memory["direction"]) if "direction" in memory else None,
            gradient=tensor(memory["gradient"]) if "gradient" in memory else None,
        )
