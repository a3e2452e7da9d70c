"""The loop: Trainer, callbacks, history, snapshots, cross-validation, and runs in folders."""

from slopewise.train.callbacks import Callback, EarlyStopping, ReduceOnPlateau
from slopewise.train.cross_validation import cross_validate
from slopewise.train.history import History
from slopewise.train.snapshot import Snapshot
from slopewise.train.trainer import Trainer

__all__ = [
    "Callback",
    "EarlyStopping",
    "History",
    "ReduceOnPlateau",
    "Snapshot",
    "Trainer",
    "cross_validate",
]
