"""The discrete Fourier transform over axes. It is complex, so it has no gradient, and runs in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from slopewise.engine.aval import Array, Aval, Shape
from slopewise.engine.primitive import Primitive, apply, define
from slopewise.engine.primitives.rules import check_kinds

# transform -> the NumPy function, and the kinds of dtype that it takes
_TRANSFORMS = {
    "fft": (np.fft.fftn, "c"),
    "ifft": (np.fft.ifftn, "c"),
    "rfft": (np.fft.rfftn, "f"),  # of real numbers: the half of the result that determines the other
    "irfft": (np.fft.irfftn, "c"),  # from such a half
}


def _infer(x: Aval, transform: str, sizes: Shape, axes: tuple[int, ...], norm: str) -> Aval:
    check_kinds(transform, x, _TRANSFORMS[transform][1])
    shape = list(x.shape)
    for axis, size in zip(axes, sizes, strict=True):
        shape[axis] = size
    dtype = x.dtype
    if transform == "rfft":
        shape[axes[-1]] = sizes[-1] // 2 + 1
        dtype = np.result_type(dtype, np.complex64)
    elif transform == "irfft":
        dtype = np.zeros((), dtype).real.dtype
    return Aval(tuple(shape), dtype)


def _transform(x: Array, transform: str, sizes: Shape, axes: tuple[int, ...], norm: str) -> Array:
    function: Any = _TRANSFORMS[transform][0]
    return function(x, s=sizes, axes=axes, norm=norm)  # type: ignore[no-any-return]


def _batch(operands: Sequence[Any], batched: Sequence[bool], size: int, axes: Any, **params: Any) -> Any:
    return apply(fourier, operands[0], axes=tuple(axis + 1 for axis in axes), **params)


fourier: Primitive = define(
    "fourier", infer=_infer, compute=_transform, vjp=None, batch=_batch, core=False, saves=""
)
