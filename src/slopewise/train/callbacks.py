"""Callbacks: code of yours at a few well-named moments of training.

In order: `on_fit_start`; in each epoch `on_step_end` after every update (only for callbacks that set
`every_step`) and `on_progress` at most ten times a second; `on_epoch_end` with the epoch's record;
`on_fit_end`. None of them can change the order of the rows or the random bits.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slopewise.engine.errors import ArgumentError, RunError
from slopewise.optim import ReduceOnPlateau as Plateau
from slopewise.train.checkpoints import CHECKPOINTS_KEPT, latest_checkpoint, save_checkpoint
from slopewise.train.snapshot import Snapshot

if TYPE_CHECKING:
    from slopewise.train.history import Record
    from slopewise.train.trainer import Trainer

State = dict[str, Any]  # NumPy arrays and values that JSON can hold


class Callback:
    """Base class: override the moments that you need.

    A callback with memory returns it from `state_dict`, so that a resumed run goes on as if never stopped.
    """

    every_step = False
    after_others = (
        False  # whether it comes after the others at each moment, as one that saves their state must
    )

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


class Checkpoints(Callback):
    """Save the whole state of training in a folder, so that a run which was killed can go on to the same
    bits.

    `begin` the same run again with the same callbacks, then `restore` and `resume`.

    Parameters
    ----------
    folder : path
        Gets ``step-NNNNNNNN.safetensors`` and ``.json``: written aside and renamed, with checksums, no code
        in them.
    every : int
        How many epochs lie between two of them; the last epoch is always saved.
    keep : int
        How many are kept; one more than the newest guards against a newest one that is torn.

    Examples
    --------
    >>> import tempfile
    >>> import slopewise as sw
    >>> X, y = sw.data.generate("moons", n=60, seed=0)
    >>> def make_trainer():
    ...     sw.manual_seed(0)
    ...     model = sw.nn.Linear(2, 2)
    ...     return sw.Trainer(model, "cross_entropy", sw.optim.Adam(model.parameters(), lr=0.1))
    >>> checkpoints = Checkpoints(tempfile.mkdtemp())
    >>> trainer = make_trainer()
    >>> _ = trainer.begin(X, y, epochs=5, callbacks=[checkpoints])
    >>> _ = trainer.run_epoch()  # and then the machine stops
    >>> trainer = make_trainer()
    >>> _ = trainer.begin(X, y, epochs=5, callbacks=[checkpoints])
    >>> trainer.restore(checkpoints.latest())
    >>> len(trainer.resume())
    5
    """

    after_others = True

    def __init__(
        self, folder: str | os.PathLike[str], *, every: int = 1, keep: int = CHECKPOINTS_KEPT
    ) -> None:
        if every < 1 or keep < 1:
            raise ArgumentError(f"every and keep must be at least 1, not {every} and {keep}")
        self.folder = Path(folder)
        self.every = every
        self.keep = keep

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        if trainer.epoch % self.every == 0 or trainer.is_last_epoch:
            snapshot = trainer.snapshot()
            save_checkpoint(self.folder, trainer.step, snapshot.tensors, snapshot.state, self.keep)

    def latest(self) -> Snapshot:
        """Return the newest whole checkpoint; raises RunError if there is none."""
        checkpoint = latest_checkpoint(self.folder)
        if checkpoint is None:
            raise RunError(f"{self.folder} holds no whole checkpoint")
        return Snapshot(checkpoint.tensors, checkpoint.state)


def monitored(monitor: str | None, record: Record) -> str:
    """Return the key of an epoch's record to look at; raise an error that names what there is."""
    name = monitor or ("validation_loss" if "validation_loss" in record else "loss")
    if name not in record:
        raise ArgumentError(f"'{name}' is monitored, but an epoch's record has {', '.join(record)}")
    return name
