"""Primitives of two operands, and the choice between two."""

from __future__ import annotations

from llvmlite import ir

from slopewise.compiler.native.arithmetic.elementwise.operation import Emitter, Operation
from slopewise.compiler.native.arithmetic.mathematics.register import (
    Register,
    from_bits,
    is_negative,
    to_bits,
    where,
)
from slopewise.compiler.native.arithmetic.mathematics.register import copysign as with_sign


def arithmetic(floating: str, integer: str) -> Emitter:
    def emitter(operation: Operation) -> ir.Value:
        instruction = getattr(operation.builder, floating if operation.kind == "f" else integer)
        return instruction(*operation.operands)

    return emitter


def instruction(name: str) -> Emitter:
    return lambda operation: getattr(operation.builder, name)(*operation.operands)


def _compared(operation: Operation, operator: str) -> Register:
    """Compare two operands; with nan every comparison but != is false."""
    builder, (x, y) = operation.builder, operation.operands
    if operation.kind == "f":
        compare = builder.fcmp_unordered if operator == "!=" else builder.fcmp_ordered
    else:
        compare = builder.icmp_signed if operation.kind == "i" else builder.icmp_unsigned
    return Register(builder, compare(operator, x, y))


def comparison(operator: str) -> Emitter:
    return lambda operation: _compared(operation, operator).value


def extreme(operator: str) -> Emitter:
    """Return the emitter of maximum or minimum: nan wins, and of two equal operands the second."""

    def emitter(operation: Operation) -> ir.Value:
        x, y = operation.registers
        chosen = where(_compared(operation, operator), x, y)
        return (where(x.is_nan(), x, chosen) if operation.kind == "f" else chosen).value

    return emitter


def gate(operation: Operation) -> ir.Value:
    x, control = operation.registers
    open_ = Register(
        operation.builder,
        operation.builder.icmp_unsigned("!=", control.value, control.constant(0).value)
        if operation.dtypes[1].kind == "u"
        else (control > 0).value,
    )
    return where(open_, x, 0).value


def copysign(operation: Operation) -> ir.Value:
    return with_sign(*operation.registers).value


def nextafter(operation: Operation) -> ir.Value:
    """Step the bits of x by one: they are ordered as the numbers are, by size."""
    x, y = operation.registers
    bits = to_bits(x)
    away = (x < y) ^ is_negative(x)
    stepped = from_bits(where(away, bits + 1, bits - 1))
    least = with_sign(from_bits(bits.constant(1)), y)
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


def shift_left(operation: Operation) -> ir.Value:
    fits, count = _within_width(operation)
    x = operation.registers[0]
    shifted = Register(operation.builder, operation.builder.shl(x.value, count.value))
    return where(fits, shifted, 0).value


def shift_right(operation: Operation) -> ir.Value:
    """Shift right; a count out of range leaves the sign alone: 0 or -1."""
    fits, count = _within_width(operation)
    x, builder = operation.registers[0], operation.builder
    if operation.kind == "u":
        return where(fits, Register(builder, builder.lshr(x.value, count.value)), 0).value
    all_of_it = where(fits, count, x.element.width - 1)
    return builder.ashr(x.value, all_of_it.value)


def select(operation: Operation) -> ir.Value:
    return operation.builder.select(*operation.operands)
