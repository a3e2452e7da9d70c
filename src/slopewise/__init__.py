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
    "SlopewiseError": "slopewise.engine.errors",
    "Tensor": "slopewise.engine.tensor",
    "check_gradients": "slopewise.engine.check_gradients",
    "checkpoint": "slopewise.engine.control",
    "compile": "slopewise.compiler.compiled",
    "custom_gradient": "slopewise.engine.control",
    "enable_grad": "slopewise.engine.mode",
    "grad": "slopewise.engine.transforms",
    "hessian": "slopewise.engine.transforms",
    "is_grad_enabled": "slopewise.engine.mode",
    "jacobian": "slopewise.engine.transforms",
    "jvp": "slopewise.engine.transforms",
    "no_grad": "slopewise.engine.mode",
    "read_tape": "slopewise.engine.tape_reader",
    "scan": "slopewise.engine.control",
    "tensor": "slopewise.engine.tensor",
    "value_and_grad": "slopewise.engine.transforms",
    "vjp": "slopewise.engine.transforms",
    "vmap": "slopewise.engine.vmap",
}

# public name -> the module that it is
_MODULES = {
    "array": "slopewise.array",
    "data": "slopewise.data",
    "losses": "slopewise.nn.losses",
    "metrics": "slopewise.metrics",
    "nn": "slopewise.nn",
    "optim": "slopewise.optim",
}

__all__ = ["__version__", *_EXPORTS, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        value = getattr(import_module(_EXPORTS[name]), name)
    elif name in _MODULES:
        value = import_module(_MODULES[name])
    else:
        raise AttributeError(f"module 'slopewise' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
