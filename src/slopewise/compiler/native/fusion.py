"""Which nodes of a graph run together, in one loop nest: elementwise chains with what they feed or follow.

A group is one kernel. It runs over a domain, the shape of its loops:

- a map computes elementwise nodes of one shape;
- a reduction has maps of its operand's shape in front of it, and several reductions over the same axes;
- a product is a matrix product, with maps of its result's shape behind it;
- what remains is a group by itself.

Nodes that only arrange elements anew make views, and belong to no group; where a reshape cannot be a view,
it is a copy and a group by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property

from slopewise.compiler.native.emission.views import Place, Storage, View
from slopewise.compiler.native.kernels.powers import can_be_refused
from slopewise.engine.aval import Shape
from slopewise.engine.graph import Graph, GraphNode, Symbol

VIEWS = frozenset({"reshape", "transpose", "broadcast_to", "slice", "flip", "windows", "detach", "alias"})
MOST_NODES = 64
"""Of one group: LLVM takes a time that grows with the square of a kernel's length, and registers run out."""

REDUCTIONS = frozenset({"sum", "prod", "max", "min", "any", "all"})


class Kind(Enum):
    """What a group is built around."""

    MAP = auto()
    REDUCTION = auto()
    PRODUCT = auto()
    OTHER = auto()


@dataclass(eq=False)
class Group:
    """Nodes that run as one kernel.

    Attributes
    ----------
    domain : the shape that its loops run over
    nodes : in order; a product's first node is the matrix product
    maps : the values that exist at each point of the domain
    axes : over which a reduction runs
    before : the groups that must have run, also indirectly
    """

    kind: Kind
    domain: Shape
    nodes: list[GraphNode] = field(default_factory=list)
    maps: set[Symbol] = field(default_factory=set)
    axes: tuple[int, ...] | None = None
    before: set[Group] = field(default_factory=set)

    @property
    def map_nodes(self) -> list[GraphNode]:
        return [node for node in self.nodes if is_elementwise(node)]

    @property
    def reductions(self) -> list[GraphNode]:
        return [node for node in self.nodes if node.primitive.name in REDUCTIONS]


def is_elementwise(node: GraphNode) -> bool:
    """Tell whether each element of a result depends on one element of each operand."""
    return node.primitive.elementwise and node.primitive.name not in VIEWS and not can_be_refused(node)


class Fusion:
    """The groups of a graph, and how values lie with respect to them.

    Attributes
    ----------
    groups : in the order in which they were begun; sorting them is the schedule's business
    producer : the group that computes a value
    views : how each value lies in memory; for those that stay in registers, how it would
    roots : the value whose memory a view looks at, by the view's symbol
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.groups: list[Group] = []
        self.producer: dict[Symbol, Group] = {}
        self.views: dict[Symbol, View] = {}
        self.roots: dict[Symbol, Symbol] = {}
        self._last_of_shape: dict[Shape, Group] = {}
        for index, symbol in enumerate(graph.inputs):
            self._give_storage(symbol, Place.INPUT, index)
        for index, symbol in enumerate(graph.constants):
            self._give_storage(symbol, Place.CONSTANT, index)
        for node in graph.nodes:
            self._place(node)

    def root(self, symbol: Symbol) -> Symbol:
        """Return the value whose memory a view looks at."""
        return self.roots.get(symbol, symbol)

    def stored(self, group: Group) -> list[Symbol]:
        """Return those results of a group that others need, in order."""
        wanted = self._wanted
        return [symbol for node in group.nodes for symbol in node.outputs if symbol in wanted[group]]

    @cached_property
    def _wanted(self) -> dict[Group, set[Symbol]]:
        wanted: dict[Group, set[Symbol]] = {group: set() for group in self.groups}
        for group in self.groups:
            for node in group.nodes:
                self._want(wanted, node.operands, group)
                if not is_elementwise(node) and group.kind is not Kind.PRODUCT:
                    wanted[group].update(node.outputs)
        self._want(wanted, self.graph.outputs, None)
        return wanted

    def _want(
        self, wanted: dict[Group, set[Symbol]], symbols: Iterable[Symbol], reader: Group | None
    ) -> None:
        for symbol in symbols:
            root = self.root(symbol)
            producer = self.producer.get(root)
            if producer is not None and (producer is not reader or symbol is not root):
                wanted[producer].add(root)

    # ---- placing one node after the other

    def _place(self, node: GraphNode) -> None:
        name = node.primitive.name
        if name in VIEWS:
            view = _arrange(node, self.views[node.operands[0]])
            if view is not None:
                self.views[node.outputs[0]] = view
                self.roots[node.outputs[0]] = self.root(node.operands[0])
                return
        if is_elementwise(node):
            group = self._map_group(node) or self._begin(Kind.MAP, node.outputs[0].shape)
            group.maps.add(node.outputs[0])
            if group.kind is not Kind.PRODUCT:
                self._last_of_shape[group.domain] = group
        elif name in REDUCTIONS:
            group = self._reduction_group(node) or self._begin(Kind.REDUCTION, node.operands[0].shape)
            group.kind, group.axes = Kind.REDUCTION, node.params["axes"]
        elif name == "matmul":
            group = self._begin(Kind.PRODUCT, node.outputs[0].shape)
            group.maps.add(node.outputs[0])
        else:
            group = self._begin(Kind.OTHER, node.outputs[0].shape)
        group.nodes.append(node)
        for symbol in node.outputs:
            self.producer[symbol] = group
            self._give_storage(symbol, Place.ARENA, -1)
        group.before.update(self._ancestors(node))
        group.before.discard(group)
        self._tell_followers(group)

    def _give_storage(self, symbol: Symbol, place: Place, index: int) -> None:
        size = math.prod(symbol.shape)
        self.views[symbol] = View.whole(Storage(place, index, symbol.dtype, size), symbol.shape)

    def _begin(self, kind: Kind, domain: Shape) -> Group:
        group = Group(kind, domain)
        self.groups.append(group)
        return group

    def _direct(self, node: GraphNode) -> set[Group]:
        producers = (self.producer.get(self.root(symbol)) for symbol in node.operands)
        return {producer for producer in producers if producer is not None}

    def _ancestors(self, node: GraphNode) -> set[Group]:
        direct = self._direct(node)
        return direct.union(*(group.before for group in direct))

    def _tell_followers(self, group: Group) -> None:
        """A group that grew needs more groups before it: so do those that follow it."""
        for other in self.groups:
            if group in other.before:
                other.before |= group.before

    def _map_group(self, node: GraphNode) -> Group | None:
        """Return a group that an elementwise node can join: one that computes an operand, or a like one."""
        domain = node.outputs[0].shape
        candidates = [self.producer[symbol] for symbol in node.operands if symbol in self.producer]
        if domain in self._last_of_shape:
            candidates.append(self._last_of_shape[domain])
        candidates.sort(key=self.groups.index, reverse=True)
        return next((group for group in candidates if self._can_join(node, group, domain)), None)

    def _can_join(self, node: GraphNode, group: Group, domain: Shape) -> bool:
        if group.kind is Kind.OTHER or group.domain != domain or len(group.nodes) >= MOST_NODES:
            return False
        for symbol in node.operands:
            root = self.root(symbol)
            producer = self.producer.get(root)
            if producer is group:
                # what is looked at through a view, or is reduced, exists only after the loops
                if symbol is not root or symbol not in group.maps:
                    return False
            elif producer is not None and group in producer.before:
                return False
        return True

    def _reduction_group(self, node: GraphNode) -> Group | None:
        symbol = node.operands[0]
        group = self.producer.get(symbol)
        if group is None or symbol not in group.maps or group.domain != symbol.shape:
            return None
        if group.kind is Kind.MAP or (group.kind is Kind.REDUCTION and group.axes == node.params["axes"]):
            return group
        return None


def _arrange(node: GraphNode, view: View) -> View | None:
    """Return the view that a node makes of another; None if the elements must be copied."""
    params, shape = node.params, node.outputs[0].shape
    match node.primitive.name:
        case "reshape":
            return view.reshape(shape)
        case "transpose":
            return view.transpose(params["axes"])
        case "broadcast_to":
            return view.broadcast(shape)
        case "slice":
            return view.slice(params["starts"], params["steps"], shape)
        case "flip":
            return view.flip(params["axes"])
        case "windows":
            return view.windows(params["window"], params["stride"], params["dilation"], shape)
        case _:  # detach, alias
            return view
