"""A call of a graph as one operation: how compiled functions stand on the tape, and how recomputation works.

Being a graph, it can be differentiated (by linearizing it) and batched (by tracing it again under vmap).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from slopewise.engine.aval import Array, Aval, aval_of
from slopewise.engine.errors import GradientError, ShapeError
from slopewise.engine.interpreter import run_graph
from slopewise.engine.primitive import Primitive, apply, define, is_recorded

if TYPE_CHECKING:
    from slopewise.engine.graph import Graph
    from slopewise.engine.linearize import Linearized


def call_graph(graph: Graph, inputs: Sequence[Any], *, recompute: bool = False) -> list[Any]:
    """Run a graph on tensors as one operation, which can be differentiated.

    Parameters
    ----------
    recompute : run the graph again in the backward pass, instead of keeping what that needs
    """
    if recompute or not is_recorded(inputs):
        return list(apply(call, *inputs, graph=graph, linear=None))
    tracked = tuple(tensor.requires_grad for tensor in inputs)
    linear = linearize.linearize(graph, tracked)
    return list(apply(call, *inputs, graph=linear.forward, linear=linear)[: len(graph.outputs)])


def _compute_call(*arrays: Array, graph: Graph, linear: Linearized | None) -> tuple[Array, ...]:
    return tuple(run_graph(graph, arrays))


def _call_vjp(
    g: tuple[Any, ...],
    y: tuple[Any, ...],
    *inputs: Any,
    needs: tuple[bool, ...],
    graph: Graph,
    linear: Linearized | None,
) -> list[Any]:
    if linear is None or not linear.covers(needs):
        if linear is not None and linear.n_custom is not None:
            raise GradientError(linearize.CUSTOM_CAPTURE)
        linear = linearize.linearize(graph, needs)
        y = apply(call, *inputs, graph=linear.forward, linear=None)
        g = (*g, *(None,) * linear.n_residuals)
    n_outputs = len(y) - linear.n_residuals
    cotangents = [cotangent_or_zeros(g[i], y[i]) for i in linear.cotangents]
    kept = [inputs[i] for i in linear.from_inputs]
    results = iter(call_graph(linear.backward, [*kept, *y[n_outputs:], *cotangents]))
    gradients = [next(results) if need else None for need in linear.needs]
    if all(cotangent is None for cotangent in g[n_outputs:]):
        return gradients
    # a second derivative passes through what was kept for the first
    through = _call_vjp(
        g[n_outputs:], y[n_outputs:], *inputs, needs=needs, graph=residual_graph(linear), linear=None
    )
    return [a if b is None else b if a is None else a + b for a, b in zip(gradients, through, strict=True)]


def residual_graph(linear: Linearized) -> Graph:
    """Return the forward graph with only the residuals as its outputs."""
    forward = linear.forward
    known = forward.derived.get("residuals")
    if known is None:
        outputs = forward.outputs[len(forward.outputs) - linear.n_residuals :]
        known = forward.derived["residuals"] = graphs.Graph(
            forward.inputs, forward.constants, forward.nodes, outputs
        )
        known.target = forward.target
    return known


def cotangent_or_zeros(g: Any, like: Any) -> Any:
    """Return a cotangent, zeros in place of None."""
    return ops.zeros(like.shape, like.dtype) if g is None else g


def _batch_call(
    operands: Sequence[Any], batched: Sequence[bool], size: int, graph: Graph, linear: Linearized | None
) -> tuple[Any, ...]:
    inside = tuple(batched)
    if linear is None:
        result = apply(call, *operands, graph=batched_graph(graph, inside, size), linear=None)
    else:
        later = tuple(inside[i] for i in linear.from_inputs)
        later += (True,) * (linear.n_residuals + len(linear.cotangents))
        forward = batched_graph(linear.forward, inside, size)
        backward = batched_graph(linear.backward, later, size)
        both = linear._replace(forward=forward, backward=backward)
        result = apply(call, *operands, graph=forward, linear=both)
    return tuple(result)


def batched_graph(graph: Graph, batched: tuple[bool, ...], size: int) -> Graph:
    """Return a graph that does for a batch, on axis 0 of all outputs, what another does for an example."""
    key = ("batched", batched, size)
    if key not in graph.derived:
        with trace.tracing(once=True) as opened:
            whole = [
                Tensor._from_ref(
                    Ref(opened.input(Aval((size, *symbol.shape) if b else symbol.shape, symbol.dtype)))
                )
                for symbol, b in zip(graph.inputs, batched, strict=True)
            ]
            level = opened.level + 1
            with changed_mode(level=level):
                inputs = [vmap.wrap(t, level) if b else t for t, b in zip(whole, batched, strict=True)]
                results = linearize.replay(graph, inputs)
            outputs = [opened.symbol_of(vmap.unwrap(result, level, size)) for result in results]
        batch = graphs.Graph(opened.inputs, opened.constants, opened.nodes, outputs)
        batch.target = graph.target
        graph.derived[key] = batch
    return graph.derived[key]  # type: ignore[no-any-return]


def _infer_call(*avals: Aval, graph: Graph, linear: Linearized | None) -> tuple[Aval, ...]:
    check_inputs("call", avals, list(map(aval_of, graph.inputs)))
    return graph.output_avals


def check_inputs(name: str, given: Sequence[Aval], expected: Sequence[Aval]) -> None:
    """Raise ShapeError unless a graph is given what its inputs declare."""
    if list(given) != list(expected):
        came, wanted = (", ".join(map(str, avals)) for avals in (given, expected))
        raise ShapeError(f"'{name}' gives {came} to a graph that takes {wanted}")


call: Primitive = define(
    "call",
    infer=_infer_call,
    compute=_compute_call,
    vjp=_call_vjp,
    batch=_batch_call,
    outputs=None,
    saves="xy",
)

from slopewise.engine import graph as graphs  # noqa: E402
from slopewise.engine import linearize, ops, trace, vmap  # noqa: E402  (these are made of primitives)
from slopewise.engine.mode import changed_mode  # noqa: E402
from slopewise.engine.tape import Ref  # noqa: E402
from slopewise.engine.tensor import Tensor  # noqa: E402
