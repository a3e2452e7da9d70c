"""UpdateRule: one step over all parameters, each by itself, eager and traced alike."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from slopewise.compiler import CompiledFunction
from slopewise.compiler import compile as compile_function
from slopewise.engine import ops
from slopewise.engine.aval import Dtype
from slopewise.engine.creation import scalar_like
from slopewise.engine.mode import enable_grad, no_grad
from slopewise.engine.tensor import Tensor
from slopewise.optim.optimizer import Optimizer
from slopewise.optim.parameter_group import FLOAT64, ParameterGroup, Settings, State

Scalars = dict[str, Tensor]
Number = float | Tensor

_MOST_ELEMENTS = 1 << 24
_MOST_TRACES = 7


class UpdateRule(Optimizer):
    """Base class of optimizers that treat each parameter by itself.

    To write one, subclass this and give three functions: `initial_state` if it remembers something, `scalars`
    and `update`; and `check`, if settings have a range.

    Examples
    --------
    >>> import slopewise as sw
    >>> class SignDescent(sw.optim.UpdateRule):
    ...     @staticmethod
    ...     def scalars(t, lr, settings):
    ...         return {"lr": lr}
    ...     @staticmethod
    ...     def update(p, g, state, h, settings):
    ...         return p - h["lr"] * (g / abs(g)), state
    >>> w = sw.tensor([3.0, -2.0], requires_grad=True)
    >>> optimizer = SignDescent([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 2.5, -1.5], requires_grad=True)
    """

    @staticmethod
    @abstractmethod
    def scalars(t: Tensor, lr: Tensor, settings: Settings) -> dict[str, Number]:
        """Return the numbers that `update` needs; they are computed once a step, not once a parameter.

        Parameters
        ----------
        t : float64 Tensor, shape (), or (parameters,) if they differ; which update this is, from 1
        lr : float64 Tensor, shape (); the learning rate
        settings : the group's settings
        """

    @staticmethod
    @abstractmethod
    def update(p: Tensor, g: Tensor, state: State, h: Scalars, settings: Settings) -> tuple[Tensor, State]:
        """Return a parameter's new value and new state: a pure function.

        Parameters
        ----------
        p, g : Tensor; a parameter and its gradient
        state : its state, as `initial_state` named it
        h : what `scalars` returned, as tensors of shape () and the dtype of `p`
        settings : the group's settings; to branch on, as in `if settings["nesterov"]`
        """

    # ---- stepping

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            if self._is_worth_tracing():
                self._traced_update()
            else:
                self._update_all()
        return loss

    @cached_property
    def _traced_update(self) -> CompiledFunction:
        """All updates as one graph: a third of the time for small parameters, and the same bits.

        In the interpreter: a plain step has the interpreter's bits, and is not worth a compilation.
        """
        return compile_function(self._update_all, target="interpreter")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_traced_update"}

    def _is_worth_tracing(self) -> bool:
        """Tell whether a graph pays: not for large parameters, whose old and new values it all holds at once.

        Nor for settings that change at every step, each of which would be traced anew.
        """
        elements = sum(group.n_elements for group in self.param_groups)
        return elements <= _MOST_ELEMENTS and self._traced_update.n_traces <= _MOST_TRACES

    def _update_all(self) -> None:
        self._note_reads()
        count = self._step + scalar_like(1.0, FLOAT64)
        for group in self.param_groups:
            self._step_group(group, count)
        self._step.copy_(count)

    def _step_group(self, group: ParameterGroup, count: Tensor) -> None:
        positions = group.active()
        group.note_reads()
        if not positions:
            return
        settings = group.settings
        t = count if group.lockstep else count - group.skipped
        numbers = self.scalars(t, group.lr_at(self._step), settings)
        scalars: dict[Dtype, Scalars] = {}
        for position in positions:
            p, state = group.params[position], group.state[position]
            assert p.grad is not None
            if p.dtype not in scalars or not group.lockstep:
                scalars[p.dtype] = _scalars_for(position, p.dtype, numbers)
            value, new_state = self.update(p, p.grad, state, scalars[p.dtype], settings)
            p.copy_(value)
            for name, new in new_state.items():
                state[name].copy_(new)


def _scalars_for(position: int, dtype: Dtype, numbers: Mapping[str, Number]) -> Scalars:
    """Return the numbers of one parameter in its dtype, so that float32 parameters stay float32."""
    scalars = {}
    for name, value in numbers.items():
        if isinstance(value, Tensor):
            scalars[name] = ops.astype(value[position] if value.ndim else value, dtype)
        else:
            scalars[name] = scalar_like(value, dtype)
    return scalars
