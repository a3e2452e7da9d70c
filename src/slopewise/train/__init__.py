"""The loop: Trainer, callbacks, history, snapshots, cross-validation, and runs in folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slopewise.train.callbacks import Callback, Checkpoints, EarlyStopping, ReduceOnPlateau
from slopewise.train.cross_validation import cross_validate
from slopewise.train.defaults import Settings
from slopewise.train.history import History
from slopewise.train.run_folder import RunFolder
from slopewise.train.snapshot import Snapshot
from slopewise.train.trainer import Trainer

if TYPE_CHECKING:
    from slopewise.train.job import fit_table
    from slopewise.train.table_model import TableModel

__all__ = [
    "Callback",
    "Checkpoints",
    "EarlyStopping",
    "History",
    "ReduceOnPlateau",
    "RunFolder",
    "Settings",
    "Snapshot",
    "TableModel",
    "Trainer",
    "cross_validate",
    "fit_table",
]


def __getattr__(name: str) -> Any:
    # What works on tables loads the library that reads them; a loop over arrays must not pay for that.
    if name == "fit_table":
        from slopewise.train.job import fit_table

        return fit_table
    if name == "TableModel":
        from slopewise.train.table_model import TableModel

        return TableModel
    raise AttributeError(f"module 'slopewise.train' has no attribute '{name}'")
