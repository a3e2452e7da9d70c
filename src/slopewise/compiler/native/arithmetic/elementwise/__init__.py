"""Elementwise primitives in machine code: one emitter each, for scalars and for vectors.

An emitter gets operands in registers and returns the result in registers. What NumPy computes exactly comes
out to the same bits: wrapping integers, division by zero, nan in minima, signs of zeros, conversions out of
range as on x86. The rest is in `mathematics`, within a few units of the last place. Operands have one type
and one number of lanes; truth values are i1.

Nothing here is undefined behaviour: LLVM's division, shifts and conversions to integers are guarded wherever
an operand could make them so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from llvmlite import ir

from slopewise.compiler.native.arithmetic import mathematics
from slopewise.compiler.native.arithmetic.elementwise import binary, conversion, division, unary
from slopewise.compiler.native.arithmetic.elementwise.operation import Emitter, Operation
from slopewise.compiler.native.arithmetic.mathematics.register import (
    Register,
    absolute,
    constant,
    is_negative,
)
from slopewise.compiler.native.emission.literals import splat
from slopewise.compiler.native.emission.loops import element_type
from slopewise.engine.aval import Dtype

_SIZES = {"b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (4, 8)}


def is_supported(name: str, dtypes: Sequence[Dtype]) -> bool:
    """Tell whether a primitive can be emitted for operands of these dtypes; float16 and complex cannot.

    Examples
    --------
    >>> is_supported("exp", [np.dtype("float32")]), is_supported("exp", [np.dtype("float16")])
    (True, False)
    """
    return name in EMITTERS and all(dtype.itemsize in _SIZES.get(dtype.kind, ()) for dtype in dtypes)


def emit(
    builder: ir.IRBuilder,
    name: str,
    operands: Sequence[ir.Value],
    dtypes: Sequence[Dtype],
    result: Dtype,
    params: Mapping[str, Any],
) -> ir.Value:
    """Emit one elementwise primitive.

    Parameters
    ----------
    builder : IRBuilder; some emitters leave it in another block than they found it in
    name : str, the primitive's name, a key of EMITTERS
    operands : scalars, or vectors of one number of lanes
    dtypes : dtypes of the operands
    result : dtype of the result
    params : the primitive's parameters; what they say here is in `result` already

    Returns
    -------
    Value of the result's type.

    Examples
    --------
    >>> module = ir.Module()
    >>> kind = ir.VectorType(ir.FloatType(), 4)
    >>> function = ir.Function(module, ir.FunctionType(kind, [kind, kind]), "f")
    >>> builder = ir.IRBuilder(function.append_basic_block())
    >>> float32 = np.dtype("float32")
    >>> print(emit(builder, "add", function.args, [float32, float32], float32, {}).type)
    <4 x float>
    """
    return EMITTERS[name](Operation(builder, operands, dtypes, result))


def vector(builder: ir.IRBuilder, scalar: ir.Value, lanes: int) -> ir.Value:
    """Return a vector with a scalar in all lanes; with one lane, the scalar."""
    return splat(builder, scalar, lanes)


def typed_constant(number: float | int | bool, dtype: Dtype, lanes: int = 1) -> ir.Constant:
    """Return a constant of a dtype in all lanes, converted as NumPy converts it."""
    element = element_type(dtype)
    kind = element if lanes == 1 else ir.VectorType(element, lanes)
    value = np.asarray(number).astype(dtype).item()
    return constant(kind, value)


EMITTERS: dict[str, Emitter] = {
    "neg": unary.neg,
    "abs": unary.abs,
    "sign": unary.sign,
    "sqrt": unary.sqrt,
    "relu": unary.relu,
    "floor": unary.rounded("floor"),
    "ceil": unary.rounded("ceil"),
    "trunc": unary.rounded("trunc"),
    "round": unary.rounded("rint"),
    "isnan": unary.classified(Register.is_nan, False),
    "isinf": unary.classified(lambda x: absolute(x).equals(math.inf), False),
    "isfinite": unary.classified(lambda x: absolute(x) < math.inf, True),
    "signbit": unary.classified(is_negative, False),
    "invert": unary.invert,
    "gate": binary.gate,
    "add": binary.arithmetic("fadd", "add"),
    "sub": binary.arithmetic("fsub", "sub"),
    "mul": binary.arithmetic("fmul", "mul"),
    "div": binary.instruction("fdiv"),
    "pow": division.pow,
    "maximum": binary.extreme(">"),
    "minimum": binary.extreme("<"),
    "floor_divide": division.floor_divide,
    "remainder": division.remainder,
    "copysign": binary.copysign,
    "nextafter": binary.nextafter,
    "eq": binary.comparison("=="),
    "ne": binary.comparison("!="),
    "lt": binary.comparison("<"),
    "le": binary.comparison("<="),
    "gt": binary.comparison(">"),
    "ge": binary.comparison(">="),
    "and": binary.instruction("and_"),
    "or": binary.instruction("or_"),
    "xor": binary.instruction("xor"),
    "shift_left": binary.shift_left,
    "shift_right": binary.shift_right,
    "select": binary.select,
    "cast": conversion.cast,
    "detach": unary.kept,
    "alias": unary.kept,
    **{name: unary.function(name) for name in mathematics.FUNCTIONS if name != "pow"},
}

__all__ = ["EMITTERS", "Emitter", "Operation", "emit", "is_supported", "typed_constant", "vector"]
