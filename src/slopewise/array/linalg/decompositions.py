"""Factors of matrices. Integers become float32 first. Of these, only `cholesky` has a gradient."""

from __future__ import annotations

from typing import Literal, NamedTuple

from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError
from slopewise.engine.primitive import apply
from slopewise.engine.primitives import host
from slopewise.engine.tensor import Tensor

__all__ = [
    "EigenDecomposition",
    "QRDecomposition",
    "SingularValueDecomposition",
    "cholesky",
    "eigh",
    "eigvalsh",
    "qr",
    "svd",
    "svdvals",
]


class EigenDecomposition(NamedTuple):
    """The result of `eigh`."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QRDecomposition(NamedTuple):
    """The result of `qr`."""

    Q: Tensor
    R: Tensor


class SingularValueDecomposition(NamedTuple):
    """The result of `svd`."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def _floating(x: ArrayLike) -> Tensor:
    return ops.floating(ops.as_tensor(x))


def cholesky(x: ArrayLike, /, *, upper: bool = False) -> Tensor:
    """Return the triangular matrix L with L @ L.mT = x.

    Parameters
    ----------
    x : Tensor, shape (..., n, n), symmetric (or Hermitian) and positive definite; only the lower triangle
        is read
    upper : return the upper triangular factor instead, the (conjugate) transpose of L

    Raises
    ------
    ArgumentError
        If a matrix is not positive definite.

    Notes
    -----
    Gradient: I. Murray, "Differentiation of the Cholesky decomposition" (2016); symmetric, as x is.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.cholesky(sw.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    lower: Tensor = apply(host.cholesky, _floating(x))
    if not upper:
        return lower
    return apply(host.conj, lower.mT) if lower.dtype.kind == "c" else lower.mT


def eigh(x: ArrayLike, /) -> EigenDecomposition:
    """Return the eigenvalues and eigenvectors of symmetric (or Hermitian) matrices.

    The eigenvalues are in ascending order, the eigenvectors in columns. Only the lower triangle is read.
    There is no gradient.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.eigh(sw.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    return EigenDecomposition(*apply(host.eigh, _floating(x)))


def eigvalsh(x: ArrayLike, /) -> Tensor:
    """Return the eigenvalues of symmetric (or Hermitian) matrices, in ascending order. It has no gradient.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.eigvalsh(sw.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """
    return apply(host.eigvalsh, _floating(x))  # type: ignore[no-any-return]


def qr(x: ArrayLike, /, *, mode: Literal["reduced", "complete"] = "reduced") -> QRDecomposition:
    """Return an orthogonal Q and an upper triangular R with Q @ R = x. It has no gradient.

    Parameters
    ----------
    x : Tensor, shape (..., m, n)
    mode : "reduced" gives Q min(m, n) columns, "complete" m

    Examples
    --------
    >>> import slopewise.array as xp
    >>> [part.shape for part in xp.linalg.qr(xp.ones((4, 2)))]
    [(4, 2), (2, 2)]
    """
    if mode not in ("reduced", "complete"):
        raise ArgumentError(f"qr: mode must be 'reduced' or 'complete', not {mode!r}")
    return QRDecomposition(*apply(host.qr, _floating(x), mode=mode))


def svd(x: ArrayLike, /, *, full_matrices: bool = True) -> SingularValueDecomposition:
    """Return U, S, Vh with U @ diag(S) @ Vh = x. It has no gradient.

    Parameters
    ----------
    x : Tensor, shape (..., m, n)
    full_matrices : whether U is (m, m) and Vh (n, n), or with min(m, n) columns and rows

    Examples
    --------
    >>> import slopewise.array as xp
    >>> [part.shape for part in xp.linalg.svd(xp.ones((4, 2)), full_matrices=False)]
    [(4, 2), (2,), (2, 2)]
    """
    return SingularValueDecomposition(*apply(host.svd, _floating(x), full_matrices=full_matrices))


def svdvals(x: ArrayLike, /) -> Tensor:
    """Return the singular values of matrices, in descending order. It has no gradient.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.svdvals(sw.tensor([[2.0, 0.0], [0.0, 3.0]]))
    tensor([3., 2.])
    """
    return apply(host.svdvals, _floating(x))  # type: ignore[no-any-return]
