"""Tables, splits, preprocessing, batches and generated data sets.

Names are loaded when they are first used: batching arrays never loads the library that reads tables.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slopewise.data.columns import ColumnInfo
    from slopewise.data.datasets import ArrayDataset, Dataset, Subset
    from slopewise.data.folds import GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit
    from slopewise.data.generated import GENERATED_KINDS, generate, generate_table
    from slopewise.data.loader import DataLoader
    from slopewise.data.partition import Split
    from slopewise.data.preprocessing import Preprocessor
    from slopewise.data.reading import read_table
    from slopewise.data.splitting import split, train_test_split
    from slopewise.data.tables import Table
    from slopewise.data.targets import TargetEncoder, check_target, infer_task

# public name -> the module that defines it
_EXPORTS = {
    "ArrayDataset": "slopewise.data.datasets",
    "check_target": "slopewise.data.targets",
    "ColumnInfo": "slopewise.data.columns",
    "DataLoader": "slopewise.data.loader",
    "Dataset": "slopewise.data.datasets",
    "generate": "slopewise.data.generated",
    "generate_table": "slopewise.data.generated",
    "GENERATED_KINDS": "slopewise.data.generated",
    "GroupKFold": "slopewise.data.folds",
    "infer_task": "slopewise.data.targets",
    "KFold": "slopewise.data.folds",
    "Preprocessor": "slopewise.data.preprocessing",
    "read_table": "slopewise.data.reading",
    "Split": "slopewise.data.partition",
    "split": "slopewise.data.splitting",
    "StratifiedKFold": "slopewise.data.folds",
    "Subset": "slopewise.data.datasets",
    "Table": "slopewise.data.tables",
    "TargetEncoder": "slopewise.data.targets",
    "TimeSeriesSplit": "slopewise.data.folds",
    "train_test_split": "slopewise.data.splitting",
}

__all__ = [
    "GENERATED_KINDS",
    "ArrayDataset",
    "ColumnInfo",
    "DataLoader",
    "Dataset",
    "GroupKFold",
    "KFold",
    "Preprocessor",
    "Split",
    "StratifiedKFold",
    "Subset",
    "Table",
    "TargetEncoder",
    "TimeSeriesSplit",
    "check_target",
    "generate",
    "generate_table",
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
