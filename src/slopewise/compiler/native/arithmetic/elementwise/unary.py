"""Primitives of one operand."""

from __future__ import annotations

from collections.abc import Callable

from llvmlite import ir

from slopewise.compiler.native.arithmetic import mathematics
from slopewise.compiler.native.arithmetic.elementwise.operation import Emitter, Operation
from slopewise.compiler.native.arithmetic.mathematics.register import (
    Register,
    absolute,
    constant,
    intrinsic,
    where,
)
from slopewise.compiler.native.arithmetic.mathematics.register import sqrt as square_root


def kept(operation: Operation) -> ir.Value:
    return operation.operands[0]


def function(name: str) -> Emitter:
    return lambda operation: mathematics.call(operation.builder, name, operation.operands)


def rounded(name: str) -> Emitter:
    """Return the emitter of a rounding, which leaves integers as they are."""

    def emitter(operation: Operation) -> ir.Value:
        (x,) = operation.registers
        return intrinsic(name, x).value if operation.kind == "f" else x.value

    return emitter


def neg(operation: Operation) -> ir.Value:
    (x,) = operation.registers
    return (-x if operation.kind == "f" else 0 - x).value


def abs(operation: Operation) -> ir.Value:
    (x,) = operation.registers
    if operation.kind == "f":
        return absolute(x).value
    return x.value if operation.kind == "u" else where(x < 0, 0 - x, x).value


def sign(operation: Operation) -> ir.Value:
    (x,) = operation.registers
    one = x.constant(1)
    if operation.kind == "u":
        return where(x.equals(0), x, one).value
    sized = where(x < 0, x.constant(-1), where(x > 0, one, 0))
    return (where(x.is_nan(), x, sized) if operation.kind == "f" else sized).value


def sqrt(operation: Operation) -> ir.Value:
    return square_root(*operation.registers).value


def relu(operation: Operation) -> ir.Value:
    """Return 0 where x <= 0: nan stays, and -0 becomes 0 as in NumPy's maximum(x, 0)."""
    (x,) = operation.registers
    return x.value if operation.kind == "u" else where(x <= 0, x.constant(0), x).value


def classified(test: Callable[[Register], Register], of_integers: bool) -> Emitter:
    """Return the emitter of a question about floating-point numbers, whose answer for integers is known."""

    def emitter(operation: Operation) -> ir.Value:
        (x,) = operation.registers
        if operation.kind == "f":
            return test(x).value
        truth = ir.IntType(1)
        return constant(truth if x.lanes == 1 else ir.VectorType(truth, x.lanes), int(of_integers))

    return emitter


def invert(operation: Operation) -> ir.Value:
    return (~operation.registers[0]).value
