"""Code that measures itself: how long each kernel of a graph takes, in the calls that are really made.

The processor's counter is read before and after each kernel. It counts at a constant rate on the machines of
today, which is found by comparing it with the system's clock over the whole time of measuring. What a kernel
costs is what the first thread spends in it; waiting for other threads, and what lies between kernels, is the
rest.
"""

from __future__ import annotations

import atexit
import ctypes
import sys
from time import perf_counter_ns

import numpy as np
from llvmlite import ir

from slopewise.compiler.loop import ONCE, Loop
from slopewise.compiler.native.build import Built, places
from slopewise.compiler.native.emission import frames
from slopewise.compiler.native.emission.loops import I64
from slopewise.compiler.native.executable import Executable
from slopewise.compiler.native.fusion import Kind
from slopewise.compiler.native.kernels.matmul import Product
from slopewise.compiler.native.launches import Launch
from slopewise.compiler.native.machine.threads import thread_limit
from slopewise.compiler.native.machine.toolchain import compile_ir, host
from slopewise.compiler.native.program import Program
from slopewise.engine.aval import Array
from slopewise.engine.graph import Graph


class MeasuringProgram(Program):
    """A program whose step adds up the time in each kernel, in counters that the last slot points at."""

    def module(self) -> ir.Module:
        """Return the IR; besides `run` it has `ticks()`, what the counter says now."""
        module = super().module()
        ticks = ir.Function(module, ir.FunctionType(I64, []), "ticks")
        builder = ir.IRBuilder(ticks.append_basic_block())
        builder.ret(_read_counter(builder))
        return module

    def emit_call(self, builder: ir.IRBuilder, kernel: ir.Function, frame: ir.Value, position: int) -> None:
        """Emit the call of a kernel, and add the time that it takes to its counter."""
        before = _read_counter(builder)
        builder.call(kernel, [frame])
        passed = builder.sub(_read_counter(builder), before)
        counters = frames.load_pointer(builder, frame, self.n_slots)
        place = frames.at(builder, counters, 8 * position)
        builder.store(builder.add(builder.load(place, typ=I64), passed), place)


def _read_counter(builder: ir.IRBuilder) -> ir.Value:
    """Read a counter of constant rate: x86's time stamp, elsewhere the system counter."""
    on_x86 = host().triple.startswith(("x86_64", "i686"))
    name = "llvm.readcyclecounter" if on_x86 else "llvm.readsteadycounter"
    function = builder.module.globals.get(name)
    if function is None:
        function = ir.Function(builder.module, ir.FunctionType(I64, []), name)
    return builder.call(function, [])


class ProfiledExecutable(Executable):
    """An executable that knows how long its kernels took.

    Parameters
    ----------
    graph : an optimized graph of core primitives
    loop : how steps follow one another
    n_threads : the most threads to use; None for all that there are
    """

    def __init__(self, graph: Graph, loop: Loop = ONCE, n_threads: int | None = None) -> None:
        program = MeasuringProgram(graph, host(), n_threads or thread_limit(), loop)
        code = compile_ir(str(program.module()))
        self._counters = np.zeros((program.n_threads, max(len(program.launches), 1)), np.int64)
        built = Built(code, program.n_threads, program.memory.peak, places(program))
        super().__init__(graph, loop, n_threads, built)
        self.program = program
        self.n_steps = 0
        self._nanoseconds = 0
        self._ticks = ctypes.CFUNCTYPE(ctypes.c_int64)(code.address("ticks"))
        self._begun = (self._ticks(), perf_counter_ns())

    def _frame(self, thread: int) -> Array:
        counters = self._counters[thread].__array_interface__["data"][0]
        return np.append(super()._frame(thread), np.int64(counters))

    def _enter(self) -> None:
        before = perf_counter_ns()
        super()._enter()
        self._nanoseconds += perf_counter_ns() - before
        self.n_steps += int(self._frames[0][frames.DONE])

    def times(self) -> list[float]:
        """Return how many nanoseconds each kernel took in the mean of all steps, then the rest."""
        ticks, clock = self._ticks() - self._begun[0], perf_counter_ns() - self._begun[1]
        steps = max(self.n_steps, 1)
        kernels = self._counters[0, : len(self.program.launches)] * (clock / ticks / steps)
        return [*kernels.tolist(), max(self._nanoseconds / steps - kernels.sum(), 0.0)]

    def table(self) -> str:
        """Return the times as text, the longest first."""
        times = self.times()
        total = sum(times) or 1.0
        lines = [f"{self.n_steps} steps of {total / 1000:.4g} us; threads: {self.n_threads}"]
        lines.append(f"{'kernel':<7}{'us':>10}{'share':>8}  {'rate':>13}  name")
        for number in sorted(range(len(times) - 1), key=lambda i: -times[i]):
            launch = self.program.launches[number]
            rate = self._rate(launch, times[number])
            lines.append(
                f"k{number:03d}   {times[number] / 1000:>10.3f}{times[number] / total:>8.1%}  {rate:>13}  "
                f"{launch.name}"
            )
        lines.append(f"{'rest':<7}{times[-1] / 1000:>10.3f}{times[-1] / total:>8.1%}  {'':>13}  ")
        lines[-1] += "waiting for threads, entering and leaving"
        return "\n".join(lines)

    def _rate(self, launch: Launch, nanoseconds: float) -> str:
        """Return the speed of a kernel: of arithmetic for a matrix product, else of memory."""
        if not nanoseconds:
            return "-"
        group = self.program.group_of(launch)
        if group is not None and group.kind is Kind.PRODUCT and 0 not in group.domain:
            node = group.nodes[0]
            views = [self.program.fusion.views[symbol] for symbol in node.operands]
            return f"{Product.of(node, *views).flops / nanoseconds:.3g} GFLOP/s"
        written = sum(storage.n_bytes for storage in launch.writes)
        read = sum(storage.n_bytes for storage in dict.fromkeys(launch.reads))
        if group is not None and group.nodes[0].primitive.name == "gather":
            read = written  # only some rows of what it reads from
        return f"{(read + written) / nanoseconds:.3g} GB/s"

    def print_at_exit(self, name: str) -> None:
        """Print the table when the process ends, if any step was made."""
        atexit.register(self._print, name)

    def _print(self, name: str) -> None:
        if self.n_steps:
            print(f"\n==== {name}: time per kernel", self.table(), sep="\n", file=sys.stderr)
