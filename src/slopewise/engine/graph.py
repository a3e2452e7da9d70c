"""The graph that a trace records: values, nodes, a verifier and a readable print."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from slopewise.engine.aval import Array, Aval, Dtype, Shape, aval_of
from slopewise.engine.errors import SlopewiseError

if TYPE_CHECKING:
    from slopewise.engine.primitive import Primitive
    from slopewise.engine.trace import Trace


Target = Callable[["Graph", Sequence[Array]], list[Array]]


class Symbol:
    """A value in a graph: only its shape and dtype are known."""

    __slots__ = ("dtype", "shape", "trace")

    def __init__(self, aval: Aval, trace: Trace) -> None:
        self.shape: Shape = aval.shape
        self.dtype: Dtype = aval.dtype
        self.trace = trace


class GraphNode:
    """One operation of a graph.

    `recorded` is False for what ran under `no_grad`: gradients do not pass there when the graph is
    differentiated. `line` says where the user called it, for messages; empty where a pass has made the node.
    """

    __slots__ = ("line", "operands", "outputs", "params", "primitive", "recorded")

    def __init__(
        self,
        primitive: Primitive,
        operands: tuple[Symbol, ...],
        params: dict[str, Any],
        outputs: tuple[Symbol, ...],
        recorded: bool,
        line: str = "",
    ) -> None:
        self.primitive = primitive
        self.operands = operands
        self.params = params
        self.outputs = outputs
        self.recorded = recorded
        self.line = line


class Graph:
    """A straight-line program in single assignment: inputs, constants, nodes in order, outputs.

    Attributes
    ----------
    derived : graphs and programs made from this one (its linearization, its machine code), by key
    target : what runs it, (graph, inputs) -> outputs; None for the interpreter. Graphs made from this one to
        be run in its place have the same
    """

    __slots__ = ("__weakref__", "constants", "derived", "inputs", "nodes", "outputs", "target")

    def __init__(
        self,
        inputs: list[Symbol],
        constants: dict[Symbol, Array],
        nodes: list[GraphNode],
        outputs: list[Symbol],
    ) -> None:
        self.inputs = inputs
        self.constants = constants
        self.nodes = nodes
        self.outputs = outputs
        self.derived: dict[Any, Any] = {}
        self.target: Target | None = None

    @property
    def output_avals(self) -> tuple[Aval, ...]:
        return tuple(map(aval_of, self.outputs))

    def host_nodes(self) -> list[GraphNode]:
        """Return the nodes that only the interpreter can run."""
        return [node for node in self.nodes if not node.primitive.core]

    def __str__(self) -> str:
        return format_graph(self)


def _subgraphs(node: GraphNode) -> Iterator[tuple[str, Graph]]:
    for key, value in node.params.items():
        if isinstance(value, Graph):
            yield key, value


def _names() -> Iterator[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    for number in count():
        name = ""
        rest = number
        while True:
            name = letters[rest % 26] + name
            rest = rest // 26 - 1
            if rest < 0:
                break
        yield name


def value_names(graph: Graph) -> dict[Symbol, str]:
    """Return the names that a graph's values have in print: inputs, constants, then results in order."""
    made = [symbol for node in graph.nodes for symbol in node.outputs]
    return dict(zip((*graph.inputs, *graph.constants, *made), _names(), strict=False))


def _constant_text(value: Array) -> str:
    if value.size <= 4:
        return np.array2string(value, separator=", ").replace("\n", "")
    return f"constant {aval_of(value)}"


def format_graph(graph: Graph, indent: str = "") -> str:
    """Return a graph as text, one line a node.

    Examples
    --------
    >>> import slopewise as sw
    >>> from slopewise.engine.trace import trace_function
    >>> print(trace_function(lambda x: x * 2.0 + 1.0, (sw.tensor([1.0, 2.0]),)).graph)
    graph(a: float32[2]) {
      b = 2.
      c = 1.
      d: float32[2] = mul(a, b)
      e: float32[2] = add(d, c)
      return e
    }
    """
    fresh = _names()
    names: dict[Symbol, str] = {symbol: next(fresh) for symbol in graph.inputs}
    header = ", ".join(f"{names[symbol]}: {aval_of(symbol)}" for symbol in graph.inputs)
    lines = [f"graph({header}) {{"]
    for symbol, value in graph.constants.items():
        names[symbol] = next(fresh)
        lines.append(f"  {names[symbol]} = {_constant_text(value)}")
    for node in graph.nodes:
        operands = [names.get(symbol, "?") for symbol in node.operands]
        targets = []
        for symbol in node.outputs:
            names[symbol] = next(fresh)
            targets.append(f"{names[symbol]}: {aval_of(symbol)}")
        # how a graph is differentiated ("linear") is no part of what it computes
        arguments = operands + [
            f"{key}={value}"
            for key, value in node.params.items()
            if key != "linear" and not isinstance(value, Graph)
        ]
        arguments += [f"{key}={format_graph(body, indent + '  ').strip()}" for key, body in _subgraphs(node)]
        mark = "" if node.recorded else "  # no gradient"
        lines.append(f"  {', '.join(targets)} = {node.primitive.name}({', '.join(arguments)}){mark}")
    lines.append(f"  return {', '.join(names.get(symbol, '?') for symbol in graph.outputs)}")
    lines.append("}")
    return "\n".join(indent + line for line in lines)


class GraphError(SlopewiseError):
    """A graph that breaks its own rules: a defect of Slopewise, not of its user."""


def verify(graph: Graph) -> None:
    """Check that a graph is well formed; raises GraphError that names the node.

    Each value is defined once and before it is used, each node's results have the shapes and dtypes that its
    primitive states, and the graphs inside of nodes are well formed too.
    """
    defined: set[Symbol] = set()
    for symbol in (*graph.inputs, *graph.constants):
        if symbol in defined:
            raise GraphError("a value is defined twice among inputs and constants")
        defined.add(symbol)
    for symbol, value in graph.constants.items():
        if aval_of(symbol) != aval_of(value):
            raise GraphError(f"constant {aval_of(value)} is declared as {aval_of(symbol)}")
    for number, node in enumerate(graph.nodes):
        where = f"node {number} ({node.primitive.name})"
        for symbol in node.operands:
            if symbol not in defined:
                raise GraphError(f"{where} uses a value that is not defined before it")
        try:
            inferred = node.primitive.infer(*map(aval_of, node.operands), **node.params)
        except SlopewiseError as error:
            raise GraphError(f"{where}: {error}") from error
        expected = (inferred,) if node.primitive.outputs == 1 else tuple(inferred)
        if expected != tuple(map(aval_of, node.outputs)):
            made = ", ".join(str(aval_of(symbol)) for symbol in node.outputs)
            raise GraphError(f"{where} should make {', '.join(map(str, expected))}, not {made}")
        for symbol in node.outputs:
            if symbol in defined:
                raise GraphError(f"{where} defines a value again")
            defined.add(symbol)
        for _, body in _subgraphs(node):
            verify(body)
    for symbol in graph.outputs:
        if symbol not in defined:
            raise GraphError("the graph returns a value that it does not define")
