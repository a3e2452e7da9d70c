"""Parts of complex numbers. Complex tensors are eager and carry no gradient."""

from __future__ import annotations

from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.creation import full
from slopewise.engine.primitive import apply
from slopewise.engine.primitives import host
from slopewise.engine.tensor import Tensor

__all__ = [
    "conj",
    "imag",
    "real",
]


def conj(x: ArrayLike, /) -> Tensor:
    """Return the complex conjugate of each element; a real one is its own.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.conj(sw.tensor([1 + 2j]))
    tensor([1.-2.j], dtype=complex64)
    """
    x = ops.as_tensor(x)
    return apply(host.conj, x) if x.dtype.kind == "c" else ops.positive(x)


def imag(x: ArrayLike, /) -> Tensor:
    """Return the imaginary part of each element; that of a real one is 0.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.imag(sw.tensor([1 + 2j]))
    tensor([2.])
    """
    x = ops.as_tensor(x)
    return apply(host.imag, x) if x.dtype.kind == "c" else full(x.shape, 0, x.dtype)


def real(x: ArrayLike, /) -> Tensor:
    """Return the real part of each element.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.real(sw.tensor([1 + 2j]))
    tensor([1.])
    """
    x = ops.as_tensor(x)
    return apply(host.real, x) if x.dtype.kind == "c" else ops.positive(x)
