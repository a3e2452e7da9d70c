"""From a traced graph to one that does the same with less: each pass takes a graph and returns one.

A pass changes no bit of what the graph computes; only what nothing reads may go, an error included.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from slopewise.compiler.passes.algebra import algebra
from slopewise.compiler.passes.dead import dead
from slopewise.compiler.passes.fold import fold
from slopewise.compiler.passes.inline import inline, release
from slopewise.compiler.passes.rewriting import with_bodies
from slopewise.compiler.passes.subexpressions import subexpressions
from slopewise.engine.graph import Graph, GraphError, verify

Pass = Callable[[Graph], Graph]


def optimize(graph: Graph) -> Graph:
    """Run all passes over a graph and the graphs in it.

    The result has the inputs of the graph and the number and order of its outputs; it is kept with the graph.
    With SLOPEWISE_VERIFY=1, and in tests, each pass is checked.

    Examples
    --------
    >>> import slopewise as sw
    >>> from slopewise.engine.trace import trace_function
    >>> print(optimize(trace_function(lambda x: sw.exp(x * 1.0) + sw.exp(x), (sw.tensor([1.0, 2.0]),)).graph))
    graph(a: float32[2]) {
      b: float32[2] = exp(a)
      c: float32[2] = add(b, b)
      return c
    }
    """
    known = graph.derived.get("optimized")
    if known is None:
        known = graph
        for apply in PASSES:
            known = _checked(apply, known) if _checks() else apply(known)
        known.derived["optimized"] = graph.derived["optimized"] = known
    result: Graph = known
    return result


def optimize_bodies(graph: Graph) -> Graph:
    """Run all passes over the graphs in a graph's nodes."""
    nodes = [with_bodies(node, optimize) for node in graph.nodes]
    return graph if nodes == graph.nodes else Graph(graph.inputs, graph.constants, nodes, graph.outputs)


PASSES: tuple[Pass, ...] = (
    inline,
    optimize_bodies,
    dead,
    fold,
    subexpressions,
    algebra,
    fold,
    subexpressions,
    release,
    algebra,
    dead,
)


def _checks() -> bool:
    return os.environ.get("SLOPEWISE_VERIFY") == "1" or "PYTEST_CURRENT_TEST" in os.environ


def _checked(apply: Pass, graph: Graph) -> Graph:
    """Apply a pass and check that its result is well formed and can be called as before."""
    result = apply(graph)
    name = getattr(apply, "__name__", repr(apply))
    try:
        verify(result)
    except GraphError as error:
        raise GraphError(f"after the pass '{name}': {error}") from error
    if result.inputs != graph.inputs or result.output_avals != graph.output_avals:
        raise GraphError(f"the pass '{name}' changed the inputs or outputs of a graph")
    return result


__all__ = ["PASSES", "Pass", "algebra", "dead", "fold", "inline", "optimize", "release", "subexpressions"]
