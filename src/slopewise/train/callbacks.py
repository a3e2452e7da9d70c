"""Callbacks: code of yours at a few well-named moments of training.

In order: `on_fit_start`; in each epoch `on_step_end` after every update (only for callbacks that set
`every_step`) and `on_progress` at most ten times a second; `on_epoch_end` with the epoch's record;
`on_fit_end`. None of them can change the order of the rows or the random bits.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slopewise.engine.errors import ArgumentError
from slopewise.optim import ReduceOnPlateau as Plateau

if TYPE_CHECKING:
    from slopewise.train.history import Record
    from slopewise.train.trainer import Trainer

State = dict[str, Any]  # NumPy arrays and values that JSON can hold


class Callback:
    """Base class: override the moments that you need.

    A callback with memory returns it from `state_dict`, so that a resumed run goes on as if never stopped.
    """

    every_step = False

    def on_fit_start(self, trainer: Trainer) -> None:
        """Before the first update of a call of `fit`, or when a run is resumed."""

    def on_step_end(self, trainer: Trainer) -> None:
        """After each update, if `every_step` is True; it costs a return to Python each time."""

    def on_progress(self, trainer: Trainer) -> None:
        """Between two updates, at most ten times a second."""

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        """After an epoch and its validation."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """After the last update, also when training was stopped early, not when it was interrupted."""

    def state_dict(self) -> State:
        """Return what must survive a stop: arrays and plain values."""
        return {}

    def load_state_dict(self, state: State) -> None:
        """Take back what `state_dict` returned."""


def is_better(value: float, best: float, mode: str, min_delta: float = 0.0) -> bool:
    """Tell whether a monitored value improves on the best so far."""
    if math.isnan(value):
        return False
    return value < best - min_delta if mode == "min" else value > best + min_delta


# what gets larger as a model gets better; everything else is an error to be made small
_LARGER_IS_BETTER = ("accuracy", "f1", "precision", "recall", "r2", "auc")


def mode_of(monitor: str, mode: str = "auto") -> str:
    """Return "min" or "max" for a monitored name."""
    if mode in ("min", "max"):
        return mode
    if mode != "auto":
        raise ArgumentError(f"mode must be 'min', 'max' or 'auto', not {mode!r}")
    return "max" if any(part in monitor for part in _LARGER_IS_BETTER) else "min"


class EarlyStopping(Callback):
    """Stop when a monitored value has not improved for some epochs, and bring back the weights of the best
    one.

    Parameters
    ----------
    monitor : str
        A key of the epoch's record; by default ``validation_loss``, or ``loss`` without validation.
    patience : int
        How many epochs without improvement are endured.
    min_delta : float
        How much better counts as an improvement.
    mode : {"auto", "min", "max"}
    restore_best : bool
        Whether the best weights are restored at the end, also when training ran to its last epoch.

    Examples
    --------
    >>> stopping = EarlyStopping(patience=5)
    >>> stopping.patience
    5
    """

    def __init__(
        self,
        monitor: str | None = None,
        *,
        patience: int = 10,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best: bool = True,
    ) -> None:
        if patience < 1:
            raise ArgumentError(f"patience must be at least 1, not {patience}")
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.mode = mode
        self.restore_best = restore_best
        self.best = math.nan
        self.best_epoch = 0
        self.waited = 0
        self.best_weights: dict[str, NDArray[Any]] = {}

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        monitor = monitored(self.monitor, record)
        value = float(record[monitor])
        if self.best_epoch == 0 or is_better(value, self.best, mode_of(monitor, self.mode), self.min_delta):
            self.best, self.best_epoch, self.waited = value, record["epoch"], 0
            if self.restore_best:
                self.best_weights = trainer.weights()
            return
        self.waited += 1
        if self.waited >= self.patience:
            trainer.stop(f"{monitor} has not improved for {self.waited} epochs")

    def on_fit_end(self, trainer: Trainer) -> None:
        if self.restore_best and self.best_weights:
            trainer.load_weights(self.best_weights)

    def state_dict(self) -> State:
        weights = {f"weights.{name}": array for name, array in self.best_weights.items()}
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited, **weights}

    def load_state_dict(self, state: State) -> None:
        self.best, self.best_epoch, self.waited = state["best"], state["best_epoch"], state["waited"]
        self.best_weights = {
            name.removeprefix("weights."): np.asarray(array)
            for name, array in state.items()
            if name.startswith("weights.")
        }


class ReduceOnPlateau(Callback):
    """Make the learning rate smaller when a monitored value has stopped getting better.

    Parameters
    ----------
    monitor : str
        A key of the epoch's record; by default ``validation_loss``, or ``loss`` without validation.
    mode : {"auto", "min", "max"}
    **settings
        Of `slopewise.optim.ReduceOnPlateau`: factor, patience, threshold and so on.

    Examples
    --------
    >>> callback = ReduceOnPlateau(factor=0.5, patience=3)
    """

    def __init__(self, monitor: str | None = None, *, mode: str = "auto", **settings: Any) -> None:
        self.monitor = monitor
        self.mode = mode
        self.settings = settings
        self._plateau: Plateau | None = None
        self._saved: State = {}

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        monitor = monitored(self.monitor, record)
        if self._plateau is None:
            self._plateau = Plateau(trainer.optimizer, mode_of(monitor, self.mode), **self.settings)
            if self._saved:
                self._plateau.load_state_dict(self._saved)
        self._plateau.step(record[monitor])

    def state_dict(self) -> State:
        return self._saved if self._plateau is None else self._plateau.state_dict()

    def load_state_dict(self, state: State) -> None:
        self._plateau, self._saved = None, state


def monitored(monitor: str | None, record: Record) -> str:
    """Return the key of an epoch's record to look at; raise an error that names what there is."""
    name = monitor or ("validation_loss" if "validation_loss" in record else "loss")
    if name not in record:
        raise ArgumentError(f"'{name}' is monitored, but an epoch's record has {', '.join(record)}")
    return name
