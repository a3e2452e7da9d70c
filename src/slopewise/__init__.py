"""Slopewise trains neural networks and shows how they learn.

Names are loaded when they are first used, so that `import slopewise` costs little more than NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from slopewise._version import __version__

# public name -> the module that defines it
_EXPORTS = {
    "SlopewiseError": "slopewise.engine.errors",
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
