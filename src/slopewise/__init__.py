"""Slopewise trains neural networks and shows how they learn.

Names are loaded when they are first used, so that `import slopewise` costs little more than NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from slopewise._version import __version__

# public name -> the module that defines it
_EXPORTS = {
    "GradientTape": "slopewise.engine.gradient_tape",
    "RetraceWarning": "slopewise.compiler.retracing",
    "SlopewiseError": "slopewise.engine.errors",
    "Tensor": "slopewise.engine.tensor",
    "Trainer": "slopewise.train.trainer",
    "abs": "slopewise.array",
    "add": "slopewise.array",
    "all": "slopewise.array",
    "any": "slopewise.array",
    "arange": "slopewise.array",
    "argmax": "slopewise.array",
    "argmin": "slopewise.array",
    "argsort": "slopewise.array",
    "asarray": "slopewise.array",
    "broadcast_to": "slopewise.array",
    "ceil": "slopewise.array",
    "check_gradients": "slopewise.engine.check_gradients",
    "checkpoint": "slopewise.engine.control",
    "clip": "slopewise.array",
    "compile": "slopewise.compiler.compiled",
    "CompilationWarning": "slopewise.compiler.targets",
    "concat": "slopewise.array",
    "conv": "slopewise.array",
    "cos": "slopewise.array",
    "cross_validate": "slopewise.train.cross_validation",
    "cumulative_sum": "slopewise.array",
    "custom_gradient": "slopewise.engine.control",
    "divide": "slopewise.array",
    "einsum": "slopewise.array",
    "enable_grad": "slopewise.engine.mode",
    "equal": "slopewise.array",
    "erf": "slopewise.array",
    "exp": "slopewise.array",
    "expand_dims": "slopewise.array",
    "expm1": "slopewise.array",
    "eye": "slopewise.array",
    "fit_table": "slopewise.train.job",
    "flip": "slopewise.array",
    "float32": "slopewise.array",
    "float64": "slopewise.array",
    "floor": "slopewise.array",
    "floor_divide": "slopewise.array",
    "full": "slopewise.array",
    "full_like": "slopewise.array",
    "grad": "slopewise.engine.transforms",
    "hessian": "slopewise.engine.transforms",
    "index_add": "slopewise.array",
    "int32": "slopewise.array",
    "int64": "slopewise.array",
    "is_grad_enabled": "slopewise.engine.mode",
    "isfinite": "slopewise.array",
    "isinf": "slopewise.array",
    "isnan": "slopewise.array",
    "jacobian": "slopewise.engine.transforms",
    "jvp": "slopewise.engine.transforms",
    "linspace": "slopewise.array",
    "log": "slopewise.array",
    "log1p": "slopewise.array",
    "log_softmax": "slopewise.array",
    "logical_and": "slopewise.array",
    "logical_not": "slopewise.array",
    "logical_or": "slopewise.array",
    "logsumexp": "slopewise.array",
    "load": "slopewise.train.saving",
    "manual_seed": "slopewise.engine.seeding",
    "matmul": "slopewise.array",
    "max": "slopewise.array",
    "maximum": "slopewise.array",
    "mean": "slopewise.array",
    "meshgrid": "slopewise.array",
    "min": "slopewise.array",
    "minimum": "slopewise.array",
    "moveaxis": "slopewise.array",
    "multiply": "slopewise.array",
    "no_grad": "slopewise.engine.mode",
    "nonzero": "slopewise.array",
    "one_hot": "slopewise.array",
    "ones": "slopewise.array",
    "ones_like": "slopewise.array",
    "pad": "slopewise.array",
    "permute_dims": "slopewise.array",
    "pow": "slopewise.array",
    "prod": "slopewise.array",
    "read_tape": "slopewise.engine.tape_reader",
    "relu": "slopewise.array",
    "remainder": "slopewise.array",
    "repeat": "slopewise.array",
    "reshape": "slopewise.array",
    "roll": "slopewise.array",
    "round": "slopewise.array",
    "save": "slopewise.train.saving",
    "scan": "slopewise.engine.control",
    "scatter_add": "slopewise.array",
    "sigmoid": "slopewise.array",
    "sign": "slopewise.array",
    "sin": "slopewise.array",
    "sliding_windows": "slopewise.array",
    "softmax": "slopewise.array",
    "sort": "slopewise.array",
    "split": "slopewise.array",
    "sqrt": "slopewise.array",
    "square": "slopewise.array",
    "squeeze": "slopewise.array",
    "stack": "slopewise.array",
    "std": "slopewise.array",
    "subtract": "slopewise.array",
    "sum": "slopewise.array",
    "swapaxes": "slopewise.array",
    "take": "slopewise.array",
    "take_along_axis": "slopewise.array",
    "tan": "slopewise.array",
    "tanh": "slopewise.array",
    "tensor": "slopewise.engine.creation",
    "tensordot": "slopewise.array",
    "tile": "slopewise.array",
    "topk": "slopewise.array",
    "tril": "slopewise.array",
    "triu": "slopewise.array",
    "unstack": "slopewise.array",
    "value_and_grad": "slopewise.engine.transforms",
    "var": "slopewise.array",
    "vjp": "slopewise.engine.transforms",
    "vmap": "slopewise.engine.vmap",
    "where": "slopewise.array",
    "zeros": "slopewise.array",
    "zeros_like": "slopewise.array",
}

# public name -> the module that it is
_MODULES = {
    "array": "slopewise.array",
    "data": "slopewise.data",
    "linalg": "slopewise.array.linalg",
    "losses": "slopewise.nn.losses",
    "metrics": "slopewise.metrics",
    "nn": "slopewise.nn",
    "optim": "slopewise.optim",
    "train": "slopewise.train",
}

__all__ = ["__version__", *_EXPORTS, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        value = getattr(import_module(_EXPORTS[name]), name)
    elif name in _MODULES:
        value = import_module(_MODULES[name])
    else:
        from slopewise.engine import foreign_names

        raise foreign_names.missing(__name__, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
