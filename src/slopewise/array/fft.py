"""The extension `fft` of the standard: discrete Fourier transforms.

Their results are complex, or come from complex numbers, so that they carry no gradient. Real operands must
be floating, float32 in, complex64 out. `norm` says where the factor 1/n goes: "backward" (to the inverse),
"forward", or "ortho" (its root to both).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from slopewise.array.arguments import as_dtype, check_device
from slopewise.array.elementwise import conj
from slopewise.array.manipulation import roll
from slopewise.engine import ops
from slopewise.engine.creation import DEFAULT_FLOAT, wrap_array
from slopewise.engine.errors import ArgumentError
from slopewise.engine.ops import Axis
from slopewise.engine.primitive import apply
from slopewise.engine.primitives.rules import normalize_axes
from slopewise.engine.primitives.spectral import fourier
from slopewise.engine.tensor import Tensor

__all__ = [
    "fft",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfftn",
    "rfft",
    "rfftfreq",
    "rfftn",
]

Norm = Literal["backward", "ortho", "forward"]
_REVERSED: dict[str, Norm] = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


def fft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """Return the Fourier transform along an axis, cut or padded with zeros to n elements.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.fft.fft(sw.tensor([1.0, 0.0, 0.0]))
    tensor([1.+0.j, 1.+0.j, 1.+0.j], dtype=complex64)
    """
    return _transform("fft", _complex(x), None if n is None else (n,), (axis,), norm)


def ifft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """Return the inverse of `fft`.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.fft.ifft(sw.tensor([2.0, 0.0]))
    tensor([1.+0.j, 1.+0.j], dtype=complex64)
    """
    return _transform("ifft", _complex(x), None if n is None else (n,), (axis,), norm)


def fftn(
    x: ArrayLike,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = "backward",
) -> Tensor:
    """Return the Fourier transform over several axes, all by default, cut or zero-padded to the sizes s.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.fft.fftn(xp.ones((2, 2)))
    tensor([[4.+0.j, 0.+0.j],
            [0.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _transform("fft", _complex(x), s, axes, norm)


def ifftn(
    x: ArrayLike,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = "backward",
) -> Tensor:
    """Return the inverse of `fftn`.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.fft.ifftn(xp.ones((1, 2)))
    tensor([[1.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _transform("ifft", _complex(x), s, axes, norm)


def rfft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """Return the first n // 2 + 1 elements of the transform of real numbers, which determine the others.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.fft.rfft(sw.tensor([1.0, 0.0, 0.0, 0.0]))
    tensor([1.+0.j, 1.+0.j, 1.+0.j], dtype=complex64)
    """
    return _transform("rfft", ops.floating(ops.as_tensor(x)), None if n is None else (n,), (axis,), norm)


def irfft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """Return the inverse of `rfft`: n real numbers, by default an even count.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.fft.irfft(sw.tensor([1.0, 1.0, 1.0]))
    tensor([1., 0., 0., 0.])
    """
    return _transform("irfft", _complex(x), None if n is None else (n,), (axis,), norm)


def rfftn(
    x: ArrayLike,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = "backward",
) -> Tensor:
    """Return the transform of real numbers over axes: as `rfft` over the last, as `fft` over the others.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.fft.rfftn(xp.ones((2, 2)))
    tensor([[4.+0.j, 0.+0.j],
            [0.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _transform("rfft", ops.floating(ops.as_tensor(x)), s, axes, norm)


def irfftn(
    x: ArrayLike,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = "backward",
) -> Tensor:
    """Return the inverse of `rfftn`.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.fft.irfftn(xp.fft.rfftn(xp.ones((2, 2))))
    tensor([[1., 1.],
            [1., 1.]])
    """
    return _transform("irfft", _complex(x), s, axes, norm)


def hfft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """Return the transform, which is real, of a signal with Hermitian symmetry, given by its first half.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.fft.hfft(sw.tensor([1.0, 0.0, 0.0]))
    tensor([1., 1., 1., 1.])
    """
    return irfft(conj(_complex(x)), n=n, axis=axis, norm=_reversed(norm))


def ihfft(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """Return the inverse of `hfft`: the first half of a signal.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.real(xp.fft.ihfft(sw.tensor([1.0, 1.0, 1.0, 1.0])))
    tensor([1., 0., 0.])
    """
    return conj(rfft(x, n=n, axis=axis, norm=_reversed(norm)))


def fftfreq(
    n: int, /, *, d: float = 1.0, dtype: DTypeLike | None = None, device: str | None = None
) -> Tensor:
    """Return the frequencies of the elements of `fft`, for n samples at a distance d.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.fft.fftfreq(4)
    tensor([ 0.  ,  0.25, -0.5 , -0.25])
    """
    check_device(device)
    frequencies = np.fft.fftfreq(_count("fftfreq", n), d)
    return wrap_array(frequencies.astype(DEFAULT_FLOAT if dtype is None else as_dtype(dtype)))


def rfftfreq(
    n: int, /, *, d: float = 1.0, dtype: DTypeLike | None = None, device: str | None = None
) -> Tensor:
    """Return the frequencies of the elements of `rfft`, for n samples at a distance d.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.fft.rfftfreq(4)
    tensor([0.  , 0.25, 0.5 ])
    """
    check_device(device)
    frequencies = np.fft.rfftfreq(_count("rfftfreq", n), d)
    return wrap_array(frequencies.astype(DEFAULT_FLOAT if dtype is None else as_dtype(dtype)))


def fftshift(x: ArrayLike, /, *, axes: Axis = None) -> Tensor:
    """Return the tensor shifted along axes, all by default, so that frequency 0 is in the middle.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.fft.fftshift(xp.fft.fftfreq(4))
    tensor([-0.5 , -0.25,  0.  ,  0.25])
    """
    x = ops.as_tensor(x)
    shifted = normalize_axes("fftshift", axes, x.ndim)
    return roll(x, [x.shape[axis] // 2 for axis in shifted], axis=shifted)


def ifftshift(x: ArrayLike, /, *, axes: Axis = None) -> Tensor:
    """Return the inverse of `fftshift`.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.fft.ifftshift(xp.fft.fftshift(xp.arange(5)))
    tensor([0, 1, 2, 3, 4])
    """
    x = ops.as_tensor(x)
    shifted = normalize_axes("ifftshift", axes, x.ndim)
    return roll(x, [-(x.shape[axis] // 2) for axis in shifted], axis=shifted)


def _complex(x: ArrayLike) -> Tensor:
    x = ops.floating(ops.as_tensor(x))
    return x if x.dtype.kind == "c" else ops.astype(x, np.result_type(x.dtype, np.complex64))


def _count(name: str, n: int) -> int:
    if n < 1:
        raise ArgumentError(f"{name} needs at least one sample, not {n}")
    return n


def _reversed(norm: Norm) -> Norm:
    return _REVERSED.get(norm, norm)


def _transform(
    transform: str, x: Tensor, sizes: Sequence[int] | None, axes: Sequence[int] | None, norm: Norm
) -> Tensor:
    if norm not in _REVERSED:
        raise ArgumentError(f"{transform}: norm must be 'backward', 'ortho' or 'forward', not {norm!r}")
    if axes is None:
        axes = range(x.ndim) if sizes is None else range(x.ndim - len(sizes), x.ndim)
    normalize_axes(transform, axes, x.ndim)
    places = tuple(axis % x.ndim for axis in axes)
    if sizes is None:
        lengths = [x.shape[axis] for axis in places]
        if transform == "irfft":
            lengths[-1] = 2 * (lengths[-1] - 1)
        sizes = lengths
    if len(sizes) != len(places) or not places or min(sizes) < 1:
        raise ArgumentError(
            f"{transform} needs axes, and for each of {tuple(axes)} a size of at least 1, not {tuple(sizes)}"
        )
    return apply(fourier, x, transform=transform, sizes=tuple(sizes), axes=places, norm=norm)  # type: ignore[no-any-return]
