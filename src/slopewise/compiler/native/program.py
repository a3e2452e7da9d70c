"""A graph as a module of LLVM IR: one function for each kernel, one for a step, one that runs many steps."""

from __future__ import annotations

import math
from functools import cached_property

from llvmlite import ir

from slopewise.compiler.loop import ONCE, Loop
from slopewise.compiler.memory import Lifetime, Plan, plan
from slopewise.compiler.native.emission import frames
from slopewise.compiler.native.emission.barrier import emit_barrier
from slopewise.compiler.native.emission.clock import emit_now
from slopewise.compiler.native.emission.loops import I64, POINTER, Emitter
from slopewise.compiler.native.emission.views import Place, Storage
from slopewise.compiler.native.fusion import Fusion, Group
from slopewise.compiler.native.launches import Launch, Lowering, ordered
from slopewise.compiler.native.machine.toolchain import Host
from slopewise.compiler.native.output_places import OutputPlaces, depend_on_writers
from slopewise.compiler.native.waits import Pending
from slopewise.engine.aval import Array
from slopewise.engine.graph import Graph

# nanoseconds, in the cost model's terms: a wait, and what a part that is shared out must save
_BARRIER_COST = 1000.0
_WORTH_SHARING = 2000.0


class Program:
    """The launches of a graph in order, their memory, and the IR that runs them.

    Parameters
    ----------
    graph : an optimized graph of core primitives
    host : the machine
    n_threads : the most threads that may run it
    loop : whether and how steps follow one another

    Attributes
    ----------
    n_threads : how many threads run it; fewer where sharing would cost more than it gains
    """

    def __init__(self, graph: Graph, host: Host, n_threads: int = 1, loop: Loop = ONCE) -> None:
        self.graph = graph
        self.host = host
        self.loop = loop
        self.fusion = Fusion(graph)
        self._lowering = Lowering(self.fusion, host, self._nested)
        outputs = OutputPlaces(self.fusion, self._lowering, loop)
        self._launch_of = {group: self._lowering.launch(group) for group in self.fusion.groups}
        launches = [*self._lowering.copies, *self._launch_of.values(), *outputs.copies()]
        depend_on_writers(launches)
        self.launches = ordered([*launches, *outputs.guard(launches, self._launch_of)])
        self.n_threads = self._useful_threads(n_threads)
        for launch in self.launches:
            if launch.scratch is not None and launch.scratch_size:
                launch.scratch.size = launch.scratch_size * (self.n_threads if self.shared(launch) else 1)

    def _nested(self, graph: Graph, loop: Loop) -> Program:
        """Return the program of a loop's body."""
        return Program(graph, self.host, 1, loop)

    def group_of(self, launch: Launch) -> Group | None:
        """Return the operations that a launch carries out; None for a copy."""
        return next((group for group, other in self._launch_of.items() if other is launch), None)

    @property
    def constants(self) -> list[Array]:
        """What lies in the slots after inputs and outputs: constants, those of loops' bodies behind them."""
        return [*self.graph.constants.values(), *self._lowering.nested_constants]

    # ---- threads and memory

    def _useful_threads(self, most: int) -> int:
        """Return how many threads to use: as many as are fastest by the cost model; one if little is won."""
        candidates = [1]
        while 2 * candidates[-1] <= most:
            candidates.append(2 * candidates[-1])
        if most not in candidates:
            candidates.append(most)
        alone = self._cost(1)
        best = min(candidates, key=self._cost)
        return best if self._cost(best) < 0.8 * alone else 1

    def _cost(self, n_threads: int) -> float:
        """Return about how many nanoseconds a step takes so many threads."""
        wait = _BARRIER_COST * math.log2(2 * n_threads)
        return sum(
            launch.cost / n_threads + wait if _is_worth_sharing(launch, n_threads) else launch.cost
            for launch in self.launches
        )

    def shared(self, launch: Launch) -> bool:
        """Tell whether all threads take part in a launch."""
        return self.n_threads > 1 and _is_worth_sharing(launch, self.n_threads)

    @cached_property
    def memory(self) -> Plan:
        """Where in the arena each intermediate value lies."""
        return plan([lifetime for _, lifetime in self.lifetimes()])

    def lifetimes(self) -> list[tuple[Storage, Lifetime]]:
        """Return what lies in the arena, and from which launch to which, in the order of `memory`."""
        first: dict[Storage, int] = {}
        last: dict[Storage, int] = {}
        for position, launch in enumerate(self.launches):
            own = [launch.scratch] if launch.scratch is not None else []
            for storage in (*launch.reads, *launch.writes, *own):
                if storage.place is Place.ARENA:
                    first.setdefault(storage, position)
                    last[storage] = position
        return [(storage, Lifetime(storage.n_bytes, first[storage], last[storage])) for storage in first]

    def _place_in_arena(self) -> None:
        for (storage, _), offset in zip(self.lifetimes(), self.memory.offsets, strict=True):
            storage.index = offset

    def slot(self, storage: Storage) -> int:
        """Return where in a frame the pointer of an input, output or constant is."""
        n_inputs, n_outputs = len(self.graph.inputs), len(self.graph.outputs)
        start = {Place.INPUT: 0, Place.OUTPUT: n_inputs, Place.CONSTANT: n_inputs + n_outputs}[storage.place]
        return frames.SLOTS + start + storage.index

    @property
    def n_slots(self) -> int:
        return frames.SLOTS + len(self.graph.inputs) + len(self.graph.outputs) + len(self.constants)

    # ---- code

    def module(self) -> ir.Module:
        """Return the IR: `run(frame)`, and what it calls."""
        module = ir.Module("slopewise")
        step = self.step_function(module)
        self._run_function(module, step)
        return module

    def step_function(self, module: ir.Module, prefix: str = "") -> ir.Function:
        """Add the functions of one step; `prefix` begins their names."""
        self._place_in_arena()
        step = _function(module, f"{prefix}step")
        builder = ir.IRBuilder(step.append_basic_block())
        frame = step.args[0]
        thread = frames.load(builder, frame, frames.THREAD)
        control = frames.load_pointer(builder, frame, frames.CONTROL)
        barrier = frames.at(builder, control, frames.BARRIER_OFFSET)
        pending = Pending(self.loop.carried)
        last_risk = max((i for i, launch in enumerate(self.launches) if launch.can_fail), default=-1)
        for position, launch in enumerate(self.launches):
            shared = self.shared(launch)
            if self.n_threads > 1 and pending.conflicts(launch, shared):
                emit_barrier(builder, barrier, self.n_threads)
                pending.clear()
            kernel = self._kernel_function(module, launch, f"{prefix}k{position:03d}")
            if self.n_threads == 1 or shared:
                self.emit_call(builder, kernel, frame, position)
            else:
                with builder.if_then(builder.icmp_signed("==", thread, I64(0))):
                    self.emit_call(builder, kernel, frame, position)
            pending.note(launch, shared)
            if position == last_risk:
                emit_barrier(builder, barrier, self.n_threads)
                pending.clear()
                status = builder.load(control, typ=I64)
                with builder.if_then(builder.icmp_signed("!=", status, I64(0)), likely=False):
                    builder.ret_void()
        builder.ret_void()
        return step

    def emit_call(self, builder: ir.IRBuilder, kernel: ir.Function, frame: ir.Value, position: int) -> None:
        """Emit the call of the kernel at a position; a program that measures does more here."""
        builder.call(kernel, [frame])

    def _kernel_function(self, module: ir.Module, launch: Launch, label: str) -> ir.Function:
        kernel = _function(module, f"{label}.{launch.name}")
        kernel.attributes.add("noinline")
        builder = ir.IRBuilder(kernel.append_basic_block("entry"))
        frame = kernel.args[0]
        thread = frames.load(builder, frame, frames.THREAD) if self.n_threads > 1 else I64(0)
        n_threads = self.n_threads if self.shared(launch) else 1
        status = frames.load_pointer(builder, frame, frames.CONTROL)
        emitter = Emitter(builder, self.host.vector_bytes, thread, n_threads, status, f"{label}.")
        arena = frames.load_pointer(builder, frame, frames.ARENA)
        own = [launch.scratch] if launch.scratch is not None else []
        for storage in dict.fromkeys((*launch.reads, *launch.writes, *own)):
            if storage.place is Place.ARENA:
                emitter.pointers[storage] = frames.at(builder, arena, storage.index)
            else:
                emitter.pointers[storage] = frames.load_pointer(builder, frame, self.slot(storage))
        body = builder.append_basic_block("body")  # what is set up in the entry block comes before the loops
        builder.branch(body)
        builder.position_at_end(body)
        launch.emit(emitter)
        emitter.builder.ret_void()
        return kernel

    def _run_function(self, module: ir.Module, step: ir.Function) -> None:
        """Emit `run(frame)`: steps until all are made, time is up or one failed."""
        run = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER]), "run")
        builder = ir.IRBuilder(run.append_basic_block())
        frame = run.args[0]
        control = frames.load_pointer(builder, frame, frames.CONTROL)
        stop = frames.at(builder, control, frames.STOP_OFFSET)
        barrier = frames.at(builder, control, frames.BARRIER_OFFSET)
        thread = frames.load(builder, frame, frames.THREAD)
        count = frames.load(builder, frame, frames.COUNT)
        deadline = frames.load(builder, frame, frames.DEADLINE)
        entry = builder.block
        body, after = builder.append_basic_block("steps"), builder.append_basic_block("done")
        builder.branch(body)
        builder.position_at_end(body)
        done = builder.phi(I64)
        done.add_incoming(I64(0), entry)
        builder.call(step, [frame])
        with builder.if_then(builder.icmp_signed("==", thread, I64(0))):
            failed = builder.icmp_signed("!=", builder.load(control, typ=I64), I64(0))
            late = builder.icmp_signed(">=", builder.call(emit_now(module), [deadline]), deadline)
            late = builder.and_(late, builder.icmp_signed("!=", deadline, I64(0)))
            builder.store(builder.zext(builder.or_(failed, late), I64), stop)
        emit_barrier(builder, barrier, self.n_threads)
        self.advance(builder, frame)
        made = builder.add(done, I64(1))
        stopped = builder.icmp_signed("!=", builder.load(stop, typ=I64), I64(0))
        emit_barrier(builder, barrier, self.n_threads)  # nobody sets it anew before all have read it
        finished = builder.or_(stopped, builder.icmp_signed(">=", made, count))
        done.add_incoming(made, builder.block)
        builder.cbranch(finished, after, body)
        builder.position_at_end(after)
        builder.store(made, frames.at(builder, frame, 8 * frames.DONE))
        builder.ret_void()

    def advance(self, builder: ir.IRBuilder, frame: ir.Value) -> None:
        """Let the next step read what this one wrote, and move on along what is one piece a step."""
        n_inputs = len(self.graph.inputs)
        for output, entry in self.loop.carried.items():
            value = frames.load(builder, frame, frames.SLOTS + n_inputs + output)
            builder.store(value, frames.at(builder, frame, 8 * (frames.SLOTS + entry)))
        steps = dict(self.loop.input_steps)
        steps.update({n_inputs + output: step for output, step in self.loop.output_steps.items()})
        for place, step in steps.items():
            moved = builder.add(frames.load(builder, frame, frames.SLOTS + place), I64(step))
            builder.store(moved, frames.at(builder, frame, 8 * (frames.SLOTS + place)))


def _is_worth_sharing(launch: Launch, n_threads: int) -> bool:
    saved = launch.cost * (1 - 1 / n_threads)
    return n_threads > 1 and saved > _WORTH_SHARING and launch.can_split(n_threads)


# ---- small pieces of IR


def _function(module: ir.Module, name: str) -> ir.Function:
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER]), name)
    function.linkage = "internal"
    return function
