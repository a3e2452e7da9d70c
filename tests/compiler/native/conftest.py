"""Runs one kernel as machine code on arrays of any strides, with one thread and with several."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from llvmlite import ir

from slopewise.compiler.native.emission.loops import I64, POINTER, Emitter
from slopewise.compiler.native.emission.views import Place, Storage, View
from slopewise.compiler.native.machine.failures import failure
from slopewise.compiler.native.machine.toolchain import compile_ir, host
from slopewise.engine.aval import aval_of
from slopewise.engine.graph import GraphNode, Symbol
from slopewise.engine.primitive import TABLE

GUARD = 64  # bytes around each result that a kernel must leave alone


def _view(array, place, index):
    storage = Storage(place, index, array.dtype, array.size)
    return View(storage, array.shape, tuple(step // array.itemsize for step in array.strides))


def _node(name, operands, params):
    primitive = TABLE[name]
    aval = primitive.infer(*map(aval_of, operands), **params)
    symbols = tuple(Symbol(aval_of(array), None) for array in operands)
    return GraphNode(primitive, symbols, params, (Symbol(aval, None),), True)


def build_function(kernel, node, operands, results, n_threads, vector_bytes=None):
    """Return the text of a module with `kernel(pointers, thread, status)`."""
    module = ir.Module()
    kind = ir.FunctionType(ir.VoidType(), [POINTER, I64, POINTER])
    function = ir.Function(module, kind, "kernel")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    table, thread, status = function.args
    emitter = Emitter(builder, vector_bytes or host().vector_bytes, thread, n_threads, status)
    for number, view in enumerate((*operands, *results)):
        place = builder.gep(table, [ir.Constant(I64, number)], source_etype=POINTER)
        emitter.pointers[view.storage] = builder.load(place, typ=POINTER)
    extent = kernel.extent(node, operands, results)
    assert extent >= 1
    if extent == 1:
        with builder.if_then(builder.icmp_signed("==", thread, ir.Constant(I64, 0))):
            kernel.emit(emitter, node, operands, results, (0, 1))
    else:
        kernel.emit(emitter, node, operands, results, emitter.share(extent))
    builder.ret_void()
    return str(module)


def run_kernel(kernel, name, *operands, n_threads=1, vector_bytes=None, **params):
    """Return what a kernel computes from arrays; raises what the interpreter raises."""
    node = _node(name, operands, params)
    shape, dtype = node.outputs[0].shape, node.outputs[0].dtype
    n_bytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    memory = np.full(n_bytes + 2 * GUARD, 0xA5, np.uint8)
    result = memory[GUARD : GUARD + n_bytes].view(dtype).reshape(shape)
    views = [_view(array, Place.INPUT, number) for number, array in enumerate(operands)]
    views.append(_view(result, Place.OUTPUT, 0))
    text = build_function(kernel, node, views[:-1], views[-1:], n_threads, vector_bytes)
    code = compile_ir(text)
    function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)(
        code.address("kernel")
    )
    pointers = (ctypes.c_void_p * len(views))(*[array.ctypes.data for array in (*operands, result)])
    status = (ctypes.c_int64 * 2)()
    for thread in range(n_threads):
        function(pointers, thread, status)
    assert (memory[:GUARD] == 0xA5).all(), "the kernel wrote before its result"
    assert (memory[GUARD + n_bytes :] == 0xA5).all(), "the kernel wrote behind its result"
    if status[0]:
        assert kernel.can_fail
        raise failure(*status)
    return result


def check_exact(kernel, name, *operands, **params):
    """Compare with NumPy to the bit, for one and for several threads, for wide and for narrow vectors."""
    with np.errstate(all="ignore"):
        expected = TABLE[name].compute(*operands, **params)
    for n_threads, vector_bytes in ((1, None), (3, 16)):
        result = run_kernel(kernel, name, *operands, n_threads=n_threads, vector_bytes=vector_bytes, **params)
        assert result.dtype == expected.dtype
        assert result.shape == expected.shape
        np.testing.assert_array_equal(bits(result), bits(np.asarray(expected)))
    node = _node(name, operands, params)
    assert kernel.work(node, *_views(node, operands)) > 0


def _views(node, operands):
    result = np.empty(node.outputs[0].shape, node.outputs[0].dtype)
    inputs = [_view(array, Place.INPUT, number) for number, array in enumerate(operands)]
    return inputs, [_view(result, Place.OUTPUT, 0)]


def bits(array):
    """Return the bits of an array; all NaN are one."""
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.nan, array).astype(array.dtype)
    return np.ascontiguousarray(array).view(f"u{array.itemsize}")


def arrangements(array):
    """Return views that are equal to an array and lie in memory in other ways."""
    found = [array]
    if array.ndim:
        spread = np.zeros(tuple(2 * n + 1 for n in array.shape), array.dtype)
        apart = spread[tuple(slice(1, 2 * n + 1, 2) for n in array.shape)]
        apart[...] = array
        backwards = array[(slice(None, None, -1),) * array.ndim].copy()[(slice(None, None, -1),) * array.ndim]
        found += [apart, backwards]
    if array.ndim > 1:
        found.append(np.asfortranarray(array))
    return found


@pytest.fixture(name="run_kernel")
def _run_kernel():
    return run_kernel


@pytest.fixture(name="check_exact")
def _check_exact():
    return check_exact


@pytest.fixture(name="arrangements")
def _arrangements():
    return arrangements
