"""What NumPy's functions make of tensors.

Functions of single elements (ufuncs: `np.sin`, and `np.add`, which stands behind `array + tensor`) and plain
reductions such as `np.mean` are those of the same name in `slopewise.array`: recorded and traced. All others
look at the value, and return arrays.

References
----------
NumPy Enhancement Proposals 13 and 18, `__array_ufunc__` and `__array_function__`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import import_module
from inspect import signature
from typing import Any

import numpy as np

from slopewise.engine.errors import DtypeError
from slopewise.engine.tensor import Tensor

Function = Callable[..., Any]


@cache
def _ufuncs() -> dict[np.ufunc, Function]:
    """Return our function for each ufunc that has one; NumPy has the standard's names since version 2."""
    ours = import_module("slopewise.array")  # by name: that room is made of this one
    found = {getattr(np, name, None): getattr(ours, name) for name in ours.__all__}
    return {ufunc: function for ufunc, function in found.items() if isinstance(ufunc, np.ufunc)}


@cache
def _functions() -> dict[Function, Function]:
    """Return our function for other functions of NumPy, with the arguments that both know."""
    ours = import_module("slopewise.array")
    reductions = ("all", "any", "max", "mean", "min", "prod", "std", "sum", "var")
    return {
        np.ndim: lambda x: x.ndim,  # known without a value: in a trace, too
        np.shape: lambda x: x.shape,
        np.size: lambda x: x.size,
        np.transpose: lambda x, axes=None: x.transpose(axes),
        np.flip: lambda x, axis=None: ours.flip(x, axis=axis),
        **{getattr(np, name): partial(_reduce, getattr(ours, name)) for name in reductions},
    }


def _reduce(function: Function, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return function(x, axis=axis, keepdims=keepdims)


def apply_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    """Do what `ufunc(*inputs, **options)` says, or its `method`, where an operand is a tensor.

    Raises
    ------
    DtypeError
        If tensors have no such function, or it is asked to write into one.
    """
    known = method == "__call__" and ufunc in _ufuncs()
    if known and not options:
        return _ufuncs()[ufunc](*inputs)
    if "out" in options and not any(isinstance(place, Tensor) for place in options["out"]):
        return getattr(ufunc, method)(*_arrays(inputs), **_arrays(dict(options)))  # `array += tensor`
    name = f"np.{ufunc.__name__}" if getattr(np, ufunc.__name__, None) is ufunc else ufunc.__name__
    called = name if method == "__call__" else f"{name}.{method}"
    without = f"leave out {', '.join(options)}, or " if known else ""
    raise DtypeError(
        f"{called} cannot do this with tensors; {without}give it arrays, without a gradient: x.numpy()"
    )


def apply_function(function: Function, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    """Do what `function(*args, **options)` says where an argument is a tensor."""
    ours = _functions().get(function)
    if ours is not None and isinstance(args[0], Tensor) and _takes(ours, args, options):
        return ours(*args, **options)
    return function(*_arrays(args), **_arrays(dict(options)))


def _takes(function: Function, args: tuple[Any, ...], options: Mapping[str, Any]) -> bool:
    try:
        signature(function).bind(*args, **options)
    except TypeError:  # arguments that NumPy alone knows
        return False
    return True


def _arrays(item: Any) -> Any:
    """Return arrays in place of the tensors in nested lists, tuples and dicts."""
    if isinstance(item, Tensor):
        return np.asarray(item)
    if type(item) in (list, tuple):
        return type(item)(map(_arrays, item))
    if type(item) is dict:
        return {key: _arrays(value) for key, value in item.items()}
    return item
