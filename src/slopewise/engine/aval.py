"""What is known of a value without looking at it: its shape and dtype.

A `Buffer` is where a value lives. On the CPU it is a NumPy array; while a graph is traced it is a `Symbol`;
under `vmap` it is a `Batched`; where only shape and dtype are of use, an `Aval`. All have `.shape` and
`.dtype`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

Shape = tuple[int, ...]
Array = np.ndarray[Any, Any]
Dtype = np.dtype[Any]
Axis = int | Sequence[int] | None


class Aval(NamedTuple):
    """An abstract value: a shape and a dtype."""

    shape: Shape
    dtype: Dtype

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


class Buffer(Protocol):
    """Where a value lives; see the head of this file."""

    @property
    def shape(self) -> Shape: ...
    @property
    def dtype(self) -> Dtype: ...


def aval_of(value: Buffer) -> Aval:
    """Return the shape and dtype of a buffer or tensor."""
    return Aval(value.shape, value.dtype)


def is_floating(dtype: Dtype) -> bool:
    """Tell whether a dtype is a real floating one, the only kind that carries gradients."""
    return dtype.kind == "f"
