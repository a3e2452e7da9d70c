"""A training state as arrays and plain values: what a checkpoint holds, in memory or on disk."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slopewise.engine.creation import tensor
from slopewise.engine.tensor import Tensor


class Snapshot(NamedTuple):
    """A state in two parts.

    Attributes
    ----------
    tensors : dict of name to array
        Copies: later updates do not change them.
    state : dict
        Everything else, with the names of arrays in their places; JSON can hold it.
    """

    tensors: dict[str, NDArray[Any]]
    state: dict[str, Any]


_ARRAY, _TENSOR, _TUPLE = "__array__", "__tensor__", "__tuple__"


def pack(tree: dict[str, Any]) -> Snapshot:
    """Take a nested state apart: dicts, lists and tuples of arrays, tensors and plain values.

    Examples
    --------
    >>> snapshot = pack({"w": np.ones(2), "step": 3})
    >>> snapshot.state
    {'w': {'__array__': 'w'}, 'step': 3}
    """
    tensors: dict[str, NDArray[Any]] = {}
    return Snapshot(tensors, _pack(tree, (), tensors))


def _pack(value: Any, path: tuple[str, ...], tensors: dict[str, NDArray[Any]]) -> Any:
    if isinstance(value, Tensor | np.ndarray):
        name = ".".join(path)
        while name in tensors:  # a key with a dot may look like a path
            name += "_"
        tensors[name] = np.array(value)
        return {_TENSOR if isinstance(value, Tensor) else _ARRAY: name}
    if isinstance(value, dict):
        return {str(key): _pack(child, (*path, str(key)), tensors) for key, child in value.items()}
    if isinstance(value, list | tuple):
        children = [_pack(child, (*path, str(i)), tensors) for i, child in enumerate(value)]
        return {_TUPLE: children} if isinstance(value, tuple) else children
    if isinstance(value, np.generic):
        return value.item()
    return value


def unpack(snapshot: Snapshot) -> dict[str, Any]:
    """Put together what `pack` took apart."""
    return _unpack(snapshot.state, snapshot.tensors)  # type: ignore[no-any-return]


def _unpack(value: Any, tensors: dict[str, NDArray[Any]]) -> Any:
    if isinstance(value, dict):
        if _ARRAY in value:
            return np.array(tensors[value[_ARRAY]])
        if _TENSOR in value:
            return tensor(tensors[value[_TENSOR]])
        if _TUPLE in value:
            return tuple(_unpack(child, tensors) for child in value[_TUPLE])
        return {key: _unpack(child, tensors) for key, child in value.items()}
    if isinstance(value, list):
        return [_unpack(child, tensors) for child in value]
    return value
