"""Kernels with what they read and write, and the order in which they run."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from slopewise.compiler.loop import Loop
from slopewise.compiler.native.emission.loops import Emitter
from slopewise.compiler.native.emission.views import Place, Storage, View
from slopewise.compiler.native.fusion import Fusion, Group, Kind
from slopewise.compiler.native.kernels import (
    arguments,
    convolution,
    cumulative,
    indexed,
    padding,
    powers,
    random_bits,
    scans,
    softmax,
    windows,
)
from slopewise.compiler.native.kernels.kernel import Kernel
from slopewise.compiler.native.kernels.maps import Body, emit_map, uniform_value
from slopewise.compiler.native.kernels.matmul import Product, ProductEmitter, Split
from slopewise.compiler.native.kernels.reductions import KEPT, REDUCED, emit_fill, emit_reduction
from slopewise.compiler.native.machine.toolchain import Host
from slopewise.engine.aval import Array
from slopewise.engine.graph import Graph, GraphNode, Symbol

if TYPE_CHECKING:
    from slopewise.compiler.native.program import Program

KERNELS: dict[str, Kernel] = {
    **arguments.KERNELS,
    **convolution.KERNELS,
    **cumulative.KERNELS,
    **indexed.KERNELS,
    **padding.KERNELS,
    **powers.KERNELS,
    **random_bits.KERNELS,
    **softmax.KERNELS,
    **windows.KERNELS,
}

# nanoseconds, of one core of a machine of today: they decide what several cores share
_FLOP = {16: 1 / 25, 32: 1 / 70, 64: 1 / 140}  # by the bytes of a vector register
_ELEMENT = 0.06
_BYTE = 1 / 30


@dataclass(eq=False)
class Launch:
    """A kernel at its place in the program.

    Attributes
    ----------
    name : what it does, for people
    emit : emits it for the running thread; `Emitter.n_threads` is 1 where one thread does it all
    reads, writes : the storages it touches
    cost : about how many nanoseconds it takes one core
    can_split : whether so many threads can share it out
    scratch : storage of its own; `scratch_size` elements for each thread
    """

    name: str
    emit: Callable[[Emitter], None]
    reads: list[Storage]
    writes: list[Storage]
    cost: float
    can_split: Callable[[int], bool] = lambda n_threads: True
    can_fail: bool = False
    scratch: Storage | None = None
    scratch_size: int = 0
    number: int = 0
    after: set[Launch] = field(default_factory=set)


class Lowering:
    """Turns the groups of a graph into launches."""

    def __init__(self, fusion: Fusion, host: Host, nested: Callable[[Graph, Loop], Program]) -> None:
        self.fusion = fusion
        self.host = host
        self.nested = nested
        self.copies: list[Launch] = []  # of values that kernels cannot read where they lie
        self.nested_constants: list[Array] = []
        self.uniform: dict[Symbol, float | int | bool] = {}
        for symbol, value in fusion.graph.constants.items():
            number = uniform_value(value)
            if number is not None:
                self.uniform[symbol] = number

    def launch(self, group: Group) -> Launch:
        """Return the launch of a group."""
        views = self.fusion.views
        reads = {symbol: views[symbol] for symbol in self._operands(group)}
        writes = {symbol: views[symbol] for symbol in self.fusion.stored(group)}
        launch = Launch(
            self._name(group),
            lambda emitter: None,
            [view.storage for symbol, view in reads.items() if symbol not in self.uniform],
            [view.storage for view in writes.values()],
            self._cost(group, reads, writes),
        )
        if not math.prod(group.domain):
            self._fill(launch, group)
        elif group.kind is Kind.MAP:
            self._map(launch, group, reads, writes)
        elif group.kind is Kind.REDUCTION:
            self._reduction(launch, group, reads, writes)
        elif group.kind is Kind.PRODUCT:
            self._product(launch, group, reads, writes)
        else:
            self._other(launch, group.nodes[0])
        return launch

    def _operands(self, group: Group) -> list[Symbol]:
        """Return the values that a group takes from memory."""
        inside = {symbol for node in group.nodes for symbol in node.outputs}
        operands = [symbol for node in group.nodes for symbol in node.operands]
        return [symbol for symbol in dict.fromkeys(operands) if symbol not in inside]

    def _name(self, group: Group) -> str:
        names = [node.primitive.name for node in group.nodes]
        shape = "x".join(map(str, group.domain)) or "1"
        shown = "_".join(names[:4]) + ("_" + str(len(names) - 4) + "more" if len(names) > 4 else "")
        return f"{shown}.{shape}"

    def _cost(self, group: Group, reads: dict[Symbol, View], writes: dict[Symbol, View]) -> float:
        n_bytes = sum(view.storage.n_bytes for view in (*reads.values(), *writes.values()))
        cost = n_bytes * _BYTE + len(group.nodes) * math.prod(group.domain) * _ELEMENT
        if group.kind is Kind.PRODUCT:
            node = group.nodes[0]
            product = Product.of(node, *[self.fusion.views[symbol] for symbol in node.operands])
            cost += product.flops * _FLOP[self.host.vector_bytes]
        return cost

    def _body(
        self, emitter: Emitter, group: Group, reads: dict[Symbol, View], writes: dict[Symbol, View]
    ) -> Body:
        """Return the elementwise part of a group."""
        inside = {symbol for node in group.map_nodes for symbol in node.outputs} | group.maps
        used = {symbol for node in group.map_nodes + group.reductions for symbol in node.operands} - inside
        from_memory = {s: view for s, view in reads.items() if s in used and s not in self.uniform}
        to_memory = {s: view for s, view in writes.items() if s in inside}
        return Body(emitter, group.domain, group.map_nodes, from_memory, to_memory, self.uniform)

    def _map(
        self, launch: Launch, group: Group, reads: dict[Symbol, View], writes: dict[Symbol, View]
    ) -> None:
        def emit(emitter: Emitter) -> None:
            body = self._body(emitter, group, reads, writes)
            shape, _, _ = body.collapse([0] * len(group.domain))
            emit_map(body, _first_axis_share(emitter, shape))

        launch.emit = emit

    def copy(self, source: View, target: Storage, like: Symbol, name: str) -> Launch:
        """Return a launch that copies a view to a storage of its own."""
        written = View.whole(target, source.shape)

        def emit(emitter: Emitter) -> None:
            if like in self.uniform:
                body = Body(emitter, source.shape, [], {}, {like: written}, self.uniform)
            else:
                body = Body(emitter, source.shape, [], {like: source}, {like: written}, {})
            shape, _, _ = body.collapse([0] * len(source.shape))
            emit_map(body, _first_axis_share(emitter, shape))

        if not source.size:
            emit = _nothing
        reads = [] if like in self.uniform else [source.storage]
        return Launch(name, emit, reads, [target], 2 * target.n_bytes * _BYTE)

    def _reduction(
        self, launch: Launch, group: Group, reads: dict[Symbol, View], writes: dict[Symbol, View]
    ) -> None:
        axes = group.axes or ()
        kinds = [REDUCED if axis in axes else KEPT for axis in range(len(group.domain))]

        def emit(emitter: Emitter) -> None:
            body = self._body(emitter, group, reads, writes)
            targets = [_spread(writes[node.outputs[0]], kinds) for node in group.reductions]
            shape, kept, results = body.collapse(kinds, targets)
            span = None
            if KEPT in kept and emitter.n_threads > 1:
                first = kept.index(KEPT)
                along_last = first == len(shape) - 1
                span = emitter.share(shape[first], emitter.vector_bytes if along_last else 1)
            emit_reduction(body, group.reductions, results, kept, span)

        launch.emit = emit
        kept_sizes = [n for n, kind in zip(group.domain, kinds, strict=True) if kind == KEPT]
        launch.can_split = lambda n_threads: max(kept_sizes, default=1) > 1

    def _fill(self, launch: Launch, group: Group) -> None:
        """Reductions of nothing are neutral values; all else of an empty domain is nothing at all."""
        from slopewise.compiler.native.kernels.reductions import fill_values

        if group.kind is Kind.REDUCTION:
            targets = [self.fusion.views[node.outputs[0]] for node in group.reductions]
            launch.emit = lambda emitter: emit_fill(emitter, fill_values(group.reductions), targets)
        elif group.kind is Kind.OTHER and any(view.size for view in self._results(group.nodes[0])):
            self._other(launch, group.nodes[0])
        launch.can_split = lambda n_threads: False

    def _product(
        self, launch: Launch, group: Group, reads: dict[Symbol, View], writes: dict[Symbol, View]
    ) -> None:
        node = group.nodes[0]
        product = Product.of(node, *[self.fusion.views[symbol] for symbol in node.operands])
        scratch = Storage(Place.ARENA, -1, product.dtype, 0)

        def emit(emitter: Emitter) -> None:
            body = self._body(emitter, group, reads, writes)
            split = Split.of(product, emitter.n_threads, self.host.vector_bytes)
            ProductEmitter(emitter, product, body, node.outputs[0], scratch, self.host.has_fma).emit(split)

        launch.emit = emit
        # factors are read from memory, even one that is a number which other kernels have in their code
        factors = [symbol for symbol in node.operands if symbol in self.uniform]
        launch.reads += [self.fusion.views[symbol].storage for symbol in factors]
        launch.scratch = scratch
        launch.scratch_size = product.scratch_size(self.host.vector_bytes)
        launch.can_split = lambda n: Split.of(product, n, self.host.vector_bytes).axis != ""

    def _results(self, node: GraphNode) -> list[View]:
        return [self.fusion.views[symbol] for symbol in node.outputs]

    def _other(self, launch: Launch, node: GraphNode) -> None:
        if node.primitive.name == "reshape":
            copy = self.copy(
                self.fusion.views[node.operands[0]],
                self.fusion.views[node.outputs[0]].storage,
                node.operands[0],
                launch.name,
            )
            launch.emit = copy.emit
            return
        if node.primitive.name == "scan":
            self._scan(launch, node)
            return
        kernel = KERNELS[node.primitive.name]
        operands = [self.fusion.views[symbol] for symbol in node.operands]
        # a uniform constant is read like any other value here
        launch.reads = [view.storage for view in operands]
        results = self._results(node)
        extent = kernel.extent(node, operands, results)

        def emit(emitter: Emitter) -> None:
            kernel.emit(emitter, node, operands, results, emitter.share(extent))

        launch.emit = emit
        launch.cost = kernel.work(node, operands, results) * 0.3
        launch.can_split, launch.can_fail = lambda n_threads: extent > 1, kernel.can_fail

    def _scan(self, launch: Launch, node: GraphNode) -> None:
        body = self.nested(node.params["graph"], scans.loop_of(node))
        operands = [self._compact(symbol) for symbol in node.operands]
        results = self._results(node)
        scratch = scans.scratch_of(body)
        constants = [self._nested_constant(value) for value in body.constants]

        def emit(emitter: Emitter) -> None:
            scans.emit_scan(emitter, node, body, operands, results, scratch, constants, emitter.prefix)

        launch.emit = emit
        launch.reads = [view.storage for view in operands] + constants
        launch.scratch = scratch
        launch.can_split = lambda n_threads: False
        launch.can_fail = any(inner.can_fail for inner in body.launches)
        launch.cost = node.params["extent"].length * sum(inner.cost for inner in body.launches)

    def _compact(self, symbol: Symbol) -> View:
        """Return a value as one run of memory, copied to one if it lies otherwise."""
        view = self.fusion.views[symbol]
        if not scans.needs_copy(view, symbol in self.uniform):
            return view
        storage = Storage(Place.ARENA, -1, symbol.dtype, view.size)
        self.copies.append(self.copy(view, storage, symbol, "copy"))
        return View.whole(storage, symbol.shape)

    def _nested_constant(self, value: Array) -> Storage:
        self.nested_constants.append(value)
        index = len(self.fusion.graph.constants) + len(self.nested_constants) - 1
        return Storage(Place.CONSTANT, index, value.dtype, value.size)


def _nothing(emitter: Emitter) -> None:
    return None


def _first_axis_share(emitter: Emitter, shape: Sequence[int]) -> tuple[object, object] | None:
    if emitter.n_threads == 1 or not shape:
        return None
    return emitter.share(shape[0], emitter.vector_bytes if len(shape) == 1 else 1)


def _spread(view: View, kinds: list[int]) -> View:
    """View the result of a reduction in its domain's shape, with stride 0 along the reduced axes."""
    strides = iter(view.strides)
    sizes = iter(view.shape)
    pairs = [(1, 0) if kind == REDUCED else (next(sizes), next(strides)) for kind in kinds]
    return View(view.storage, tuple([n for n, _ in pairs]), tuple([s for _, s in pairs]), view.offset)


def ordered(launches: list[Launch]) -> list[Launch]:
    """Sort launches so that each comes after what it needs: first what can fail, else as the graph has it."""
    urgent: set[Launch] = set()
    pending = [launch for launch in launches if launch.can_fail]
    while pending:
        launch = pending.pop()
        if launch not in urgent:
            urgent.add(launch)
            pending.extend(launch.after)
    for number, launch in enumerate(launches):
        launch.number = number
    waiting = {launch: len(launch.after) for launch in launches}
    followers: dict[Launch, list[Launch]] = {launch: [] for launch in launches}
    for launch in launches:
        for earlier in launch.after:
            followers[earlier].append(launch)
    ready = [(launch not in urgent, launch.number, launch) for launch in launches if not waiting[launch]]
    heapq.heapify(ready)
    result = []
    while ready:
        launch = heapq.heappop(ready)[2]
        result.append(launch)
        for follower in followers[launch]:
            waiting[follower] -= 1
            if not waiting[follower]:
                heapq.heappush(ready, (follower not in urgent, follower.number, follower))
    if len(result) != len(launches):
        raise AssertionError("launches wait for each other in a circle")
    return result
