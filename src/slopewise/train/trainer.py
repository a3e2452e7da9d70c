"""The training loop. `fit` runs epochs, an epoch runs updates, an update is forward, loss, backward, step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise.compiler import CompiledFunction
from slopewise.compiler import compile as compile_function
from slopewise.data.loader import DataLoader
from slopewise.engine.errors import ArgumentError, ShapeError
from slopewise.engine.mode import no_grad
from slopewise.engine.tensor import Tensor
from slopewise.metrics import get as get_metric
from slopewise.nn import losses, reseed
from slopewise.optim import clip_grad_norm, clip_grad_value
from slopewise.train.callbacks import Callback
from slopewise.train.checks import check_callbacks, check_model, check_optimizer, check_validation
from slopewise.train.divergence import check_targets, why_not_finite
from slopewise.train.history import History, Record
from slopewise.train.interrupt import Interrupt, deferred_interrupt
from slopewise.train.many_updates import ManyUpdates
from slopewise.train.rows import class_weights_by_row, combine_weights, float_dtype_of, rows_of
from slopewise.train.snapshot import Snapshot, pack, unpack
from slopewise.train.step import (
    Batch,
    Running,
    add_to_running,
    compute_running,
    row_weight,
    start_running,
    weighted_loss,
    with_weight,
)

PROGRESS_INTERVAL = 0.1  # seconds between two calls of `on_progress`


@dataclass
class Run:
    """What one call of `fit` works on, and how far it has come."""

    loader: DataLoader
    validation: tuple[Any, ...] | None
    until_epoch: int
    callbacks: Sequence[Callback]
    history: History = field(default_factory=History)
    running: Running = field(default_factory=dict)
    batches: Iterator[Any] | None = None  # the rest of the epoch under way
    many: ManyUpdates | None = None  # makes updates without Python in between
    seconds: float = 0.0  # spent in the epoch under way


class Trainer:
    """Fit a model: batch, mini-batch or stochastic gradient descent, with validation, callbacks and exact
    resume.

    Parameters
    ----------
    model : Module
    loss : str or callable
        A name of `slopewise.losses`, or a function (prediction, target) -> Tensor of shape ().
    optimizer : Optimizer
        Made with the model's parameters; its learning rate may be a schedule.
    metrics : sequence of str or metrics
    seed : int
        Governs the order of the rows and the random modules, such as dropout (as `slopewise.nn.reseed`
        does). Weights are those that the model was built with.
    clip_norm, clip_value : float, optional
        Limits of the gradient's norm, or of each of its elements, applied before each update.
    accumulate : int
        How many batches make one update. Their weighted losses are added up and divided by their weights, so
        the update is that of one large batch.
    class_weight : mapping of class to weight, or "balanced", optional
        Multiplied with the sample weights. "balanced" gives each class the same total weight.
    compile : bool
        Whether to trace each step once and run it from then on as machine code, many steps in one call. The
        numbers are those of the plain loop up to rounding; with SLOPEWISE_TARGET=interpreter, its bits.

    Attributes
    ----------
    epoch, step : int
        How many epochs are finished, and how many updates made.

    Examples
    --------
    >>> import slopewise as sw
    >>> X, y = sw.data.generate("moons", n=200, seed=0)
    >>> model = sw.nn.Sequential(sw.nn.Linear(2, 16), sw.nn.ReLU(), sw.nn.Linear(16, 2))
    >>> optimizer = sw.optim.Adam(model.parameters(), lr=1e-2)
    >>> trainer = sw.Trainer(model, loss="cross_entropy", optimizer=optimizer, metrics=["accuracy"], seed=0)
    >>> history = trainer.fit(X, y, epochs=30, batch_size=32)
    >>> history["accuracy"][-1] > 0.85
    True
    """

    def __init__(
        self,
        model: Any,
        loss: str | Callable[..., Tensor],
        optimizer: Any,
        metrics: Sequence[Any] = (),
        *,
        seed: int = 0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        accumulate: int = 1,
        class_weight: Mapping[Any, float] | str | None = None,
        compile: bool = True,
    ) -> None:
        check_model(model)
        check_optimizer(optimizer, model)
        if accumulate < 1:
            raise ArgumentError(f"accumulate must be at least 1, not {accumulate}")
        self.model = model
        self.loss = losses.get(loss)
        self.optimizer = optimizer
        self.metrics = [get_metric(metric) if isinstance(metric, str) else metric for metric in metrics]
        self.seed = seed
        reseed(model, seed)
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.accumulate = accumulate
        self.class_weight = class_weight
        self.epoch = 0
        self.step = 0
        self.stop_reason = ""
        self.run: Run | None = None
        self._update = compile_function(self.update) if compile else self.update
        self._measure = CompiledFunction(self.measure, seldom=True) if compile else self.measure
        self._predict = CompiledFunction(self.model, seldom=True) if compile else self.model

    # ---- fit, epoch, update: each level can be replaced in a subclass

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        validation: tuple[Any, ...] | None = None,
        epochs: int = 1,
        batch_size: int | str = 32,
        sample_weight: Any = None,
        shuffle: bool = True,
        drop_last: bool = False,
        callbacks: Sequence[Callback] = (),
    ) -> History:
        """Train for some epochs more; fitting for 5 and again for 5 is the same as fitting for 10.

        Parameters
        ----------
        X : array or Tensor, shape (rows, ...)
        y : array or Tensor, shape (rows, ...)
        validation : (X, y) or (X, y, sample_weight), optional
            Scored after each epoch; it never influences the weights.
        epochs : int
        batch_size : int or "full"
            1 is stochastic gradient descent, "full" is batch gradient descent, all between is mini-batch.
        sample_weight : array, shape (rows,), optional
        shuffle : bool
            Whether each epoch has an order of its own, a function of (seed, epoch).
        drop_last : bool
            Whether a last, smaller batch is left out. Kept, it counts by the weight of its rows.
        callbacks : sequence of Callback

        Returns
        -------
        History : a record per epoch of this call
        """
        self.begin(
            X,
            y,
            validation=validation,
            epochs=epochs,
            batch_size=batch_size,
            sample_weight=sample_weight,
            shuffle=shuffle,
            drop_last=drop_last,
            callbacks=callbacks,
        )
        return self.resume()

    def begin(
        self,
        X: Any,
        y: Any,
        *,
        validation: tuple[Any, ...] | None = None,
        epochs: int = 1,
        batch_size: int | str = 32,
        sample_weight: Any = None,
        shuffle: bool = True,
        drop_last: bool = False,
        callbacks: Sequence[Callback] = (),
    ) -> Run:
        """Prepare a run without making an update: for `advance`, or for `restore` and `resume`.

        Parameters as in `fit`.
        """
        if isinstance(epochs, bool) or not isinstance(epochs, int | np.integer) or epochs < 0:
            raise ArgumentError(f"epochs is a whole number of at least 0, not {epochs!r}")
        loader = self._loader(X, y, sample_weight, batch_size, shuffle=shuffle, drop_last=drop_last)
        loader.set_epoch(self.epoch)
        check_validation(validation)
        check_callbacks(callbacks)
        self.stop_reason = ""
        in_order = sorted(callbacks, key=lambda callback: callback.after_others)
        self.run = Run(loader, validation, self.epoch + epochs, in_order)
        if isinstance(self._update, CompiledFunction) and type(self).advance is Trainer.advance:
            self.run.many = ManyUpdates(self._update, loader, self.accumulate)
        return self.run

    def resume(self) -> History:
        """Go on with the run that was begun, restored or interrupted, to its last epoch.

        Ctrl-C takes effect between two updates; the state is then whole, and `resume` goes on.
        """
        run = self._current_run()
        with deferred_interrupt() as interrupt:
            self._tell("on_fit_start")
            while self.epoch < run.until_epoch and not self.stop_reason:
                self.run_epoch(interrupt)
            self._tell("on_fit_end")
        run.history.stopped = self.stop_reason
        return run.history

    def run_epoch(self, interrupt: Interrupt | None = None) -> Record:
        """Make the updates that are left of an epoch, then score it."""
        run = self._current_run()
        told = began = time.perf_counter()
        while self.advance_for(PROGRESS_INTERVAL):
            if interrupt is not None and interrupt.pressed:
                run.seconds += time.perf_counter() - began
                interrupt.check()
            now = time.perf_counter()
            if now - told >= PROGRESS_INTERVAL:
                told = now
                self._tell("on_progress")
        run.seconds += time.perf_counter() - began
        return self.finish_epoch()

    def advance(self) -> bool:
        """Make one update; return False, and make none, if the epoch's batches are used up."""
        run = self._current_run()
        micro_batches = self._next_batches(run)
        if not micro_batches:
            return False
        run.running = self._update(micro_batches, run.running)
        self.step += 1
        for callback in run.callbacks:
            if callback.every_step:
                callback.on_step_end(self)
        return True

    def advance_for(self, seconds: float) -> bool:
        """Make updates until about so much time has passed; return False, and make none, if none are left.

        As machine code they are made in one call. A callback with `every_step` is told of each update, which
        costs a return to Python each time. After updates made in one call `.grad` of the parameters is None.
        """
        run = self._current_run()
        if run.many is None or any(callback.every_step for callback in run.callbacks):
            return self.advance()
        if run.batches is None:
            self._start_epoch(run)
        loader = run.loader
        done = 0
        if loader.epoch == self.epoch:  # else its batches are used up
            run.running, done = run.many.make(run.running, seconds)
        if not done:
            return self.advance()
        self.step += done
        loader.seek(loader.position + done * self.accumulate)
        if loader.position == len(loader):
            loader.set_epoch(loader.epoch + 1)
            run.batches = iter(())
        else:
            run.batches = iter(loader)
        return True

    def update(self, micro_batches: Sequence[Batch], running: Running) -> Running:
        """Forward, loss, backward, step; return the running sums with these batches added."""
        self.optimizer.zero_grad()
        weights = [row_weight(batch) for batch in micro_batches]
        total = sum(weights)
        for batch, weight in zip(micro_batches, weights, strict=True):
            prediction = self.model(batch[0])
            loss = weighted_loss(self.loss, prediction, batch)
            share = loss if len(micro_batches) == 1 else loss * (weight / total)
            share.backward()
            running = add_to_running(running, loss, prediction, batch, self.metrics)
        self.clip_gradients()
        self.optimizer.step()
        return running

    def clip_gradients(self) -> None:
        """Limit the gradients before the update, as the Trainer was told to."""
        parameters = list(self.model.parameters())
        if self.clip_value is not None:
            clip_grad_value(parameters, self.clip_value)
        if self.clip_norm is not None:
            clip_grad_norm(parameters, self.clip_norm)

    def finish_epoch(self) -> Record:
        """Score the epoch, add its record to the history and tell the callbacks."""
        run = self._current_run()
        scores = compute_running(run.running, self.metrics)
        record: Record = {"epoch": self.epoch + 1, "step": self.step, **scores}
        if run.validation is not None:
            scores = self.evaluate(*run.validation)
            record |= {f"validation_{name}": value for name, value in scores.items()}
        record |= {"lr": float(self.optimizer.lr), "seconds": run.seconds}
        self.epoch += 1
        run.history.records.append(record)
        run.batches, run.running, run.seconds = None, {}, 0.0
        if not math.isfinite(record["loss"]):
            self.stop(why_not_finite(record["loss"], *self._check_targets(run.loader)))
        for callback in run.callbacks:
            callback.on_epoch_end(self, record)
        return record

    def _check_targets(self, loader: DataLoader) -> tuple[NDArray[Any], NDArray[Any]]:
        """Raise an error if the targets are why a loss is no number; return inputs and targets."""
        found = loader.arrays()
        assert found is not None  # a Trainer's loader is made of arrays
        X, y = found[0][:2]
        with evaluation_mode(self.model), no_grad():
            check_targets(self.loss, self.model, X, y)
        return X, y

    def stop(self, reason: str) -> None:
        """Let training end after this epoch; for callbacks."""
        self.stop_reason = self.stop_reason or reason

    @property
    def epochs_done(self) -> float:
        """The epochs made so far, with the part of the one under way."""
        run = self.run
        if run is None or not run.running:
            return float(self.epoch)
        part = run.loader.position / len(run.loader) if run.loader.epoch == self.epoch else 1.0
        return self.epoch + part

    @property
    def is_last_epoch(self) -> bool:
        """Whether no epoch follows the one that has just ended."""
        return bool(self.stop_reason) or (self.run is not None and self.epoch >= self.run.until_epoch)

    # ---- using the model; its mode is put back afterwards

    def evaluate(
        self, X: Any, y: Any, sample_weight: Any = None, *, batch_size: int = 1024
    ) -> dict[str, float]:
        """Return the loss and the metrics on some rows, in evaluation mode.

        Returns
        -------
        dict : "loss" and the metrics' names
        """
        loader = self._loader(X, y, sample_weight, batch_size)
        running = start_running(self.metrics)
        with evaluation_mode(self.model), no_grad():
            for batch in loader:
                running = self._measure(with_weight(batch), running)
        scores = compute_running(running, self.metrics)
        if not math.isfinite(scores["loss"]):
            self._check_targets(loader)
        return scores

    def measure(self, batch: Batch, running: Running) -> Running:
        """Return the running sums with the scores of a batch added."""
        prediction = self.model(batch[0])
        loss = weighted_loss(self.loss, prediction, batch)
        return add_to_running(running, loss, prediction, batch, self.metrics)

    def predict(self, X: Any, *, batch_size: int = 1024) -> NDArray[Any]:
        """Return what the model makes of some rows, in evaluation mode.

        Returns
        -------
        array, shape (rows, ...) : the model's outputs as they are, logits for a classifier
        """
        loader = DataLoader((X,), batch_size=batch_size, dtype=float_dtype_of(self.model))
        with evaluation_mode(self.model), no_grad():
            return np.concatenate([self._predict(batch[0]).numpy() for batch in loader])

    # ---- state, bit for bit

    def weights(self) -> dict[str, NDArray[Any]]:
        """Return a copy of the model's parameters and buffers."""
        return {name: np.array(value) for name, value in self.model.state_dict().items()}

    def load_weights(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `weights` returned."""
        self.model.load_state_dict(weights)

    def snapshot(self) -> Snapshot:
        """Take the whole state of training, from the weights to the place in the data and the callbacks."""
        run = self._current_run()
        state: dict[str, Any] = {
            "model": self.weights(),
            "optimizer": self.optimizer.state_dict(),
            "loader": run.loader.state_dict(),
            "running": run.running,
            "callbacks": [callback.state_dict() for callback in run.callbacks],
            "trainer": {
                "epoch": self.epoch,
                "step": self.step,
                "until_epoch": run.until_epoch,
                "stop_reason": self.stop_reason,
                "history": [dict(record) for record in run.history.records],
                "seconds": run.seconds,
            },
        }
        return pack(state)

    def restore(self, snapshot: Snapshot) -> None:
        """Put a state back into the run that was begun.

        What follows is the same to the bit as it would have been.
        """
        run = self._current_run()
        state = unpack(snapshot)
        if len(state["callbacks"]) != len(run.callbacks):
            raise ArgumentError(
                f"the snapshot was taken with {len(state['callbacks'])} callbacks, "
                f"this run has {len(run.callbacks)}"
            )
        self.load_weights(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        run.loader.load_state_dict(state["loader"])
        run.running = state["running"]
        for callback, callback_state in zip(run.callbacks, state["callbacks"], strict=True):
            callback.load_state_dict(callback_state)
        own = state["trainer"]
        self.epoch, self.step, self.stop_reason = own["epoch"], own["step"], own["stop_reason"]
        run.until_epoch, run.seconds = own["until_epoch"], own["seconds"]
        run.history.records = [dict(record) for record in own["history"]]
        run.batches = None
        if run.running:  # in the middle of an epoch, whose batches may be used up already
            run.batches = iter(run.loader) if run.loader.epoch == self.epoch else iter(())
            self.model.train()

    # ---- helpers

    def _current_run(self) -> Run:
        if self.run is None:
            raise ArgumentError("no run has begun: call fit(X, y) or begin(X, y) first")
        return self.run

    def _loader(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        batch_size: int | str,
        *,
        shuffle: bool = False,
        drop_last: bool = False,
    ) -> DataLoader:
        dtype = float_dtype_of(self.model)
        X, y = rows_of("X", X), rows_of("y", y)
        weight = combine_weights(sample_weight, class_weights_by_row(self.class_weight, y), len(y), dtype)
        if len(X) != len(y):
            raise ShapeError(f"X has {len(X)} rows, but y has {len(y)}")
        data = (X, y) if weight is None else (X, y, weight)
        return DataLoader(
            data, batch_size=batch_size, shuffle=shuffle, seed=self.seed, drop_last=drop_last, dtype=dtype
        )

    def _next_batches(self, run: Run) -> list[Batch]:
        """Return the batches of the next update, fewer at the end of an epoch, none after it."""
        if run.batches is None:
            self._start_epoch(run)
        assert run.batches is not None
        return [with_weight(batch) for batch in islice(run.batches, self.accumulate)]

    def _start_epoch(self, run: Run) -> None:
        run.batches = iter(run.loader)
        run.running = start_running(self.metrics)
        self.model.train()

    def _tell(self, moment: str) -> None:
        for callback in self._current_run().callbacks:
            getattr(callback, moment)(self)


@contextmanager
def evaluation_mode(model: Any) -> Iterator[None]:
    """Run a block with the model in evaluation mode, then put each module's mode back."""
    modules = list(model.modules())
    before = [module.training for module in modules]
    model.eval()
    try:
        yield
    finally:
        for module, training in zip(modules, before, strict=True):
            module.training = training
