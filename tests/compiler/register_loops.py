"""Runs what emits code for registers over whole arrays: a loop of loads, the code, a store."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir

from slopewise.compiler.native.emission.loops import I64, POINTER, value_type
from slopewise.compiler.native.machine.toolchain import compile_ir

Emit = Callable[[ir.IRBuilder, list[ir.Value]], ir.Value]


def compile_loop(
    emit: Emit, dtypes: list[np.dtype], result: np.dtype, lanes: int
) -> Callable[..., np.ndarray]:
    """Return a function of arrays, of a length that `lanes` divides."""
    module = ir.Module()
    kind = ir.FunctionType(ir.VoidType(), [I64, POINTER] + [POINTER] * len(dtypes))
    function = ir.Function(module, kind, "f")
    builder = ir.IRBuilder(function.append_basic_block())
    n, out, *pointers = function.args
    start = builder.block
    body = builder.append_basic_block()
    end = builder.append_basic_block()
    builder.branch(body)
    builder.position_at_end(body)
    i = builder.phi(I64)
    i.add_incoming(ir.Constant(I64, 0), start)
    operands = [_load(builder, pointer, i, dtype, lanes) for pointer, dtype in zip(pointers, dtypes)]
    _store(builder, emit(builder, operands), out, i, result, lanes)
    following = builder.add(i, ir.Constant(I64, lanes))
    i.add_incoming(following, builder.block)
    builder.cbranch(builder.icmp_signed("<", following, n), body, end)
    builder.position_at_end(end)
    builder.ret_void()
    code = compile_ir(str(module))
    entry = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * (1 + len(dtypes)))(code.address("f"))

    def run(*arrays: Any) -> np.ndarray:
        arrays = tuple(np.ascontiguousarray(a, dtype) for a, dtype in zip(arrays, dtypes))
        y = np.empty(arrays[0].shape, result)
        assert y.size % lanes == 0
        entry(y.size, y.ctypes.data, *(a.ctypes.data for a in arrays))
        return y

    run.code = code  # type: ignore[attr-defined]  # lives as long as the function
    return run


def _place(builder: ir.IRBuilder, pointer: ir.Value, i: ir.Value, dtype: np.dtype) -> ir.Value:
    return builder.gep(pointer, [i], source_etype=value_type(dtype, 1, in_memory=True))


def _load(builder: ir.IRBuilder, pointer: ir.Value, i: ir.Value, dtype: np.dtype, lanes: int) -> ir.Value:
    kind = value_type(dtype, lanes, in_memory=True)
    value = builder.load(_place(builder, pointer, i, dtype), typ=kind, align=dtype.itemsize)
    return builder.icmp_unsigned("!=", value, ir.Constant(kind, None)) if dtype.kind == "b" else value


def _store(
    builder: ir.IRBuilder, value: ir.Value, pointer: ir.Value, i: ir.Value, dtype: np.dtype, lanes: int
) -> None:
    assert value.type == value_type(dtype, lanes), f"{value.type} where {dtype} was expected"
    if dtype.kind == "b":
        value = builder.zext(value, value_type(dtype, lanes, in_memory=True))
    builder.store(value, _place(builder, pointer, i, dtype), align=dtype.itemsize)
