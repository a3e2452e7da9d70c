"""Functions on tensors: they convert and promote their arguments, then apply primitives.

Promotion: a Python number takes the dtype of the tensor that it meets; among tensors of one kind the wider
wins; a floating tensor keeps its dtype when it meets integers or booleans (PyTorch's convention, so that
float32 is never widened by accident).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import numpy as np

from slopewise.engine.aval import Dtype, Shape
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.primitive import Primitive, apply
from slopewise.engine.primitives import elementwise as rows
from slopewise.engine.primitives import reductions, shapes
from slopewise.engine.primitives.indexed import gather as gather_row
from slopewise.engine.primitives.matrix import matmul as matmul_row
from slopewise.engine.primitives.rules import BOOL, INT64, broadcast_shapes, normalize_axes, normalize_axis
from slopewise.engine.tensor import (
    DEFAULT_FLOAT,
    Tensor,
    _wrap_array,
    as_array,
    as_dtype,
    scalar_like,
    tensor,
)
from slopewise.engine.tensor import full as full
from slopewise.engine.tensor import zeros as zeros
from slopewise.engine.tree import flatten

Axis = int | Sequence[int] | None
Unary = Callable[[Any], Tensor]
Binary = Callable[[Any, Any], Tensor]
_KIND_ORDER = "biufc"
_LOSSES = {"b": 0, "i": 0, "u": 0, "f": 1, "c": 2}  # a kind of dtype loses something in one of a lower number

# ---- conversion and promotion


def as_tensor(value: Any) -> Tensor:
    """Return a tensor as it is, a sequence of tensors as their stack, and anything else as a constant."""
    if isinstance(value, Tensor):
        return value
    return tensor(value) if isinstance(value, list | tuple) else _wrap_array(as_array(value, copy=True))


def result_dtype(*dtypes: Dtype) -> Dtype:
    """Return the dtype of an operation among tensors of the given dtypes."""
    result = dtypes[0]
    for dtype in dtypes[1:]:
        if dtype == result:
            continue
        if dtype.kind in "fc" and result.kind not in "fc":
            result = dtype
        elif result.kind in "fc" and dtype.kind not in "fc":
            continue
        else:
            promoted = np.promote_types(result, dtype)
            if promoted.kind == "f" and result.kind != "f" and dtype.kind != "f":
                raise DtypeError(
                    f"no integer dtype holds both {result} and {dtype}; convert one of them with .astype()"
                )
            result = promoted
    return result


def _scalar_dtype(value: Any, like: Dtype) -> Dtype:
    """Return the dtype that a Python number takes beside a tensor of the given dtype."""
    if isinstance(value, bool | np.bool_) or like.kind == "c":
        return like
    if isinstance(value, int | np.integer):
        return like if like.kind != "b" else INT64
    if isinstance(value, float | np.floating):
        return like if like.kind == "f" else DEFAULT_FLOAT
    return np.promote_types(like, np.complex64) if like.kind == "f" else np.dtype(np.complex64)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, int | float | complex | np.generic)


def _constant(value: Any, dtype: Dtype) -> Tensor:
    try:
        return scalar_like(value, dtype)
    except OverflowError:
        raise ArgumentError(f"the number {value} does not fit in {dtype}") from None


def _with_scalars(dtype: Dtype, values: Sequence[Any]) -> Dtype:
    """Return what a dtype becomes beside the Python numbers among some values."""
    for value in values:
        if _is_scalar(value):
            wanted = _scalar_dtype(value, dtype)
            dtype = wanted if wanted == dtype else result_dtype(dtype, wanted)
    return dtype


def result_dtype_of(*values: Any) -> Dtype:
    """Return the dtype of an operation among tensors, dtypes and Python numbers."""
    dtypes = [v.dtype if isinstance(v, Tensor) else np.dtype(v) for v in values if not _is_scalar(v)]
    if not dtypes:
        dtypes = [as_tensor(values[0]).dtype]
    return _with_scalars(result_dtype(*dtypes), values)


def stored(value: Any, dtype: Dtype) -> Tensor:
    """Return a value in the dtype of the tensor that it is assigned to.

    Numbers take it directly, not by way of the default one. Losing bits is allowed, losing a fraction or an
    imaginary part is not.
    """
    if isinstance(value, list | tuple) and [x for x in flatten(value)[0] if isinstance(x, Tensor)]:
        value = as_tensor(value)
    given = value.dtype if isinstance(value, Tensor) else as_array(value).dtype
    if _LOSSES[given.kind] > _LOSSES[dtype.kind]:
        raise DtypeError(f"cannot assign {given} to elements of a {dtype} tensor; convert one with .astype()")
    if isinstance(value, Tensor):
        return astype(value, dtype)
    return _constant(value, dtype) if _is_scalar(value) else _wrap_array(as_array(value, dtype, copy=True))


def promote(*values: Any) -> list[Tensor]:
    """Return values as tensors of one dtype."""
    tensors = [value for value in values if not _is_scalar(value)]
    if not tensors:
        return promote(as_tensor(values[0]), *values[1:])
    converted = [value if isinstance(value, Tensor) else as_tensor(value) for value in tensors]
    dtype = converted[0].dtype
    if len(converted) > 1:
        dtype = result_dtype(*[t.dtype for t in converted])
    if len(converted) < len(values):
        dtype = _with_scalars(dtype, values)
    queue = iter(converted)
    return [_constant(value, dtype) if _is_scalar(value) else astype(next(queue), dtype) for value in values]


def promote_pair(x1: Any, x2: Any) -> Sequence[Tensor]:
    """Return two values as tensors of one dtype; the common cases, which training meets, take no detour."""
    if isinstance(x1, Tensor):
        dtype = x1._ref.buffer.dtype
        if isinstance(x2, Tensor):
            if x2._ref.buffer.dtype == dtype:
                return x1, x2
        elif type(x2) is float and dtype.kind == "f":
            return x1, scalar_like(x2, dtype)
    elif type(x1) is float and isinstance(x2, Tensor) and x2._ref.buffer.dtype.kind == "f":
        return scalar_like(x1, x2._ref.buffer.dtype), x2
    return promote(x1, x2)


def _binary(row: Primitive) -> Binary:
    def operation(x1: Any, x2: Any, /) -> Tensor:
        return apply(row, *promote_pair(x1, x2))  # type: ignore[no-any-return]

    operation.__name__ = operation.__qualname__ = row.name
    return operation


def _floating_binary(row: Primitive) -> Binary:
    """Integers become float32 first, as a quotient of integers is no integer."""

    def operation(x1: Any, x2: Any, /) -> Tensor:
        a, b = promote_pair(x1, x2)
        return apply(row, floating(a), floating(b))  # type: ignore[no-any-return]

    operation.__name__ = operation.__qualname__ = row.name
    return operation


def _unary(row: Primitive) -> Unary:
    def operation(x: Any, /) -> Tensor:
        return apply(row, as_tensor(x))  # type: ignore[no-any-return]

    operation.__name__ = operation.__qualname__ = row.name
    return operation


def _floating_unary(row: Primitive) -> Unary:
    def operation(x: Any, /) -> Tensor:
        return apply(row, floating(as_tensor(x)))  # type: ignore[no-any-return]

    operation.__name__ = operation.__qualname__ = row.name
    return operation


def floating(x: Tensor) -> Tensor:
    """Return a tensor in a floating dtype: integers and booleans become float32."""
    return x if x.dtype.kind in "fc" else astype(x, DEFAULT_FLOAT)


def astype(x: Tensor, dtype: Any) -> Tensor:
    """Return a tensor in another dtype, or itself if it has that dtype."""
    dtype = as_dtype(dtype)
    if x.dtype == dtype:
        return x
    if dtype.kind not in _KIND_ORDER:
        raise DtypeError(f"a tensor cannot hold {dtype}; use a numeric or boolean dtype")
    if x.dtype.kind == "c" and dtype.kind not in "cb":
        raise DtypeError(f"complex numbers cannot become {dtype}: take their real part or magnitude first")
    return apply(rows.cast, x, dtype=dtype)  # type: ignore[no-any-return]


def detach(x: Tensor) -> Tensor:
    """Return a tensor with the same value through which no gradient flows."""
    return apply(rows.detach, x)  # type: ignore[no-any-return]


def positive(x: Any) -> Tensor:
    """Return the tensor itself, under a new handle."""
    return apply(rows.alias, as_tensor(x))  # type: ignore[no-any-return]


# ---- elementwise

negative: Unary = _unary(rows.neg)
sign: Unary = _unary(rows.sign)
exp: Unary = _floating_unary(rows.exp)
expm1: Unary = _floating_unary(rows.expm1)
log: Unary = _floating_unary(rows.log)
log1p: Unary = _floating_unary(rows.log1p)
log2: Unary = _floating_unary(rows.log2)
log10: Unary = _floating_unary(rows.log10)
sqrt: Unary = _floating_unary(rows.sqrt)
sin: Unary = _floating_unary(rows.sin)
cos: Unary = _floating_unary(rows.cos)
tan: Unary = _floating_unary(rows.tan)
asin: Unary = _floating_unary(rows.asin)
acos: Unary = _floating_unary(rows.acos)
atan: Unary = _floating_unary(rows.atan)
sinh: Unary = _floating_unary(rows.sinh)
cosh: Unary = _floating_unary(rows.cosh)
tanh: Unary = _floating_unary(rows.tanh)
asinh: Unary = _floating_unary(rows.asinh)
acosh: Unary = _floating_unary(rows.acosh)
atanh: Unary = _floating_unary(rows.atanh)
sigmoid: Unary = _floating_unary(rows.sigmoid)
relu: Unary = _unary(rows.relu)
erf: Unary = _floating_unary(rows.erf)
floor: Unary = _unary(rows.floor)
ceil: Unary = _unary(rows.ceil)
trunc: Unary = _unary(rows.trunc)
round: Unary = _unary(rows.round)
isnan: Unary = _unary(rows.isnan)
isinf: Unary = _unary(rows.isinf)
isfinite: Unary = _unary(rows.isfinite)
signbit: Unary = _unary(rows.signbit)
bitwise_invert: Unary = _unary(rows.invert)

add: Binary = _binary(rows.add)
subtract: Binary = _binary(rows.sub)
multiply: Binary = _binary(rows.mul)
divide: Binary = _floating_binary(rows.div)
floor_divide: Binary = _binary(rows.floor_divide)
remainder: Binary = _binary(rows.remainder)
maximum: Binary = _binary(rows.maximum)
minimum: Binary = _binary(rows.minimum)
atan2: Binary = _floating_binary(rows.atan2)
hypot: Binary = _floating_binary(rows.hypot)
logaddexp: Binary = _floating_binary(rows.logaddexp)
copysign: Binary = _floating_binary(rows.copysign)
nextafter: Binary = _floating_binary(rows.nextafter)
equal: Binary = _binary(rows.eq)
not_equal: Binary = _binary(rows.ne)
less: Binary = _binary(rows.lt)
less_equal: Binary = _binary(rows.le)
greater: Binary = _binary(rows.gt)
greater_equal: Binary = _binary(rows.ge)
bitwise_and: Binary = _binary(rows.bitwise_and)
bitwise_or: Binary = _binary(rows.bitwise_or)
bitwise_xor: Binary = _binary(rows.bitwise_xor)
bitwise_left_shift: Binary = _binary(rows.shift_left)
bitwise_right_shift: Binary = _binary(rows.shift_right)


def absolute(x: Any, /) -> Tensor:
    """Return the magnitude of each element."""
    from slopewise.engine.primitives.host import complex_abs

    x = as_tensor(x)
    return apply(complex_abs if x.dtype.kind == "c" else rows.abs, x)  # type: ignore[no-any-return]


def square(x: Any, /) -> Tensor:
    """Return each element times itself."""
    x = as_tensor(x)
    return apply(rows.mul, x, x)  # type: ignore[no-any-return]


def power(x1: Any, x2: Any, /) -> Tensor:
    """Return x1 to the power of x2; a square is a product."""
    if isinstance(x2, int | float) and not isinstance(x2, bool) and x2 == 2 and isinstance(x1, Tensor):
        a = x1 if isinstance(x2, int) else floating(x1)
        return square(a)
    return apply(rows.pow, *promote(x1, x2))  # type: ignore[no-any-return]


def where(condition: Any, x1: Any, x2: Any, /) -> Tensor:
    """Return elements of x1 where the condition holds and of x2 elsewhere."""
    return apply(rows.select, as_tensor(condition), *promote_pair(x1, x2))  # type: ignore[no-any-return]


def clip(x: Any, /, min: Any = None, max: Any = None) -> Tensor:
    """Limit each element to [min, max]; the gradient is 1 inside and at both bounds, as in PyTorch."""
    result = as_tensor(x)
    if min is not None:
        result = where(less(result, min), min, result)
    if max is not None:
        result = where(greater(result, max), max, result)
    return result


# ---- creation


def ones(shape: Shape, dtype: Any = DEFAULT_FLOAT) -> Tensor:
    """Return a tensor of ones."""
    return full(shape, 1, dtype)


def arange(start: int, stop: int | None = None, step: int = 1) -> Tensor:
    """Return the integers of a range, int64."""
    first, last = (0, start) if stop is None else (start, stop)
    return _wrap_array(np.arange(first, last, step, dtype=np.int64))


def eye(n: int, dtype: Any = DEFAULT_FLOAT) -> Tensor:
    """Return the n by n identity matrix."""
    return _wrap_array(np.eye(n, dtype=dtype))


def tril(x: Tensor, k: int = 0) -> Tensor:
    """Return the lower triangle of matrices, zero elsewhere."""
    mask = _wrap_array(np.tri(x.shape[-2], x.shape[-1], k, dtype=np.bool_))
    return where(mask, x, False if x.dtype.kind == "b" else 0)


def triu(x: Tensor, k: int = 0) -> Tensor:
    """Return the upper triangle of matrices, zero elsewhere."""
    mask = _wrap_array(~np.tri(x.shape[-2], x.shape[-1], k - 1, dtype=np.bool_))
    return where(mask, x, False if x.dtype.kind == "b" else 0)


# ---- shape


def reshape(x: Tensor, shape: int | Sequence[int]) -> Tensor:
    """Return the same elements in another shape; one size may be -1."""
    sizes = _sizes(shape)
    if [size for size in sizes if size < -1]:
        raise ShapeError(f"cannot reshape {x.shape} to {sizes}: sizes are not negative, but for one -1")
    if -1 in sizes:
        known = math.prod(size for size in sizes if size != -1)
        if sizes.count(-1) > 1 or known == 0 or x.size % known:
            raise ShapeError(f"cannot reshape {x.shape} ({x.size} elements) to {sizes}")
        sizes = tuple(x.size // known if size == -1 else size for size in sizes)
    return apply(shapes.reshape, x, shape=sizes)  # type: ignore[no-any-return]


def _sizes(shape: Any) -> Shape:
    """Return a shape as a tuple of Python integers."""
    try:
        return (index(shape),) if isinstance(shape, int | np.integer) else tuple(map(index, shape))
    except TypeError:
        raise ShapeError(f"a shape is an integer or a sequence of integers, not {shape!r}") from None


def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    """Return the tensor with its axes permuted, reversed by default."""
    order = tuple(range(x.ndim))[::-1]
    if axes is not None:
        order = tuple([axis + x.ndim if -x.ndim <= axis < 0 else int(axis) for axis in axes])
    return apply(shapes.transpose, x, axes=order)  # type: ignore[no-any-return]


def moveaxis(x: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Return the tensor with some axes moved and the others in their order."""
    sources = [source] if isinstance(source, int) else list(source)
    destinations = [destination] if isinstance(destination, int) else list(destination)
    if len(sources) != len(destinations):
        raise ShapeError(f"moveaxis needs as many sources as destinations, not {sources} and {destinations}")
    for axis in (*sources, *destinations):
        normalize_axes("moveaxis", axis, x.ndim)
    moved = {d % x.ndim: s % x.ndim for s, d in zip(sources, destinations, strict=True)}
    if len(moved) != len(sources) or len(set(moved.values())) != len(sources):
        raise ShapeError(f"moveaxis names one axis twice: {sources} and {destinations}")
    rest = iter(axis for axis in range(x.ndim) if axis not in moved.values())
    return transpose(x, [moved[axis] if axis in moved else next(rest) for axis in range(x.ndim)])


def swapaxes(x: Tensor, axis1: int, axis2: int) -> Tensor:
    """Return the tensor with two axes exchanged."""
    order = list(range(x.ndim))
    first, second = (normalize_axis("swapaxes", axis, x.ndim) for axis in (axis1, axis2))
    order[first], order[second] = second, first
    return transpose(x, order)


def broadcast_to(x: Tensor, shape: Shape) -> Tensor:
    """Return the tensor repeated along new axes and along axes of size 1."""
    shape = tuple(shape)
    return x if x.shape == shape else apply(shapes.broadcast_to, x, shape=shape)


def broadcast_together(*tensors: Tensor) -> list[Tensor]:
    """Return tensors broadcast to their common shape."""
    shape = broadcast_shapes("broadcast", *[t.shape for t in tensors])
    return [broadcast_to(t, shape) for t in tensors]


def expand_dims(x: Tensor, axis: int) -> Tensor:
    """Return the tensor with an axis of size 1 inserted."""
    position = normalize_axis("expand_dims", axis, x.ndim + 1)
    return x.reshape((*x.shape[:position], 1, *x.shape[position:]))


def squeeze(x: Tensor, axis: Axis = None) -> Tensor:
    """Return the tensor without the given axes of size 1, all of them by default."""
    if axis is None:
        axes: tuple[int, ...] = tuple(a for a, size in enumerate(x.shape) if size == 1)
    else:
        axes = normalize_axes("squeeze", axis, x.ndim)
    for a in axes:
        if x.shape[a] != 1:
            raise ShapeError(f"cannot squeeze axis {a} of shape {x.shape}: its size is {x.shape[a]}, not 1")
    return x.reshape(tuple(size for a, size in enumerate(x.shape) if a not in axes))


def flip(x: Tensor, axis: Axis = None) -> Tensor:
    """Return the tensor with the order of elements reversed along axes, all by default."""
    return apply(shapes.flip, x, axes=normalize_axes("flip", axis, x.ndim))  # type: ignore[no-any-return]


def concatenate(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Join tensors along an axis that they have."""
    if not tensors:
        raise ArgumentError("concat needs at least one tensor")
    promoted = promote(*tensors)
    position = normalize_axis("concat", axis, promoted[0].ndim)
    return apply(shapes.concatenate, *promoted, axis=position)  # type: ignore[no-any-return]


def stack(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Join tensors of one shape along a new axis."""
    if not tensors:
        raise ArgumentError("stack needs at least one tensor")
    promoted = promote(*tensors)
    for t in promoted:
        if t.shape != promoted[0].shape:
            raise ShapeError(f"stack needs tensors of one shape, not {promoted[0].shape} and {t.shape}")
    return concatenate([expand_dims(t, axis) for t in promoted], axis)


def stack_nested(data: Any) -> Tensor:
    """Stack nested lists that hold tensors and numbers."""
    if isinstance(data, list | tuple):
        return stack([stack_nested(part) for part in data])
    return as_tensor(data)


def gather(x: Tensor, *indices: Tensor) -> Tensor:
    """Return the elements at int64 indices into the first axes; the indices have one shape."""
    return apply(gather_row, x, *indices, axes=tuple(range(len(indices))))  # type: ignore[no-any-return]


# ---- reductions


def _reduce(row: Primitive, x: Any, axis: Axis, keepdims: bool) -> Tensor:
    x = as_tensor(x)
    axes = normalize_axes(row.name, axis, x.ndim)
    result: Tensor = apply(row, x, axes=axes)
    return result.reshape(reductions.kept_shape(x.shape, axes)) if keepdims else result


def accumulator(x: Tensor, dtype: Any) -> Tensor:
    """Integers are added up in 64 bits."""
    if dtype is not None:
        return astype(x, dtype)
    if x.dtype.kind in "bi":
        return astype(x, INT64)
    return astype(x, np.uint64) if x.dtype.kind == "u" else x


def sum(x: Any, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """Return the sum over axes."""
    return _reduce(reductions.sum, accumulator(as_tensor(x), dtype), axis, keepdims)


def prod(x: Any, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """Return the product over axes; its gradient is right with any number of zeros."""
    return _reduce(reductions.prod, accumulator(as_tensor(x), dtype), axis, keepdims)


def max(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the maximum over axes; ties share the gradient equally."""
    return _reduce(reductions.max, x, axis, keepdims)


def min(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the minimum over axes; ties share the gradient equally."""
    return _reduce(reductions.min, x, axis, keepdims)


def any(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Tell whether any element is true (not zero)."""
    x = as_tensor(x)
    return _reduce(reductions.any, x if x.dtype == BOOL else not_equal(x, 0), axis, keepdims)


def all(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Tell whether all elements are true (not zero)."""
    x = as_tensor(x)
    return _reduce(reductions.all, x if x.dtype == BOOL else not_equal(x, 0), axis, keepdims)


def count(shape: Shape, axis: Axis) -> int:
    """Return how many elements a reduction over axes combines."""
    return math.prod(shape[a] for a in normalize_axes("reduction", axis, len(shape)))


def mean(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the mean over axes; of no elements it is nan."""
    x = floating(as_tensor(x))
    if axis is None and not keepdims:
        return divide(apply(reductions.sum, x, axes=tuple(range(x.ndim))), float(x.size))
    return sum(x, axis, keepdims=keepdims) / float(count(x.shape, axis))


def var(x: Any, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Return the variance over axes, divided by n - correction; nan if that is not positive."""
    x = floating(as_tensor(x))
    n = count(x.shape, axis)
    centred = x - mean(x, axis, keepdims=True)
    divisor = float(n - correction)
    return sum(centred * centred, axis, keepdims=keepdims) / (divisor if divisor > 0 else math.nan)


def std(x: Any, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Return the standard deviation over axes; its gradient is 0 where all elements are equal."""
    return safe_sqrt(var(x, axis, correction=correction, keepdims=keepdims))


def safe_sqrt(x: Tensor) -> Tensor:
    """Return the square root with the subgradient 0 at 0, for norms and deviations."""
    at_zero = equal(x, 0)
    return where(at_zero, 0.0, sqrt(where(at_zero, 1.0, x)))


def argmax(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """Return the place of the first maximum along an axis, or in the flattened tensor."""
    return _arg(reductions.argmax, as_tensor(x), axis, keepdims)


def argmin(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """Return the place of the first minimum along an axis, or in the flattened tensor."""
    return _arg(reductions.argmin, as_tensor(x), axis, keepdims)


def _arg(row: Primitive, x: Tensor, axis: int | None, keepdims: bool) -> Tensor:
    if axis is None:
        result: Tensor = apply(row, x.reshape((-1,) if x.size else (0,)), axis=0)
        return result.reshape((1,) * x.ndim) if keepdims else result
    position = normalize_axis(row.name, axis, x.ndim)
    result = apply(row, x, axis=position)
    return expand_dims(result, position) if keepdims else result


def logsumexp(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return log(sum(exp(x))) without overflow; -inf, with gradient 0, where all elements are -inf."""
    x = floating(as_tensor(x))
    top = detach(max(x, axis, keepdims=True))
    total = sum(exp(x - where(isfinite(top), top, 0.0)), axis, keepdims=True)
    result = log(where(total == 0, 1.0, total)) + top  # a total of 0 would have an infinite slope
    return result if keepdims else squeeze(result, normalize_axes("logsumexp", axis, x.ndim))


def log_softmax(x: Any, axis: Axis = -1) -> Tensor:
    """Return log(softmax(x)) over axes, without overflow and without the loss of small probabilities."""
    x = floating(as_tensor(x))
    axes = normalize_axes("log_softmax", axis, x.ndim)
    return apply(reductions.log_softmax, x, axes=axes)  # type: ignore[no-any-return]


def softmax(x: Any, axis: Axis = -1) -> Tensor:
    """Return exp(x) / sum(exp(x)) over axes, without overflow."""
    logits = floating(as_tensor(x))
    if count(logits.shape, axis) == 0:
        return logits
    # the maximum is a constant to the gradient, as its own contributions cancel
    powers = exp(logits - detach(max(logits, axis, keepdims=True)))
    return powers / sum(powers, axis, keepdims=True)


def cumsum(x: Any, axis: int) -> Tensor:
    """Return the running sum along an axis."""
    x = as_tensor(x)
    return apply(reductions.cumsum, x, axis=normalize_axis("cumsum", axis, x.ndim))  # type: ignore[no-any-return]


def cumprod(x: Any, axis: int) -> Tensor:
    """Return the running product along an axis; its gradient is right with zeros too."""
    x = as_tensor(x)
    return apply(reductions.cumprod, x, axis=normalize_axis("cumprod", axis, x.ndim))  # type: ignore[no-any-return]


# ---- products


def matmul(x1: Any, x2: Any, /) -> Tensor:
    """Return the matrix product; operands with one axis are vectors, more than two are stacks of matrices."""
    a, b = promote(x1, x2)
    if a.dtype.kind == "b":
        a, b = astype(a, INT64), astype(b, INT64)
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(f"matmul needs tensors with at least one axis, not shapes {a.shape} and {b.shape}")
    if a.ndim > 1 and b.ndim > 1:
        return _matrix_product(a, b)
    if a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ShapeError(f"matmul cannot multiply {a.shape} by {b.shape}: the inner sizes differ")
    rows_of_a = a if a.ndim > 1 else expand_dims(a, 0)
    columns_of_b = b if b.ndim > 1 else expand_dims(b, 1)
    result = _matrix_product(rows_of_a, columns_of_b)
    if b.ndim == 1:
        result = squeeze(result, -1)
    return result if a.ndim > 1 else squeeze(result, -1 if b.ndim == 1 else -2)


def _matrix_product(a: Tensor, b: Tensor, transpose_b: bool = False) -> Tensor:
    return apply(matmul_row, a, b, transpose_a=False, transpose_b=transpose_b)  # type: ignore[no-any-return]


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return x @ weight.T + bias, for a weight of shape (out, in)."""
    if x.shape[-1:] != weight.shape[1:]:
        raise ShapeError(
            f"a linear layer with weight {weight.shape} (out, in) needs {weight.shape[1]} features in the "
            f"last axis, not shape {x.shape}"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(
            f"a linear layer with weight {weight.shape} (out, in) needs a bias of shape {weight.shape[:1]}, "
            f"not {bias.shape}"
        )
    rows_of_x = x if x.ndim > 1 else expand_dims(x, 0)
    product = _matrix_product(rows_of_x, weight, transpose_b=True)
    if bias is not None:
        product = apply(rows.add, product, bias)
    return product if x.ndim > 1 else squeeze(product, 0)
