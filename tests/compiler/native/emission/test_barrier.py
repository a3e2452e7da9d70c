"""Barriers between threads in machine code, pressed hard."""

import ctypes

import pytest
from llvmlite import ir

from slopewise.compiler.native.emission.barrier import BARRIER_BYTES, emit_barrier
from slopewise.compiler.native.machine.threads import run_together
from slopewise.compiler.native.machine.toolchain import compile_ir

WORD = ir.IntType(64)


class Work(ctypes.Structure):
    """What a thread is given; `slots` holds a counter of each thread."""

    _fields_ = [
        (name, ctypes.c_int64) for name in ("barrier", "n_threads", "tid", "rounds", "slots", "wrong")
    ]


def race_ir():
    """Each round, a thread raises its own counter, waits, and looks whether its neighbour's is as high.

    Without the barriers a thread would find its neighbour behind, or already ahead.
    """
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [ir.PointerType()]), "race")
    builder = ir.IRBuilder(function.append_basic_block("entry"))

    def place(index):
        return builder.gep(function.args[0], [WORD(index)], source_etype=WORD)

    barrier, slots = (builder.load(place(index), typ=ir.PointerType()) for index in (0, 4))
    n_threads, tid, rounds = (builder.load(place(index), typ=WORD) for index in (1, 2, 3))
    neighbour = builder.urem(builder.add(tid, WORD(1)), n_threads)
    own_slot, other_slot = (builder.gep(slots, [index], source_etype=WORD) for index in (tid, neighbour))
    loop, end = function.append_basic_block("loop"), function.append_basic_block("end")
    entry = builder.block
    builder.branch(loop)
    builder.position_at_end(loop)
    count, wrong = builder.phi(WORD), builder.phi(WORD)
    following = builder.add(count, WORD(1))
    builder.store(following, own_slot)
    emit_barrier(builder, barrier, n_threads)
    differs = builder.icmp_unsigned("!=", builder.load(other_slot, typ=WORD), following)
    now_wrong = builder.add(wrong, builder.zext(differs, WORD))
    emit_barrier(builder, barrier, n_threads)
    for phi, value in ((count, following), (wrong, now_wrong)):
        phi.add_incoming(WORD(0), entry)
        phi.add_incoming(value, builder.block)
    builder.cbranch(builder.icmp_unsigned("<", following, rounds), loop, end)
    builder.position_at_end(end)
    builder.store(now_wrong, place(5))
    builder.ret_void()
    return str(module)


@pytest.mark.parametrize(("n_threads", "rounds"), [(2, 50_000), (3, 5_000), (4, 5_000)])
def test_nobody_passes_before_all_have_come(n_threads, rounds):
    """Also with more threads than processors: a thread that waits yields."""
    code = compile_ir(race_ir())
    barrier = ctypes.create_string_buffer(BARRIER_BYTES)
    slots = (ctypes.c_int64 * n_threads)()
    works = [
        Work(ctypes.addressof(barrier), n_threads, tid, rounds, ctypes.addressof(slots), -1)
        for tid in range(n_threads)
    ]
    run_together(code.address("race"), [ctypes.addressof(work) for work in works])
    assert list(slots) == [rounds] * n_threads
    assert [work.wrong for work in works] == [0] * n_threads


def test_one_thread_needs_no_barrier():
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [ir.PointerType()]), "alone")
    builder = ir.IRBuilder(function.append_basic_block())
    emit_barrier(builder, function.args[0], 1)
    builder.ret_void()
    assert "sw.barrier" not in str(module)
