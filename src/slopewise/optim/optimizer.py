"""Optimizer: parameters in groups, and the state that is kept for them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from slopewise.engine.creation import tensor
from slopewise.engine.errors import ArgumentError, DtypeError
from slopewise.engine.mode import current_mode, no_grad
from slopewise.engine.tensor import Tensor
from slopewise.optim.parameter_group import FLOAT64, ParameterGroup, ScheduleFunction, Settings, State


class Optimizer(ABC):
    """Base class of the optimizers: parameters in groups, and the state that is kept for them.

    All state is made in the constructor. What changes between steps, the number of updates and the
    learning rate, is a 0-d tensor in float64, so that a compiled step is traced once. A parameter without
    gradient is skipped, and its own number of updates does not advance (PyTorch's convention).

    One that treats each parameter by itself is written by subclassing `UpdateRule`.

    Parameters
    ----------
    params : iterable of Tensor, or of (name, Tensor) pairs, or of dicts
        What is trained: floating leaf tensors. Frozen ones (`requires_grad=False`) are kept and skipped.
        A dict has the key "params" and settings of its own.
    **defaults : the settings of groups that do not set them
        "lr" is a number, or a schedule: a function from the number of updates so far to the learning rate.

    Raises
    ------
    ArgumentError
        If there are no parameters, one is given twice or is no leaf, or a setting is out of range.
    """

    param_groups: tuple[ParameterGroup, ...]

    def __init__(self, params: Iterable[Any], **defaults: Any) -> None:
        self.defaults = defaults
        self.param_groups = ()
        self._step = tensor(0.0, FLOAT64)
        if hasattr(params, "parameters"):
            raise ArgumentError(
                f"{type(self).__name__} takes parameters, not a model: pass model.parameters()"
            )
        entries: list[Any] = [params] if isinstance(params, Tensor | Mapping) else list(params)
        if not entries:
            raise ArgumentError(
                f"{type(self).__name__} got no parameters; pass model.parameters() of a model that has some"
            )
        if isinstance(params, Tensor):
            raise ArgumentError(f"{type(self).__name__} needs an iterable of tensors; pass [parameter]")
        groups = entries if isinstance(entries[0], Mapping) else [{"params": entries}]
        for group in groups:
            self.add_param_group(group)

    # ---- what a subclass gives

    @classmethod  # noqa: B027 (a rule may have nothing to check)
    def check(cls, settings: Settings) -> None:
        """Raise an ArgumentError if a setting is out of range."""

    @staticmethod
    def initial_state(p: Tensor, settings: Settings) -> State:
        """Return the tensors that are remembered for a parameter, by name."""
        return {}

    @abstractmethod
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """Update all parameters that have a gradient.

        Parameters
        ----------
        closure : computes the loss again, calls `backward()` on it and returns it; called first, if given

        Returns
        -------
        the loss that the closure returned, or None
        """

    # ---- gradients

    def _note_reads(self) -> None:
        trace = current_mode().trace
        if trace is not None:
            trace.note_read(self, "param_groups", self.param_groups, self._say_groups)

    def _say_groups(self, _before: Any, _now: Any) -> str:
        return f"{type(self).__name__} has other groups of parameters"

    def zero_grad(self) -> None:
        """Set the `.grad` of all parameters to None."""
        self._note_reads()
        for group in self.param_groups:
            group.note_reads()
            for parameter in group.params:
                if parameter.requires_grad:
                    parameter.grad = None  # not read first: a traced step would depend on what it was

    # ---- groups

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add parameters, with settings of their own where they are given.

        Parameters
        ----------
        group : dict with the key "params"; the other keys are settings

        Examples
        --------
        >>> import slopewise as sw
        >>> w, b = (sw.tensor(1.0, requires_grad=True) for _ in range(2))
        >>> optimizer = sw.optim.SGD([w], lr=0.1, weight_decay=0.01)
        >>> optimizer.add_param_group({"params": [b], "weight_decay": 0.0})
        >>> [group["weight_decay"] for group in optimizer.param_groups]
        [0.01, 0.0]
        """
        name = type(self).__name__
        if not isinstance(group, Mapping) or "params" not in group:
            raise ArgumentError(f'{name}: a parameter group must be a dict with the key "params"')
        settings = {key: value for key, value in group.items() if key != "params"}
        unknown = sorted(settings.keys() - self.defaults.keys())
        if unknown:
            known = ", ".join(sorted(self.defaults))
            raise ArgumentError(f"{name} has no setting {unknown[0]!r}; it has {known}")
        given = group["params"]
        entries = [given] if isinstance(given, Tensor) else list(given)
        if not entries:
            raise ArgumentError(f"{name}: parameter group {len(self.param_groups)} has no parameters")
        taken = [p for other in self.param_groups for p in other.params]
        names, params = _named_parameters(name, entries, taken)
        made = ParameterGroup(type(self), params, names, {**self.defaults, **settings})
        self.param_groups = (*self.param_groups, made)

    @property
    def n_steps(self) -> int:
        """How many steps have been made."""
        return int(self._step.item())

    @property
    def lr(self) -> float:
        """The learning rate of the next step, of the first group.

        Setting it, to a number or a schedule, sets it in all groups.
        """
        return float(self.param_groups[0].lr_at(self._step).item())

    @lr.setter
    def lr(self, value: float | ScheduleFunction) -> None:
        for group in self.param_groups:
            group["lr"] = value

    # ---- saving

    def state_dict(self) -> dict[str, Any]:
        """Return all state under flat names: NumPy arrays, and values that JSON can hold.

        Returns
        -------
        dict with the keys "optimizer" (the class), "step", and for each group "groups.<i>.settings" (a
        dict), "groups.<i>.lr", "groups.<i>.skipped" and "groups.<i>.state.<parameter>.<name>"
        """
        saved: dict[str, Any] = {"optimizer": type(self).__name__, "step": np.array(self._step)}
        for number, group in enumerate(self.param_groups):
            saved |= {f"groups.{number}.{key}": value for key, value in _group_state(group).items()}
        return saved

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned, settings included; the next steps are the same to the bit.

        A schedule is code, and no file holds code: the one that the optimizer was made with stays.

        Raises
        ------
        ArgumentError
            If the state is another optimizer's, or does not fit the parameters; nothing is changed then.
        """
        name = type(self).__name__
        if saved.get("optimizer") != name:
            raise ArgumentError(
                f"this state belongs to the optimizer {saved.get('optimizer')!r}, not to {name!r}"
            )
        expected = Optimizer.state_dict(self)
        _check_saved(name, expected, saved)
        for number, group in enumerate(self.param_groups):
            group.checked(saved[f"groups.{number}.settings"])
        with no_grad():
            self._step.copy_(np.asarray(saved["step"]))
            for number, group in enumerate(self.param_groups):
                prefix = f"groups.{number}."
                own = [key for key in expected if key.startswith(prefix)]
                _load_group(group, {key.removeprefix(prefix): saved[key] for key in own})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.param_groups))})"


def _named_parameters(owner: str, entries: list[Any], taken: list[Tensor]) -> tuple[list[str], list[Tensor]]:
    """Check the parameters of a group; those without a name are called by their position in the optimizer."""
    seen = set(map(id, taken))
    names: list[str] = []
    params: list[Tensor] = []
    for position, entry in enumerate(entries, len(taken)):
        is_named = isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str)
        name, parameter = entry if is_named else (str(position), entry)
        _check_parameter(owner, name, parameter)
        if id(parameter) in seen:
            raise ArgumentError(f"{owner}: parameter {name} of shape {parameter.shape} is given twice")
        if name in names:
            raise ArgumentError(f"{owner}: two parameters of one group have the name {name!r}")
        seen.add(id(parameter))
        names.append(name)
        params.append(parameter)
    return names, params


def _check_parameter(owner: str, label: str, parameter: Any) -> None:
    if not isinstance(parameter, Tensor):
        raise ArgumentError(f"{owner}: parameter {label} must be a Tensor, not {type(parameter).__name__}")
    if not parameter.is_leaf:
        raise ArgumentError(
            f"{owner}: parameter {label} is no leaf: an operation made it, so no gradient is stored in it; "
            "pass the tensor that it was computed from"
        )
    if parameter.dtype.kind != "f":
        raise DtypeError(f"{owner}: parameter {label} must be floating, not {parameter.dtype}")


def _group_state(group: ParameterGroup) -> dict[str, Any]:
    settings = {name: list(v) if isinstance(v, tuple) else v for name, v in group.settings.items()}
    saved: dict[str, Any] = {
        "settings": settings,
        "scheduled": group.schedule is not None,
        "lr": np.array(group.learning_rate),
        "skipped": np.array(group.skipped),
    }
    for name, state in zip(group.names, group.state, strict=True):
        saved |= {f"state.{name}.{key}": np.array(value) for key, value in state.items()}
    return saved


def _check_saved(owner: str, expected: Mapping[str, Any], saved: Mapping[str, Any]) -> None:
    """Compare names, shapes and dtypes, before anything is changed."""
    for key in (*expected, *saved):
        if key not in saved or key not in expected:
            where = "this optimizer" if key in saved else "the saved state"
            raise ArgumentError(
                f"{owner}: {where} has no {key!r}; make the optimizer with the same groups and settings"
            )
        here, there = expected[key], saved[key]
        if isinstance(here, np.ndarray):
            array = np.asarray(there)
            if (array.shape, array.dtype) != (here.shape, here.dtype):
                raise ArgumentError(
                    f"{owner}: {key!r} is {array.dtype} of shape {array.shape} in the saved state, "
                    f"but {here.dtype} of shape {here.shape} here"
                )
        elif isinstance(here, bool) and here != there:
            raise ArgumentError(
                f"{owner}: of the saved state and this optimizer, only one follows a schedule; "
                "make the optimizer with the same lr"
            )


def _load_group(group: ParameterGroup, saved: Mapping[str, Any]) -> None:
    group.change(saved["settings"])
    group.learning_rate.copy_(np.asarray(saved["lr"]))
    group.skipped.copy_(np.asarray(saved["skipped"]))
    group.lockstep = not np.any(saved["skipped"])
    for name, state in zip(group.names, group.state, strict=True):
        for key, value in state.items():
            value.copy_(np.asarray(saved[f"state.{name}.{key}"]))
