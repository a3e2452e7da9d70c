"""Division with remainder as NumPy does it, and powers, of which those of integers are a loop."""

from __future__ import annotations

from typing import NamedTuple

from llvmlite import ir

from slopewise.compiler.native.arithmetic import mathematics
from slopewise.compiler.native.arithmetic.elementwise.operation import Operation
from slopewise.compiler.native.arithmetic.mathematics.register import (
    Register,
    any_lane,
    constant,
    copysign,
    intrinsic,
    type_name,
    where,
)


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


def remainder(operation: Operation) -> ir.Value:
    if operation.kind != "f":
        return _divided(operation).remainder.value
    return _float_remainder(operation)[1].value


def floor_divide(operation: Operation) -> ir.Value:
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


def pow(operation: Operation) -> ir.Value:
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
    builder.cbranch(any_lane(~following[2].equals(0)), loop, end)
    builder.position_at_end(end)
    builder.ret(following[0].value)
    return function
