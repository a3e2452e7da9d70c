"""Parameters that share settings, and the state that their optimizer keeps for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.creation import tensor
from slopewise.engine.errors import ArgumentError, ShapeError, TraceError
from slopewise.engine.mode import current_mode, no_grad
from slopewise.engine.tensor import Tensor
from slopewise.engine.trace import CaptureGuard

if TYPE_CHECKING:
    from slopewise.optim.optimizer import Optimizer

Settings = dict[str, Any]
State = dict[str, Tensor]
ScheduleFunction = Callable[[Tensor], Any]  # from the number of updates so far to a learning rate, both 0-d

FLOAT64 = np.dtype(np.float64)


class ParameterGroup:
    """Parameters that are updated with the same settings, one of the `param_groups` of an `Optimizer`.

    Settings are read and changed as in a dict: `group["lr"] = 0.01`. A compiled step follows every
    change: the learning rate is one of its inputs, and another value of any other setting makes it trace
    again.

    Attributes
    ----------
    params : list of Tensor
    names : list of str; the parameters' names, or their positions in the optimizer
    n_elements : int; how many numbers the parameters hold
    settings : dict of all settings but the learning rate; replaced as a whole, never changed in place
    schedule : the function that gives the learning rate, or None where it is a number
    learning_rate : float64 Tensor, shape (); the number, where there is no schedule
    state : list of dict of Tensor, a dict for each parameter
    skipped : float64 Tensor, shape (parameters,); in how many steps each parameter had no gradient
    lockstep : True while none has been skipped, so that all have had the same number of updates
    """

    def __init__(
        self, owner: type[Optimizer], params: list[Tensor], names: list[str], settings: Mapping[str, Any]
    ) -> None:
        self._owner = owner
        self.params = params
        self.names = names
        self.n_elements = sum(parameter.size for parameter in params)
        self.schedule: ScheduleFunction | None = None
        self.learning_rate = tensor(0.0, FLOAT64)
        self.settings: Settings = {name: value for name, value in settings.items() if name != "lr"}
        self.state: list[State] = [{} for _ in params]
        self.skipped = tensor(np.zeros(len(params)))
        self.lockstep = True
        self.change(settings)

    def change(self, settings: Mapping[str, Any]) -> None:
        """Set several settings at once; all are checked before any is changed.

        Raises
        ------
        ArgumentError
            If there is no such setting, or a value is out of range.
        TraceError
            If a traced function changes more than a learning rate that is a number: it would happen only
            once.
        """
        rest, lr = self.checked(settings)
        if current_mode().trace is not None and (
            rest != self.settings or callable(lr) or self.schedule is not None
        ):
            raise TraceError(
                f"{self._owner.__name__}: a compiled function can set a learning rate to a number, "
                "but other settings only outside of it"
            )
        if callable(lr):
            self.schedule = lr
        elif lr is not None:
            self.schedule = None
            with no_grad():
                self.learning_rate.copy_(tensor(float(lr), FLOAT64))
        self.settings = rest
        self._add_missing_state()

    def checked(self, settings: Mapping[str, Any]) -> tuple[Settings, Any]:
        """Return what the settings would be, and the new learning rate, None if it stays."""
        for name in settings:
            self._check_name(name)
        changed = {name: tuple(v) if isinstance(v, list) else v for name, v in settings.items()}
        lr = changed.pop("lr", None)
        if "lr" in settings and not callable(lr):
            check_at_least_zero(self._owner.__name__, lr=lr)
        rest = {**self.settings, **changed}
        self._owner.check(rest)
        return rest, lr

    def _add_missing_state(self) -> None:
        for parameter, state in zip(self.params, self.state, strict=True):
            wanted = self._owner.initial_state(parameter, self.settings)
            state.update({name: value for name, value in wanted.items() if name not in state})

    def __getitem__(self, name: str) -> Any:
        if name == "params":
            return self.params
        if name == "lr":
            return self.schedule if self.schedule is not None else self.learning_rate.item()
        self._check_name(name)
        return self.settings[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.change({name: value})

    def _check_name(self, name: str) -> None:
        if name == "params":
            raise ArgumentError("the parameters of a group are fixed; use optimizer.add_param_group")
        if name != "lr" and name not in self.settings:
            known = sorted({"lr", *self.settings})
            raise ArgumentError(f"{self._owner.__name__} has no setting {name!r}; it has {', '.join(known)}")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in {"lr": self["lr"], **self.settings}.items())
        return f"<{len(self.params)} parameters, {shown}>"

    # ---- what a step needs

    def note_reads(self) -> None:
        """Tell the trace, if there is one, which Python values of this group it depends on."""
        trace = current_mode().trace
        if trace is None:
            return
        for attribute, words in (
            ("settings", self._say_settings),
            ("schedule", self._say_schedule),
            ("lockstep", self._say_lockstep),
        ):
            trace.note_read(self, attribute, getattr(self, attribute), words)
        for parameter in self.params:  # one that was thawed or frozen since is to be traced again
            trace.guards.append(CaptureGuard(parameter, parameter._ref))

    def _say_settings(self, before: Settings, now: Settings) -> str:
        changed = [name for name in now if now[name] != before[name]]
        listed = ", ".join(f"{name} is {now[name]!r}, before {before[name]!r}" for name in changed)
        return f"{self._owner.__name__}: {listed}"

    def _say_schedule(self, before: ScheduleFunction | None, now: ScheduleFunction | None) -> str:
        kinds = ["a number" if schedule is None else "a schedule" for schedule in (now, before)]
        now_is, was = kinds if kinds[0] != kinds[1] else ("another schedule", "one")
        return f"{self._owner.__name__}: the learning rate follows {now_is}, before {was}"

    def _say_lockstep(self, _before: bool, now: bool) -> str:
        if now:
            return (
                f"{self._owner.__name__}: every parameter has had a gradient in every step, by a loaded state"
            )
        return f"{self._owner.__name__}: a parameter had no gradient in a step, for the first time"

    def lr_at(self, step: Tensor) -> Tensor:
        """Return the learning rate after `step` updates, a float64 tensor of shape ()."""
        if self.schedule is None:
            return self.learning_rate
        try:
            lr = ops.as_tensor(self.schedule(step))
        except TraceError as error:
            raise TraceError(f"a schedule is traced and must be made of tensor operations: {error}") from None
        if lr.shape != ():
            raise ShapeError(f"a schedule must return one number, this one returned shape {lr.shape}")
        return lr.astype(FLOAT64)

    def active(self) -> list[int]:
        """Return the positions of the parameters that have a gradient, and count the others as skipped."""
        positions = [i for i, parameter in enumerate(self.params) if parameter.grad is not None]
        if len(positions) < len(self.params):
            self.lockstep = False
            absent = np.ones(len(self.params))
            absent[positions] = 0.0
            self.skipped.copy_(self.skipped + absent)
        return positions


def check_at_least_zero(owner: str, **values: Any) -> None:
    """Raise an ArgumentError unless each value is a finite number of at least 0."""
    for name, value in values.items():
        if not (_is_number(value) and 0 <= value < float("inf")):
            raise ArgumentError(f"{owner}: {name} must be a number of at least 0, not {value!r}")


def check_fraction(owner: str, **values: Any) -> None:
    """Raise an ArgumentError unless each value is a number in [0, 1)."""
    for name, value in values.items():
        if not (_is_number(value) and 0 <= value < 1):
            raise ArgumentError(f"{owner}: {name} must be at least 0 and below 1, not {value!r}")


def check_betas(owner: str, betas: Any) -> None:
    """Raise an ArgumentError unless `betas` are two numbers in [0, 1)."""
    if not (isinstance(betas, tuple | list) and len(betas) == 2):
        raise ArgumentError(f"{owner}: betas must be a pair of numbers, not {betas!r}")
    check_fraction(owner, **{"betas[0]": betas[0], "betas[1]": betas[1]})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
