"""Backward passes that come again run as a graph.

A training loop walks tapes of one and the same structure over and over. The second time that a structure is
met, its pullback is traced once; from then on the graph runs instead, at a fraction of the cost of a rule
and a few tensors per node. The operations and their order, and so the bits, are the same.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from slopewise.engine.aval import Array, Buffer, aval_of
from slopewise.engine.graph import Graph, Symbol
from slopewise.engine.interpreter import run_graph
from slopewise.engine.primitives.call import call
from slopewise.engine.primitives.loop import scan
from slopewise.engine.pullback import pullback
from slopewise.engine.tape import Leaf, Node, Ref, inputs_of
from slopewise.engine.tensor import Tensor
from slopewise.engine.trace import Trace, tracing

MOST_NODES = 512  # longer tapes spend their time in the operations
MOST_PLANS = 256  # then all are forgotten: who makes new structures all the time is not helped by plans


class _Place(NamedTuple):
    """Where on a tape a saved value stands."""

    node: int
    is_input: bool
    position: int


class Plan(NamedTuple):
    """The graph of a pullback: from a seed and saved values to the gradients of leaves."""

    graph: Graph
    places: tuple[_Place, ...]
    leaves: tuple[int, ...]

    def run(self, nodes: Sequence[Node | Leaf], seed: Array, retain_graph: bool) -> list[tuple[Leaf, Tensor]]:
        """Return the leaves of a tape with their gradients; free the tape unless it is to be retained."""
        leaves = [nodes[place] for place in self.leaves]
        gradients = run_graph(self.graph, self._saved_values(nodes, seed, retain_graph))
        return [
            (leaf, Tensor._from_ref(Ref(gradient)))
            for leaf, gradient in zip(leaves, gradients, strict=True)
            if isinstance(leaf, Leaf)
        ]

    def _saved_values(self, nodes: Sequence[Node | Leaf], seed: Array, retain_graph: bool) -> list[Array]:
        values = [seed]
        for number, is_input, position in self.places:
            node = nodes[number]
            assert isinstance(node, Node)
            saved = inputs_of(node)[position].buffer if is_input else node.outputs[position]
            values.append(saved)  # type: ignore[arg-type]
        if not retain_graph:
            for node in nodes:
                if isinstance(node, Node):
                    node.release()
        return values


_plans: dict[Hashable, Any] = {}  # by structure: a Plan, _SEEN_ONCE, or None for what cannot be planned


def plan_for(nodes: Sequence[Node | Leaf], root: Ref) -> Plan | None:
    """Return the plan for a tape of this structure, or None if this is the first of its kind.

    Parameters
    ----------
    nodes : the whole tape behind `root`, oldest first
    root : the value to differentiate, made by the last of the nodes
    """
    if len(nodes) > MOST_NODES or nodes[-1] is not root.node:
        return None
    structure = _structure(nodes)
    if structure is None:
        return None
    key = (structure, root.index, root.buffer.shape)
    try:
        known = _plans.get(key, _NEW)
    except TypeError:  # a parameter that cannot be hashed
        return None
    if known is _NEW:
        if len(_plans) >= MOST_PLANS:
            _plans.clear()
        _plans[key] = _SEEN_ONCE
        return None
    if known is not _SEEN_ONCE:
        return known  # type: ignore[no-any-return]
    plan = _plans[key] = _trace_plan(nodes, root)
    return plan


# they hold graphs, often new ones each time, and are few nodes for much work
_UNPLANNED = (call, scan)
_NEW: object = object()
_SEEN_ONCE: object = object()


def _structure(nodes: Sequence[Node | Leaf]) -> Hashable | None:
    """Return what gradient rules can see of a tape but for the values, or None if it is not to be planned.

    That is primitives, parameters, edges, shapes and dtypes. The rules of host primitives may look at values.
    """
    positions: dict[Node | Leaf, int] = {}
    parts: list[Hashable] = []
    for node in nodes:
        positions[node] = len(positions)
        if isinstance(node, Leaf):
            parts.append(node.aval)
            continue
        if node.primitive in _UNPLANNED or not node.primitive.core:
            return None
        part: list[Hashable] = [node.primitive, *node.params.values()]
        for ref in inputs_of(node):
            if ref.node is None:
                part.append(ref.buffer.shape)
                part.append(ref.buffer.dtype)
            else:
                part.append(positions[ref.node])
                part.append(ref.index)
        parts.append(tuple(part))
    return tuple(parts)


def _trace_plan(nodes: Sequence[Node | Leaf], root: Ref) -> Plan | None:
    """Walk a copy of the tape back that holds symbols in place of values."""
    with tracing(once=True) as trace:
        seed = trace.input(aval_of(root.buffer))
        twins, places = _copy_tape(nodes, trace)
        twin_root = Ref(aval_of(root.buffer), twins[-1], root.index)
        found = pullback([(twin_root, Tensor._from_ref(Ref(seed)))], None)
        leaves = tuple(i for i, node in enumerate(nodes) if isinstance(node, Leaf))
        gradients = [trace.symbol_of(found[twins[i], 0]) for i in leaves]
    if trace.captured:
        return None
    used = {symbol for node in trace.nodes for symbol in node.operands} | set(gradients)
    needed = [symbol for symbol in places if symbol in used]
    graph = Graph([seed, *needed], trace.constants, trace.nodes, gradients)
    return Plan(graph, tuple(places[symbol] for symbol in needed), leaves)


def _copy_tape(nodes: Sequence[Node | Leaf], trace: Trace) -> tuple[list[Node | Leaf], dict[Symbol, _Place]]:
    """Return nodes like a tape's with a symbol for each value, and where each symbol's value stands."""
    numbers = {node: number for number, node in enumerate(nodes)}
    twins: list[Node | Leaf] = []
    places: dict[Symbol, _Place] = {}

    def symbol_for(buffer: Buffer, place: _Place) -> Buffer:
        if not isinstance(buffer, np.ndarray):
            return buffer  # only the shape was kept
        symbol = Symbol(aval_of(buffer), trace)
        places[symbol] = place
        return symbol

    for number, node in enumerate(nodes):
        if isinstance(node, Leaf):
            twins.append(Leaf(node.aval))
            continue
        inputs = [
            Ref(
                symbol_for(ref.buffer, _Place(number, True, i)),
                None if ref.node is None else twins[numbers[ref.node]],
                ref.index,
            )
            for i, ref in enumerate(inputs_of(node))
        ]
        outputs = [symbol_for(buffer, _Place(number, False, i)) for i, buffer in enumerate(node.outputs)]
        twins.append(Node(node.primitive, node.params, tuple(inputs), tuple(outputs), trace))
    return twins, places
