"""A graph as a module of LLVM IR: one function for each kernel, one for a step, one that runs many steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cached_property

from llvmlite import ir

from slopewise.compiler.loop import ONCE, Loop
from slopewise.compiler.memory import Lifetime, Plan, plan
from slopewise.compiler.native.emission import frames
from slopewise.compiler.native.emission.barrier import emit_barrier
from slopewise.compiler.native.emission.clock import emit_now
from slopewise.compiler.native.emission.loops import I64, POINTER, Emitter
from slopewise.compiler.native.emission.views import Place, Storage, View
from slopewise.compiler.native.fusion import Fusion, Group, Kind
from slopewise.compiler.native.launches import Launch, Lowering, ordered
from slopewise.compiler.native.machine.toolchain import Host
from slopewise.engine.aval import Array
from slopewise.engine.graph import Graph, Symbol

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
        self._made: dict[int, Storage] = {}  # outputs
        self._late_copies: list[tuple[int, Symbol]] = []
        self._name_outputs()
        groups = {group: self._lowering.launch(group) for group in self.fusion.groups}
        self._launch_of = groups
        launches = [*self._lowering.copies, *groups.values(), *self._copies()]
        _depend_on_writers(launches)
        launches = self._guard_carried(launches)
        self.launches = ordered(launches)
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

    # ---- where results go

    def _name_outputs(self) -> None:
        """Let a value that is an output be made in its place; what cannot be is copied there."""
        for number, symbol in enumerate(self.graph.outputs):
            storage = self.fusion.views[symbol].storage
            if symbol in self.fusion.producer and storage.place is Place.ARENA:
                storage.place, storage.index = Place.OUTPUT, number
                self._made[number] = storage
            else:
                self._late_copies.append((number, symbol))

    def _copies(self) -> Iterable[Launch]:
        for number, symbol in self._late_copies:
            view = self.fusion.views[symbol]
            target = Storage(Place.OUTPUT, number, symbol.dtype, view.size)
            source = view.storage
            moved = source.place is Place.INPUT and source.index in self.loop.carried.values()
            if moved and self.loop.carried.get(number) != source.index:
                # another output may take its place before it is read
                between = Storage(Place.ARENA, -1, symbol.dtype, view.size)
                yield self._lowering.copy(view, between, symbol, f"copy.{number}")
                view = View.whole(between, symbol.shape)
            yield self._lowering.copy(view, target, symbol, f"output.{number}")

    # ---- state that is carried on lies in one place: it is written after all have read it

    def _guard_carried(self, launches: list[Launch]) -> list[Launch]:
        added: list[Launch] = []
        for output, entry in self.loop.carried.items():
            writer = next(
                (launch for launch in launches for s in launch.writes if _is(s, Place.OUTPUT, output)), None
            )
            if writer is None:
                continue
            readers = [
                launch
                for launch in launches
                if launch is not writer and any(_is(s, Place.INPUT, entry) for s in launch.reads)
            ]
            before = _all_before(writer)
            if any(writer in _all_before(reader) for reader in readers) or not self._may_write_over(
                writer, output, entry
            ):
                added.append(self._write_later(writer, output, readers))
            else:
                writer.after.update(reader for reader in readers if reader not in before)
        return [*launches, *added, *self._guard_from_failures(launches)]

    def _guard_from_failures(self, launches: list[Launch]) -> list[Launch]:
        """Let what is carried keep its place until nothing can fail any more, which comes first."""
        risks = [launch for launch in launches if launch.can_fail]
        risky = set(risks).union(*map(_all_before, risks))
        copies = []
        for output in self.loop.carried:
            for writer in risky:
                if any(_is(storage, Place.OUTPUT, output) for storage in writer.writes):
                    copies.append(self._write_later(writer, output, risks))
                    break
        return copies

    def _may_write_over(self, writer: Launch, output: int, entry: int) -> bool:
        """Tell whether a launch that makes an output can read, in the same place, the input that it follows.

        It can if it reads an element only where, and before, it writes that element.
        """
        if not any(_is(storage, Place.INPUT, entry) for storage in writer.reads):
            return True
        if writer.name == f"output.{output}":
            return self.fusion.views[self.graph.outputs[output]].is_contiguous
        group = next(group for group, launch in self._launch_of.items() if launch is writer)
        made = self.graph.outputs[output]
        if group.kind is Kind.OTHER or made not in group.maps:
            return False
        views = self.fusion.views
        for node in group.nodes:
            for symbol in node.operands:
                view = views[symbol]
                if not _is(view.storage, Place.INPUT, entry):
                    continue
                same = view.broadcast(group.domain).strides == views[made].broadcast(group.domain).strides
                if node.primitive.name == "matmul" or not same or view.offset or view.size != made_size(made):
                    return False
        return True

    def _write_later(self, writer: Launch, output: int, readers: list[Launch]) -> Launch:
        """Let an output be made elsewhere and copied to its place when all else is done."""
        place = next(s for s in writer.writes if _is(s, Place.OUTPUT, output))
        place.place, place.index = Place.ARENA, -1
        symbol = self.graph.outputs[output]
        target = Storage(Place.OUTPUT, output, place.dtype, place.size)
        copy = self._lowering.copy(View.whole(place, symbol.shape), target, symbol, f"later.{output}")
        copy.after = {writer, *readers}
        return copy

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
        pending = _Pending()
        last_risk = max((i for i, launch in enumerate(self.launches) if launch.can_fail), default=-1)
        for position, launch in enumerate(self.launches):
            shared = self.shared(launch)
            if self.n_threads > 1 and pending.conflicts(self, launch, shared):
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
        count, deadline = (
            frames.load(builder, frame, frames.COUNT),
            frames.load(builder, frame, frames.DEADLINE),
        )
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


class _Pending:
    """What launches have touched since the last barrier."""

    def __init__(self) -> None:
        self.touched: list[tuple[object, int, int, bool, bool]] = []

    def clear(self) -> None:
        self.touched.clear()

    def note(self, launch: Launch, shared: bool) -> None:
        own = [launch.scratch] if launch.scratch is not None else []
        for storage in launch.reads:
            self.touched.append((*_extent(storage), False, shared))
        for storage in (*launch.writes, *own):
            self.touched.append((*_extent(storage), True, shared))

    def conflicts(self, program: Program, launch: Launch, shared: bool) -> bool:
        own = [launch.scratch] if launch.scratch is not None else []
        uses = [(*_extent(s), False) for s in launch.reads]
        uses += [(*_extent(s), True) for s in (*launch.writes, *own)]
        carried = program.loop.carried
        for kind, start, stop, writes in uses:
            for other, begin, end, wrote, was_shared in self.touched:
                if not (writes or wrote) or not (shared or was_shared):
                    continue
                if _same_memory(kind, other, carried) and start < end and begin < stop:
                    return True
        return False


def _extent(storage: Storage) -> tuple[object, int, int]:
    if storage.place is Place.ARENA:
        return (Place.ARENA, storage.index, storage.index + storage.n_bytes)
    return ((storage.place, storage.index), 0, max(storage.n_bytes, 1))


def _same_memory(a: object, b: object, carried: Mapping[int, int]) -> bool:
    def memory(place: object) -> object:
        if isinstance(place, tuple) and place[0] is Place.OUTPUT and place[1] in carried:
            return (Place.INPUT, carried[place[1]])
        return place

    return memory(a) == memory(b)


def made_size(symbol: Symbol) -> int:
    """Return how many elements a value has."""
    size = 1
    for n in symbol.shape:
        size *= n
    return size


def _is_worth_sharing(launch: Launch, n_threads: int) -> bool:
    saved = launch.cost * (1 - 1 / n_threads)
    return n_threads > 1 and saved > _WORTH_SHARING and launch.can_split(n_threads)


def _is(storage: Storage, place: Place, index: int) -> bool:
    return storage.place is place and storage.index == index


def _depend_on_writers(launches: list[Launch]) -> None:
    writer = {storage: launch for launch in launches for storage in launch.writes}
    for launch in launches:
        launch.after = {writer[s] for s in launch.reads if s in writer and writer[s] is not launch}


def _all_before(launch: Launch) -> set[Launch]:
    found: set[Launch] = set()
    pending = list(launch.after)
    while pending:
        earlier = pending.pop()
        if earlier not in found:
            found.add(earlier)
            pending.extend(earlier.after)
    return found


# ---- small pieces of IR


def _function(module: ir.Module, name: str) -> ir.Function:
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER]), name)
    function.linkage = "internal"
    return function
