"""A barrier between threads that run the same machine code: nobody goes on before all have come."""

from __future__ import annotations

from llvmlite import ir

from slopewise.compiler.native.machine.toolchain import host, pause_instruction

# Two counters on cache lines of their own: how many have arrived, and how often the barrier was passed.
# The memory must be zero before the first use, and aligned to a cache line to be fast.
BARRIER_BYTES = 128
_PASSED_OFFSET = 64

# A spinning thread yields its processor every few microseconds, so that more threads than processors get on
# too: 100,000 barriers of 4 threads on 2 processors take about 2 seconds, and 11 with 1000 spins.
_SPINS_BEFORE_YIELDING = 100

_I64 = ir.IntType(64)
_POINTER = ir.PointerType()


def emit_barrier(builder: ir.IRBuilder, barrier: ir.Value, n_threads: int | ir.Value) -> None:
    """Emit a wait for all threads; what each wrote before it, all can read after it.

    All threads must come through the same barriers in the same order, as many as `n_threads` says.

    Parameters
    ----------
    builder : ir.IRBuilder
    barrier : pointer to BARRIER_BYTES of memory that the threads share, zero before the first use
    n_threads : int or i64; nothing is emitted for the int 1

    Examples
    --------
    >>> from llvmlite import ir
    >>> module = ir.Module()
    >>> function = ir.Function(module, ir.FunctionType(ir.VoidType(), [ir.PointerType()]), "step")
    >>> builder = ir.IRBuilder(function.append_basic_block())
    >>> emit_barrier(builder, function.args[0], 2)
    >>> _ = builder.ret_void()
    >>> "sw.barrier" in str(function)
    True
    """
    if isinstance(n_threads, int):
        if n_threads == 1:
            return
        n_threads = _I64(n_threads)
    builder.call(_barrier_function(builder.module), [barrier, n_threads])


def _barrier_function(module: ir.Module) -> ir.Function:
    """Return the module's `sw.barrier`, made at its first use.

    The last thread to arrive sets the count back and then lets the others pass. Each reads how often the
    barrier was passed before it reports its arrival, since nobody can pass until it has.
    """
    name = "sw.barrier"
    if name in module.globals:
        return module.globals[name]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_POINTER, _I64]), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    barrier, n_threads = function.args
    entry, last, wait, spin, pause, give_way, leave = (
        function.append_basic_block(block)
        for block in ("entry", "last", "wait", "spin", "pause", "give_way", "leave")
    )
    builder = ir.IRBuilder(entry)
    passed_place = builder.gep(barrier, [_I64(_PASSED_OFFSET)], source_etype=ir.IntType(8))
    passed = builder.load_atomic(passed_place, "acquire", 8, typ=_I64)
    arrived = builder.atomic_rmw("add", barrier, _I64(1), "acq_rel")
    builder.cbranch(builder.icmp_unsigned("==", arrived, builder.sub(n_threads, _I64(1))), last, wait)

    builder.position_at_end(last)
    # Exchanges, since llvmlite's store_atomic does not know opaque pointers.
    builder.atomic_rmw("xchg", barrier, _I64(0), "monotonic")
    builder.atomic_rmw("xchg", passed_place, builder.add(passed, _I64(1)), "release")
    builder.ret_void()

    builder.position_at_end(wait)
    builder.branch(spin)
    builder.position_at_end(spin)
    spins = builder.phi(_I64)
    now = builder.load_atomic(passed_place, "acquire", 8, typ=_I64)
    builder.cbranch(builder.icmp_unsigned("!=", now, passed), leave, pause)

    builder.position_at_end(pause)
    emit_pause(builder)
    one_more = builder.add(spins, _I64(1))
    patient = builder.icmp_unsigned("<", one_more, _I64(_SPINS_BEFORE_YIELDING))
    builder.cbranch(patient, spin, give_way)

    builder.position_at_end(give_way)
    builder.call(_external(module, "sched_yield", ir.FunctionType(ir.IntType(32), [])), [])
    builder.branch(spin)
    for count, block in ((_I64(0), wait), (one_more, pause), (_I64(0), give_way)):
        spins.add_incoming(count, block)

    builder.position_at_end(leave)
    builder.ret_void()
    return function


def emit_pause(builder: ir.IRBuilder) -> None:
    """Emit the instruction that tells the processor of a spinning loop."""
    signature = ir.FunctionType(ir.VoidType(), [])
    builder.asm(signature, pause_instruction(host().triple), "", [], side_effect=True)


def _external(module: ir.Module, name: str, signature: ir.FunctionType) -> ir.Function:
    existing = module.globals.get(name)
    return existing if existing is not None else ir.Function(module, signature, name)
