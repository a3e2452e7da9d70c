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
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir

from slopewise.compiler.native import mathematics
from slopewise.compiler.native.loops import element_type
from slopewise.compiler.native.mathematics.register import (
    Register,
    absolute,
    constant,
    copysign,
    from_bits,
    intrinsic,
    is_negative,
    sqrt,
    to_bits,
    type_name,
    where,
)
from slopewise.engine.aval import Dtype


class Operation(NamedTuple):
    """One application of a primitive.

    Attributes
    ----------
    builder : IRBuilder, where the code goes
    operands : values in registers
    dtypes : their dtypes
    result : the result's dtype
    """

    builder: ir.IRBuilder
    operands: Sequence[ir.Value]
    dtypes: Sequence[Dtype]
    result: Dtype

    @property
    def registers(self) -> list[Register]:
        return [Register(self.builder, operand) for operand in self.operands]

    @property
    def kind(self) -> str:
        """The kind of the first operand's dtype: b, i, u or f."""
        return self.dtypes[0].kind


Emitter = Callable[[Operation], ir.Value]

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
    if lanes == 1:
        return scalar
    kind = ir.VectorType(scalar.type, lanes)
    place = ir.Constant(ir.IntType(32), 0)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, place)
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), None)
    return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros)


def typed_constant(number: float | int | bool, dtype: Dtype, lanes: int = 1) -> ir.Constant:
    """Return a constant of a dtype in all lanes, converted as NumPy converts it."""
    element = element_type(dtype)
    kind = element if lanes == 1 else ir.VectorType(element, lanes)
    value = np.asarray(number).astype(dtype).item()
    return constant(kind, value)


# ---- one operand


def _kept(operation: Operation) -> ir.Value:
    return operation.operands[0]


def _function(name: str) -> Emitter:
    return lambda operation: mathematics.call(operation.builder, name, operation.operands)


def _rounded(name: str) -> Emitter:
    """Return the emitter of a rounding, which leaves integers as they are."""

    def emitter(operation: Operation) -> ir.Value:
        (x,) = operation.registers
        return intrinsic(name, x).value if operation.kind == "f" else x.value

    return emitter


def _neg(operation: Operation) -> ir.Value:
    (x,) = operation.registers
    return (-x if operation.kind == "f" else 0 - x).value


def _abs(operation: Operation) -> ir.Value:
    (x,) = operation.registers
    if operation.kind == "f":
        return absolute(x).value
    return x.value if operation.kind == "u" else where(x < 0, 0 - x, x).value


def _sign(operation: Operation) -> ir.Value:
    (x,) = operation.registers
    one = x.constant(1)
    if operation.kind == "u":
        return where(x.equals(0), x, one).value
    sized = where(x < 0, x.constant(-1), where(x > 0, one, 0))
    return (where(x.is_nan(), x, sized) if operation.kind == "f" else sized).value


def _sqrt(operation: Operation) -> ir.Value:
    return sqrt(*operation.registers).value


def _relu(operation: Operation) -> ir.Value:
    """Return 0 where x <= 0: nan stays, and -0 becomes 0 as in NumPy's maximum(x, 0)."""
    (x,) = operation.registers
    return x.value if operation.kind == "u" else where(x <= 0, x.constant(0), x).value


def _classified(test: Callable[[Register], Register], of_integers: bool) -> Emitter:
    """Return the emitter of a question about floating-point numbers, whose answer for integers is known."""

    def emitter(operation: Operation) -> ir.Value:
        (x,) = operation.registers
        if operation.kind == "f":
            return test(x).value
        truth = ir.IntType(1)
        return constant(truth if x.lanes == 1 else ir.VectorType(truth, x.lanes), int(of_integers))

    return emitter


def _invert(operation: Operation) -> ir.Value:
    return (~operation.registers[0]).value


# ---- arithmetic of two operands


def _arithmetic(floating: str, integer: str) -> Emitter:
    def emitter(operation: Operation) -> ir.Value:
        instruction = getattr(operation.builder, floating if operation.kind == "f" else integer)
        return instruction(*operation.operands)

    return emitter


def _instruction(name: str) -> Emitter:
    return lambda operation: getattr(operation.builder, name)(*operation.operands)


def _compared(operation: Operation, operator: str) -> Register:
    """Compare two operands; with nan every comparison but != is false."""
    builder, (x, y) = operation.builder, operation.operands
    if operation.kind == "f":
        compare = builder.fcmp_unordered if operator == "!=" else builder.fcmp_ordered
    else:
        compare = builder.icmp_signed if operation.kind == "i" else builder.icmp_unsigned
    return Register(builder, compare(operator, x, y))


def _comparison(operator: str) -> Emitter:
    return lambda operation: _compared(operation, operator).value


def _extreme(operator: str) -> Emitter:
    """Return the emitter of maximum or minimum: nan wins, and of two equal operands the second."""

    def emitter(operation: Operation) -> ir.Value:
        x, y = operation.registers
        chosen = where(_compared(operation, operator), x, y)
        return (where(x.is_nan(), x, chosen) if operation.kind == "f" else chosen).value

    return emitter


def _gate(operation: Operation) -> ir.Value:
    x, control = operation.registers
    open_ = Register(
        operation.builder,
        operation.builder.icmp_unsigned("!=", control.value, control.constant(0).value)
        if operation.dtypes[1].kind == "u"
        else (control > 0).value,
    )
    return where(open_, x, 0).value


class _Division(NamedTuple):
    """Quotient and remainder of integers, both 0 where the divisor is 0."""

    quotient: Register
    remainder: Register


def _divided(operation: Operation) -> _Division:
    """Divide integers and round down, as Python does; the least integer by -1 gives itself.

    x86 traps on both exceptions, so the divisor becomes 1 there, which gives the right results but for the
    quotient by 0.
    """
    builder, (x, y) = operation.builder, operation.registers
    by_zero = y.equals(0)
    if operation.kind == "u":
        divisor = where(by_zero, y.constant(1), y)
        quotient = Register(builder, builder.udiv(x.value, divisor.value))
        return _Division(where(by_zero, x.constant(0), quotient), x - quotient * divisor)
    least = -(1 << (x.element.width - 1))
    divisor = where(by_zero | (x.equals(least) & y.equals(-1)), y.constant(1), y)
    quotient = Register(builder, builder.sdiv(x.value, divisor.value))
    remainder = x - quotient * divisor
    is_above = ~remainder.equals(0) & ((remainder ^ divisor) < 0)
    quotient = where(is_above, quotient - 1, quotient)
    remainder = where(is_above, remainder + divisor, remainder)
    return _Division(where(by_zero, x.constant(0), quotient), remainder)


def _float_remainder(operation: Operation) -> tuple[Register, Register]:
    """Return C's remainder of x by y, and Python's, which has the sign of y (both of them NumPy's steps)."""
    builder, (x, y) = operation.builder, operation.registers
    truncated = Register(builder, builder.frem(x.value, y.value))
    opposite = (y < 0.0) ^ (truncated < 0.0)
    python = where(opposite, truncated + y, truncated)
    python = where(truncated.equals(0.0), copysign(x.constant(0.0), y), python)
    return truncated, where(y.equals(0.0), truncated, python)


def _remainder(operation: Operation) -> ir.Value:
    if operation.kind != "f":
        return _divided(operation).remainder.value
    return _float_remainder(operation)[1].value


def _floor_divide(operation: Operation) -> ir.Value:
    """Divide and round down; floats by way of the remainder, so that a rounded quotient is not too large."""
    if operation.kind != "f":
        return _divided(operation).quotient.value
    x, y = operation.registers
    truncated, _ = _float_remainder(operation)
    ratio = x / y
    quotient = (x - truncated) / y
    opposite = ~truncated.equals(0.0) & ((y < 0.0) ^ (truncated < 0.0))
    quotient = where(opposite, quotient - 1.0, quotient)
    whole = intrinsic("floor", quotient)
    whole = where(quotient - whole > 0.5, whole + 1.0, whole)
    whole = where(quotient.equals(0.0), copysign(x.constant(0.0), ratio), whole)
    return where(y.equals(0.0), ratio, whole).value


def _pow(operation: Operation) -> ir.Value:
    if operation.kind == "f":
        return mathematics.call(operation.builder, "pow", operation.operands)
    x, y = operation.operands
    return operation.builder.call(_integer_power(operation.builder.module, x.type), [x, y])


def _integer_power(module: ir.Module, kind: ir.Type) -> ir.Function:
    """Return a function that squares and multiplies, wrapping around.

    A negative exponent, for which NumPy raises an error, gives what the bits say as an unsigned exponent.
    """
    own_name = f"sw.pow.{type_name(kind)}"
    if own_name in module.globals:
        return module.globals[own_name]
    function = ir.Function(module, ir.FunctionType(kind, [kind, kind]), own_name)
    function.linkage = "internal"
    builder = ir.IRBuilder(function.append_basic_block())
    entry, loop = builder.block, function.append_basic_block()
    end = function.append_basic_block()
    builder.branch(loop)
    builder.position_at_end(loop)
    phis = [builder.phi(kind) for _ in range(3)]
    product, square, exponent = (Register(builder, phi) for phi in phis)
    starts = [constant(kind, 1), *function.args]
    odd = (exponent & 1).equals(1)
    following = [where(odd, product * square, product), square * square, exponent >> 1]
    for phi, start, value in zip(phis, starts, following):
        phi.add_incoming(start, entry)
        phi.add_incoming(value.value, loop)
    builder.cbranch(_any(~following[2].equals(0)), loop, end)
    builder.position_at_end(end)
    builder.ret(following[0].value)
    return function


def _any(truth: Register) -> ir.Value:
    if truth.lanes == 1:
        return truth.value
    name = f"llvm.vector.reduce.or.{type_name(truth.type)}"
    module = truth.builder.module
    function = module.globals.get(name) or ir.Function(
        module, ir.FunctionType(ir.IntType(1), [truth.type]), name
    )
    return truth.builder.call(function, [truth.value])


def _copysign(operation: Operation) -> ir.Value:
    return copysign(*operation.registers).value


def _nextafter(operation: Operation) -> ir.Value:
    """Step the bits of x by one: they are ordered as the numbers are, by size."""
    x, y = operation.registers
    bits = to_bits(x)
    away = (x < y) ^ is_negative(x)
    stepped = from_bits(where(away, bits + 1, bits - 1))
    least = copysign(from_bits(bits.constant(1)), y)
    moved = where(x.equals(0.0), least, stepped)
    return where(x.is_nan() | y.is_nan(), x + y, where(x.equals(y), y, moved)).value


def _within_width(operation: Operation) -> tuple[Register, Register]:
    """Return where the count of a shift is below the width, and a count that always is."""
    _, count = operation.registers
    width = count.element.width
    fits = Register(
        operation.builder,
        operation.builder.icmp_unsigned("<", count.value, count.constant(width).value),
    )
    return fits, where(fits, count, 0)


def _shift_left(operation: Operation) -> ir.Value:
    fits, count = _within_width(operation)
    x = operation.registers[0]
    shifted = Register(operation.builder, operation.builder.shl(x.value, count.value))
    return where(fits, shifted, 0).value


def _shift_right(operation: Operation) -> ir.Value:
    """Shift right; a count out of range leaves the sign alone: 0 or -1."""
    fits, count = _within_width(operation)
    x, builder = operation.registers[0], operation.builder
    if operation.kind == "u":
        return where(fits, Register(builder, builder.lshr(x.value, count.value)), 0).value
    all_of_it = where(fits, count, x.element.width - 1)
    return builder.ashr(x.value, all_of_it.value)


# ---- choice and conversion


def _select(operation: Operation) -> ir.Value:
    return operation.builder.select(*operation.operands)


def _cast(operation: Operation) -> ir.Value:
    (x,) = operation.registers
    source, target = operation.dtypes[0], operation.result
    if source == target:
        return x.value
    if target.kind == "b":
        return _is_true(x, source)
    element = element_type(target)
    kind = element if x.lanes == 1 else ir.VectorType(element, x.lanes)
    if source.kind == "f":
        return _from_float(x, target, kind)
    return _from_integer(x, source, target, kind)


def _is_true(x: Register, source: Dtype) -> ir.Value:
    zero = x.constant(0).value
    if source.kind == "f":
        return x.builder.fcmp_unordered("!=", x.value, zero)  # nan is true
    return x.builder.icmp_unsigned("!=", x.value, zero)


def _from_integer(x: Register, source: Dtype, target: Dtype, kind: ir.Type) -> ir.Value:
    builder, signed = x.builder, source.kind == "i"
    if target.kind == "f":
        return (builder.sitofp if signed else builder.uitofp)(x.value, kind)
    width = 1 if source.kind == "b" else 8 * source.itemsize
    if 8 * target.itemsize > width:
        return (builder.sext if signed else builder.zext)(x.value, kind)
    return x.value if 8 * target.itemsize == width else builder.trunc(x.value, kind)


def _from_float(x: Register, target: Dtype, kind: ir.Type) -> ir.Value:
    builder = x.builder
    if target.kind == "f":
        return (builder.fpext if target.itemsize == 8 else builder.fptrunc)(x.value, kind)
    if target.kind == "u" and target.itemsize >= 4:
        return _to_wide_unsigned(x, kind).value
    if target.itemsize >= 4:
        return _to_signed(x, kind).value
    # Narrow integers are the low bits of an int32, signed or not.
    narrow = ir.IntType(32)
    whole = _to_signed(x, narrow if x.lanes == 1 else ir.VectorType(narrow, x.lanes))
    return builder.trunc(whole.value, kind)


def _to_signed(x: Register, kind: ir.Type) -> Register:
    """Convert to int32 or int64, toward zero; what is out of range becomes the least integer, as on x86."""
    element = kind.element if isinstance(kind, ir.VectorType) else kind
    bound = 2.0 ** (element.width - 1)
    safe = where((x >= -bound) & (x < bound), x, -bound)
    return Register(x.builder, x.builder.fptosi(safe.value, kind))


def _to_wide_unsigned(x: Register, kind: ir.Type) -> Register:
    """Convert to uint32 or uint64 by halves of the range, as x86 code does; -1.0 wraps around."""
    element = kind.element if isinstance(kind, ir.VectorType) else kind
    half = 2.0 ** (element.width - 1)
    upper = x >= half
    low, high = _to_signed(x, kind), _to_signed(x - half, kind) ^ (1 << (element.width - 1))
    return where(upper, high, low)


EMITTERS: dict[str, Emitter] = {
    "neg": _neg,
    "abs": _abs,
    "sign": _sign,
    "sqrt": _sqrt,
    "relu": _relu,
    "floor": _rounded("floor"),
    "ceil": _rounded("ceil"),
    "trunc": _rounded("trunc"),
    "round": _rounded("rint"),
    "isnan": _classified(Register.is_nan, False),
    "isinf": _classified(lambda x: absolute(x).equals(math.inf), False),
    "isfinite": _classified(lambda x: absolute(x) < math.inf, True),
    "signbit": _classified(is_negative, False),
    "invert": _invert,
    "gate": _gate,
    "add": _arithmetic("fadd", "add"),
    "sub": _arithmetic("fsub", "sub"),
    "mul": _arithmetic("fmul", "mul"),
    "div": _instruction("fdiv"),
    "pow": _pow,
    "maximum": _extreme(">"),
    "minimum": _extreme("<"),
    "floor_divide": _floor_divide,
    "remainder": _remainder,
    "copysign": _copysign,
    "nextafter": _nextafter,
    "eq": _comparison("=="),
    "ne": _comparison("!="),
    "lt": _comparison("<"),
    "le": _comparison("<="),
    "gt": _comparison(">"),
    "ge": _comparison(">="),
    "and": _instruction("and_"),
    "or": _instruction("or_"),
    "xor": _instruction("xor"),
    "shift_left": _shift_left,
    "shift_right": _shift_right,
    "select": _select,
    "cast": _cast,
    "detach": _kept,
    "alias": _kept,
    **{name: _function(name) for name in mathematics.FUNCTIONS if name != "pow"},
}
