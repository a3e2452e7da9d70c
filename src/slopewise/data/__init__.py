"""Tables, splits, preprocessing, batches and generated data sets.

Names are loaded when they are first used: batching arrays never loads the library that reads tables.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slopewise.data.columns import ColumnInfo
    from slopewise.data.preprocessing import Preprocessor
    from slopewise.data.reading import read_table
    from slopewise.data.splitting import Split, split, train_test_split
    from slopewise.data.tables import Table
    from slopewise.data.targets import TargetEncoder, check_target, infer_task

# public name -> the module that defines it
_EXPORTS = {
    "ColumnInfo": "slopewise.data.columns",
    "Preprocessor": "slopewise.data.preprocessing",
    "Split": "slopewise.data.splitting",
    "Table": "slopewise.data.tables",
    "TargetEncoder": "slopewise.data.targets",
    "check_target": "slopewise.data.targets",
    "infer_task": "slopewise.data.targets",
    "read_table": "slopewise.data.reading",
    "split": "slopewise.data.splitting",
    "train_test_split": "slopewise.data.splitting",
}

__all__ = [
    "ColumnInfo",
    "Preprocessor",
    "Split",
    "Table",
    "TargetEncoder",
    "check_target",
    "infer_task",
    "read_table",
    "split",
    "train_test_split",
]


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'slopewise.data' has no attribute '{name}'")
    value = getattr(import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
