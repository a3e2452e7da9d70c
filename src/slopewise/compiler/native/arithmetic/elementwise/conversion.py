"""Conversion between dtypes."""

from __future__ import annotations

from llvmlite import ir

from slopewise.compiler.native.arithmetic.elementwise.operation import Operation
from slopewise.compiler.native.arithmetic.mathematics.register import Register, where
from slopewise.compiler.native.emission.loops import element_type
from slopewise.engine.aval import Dtype


def cast(operation: Operation) -> ir.Value:
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
