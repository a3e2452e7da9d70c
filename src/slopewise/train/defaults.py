"""What `slopewise fit` does unless it is told otherwise: all of it, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from slopewise.engine.errors import ArgumentError

BatchSize = int | Literal["full"]


@dataclass(frozen=True)
class Settings:
    """How a table is split and a network trained on it.

    Attributes
    ----------
    validation, test : float
        Shares of the rows. Validation rows choose the epoch that is kept; test rows are opened once, at the
        end.
    hidden : tuple of int
        Units of each hidden layer; empty for a linear model.
    optimizer : str
        A name of `OPTIMIZERS`.
    lr : float or None
        The learning rate; None is the optimizer's own of `OPTIMIZERS`.
    batch_size : int, "full" or None
        Rows per update; None is chosen by the number of training rows, see `BATCH_SIZES`.
    epochs : int
        At most so many passes over the training rows.
    patience : int
        Stop when the validation loss has not improved for so many epochs.
    """

    validation: float = 0.2
    test: float = 0.2
    hidden: tuple[int, ...] = (64, 64)
    optimizer: str = "adam"
    lr: float | None = None
    batch_size: BatchSize | None = None
    epochs: int = 200
    patience: int = 20


DEFAULTS = Settings()


@dataclass(frozen=True)
class Recipe:
    """An optimizer of `slopewise.optim`, and the learning rate that suits standardised inputs."""

    kind: str
    lr: float
    options: dict[str, Any] = field(default_factory=dict)


OPTIMIZERS = {
    "adam": Recipe("Adam", 3e-3),
    "adamw": Recipe("AdamW", 3e-3),
    "amsgrad": Recipe("AMSGrad", 3e-3),
    "nadam": Recipe("NAdam", 3e-3),
    "radam": Recipe("RAdam", 3e-3),
    "lion": Recipe("Lion", 3e-4),
    "rmsprop": Recipe("RMSprop", 1e-3),
    "adagrad": Recipe("Adagrad", 3e-2),
    "sgd": Recipe("SGD", 5e-2),
    "momentum": Recipe("SGD", 1e-2, {"momentum": 0.9}),
    "nesterov": Recipe("SGD", 1e-2, {"momentum": 0.9, "nesterov": True}),
}

# Up to so many training rows, batches of this size: enough updates in an epoch, and large ones for speed.
BATCH_SIZES = ((2_000, 32), (20_000, 128), (200_000, 512))
LARGEST_BATCH = 2048


def batch_size_for(rows: int) -> int:
    """Return the default batch size for a number of training rows.

    Examples
    --------
    >>> batch_size_for(206), batch_size_for(15_000), batch_size_for(1_000_000)
    (32, 128, 2048)
    """
    return next((size for most, size in BATCH_SIZES if rows <= most), LARGEST_BATCH)


def check_settings(settings: Settings) -> None:
    """Refuse settings that cannot be meant.

    Raises
    ------
    ArgumentError
        It names the setting, what came and what is accepted.
    """
    if settings.optimizer not in OPTIMIZERS:
        known = ", ".join(sorted(OPTIMIZERS))
        raise ArgumentError(f"optimizer {settings.optimizer!r} is not known: use one of {known}")
    if settings.lr is not None and not 0 < settings.lr < float("inf"):
        raise ArgumentError(
            f"lr is {settings.lr}: use a number above 0, such as {OPTIMIZERS[settings.optimizer].lr}"
        )
    if settings.batch_size is not None and settings.batch_size != "full" and settings.batch_size < 1:
        raise ArgumentError(f"batch_size is {settings.batch_size}: use 1 or more rows, or full")
    for name, value in (("epochs", settings.epochs), ("patience", settings.patience)):
        if value < 1:
            raise ArgumentError(f"{name} is {value}: use 1 or more")
    if any(units < 1 for units in settings.hidden):
        raise ArgumentError(f"hidden is {settings.hidden}: each hidden layer needs 1 or more units")
