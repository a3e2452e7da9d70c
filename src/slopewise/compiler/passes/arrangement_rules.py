"""Rules for primitives that arrange elements anew, and for broadcasts that need not be made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from slopewise.engine.aval import Aval, aval_of
from slopewise.engine.graph import Symbol
from slopewise.engine.primitive import Primitive
from slopewise.engine.primitives import elementwise as e
from slopewise.engine.primitives import shapes as s

if TYPE_CHECKING:
    from slopewise.compiler.passes.algebra import Algebra, Rule

Operands = tuple[Symbol, ...]
Params = dict[str, Any]


def _same_shape(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
    """A reshape, broadcast or slice to the shape that a value has: each of them keeps the order."""
    return x[0] if x[0].shape == aval.shape else None


def _chain(primitive: Primitive) -> Rule:
    """Of two reshapes or broadcasts in a row the last one counts."""

    def rule(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
        origin = m.operand(x[0], primitive)
        return None if origin is None else m.value(primitive, origin, shape=aval.shape)

    return rule


def _one_value(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
    """One number everywhere is the same in any order: only the shape of the broadcast changes."""
    origin = m.operand(x[0], s.broadcast_to)
    if origin is None or any(size != 1 for size in origin.shape):
        return None
    return m.value(s.broadcast_to, m.value(s.reshape, origin, shape=()), shape=aval.shape)


def _transpose(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
    """A transpose that leaves the axes in order, and two in a row."""
    axes = params["axes"]
    if axes == tuple(range(len(axes))):
        return x[0]
    maker = m.makers.get(x[0])
    if maker is None or maker.primitive is not s.transpose:
        return None
    first = maker.params["axes"]
    return m.value(s.transpose, maker.operands[0], axes=tuple(first[axis] for axis in axes))


def _flip(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
    """A flip of axes with one element, and two in a row."""
    axes = tuple(axis for axis in params["axes"] if aval.shape[axis] != 1)
    if not axes:
        return x[0]
    maker = m.makers.get(x[0])
    if maker is not None and maker.primitive is s.flip:
        twice = {axis % len(aval.shape) for axis in axes} ^ {
            axis % len(aval.shape) for axis in maker.params["axes"]
        }
        return m.value(s.flip, maker.operands[0], axes=tuple(sorted(twice)))
    return None if axes == params["axes"] else m.value(s.flip, x[0], axes=axes)


def _concatenate(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
    """Parts without elements add nothing; one part is the whole."""
    axis = params["axis"]
    parts = [part for part in x if part.shape[axis]] or [x[0]]
    if len(parts) == 1:
        return parts[0]
    return None if len(parts) == len(x) else m.value(s.concatenate, *parts, axis=axis)


# ---- elementwise primitives broadcast by themselves

# NumPy computes these otherwise for a number than for an array that repeats it: their last bits differ
_BY_LAYOUT = frozenset({"pow", "atan2"})

# and these exactly, whatever the instructions
_EXACT = frozenset(
    {"neg", "abs", "sqrt", "relu", "gate", "add", "sub", "mul", "div", "maximum", "minimum", "invert"}
    | {"eq", "ne", "lt", "le", "gt", "ge", "and", "or", "xor", "select", "isnan", "isinf", "isfinite", "cast"}
)


def through_broadcasts(
    m: Algebra, primitive: Primitive, operands: Operands, params: Params, aval: Aval
) -> Symbol | None:
    """f(broadcast x, y) = f(x, y) if y has the full shape, else broadcast f(x, y)."""
    origins = tuple([m.operand(symbol, s.broadcast_to) or symbol for symbol in operands])
    if origins == operands or primitive.name in _BY_LAYOUT:
        return None
    if np.broadcast_shapes(*[symbol.shape for symbol in origins]) == aval.shape:
        return m.value(primitive, *origins, **params)
    if primitive.name not in _EXACT or (primitive is e.cast and _may_overflow(origins[0], aval)):
        return None
    return m.widened(m.value(primitive, *origins, **params), aval)


def _may_overflow(x: Symbol, aval: Aval) -> bool:
    return aval_of(x).dtype.kind == "f" and aval.dtype.kind in "iu"


def _no_padding(m: Algebra, x: Operands, params: Params, aval: Aval) -> Symbol | None:
    """A pad by nothing. One that crops and pads by as much keeps the shape, but not the elements."""
    nothing = not any((*params["before"], *params["after"])) and x[0].shape == aval.shape
    return x[0] if nothing else None


ARRANGEMENT: dict[str, tuple[Rule, ...]] = {
    "reshape": (_same_shape, _chain(s.reshape), _one_value),
    "transpose": (_transpose, _one_value),
    "broadcast_to": (_same_shape, _chain(s.broadcast_to)),
    "slice": (_same_shape, _one_value),
    "pad": (_no_padding,),
    "flip": (_flip, _one_value),
    "concatenate": (_concatenate,),
}
