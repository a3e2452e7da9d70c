"""Shape primitives: the same elements, arranged otherwise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from slopewise.engine.aval import Array, Aval, Shape
from slopewise.engine.errors import DtypeError, ShapeError
from slopewise.engine.primitive import Primitive, apply, define
from slopewise.engine.primitives.rules import align_batched, materialize


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


# ---- reshape


def _infer_reshape(x: Aval, shape: Shape) -> Aval:
    if math.prod(x.shape) != math.prod(shape):
        raise ShapeError(
            f"cannot reshape {x.shape} ({math.prod(x.shape)} elements) "
            f"to {shape} ({math.prod(shape)} elements)"
        )
    return Aval(shape, x.dtype)


reshape: Primitive = define(
    "reshape",
    infer=_infer_reshape,
    compute=lambda x, shape: x.reshape(shape),
    vjp=(lambda g, y, x, shape: g.reshape(x.shape),),
    batch=lambda operands, batched, size, shape: operands[0].reshape((size, *shape)),
    saves="",
)

# ---- transpose


def _infer_transpose(x: Aval, axes: tuple[int, ...]) -> Aval:
    if sorted(axes) != list(range(len(x.shape))):
        raise ShapeError(
            f"transpose needs each of the {len(x.shape)} axes of shape {x.shape} once, not {axes}"
        )
    return Aval(tuple(x.shape[axis] for axis in axes), x.dtype)


transpose: Primitive = define(
    "transpose",
    infer=_infer_transpose,
    compute=lambda x, axes: x.transpose(axes),
    vjp=(lambda g, y, x, axes: apply(transpose, g, axes=_inverse(axes)),),
    batch=lambda operands, batched, size, axes: apply(
        transpose, operands[0], axes=(0, *(axis + 1 for axis in axes))
    ),
    saves="",
)

# ---- broadcast_to


def _infer_broadcast(x: Aval, shape: Shape) -> Aval:
    try:
        fits = np.broadcast_shapes(x.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"cannot broadcast shape {x.shape} to {shape}")
    return Aval(shape, x.dtype)


broadcast_to: Primitive = define(
    "broadcast_to",
    infer=_infer_broadcast,
    compute=lambda x, shape: np.broadcast_to(x, shape),
    vjp=(lambda g, y, x, shape: g,),  # the pullback sums it back to the operand's shape
    batch=lambda operands, batched, size, shape: apply(
        broadcast_to, align_batched(operands[0], len(shape)), shape=(size, *shape)
    ),
    saves="",
)

# ---- slice, with positive steps, and its adjoint, pad (with `inner` zeros between elements)


def _infer_slice(x: Aval, starts: Shape, stops: Shape, steps: Shape) -> Aval:
    shape = tuple(
        max(0, -(-(stop - start) // step)) for start, stop, step in zip(starts, stops, steps, strict=True)
    )
    return Aval(shape, x.dtype)


def _slice(x: Array, starts: Shape, stops: Shape, steps: Shape) -> Array:
    return x[tuple(map(slice, starts, stops, steps))]


def _slice_vjp(g: Any, y: Any, x: Any, starts: Shape, stops: Shape, steps: Shape) -> Any:
    # n picked elements span (n-1) steps; what lies after the last of them is padding
    spans = [max((n - 1) * step + 1, 0) for n, step in zip(g.shape, steps, strict=True)]
    before = tuple(start if span else 0 for start, span in zip(starts, spans, strict=True))
    after = tuple(size - start - span for size, start, span in zip(x.shape, before, spans, strict=True))
    return apply(pad, g, before=before, after=after, inner=tuple(step - 1 for step in steps))


slice_: Primitive = define(
    "slice",
    infer=_infer_slice,
    compute=_slice,
    vjp=(_slice_vjp,),
    batch=lambda operands, batched, size, starts, stops, steps: apply(
        slice_, operands[0], starts=(0, *starts), stops=(size, *stops), steps=(1, *steps)
    ),
    saves="",
)


def _padded_shape(shape: Shape, before: Shape, after: Shape, inner: Shape) -> Shape:
    return tuple(
        b + n + max(n - 1, 0) * i + a for n, b, a, i in zip(shape, before, after, inner, strict=True)
    )


def _infer_pad(x: Aval, before: Shape, after: Shape, inner: Shape) -> Aval:
    return Aval(_padded_shape(x.shape, before, after, inner), x.dtype)


def _pad(x: Array, before: Shape, after: Shape, inner: Shape) -> Array:
    result = np.zeros(_padded_shape(x.shape, before, after, inner), x.dtype)
    place = tuple(
        slice(b, b + (n - 1) * (i + 1) + 1 if n else b, i + 1)
        for n, b, i in zip(x.shape, before, inner, strict=True)
    )
    result[place] = x
    return result


def _pad_vjp(g: Any, y: Any, x: Any, before: Shape, after: Shape, inner: Shape) -> Any:
    stops = tuple(
        b + (n - 1) * (i + 1) + 1 if n else b for n, b, i in zip(x.shape, before, inner, strict=True)
    )
    return apply(slice_, g, starts=before, stops=stops, steps=tuple(i + 1 for i in inner))


pad: Primitive = define(
    "pad",
    infer=_infer_pad,
    compute=_pad,
    vjp=(_pad_vjp,),
    batch=lambda operands, batched, size, before, after, inner: apply(
        pad, operands[0], before=(0, *before), after=(0, *after), inner=(0, *inner)
    ),
    saves="",
)

# ---- flip

flip: Primitive = define(
    "flip",
    infer=lambda x, axes: x,
    compute=lambda x, axes: np.flip(x, axes),
    vjp=(lambda g, y, x, axes: apply(flip, g, axes=axes),),
    batch=lambda operands, batched, size, axes: apply(
        flip, operands[0], axes=tuple(axis + 1 for axis in axes)
    ),
    saves="",
)

# ---- concatenate


def _infer_concatenate(*xs: Aval, axis: int) -> Aval:
    first = xs[0]
    for x in xs[1:]:
        if x.dtype != first.dtype:
            raise DtypeError(f"concat needs tensors of one dtype, not {first.dtype} and {x.dtype}")
        if len(x.shape) != len(first.shape) or any(
            n != m for i, (n, m) in enumerate(zip(x.shape, first.shape, strict=True)) if i != axis
        ):
            raise ShapeError(
                f"concat along axis {axis} needs shapes that agree elsewhere, not {first.shape} and {x.shape}"
            )
    total = sum(x.shape[axis] for x in xs)
    return Aval((*first.shape[:axis], total, *first.shape[axis + 1 :]), first.dtype)


def _concatenate_vjp(g: Any, y: Any, *xs: Any, needs: Sequence[bool], axis: int) -> list[Any]:
    gradients = []
    start = 0
    for x, need in zip(xs, needs, strict=True):
        stop = start + x.shape[axis]
        starts = tuple(start if i == axis else 0 for i in range(g.ndim))
        stops = tuple(stop if i == axis else size for i, size in enumerate(g.shape))
        gradients.append(apply(slice_, g, starts=starts, stops=stops, steps=(1,) * g.ndim) if need else None)
        start = stop
    return gradients


concatenate: Primitive = define(
    "concatenate",
    infer=_infer_concatenate,
    compute=lambda *xs, axis: np.concatenate(xs, axis=axis),
    vjp=_concatenate_vjp,
    batch=lambda operands, batched, size, axis: apply(
        concatenate,
        *[materialize(x, b, size) for x, b in zip(operands, batched, strict=True)],
        axis=axis + 1,
    ),
    saves="",
)
