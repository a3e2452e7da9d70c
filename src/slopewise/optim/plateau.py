"""ReduceOnPlateau: a smaller learning rate when a score has stopped getting better."""

from __future__ import annotations

import math
from typing import Any

from slopewise.engine.errors import ArgumentError
from slopewise.optim.optimizer import Optimizer


class ReduceOnPlateau:
    """Multiply the learning rates by `factor` when a score has not got better for `patience` epochs.

    It looks at numbers, so it is no schedule: call `step` after each epoch, outside of compiled
    functions. A compiled step follows the new learning rate without being traced again.

    Parameters
    ----------
    optimizer : its learning rates must be numbers, not schedules
    mode : "min" if a smaller score is better, "max" if a larger one is
    factor : float, below 1
    patience : int; how many epochs without a better score are let pass
    threshold : float; by how much a score must be better to count
    threshold_mode : "rel", a share of the best score, or "abs", in its unit
    cooldown : int; how many epochs after a reduction are not counted
    min_lr : float; no learning rate falls below it
    eps : float; a smaller change than this is not made

    Raises
    ------
    ArgumentError
        If a setting is out of range, or a learning rate follows a schedule.

    References
    ----------
    Behaviour and defaults are those of PyTorch's ReduceLROnPlateau.

    Examples
    --------
    >>> import slopewise as sw
    >>> optimizer = sw.optim.SGD([sw.tensor(1.0, requires_grad=True)], lr=0.5)
    >>> plateau = sw.optim.ReduceOnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (1.0, 0.8, 0.8, 0.8):
    ...     plateau.step(loss)
    >>> optimizer.lr
    0.25
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if mode not in ("min", "max"):
            raise ArgumentError(f"ReduceOnPlateau: mode must be 'min' or 'max', not {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ArgumentError(
                f"ReduceOnPlateau: threshold_mode must be 'rel' or 'abs', not {threshold_mode!r}"
            )
        if not 0 <= factor < 1:
            raise ArgumentError(f"ReduceOnPlateau: factor must be at least 0 and below 1, not {factor!r}")
        if any(group.schedule is not None for group in optimizer.param_groups):
            raise ArgumentError(
                "ReduceOnPlateau: this optimizer's learning rate follows a schedule; give it a number as lr"
            )
        self.optimizer = optimizer
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.eps = eps
        self.best = math.inf if mode == "min" else -math.inf
        self.n_bad = 0  # epochs in a row without a better score
        self.n_cooling = 0  # epochs that are still not counted

    def step(self, score: Any) -> None:
        """Take note of an epoch's score, a number, and reduce the learning rates if it is time."""
        value = float(score)
        if self._is_better(value):
            self.best = value
            self.n_bad = 0
        else:
            self.n_bad += 1
        if self.n_cooling > 0:
            self.n_cooling -= 1
            self.n_bad = 0
        if self.n_bad > self.patience:
            self._reduce()
            self.n_cooling = self.cooldown
            self.n_bad = 0

    def _is_better(self, value: float) -> bool:
        sign = 1.0 if self.mode == "max" else -1.0
        if math.isinf(self.best):
            return sign * value > sign * self.best
        margin = self.threshold * (self.best if self.threshold_mode == "rel" else 1.0)
        return sign * value > sign * (self.best + sign * margin)

    def _reduce(self) -> None:
        for group in self.optimizer.param_groups:
            old = group["lr"]
            new = max(old * self.factor, self.min_lr)
            if old - new > self.eps:
                group["lr"] = new

    def state_dict(self) -> dict[str, Any]:
        """Return what it remembers, in values that JSON can hold: an infinite best score is a string."""
        best = self.best if math.isfinite(self.best) else str(self.best)
        return {"best": best, "n_bad": self.n_bad, "n_cooling": self.n_cooling}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self.best = float(saved["best"])
        self.n_bad = int(saved["n_bad"])
        self.n_cooling = int(saved["n_cooling"])
