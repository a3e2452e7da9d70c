"""Tensors from data and from other libraries' arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from slopewise.array.arguments import as_dtype, check_device
from slopewise.engine import ops
from slopewise.engine.creation import tensor
from slopewise.engine.errors import ArgumentError, DtypeError
from slopewise.engine.tensor import Tensor

__all__ = ["asarray", "from_dlpack"]


def asarray(
    obj: Any, /, *, dtype: DTypeLike | None = None, device: str | None = None, copy: bool | None = None
) -> Tensor:
    """Return a tensor of some data.

    Parameters
    ----------
    obj : Tensor, number, nested sequence, or anything that converts to a NumPy array
    dtype : by default Python floats become float32, integers int64, complex numbers complex64, and arrays
        keep theirs
    device : "cpu" or None
    copy : True for a new handle, None for a tensor itself where that is possible; False asks for no copy,
        which only a Tensor of the right dtype can fulfil: the value of a tensor never changes, while
        someone else's memory may

    Raises
    ------
    ArgumentError
        If `copy` is False and the data must be copied.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.asarray([1, 2.5])
    tensor([1. , 2.5])
    """
    check_device(device)
    if isinstance(obj, Tensor):
        if dtype is None or as_dtype(dtype) == obj.dtype:
            return ops.positive(obj) if copy else obj
        if copy is False:
            raise ArgumentError(f"asarray cannot convert {obj.dtype} to {as_dtype(dtype)} without a copy")
        return ops.astype(obj, as_dtype(dtype))
    if copy is False:
        raise ArgumentError(
            f"asarray has to copy a {type(obj).__name__}, as a tensor's value never changes; use copy=None"
        )
    return tensor(obj, None if dtype is None else as_dtype(dtype))


def from_dlpack(x: Any, /, *, device: str | None = None, copy: bool | None = None) -> Tensor:
    """Return a tensor of another library's array, by the DLPack protocol.

    The values are copied, as a tensor's never change and the other library's may; only a Tensor is taken as
    it is.

    Examples
    --------
    >>> import numpy as np
    >>> import slopewise.array as xp
    >>> xp.from_dlpack(np.asarray([1, 2]))
    tensor([1, 2])
    """
    check_device(device)
    if isinstance(x, Tensor):
        return ops.positive(x)
    if copy is False:
        raise ArgumentError("from_dlpack has to copy what is not a Tensor; use copy=None")
    if not hasattr(x, "__dlpack__"):
        raise DtypeError(f"from_dlpack needs an array with a __dlpack__ method, not {type(x).__name__}")
    return tensor(np.from_dlpack(x))
