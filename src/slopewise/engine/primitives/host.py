"""Host primitives: decompositions, sorting, complex numbers.

They run in NumPy; a graph that holds one runs in the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from slopewise.engine.aval import Array, Aval, Dtype
from slopewise.engine.errors import ArgumentError, GradientError, ShapeError
from slopewise.engine.primitive import Primitive, Rule, apply, define
from slopewise.engine.primitives.rules import INT64, align_batched, batch_by_loop, check_kinds

# ---- linear algebra on stacks of matrices: the last two axes; those before are a batch already


def _check_matrices(name: str, x: Aval, square: bool = True) -> None:
    check_kinds(name, x, "fc")
    if len(x.shape) < 2 or (square and x.shape[-1] != x.shape[-2]):
        kind = "square matrices" if square else "matrices"
        raise ShapeError(f"'{name}' needs {kind} in the last two axes, not shape {x.shape}")


def _batch_leading(name: str) -> Rule:
    def batch(operands: Sequence[Any], batched: Sequence[bool], size: int, **params: Any) -> Any:
        from slopewise.engine.primitive import TABLE

        return apply(TABLE[name], *operands, **params)

    return batch


def _matrix_row(
    name: str,
    infer: Rule,
    compute: Callable[..., Any],
    *vjp: Rule,
    outputs: int | None = 1,
    saves: str = "xy",
) -> Primitive:
    return define(
        name,
        infer=infer,
        compute=compute,
        vjp=vjp or None,
        batch=_batch_leading(name),
        outputs=outputs,
        core=False,
        saves=saves if vjp else "",
    )


def _real_of(dtype: Dtype) -> Dtype:
    return np.zeros((), dtype).real.dtype


def _infer_square(name: str) -> Rule:
    def infer(x: Aval) -> Aval:
        _check_matrices(name, x)
        return x

    return infer


def _singular(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Say in plain words what NumPy's LinAlgError means."""

    def compute(*arrays: Array, **params: Any) -> Any:
        try:
            return function(*arrays, **params)
        except np.linalg.LinAlgError as error:
            if "1-dimensional" in str(error) or "square" in str(error) or "at least two" in str(error):
                raise
            raise ArgumentError(f"'{name}' failed: {error}") from None

    return compute


def _cholesky(x: Array) -> Array:
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        raise ArgumentError(
            "'cholesky' needs a symmetric positive definite matrix, this one is not"
        ) from None


def _cholesky_vjp(g: Any, y: Any, x: Any) -> Any:
    """I. Murray, "Differentiation of the Cholesky decomposition" (2016), section 4.1, made symmetric."""
    n = x.shape[-1]
    phi = ops.tril(y.mT @ g) * (1.0 - 0.5 * ops.eye(n, x.dtype))
    half = apply(solve, y.mT, apply(solve, y.mT, phi.mT).mT)
    return (half + half.mT) * 0.5


inv: Primitive = _matrix_row(
    "inv",
    _infer_square("inv"),
    _singular(np.linalg.inv, "inv"),
    lambda g, y, x: -(y.mT @ g @ y.mT),
    saves="y",
)
cholesky: Primitive = _matrix_row("cholesky", _infer_square("cholesky"), _cholesky, _cholesky_vjp, saves="y")


def _inverse_for_gradient(name: str, x: Any) -> Any:
    try:
        return apply(inv, x)
    except ArgumentError:
        raise GradientError(
            f"the gradient of '{name}' needs invertible matrices, and one is singular"
        ) from None


def _infer_det(x: Aval) -> Aval:
    _check_matrices("det", x)
    return Aval(x.shape[:-2], x.dtype)


det: Primitive = _matrix_row(
    "det",
    _infer_det,
    np.linalg.det,
    lambda g, y, x: (g * y)[..., None, None] * _inverse_for_gradient("det", x).mT,
)


def _infer_slogdet(x: Aval) -> tuple[Aval, Aval]:
    _check_matrices("slogdet", x)
    return Aval(x.shape[:-2], x.dtype), Aval(x.shape[:-2], _real_of(x.dtype))


def _slogdet(x: Array) -> tuple[Array, Array]:
    sign, logabsdet = np.linalg.slogdet(x)
    return np.asarray(sign), np.asarray(logabsdet)


def _slogdet_vjp(g: Any, y: Any, x: Any, needs: Any) -> list[Any]:
    if g[1] is None:
        return [None]
    return [g[1][..., None, None] * _inverse_for_gradient("slogdet", x).mT]


slogdet: Primitive = define(
    "slogdet",
    infer=_infer_slogdet,
    compute=_slogdet,
    vjp=_slogdet_vjp,
    batch=_batch_leading("slogdet"),
    outputs=None,
    core=False,
    saves="x",
)


def _infer_solve(a: Aval, b: Aval) -> Aval:
    _check_matrices("solve", a)
    _check_matrices("solve", b, square=False)
    if a.shape[-1] != b.shape[-2] or a.dtype != b.dtype:
        raise ShapeError(f"'solve' cannot combine {a} and {b}: the second needs as many rows as the first")
    return Aval((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), b.dtype)


def _batch_solve(operands: Sequence[Any], batched: Sequence[bool], size: int) -> Any:
    ndim = max(x.ndim - is_batched for x, is_batched in zip(operands, batched, strict=True))
    return apply(solve, *[align_batched(x, ndim) if b else x for x, b in zip(operands, batched, strict=True)])


solve: Primitive = define(
    "solve",
    infer=_infer_solve,
    compute=_singular(np.linalg.solve, "solve"),
    vjp=(
        lambda g, y, a, b: -(apply(solve, a.mT, g) @ y.mT),
        lambda g, y, a, b: apply(solve, a.mT, g),
    ),
    batch=_batch_solve,
    core=False,
)


def _infer_svd(x: Aval, full_matrices: bool) -> tuple[Aval, Aval, Aval]:
    _check_matrices("svd", x, square=False)
    *stack, m, n = x.shape
    k = min(m, n)
    u = (*stack, m, m if full_matrices else k)
    vh = (*stack, n if full_matrices else k, n)
    return Aval(u, x.dtype), Aval((*stack, k), _real_of(x.dtype)), Aval(vh, x.dtype)


svd: Primitive = _matrix_row(
    "svd",
    _infer_svd,
    lambda x, full_matrices: tuple(np.linalg.svd(x, full_matrices=full_matrices)),
    outputs=None,
)


def _infer_svdvals(x: Aval) -> Aval:
    _check_matrices("svdvals", x, square=False)
    return Aval((*x.shape[:-2], min(x.shape[-2:])), _real_of(x.dtype))


svdvals: Primitive = _matrix_row("svdvals", _infer_svdvals, lambda x: np.linalg.svd(x, compute_uv=False))


def _infer_eigh(x: Aval) -> tuple[Aval, Aval]:
    _check_matrices("eigh", x)
    return Aval(x.shape[:-1], _real_of(x.dtype)), x


eigh: Primitive = _matrix_row("eigh", _infer_eigh, lambda x: tuple(np.linalg.eigh(x)), outputs=None)


def _infer_eigvalsh(x: Aval) -> Aval:
    _check_matrices("eigvalsh", x)
    return Aval(x.shape[:-1], _real_of(x.dtype))


eigvalsh: Primitive = _matrix_row("eigvalsh", _infer_eigvalsh, np.linalg.eigvalsh)


def _infer_qr(x: Aval, mode: str) -> tuple[Aval, Aval]:
    _check_matrices("qr", x, square=False)
    *stack, m, n = x.shape
    k = m if mode == "complete" else min(m, n)
    return Aval((*stack, m, k), x.dtype), Aval((*stack, k, n), x.dtype)


qr: Primitive = _matrix_row("qr", _infer_qr, lambda x, mode: tuple(np.linalg.qr(x, mode=mode)), outputs=None)


def _infer_pinv(x: Aval, rtol: float | None) -> Aval:
    _check_matrices("pinv", x, square=False)
    return Aval((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)


pinv: Primitive = _matrix_row(
    "pinv", _infer_pinv, lambda x, rtol: np.linalg.pinv(x) if rtol is None else np.linalg.pinv(x, rtol=rtol)
)

# ---- order. A sort is a gather by argsort, and so is its gradient.


def _argsort(x: Array, axis: int, descending: bool, stable: bool) -> Array:
    kind: Literal["stable", "quicksort"] = "stable" if stable else "quicksort"
    if not descending:
        return np.argsort(x, axis=axis, kind=kind).astype(np.int64)
    # equal elements keep their order: sort the reversed sequence, then turn the result around
    size = x.shape[axis]
    order = np.argsort(np.flip(x, axis), axis=axis, kind=kind)
    return np.flip(size - 1 - order, axis).astype(np.int64)  # type: ignore[no-any-return]


def _infer_argsort(x: Aval, axis: int, descending: bool, stable: bool) -> Aval:
    check_kinds("argsort", x, "biuf")
    return Aval(x.shape, INT64)


argsort: Primitive = define(
    "argsort",
    infer=_infer_argsort,
    compute=_argsort,
    vjp=None,
    batch=lambda operands, batched, size, axis, **params: apply(
        argsort, operands[0], axis=axis + 1, **params
    ),
    core=False,
    saves="",
)


def _infer_searchsorted(sorted_values: Aval, values: Aval, side: str) -> Aval:
    if len(sorted_values.shape) != 1:
        raise ShapeError(f"'searchsorted' needs one sorted axis, not shape {sorted_values.shape}")
    return Aval(values.shape, INT64)


def _batch_searchsorted(operands: Sequence[Any], batched: Sequence[bool], size: int, side: str) -> Any:
    if not batched[0]:
        return apply(searchsorted, *operands, side=side)
    return batch_by_loop("searchsorted")(operands, batched, size, side=side)


searchsorted: Primitive = define(
    "searchsorted",
    infer=_infer_searchsorted,
    compute=lambda s, v, side: np.asarray(np.searchsorted(s, v, side=side), np.int64),
    vjp=None,
    batch=_batch_searchsorted,
    core=False,
    saves="",
)

# ---- complex numbers: eager, without gradients


def _complex_row(name: str, compute: Callable[..., Any], *, real: bool) -> Primitive:
    def infer(x: Aval) -> Aval:
        check_kinds(name, x, "c")
        return Aval(x.shape, _real_of(x.dtype)) if real else x

    return define(
        name,
        infer=infer,
        compute=compute,
        vjp=None,
        batch=_batch_leading(name),
        core=False,
        saves="",
    )


real: Primitive = _complex_row("real", lambda x: x.real.copy(), real=True)
imag: Primitive = _complex_row("imag", lambda x: x.imag.copy(), real=True)
conj: Primitive = _complex_row("conj", np.conj, real=False)
complex_abs: Primitive = _complex_row("complex_abs", np.abs, real=True)


from slopewise.engine import ops  # noqa: E402  (gradient rules are written in ops, which are made of these rows)
