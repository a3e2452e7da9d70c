"""From a graph to two: one that also keeps what the backward pass needs, and the backward pass.

Both are graphs like any other, so that they run in every target and can be linearized again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from slopewise.engine import ops
from slopewise.engine.aval import aval_of, is_floating
from slopewise.engine.graph import Graph, Symbol
from slopewise.engine.mode import changed_mode
from slopewise.engine.primitive import apply
from slopewise.engine.pullback import pullback
from slopewise.engine.tape import Ref
from slopewise.engine.tensor import Tensor
from slopewise.engine.trace import Trace, tracing
from slopewise.engine.transforms import mark


def replay(graph: Graph, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Apply a graph's primitives to tensors again: recorded, traced or batched as anything else."""
    values: dict[Symbol, Tensor] = dict(zip(graph.inputs, inputs, strict=True))
    for symbol, constant in graph.constants.items():
        values[symbol] = ops.as_tensor(constant)
    for node in graph.nodes:
        operands = [values[symbol] for symbol in node.operands]
        if node.recorded:
            result = apply(node.primitive, *operands, **node.params)
        else:
            with changed_mode(recording=0):
                result = apply(node.primitive, *operands, **node.params)
        if node.primitive.outputs == 1:
            values[node.outputs[0]] = result
        else:
            values.update(zip(node.outputs, result, strict=True))
    return [values[symbol] for symbol in graph.outputs]


CUSTOM_CAPTURE = (
    "a function with a custom gradient uses a tracked tensor from outside, for which it gives no gradient; "
    "make it an argument of the function, or detach() it"
)


class Linearized(NamedTuple):
    """A graph in two parts.

    `forward` takes the graph's inputs and returns its outputs, then the residuals. `backward` takes the
    inputs listed in `from_inputs`, the residuals, then a cotangent per floating output; it returns the
    gradients of the needed inputs.
    """

    forward: Graph
    backward: Graph
    from_inputs: tuple[int, ...]
    n_residuals: int
    cotangents: tuple[int, ...]  # which outputs have one
    needs: tuple[bool, ...]  # which inputs get a gradient
    n_custom: int | None = None  # of a custom gradient: to how many inputs, the first ones, it belongs

    def covers(self, needs: Sequence[bool]) -> bool:
        """Tell whether all inputs that need a gradient get one.

        A part that was linearized for some inputs may be differentiated again by others, when the graph that
        it stands in is. A custom gradient says of its arguments itself which have none.
        """
        first = self.n_custom or 0
        return all(have or not need for have, need in zip(self.needs[first:], needs[first:], strict=True))


def linearize(graph: Graph, needs: tuple[bool, ...], changing: frozenset[int] = frozenset()) -> Linearized:
    """Split a graph and its pullback, for the inputs that need a gradient; the result is kept with the graph.

    Parameters
    ----------
    changing : inputs that will not be at hand in the backward pass (the carry of a loop); they are kept as
        residuals
    """
    key = ("linearize", needs, changing)
    known = graph.derived.get(key)
    if known is None:
        known = graph.derived[key] = _linearize(graph, needs, changing)
        known.forward.target = known.backward.target = graph.target
    return known


def _linearize(graph: Graph, needs: tuple[bool, ...], changing: frozenset[int]) -> Linearized:
    with tracing(once=True) as trace, changed_mode(recording=-1):
        symbols = [trace.input(aval_of(symbol)) for symbol in graph.inputs]
        inputs = [Tensor._from_ref(Ref(symbol)) for symbol in symbols]
        marked = [mark(t) if need else t for t, need in zip(inputs, needs, strict=True)]
        outputs = replay(graph, marked)
        output_symbols = [trace.symbol_of(output) for output in outputs]
        n_forward = len(trace.nodes)
        constants = dict(trace.constants)
        places = tuple(i for i, output in enumerate(outputs) if is_floating(output.dtype))
        cotangents = [Symbol(aval_of(output_symbols[i]), trace) for i in places]
        pairs = [
            (outputs[i]._ref, Tensor._from_ref(Ref(symbol)))
            for i, symbol in zip(places, cotangents, strict=True)
            if outputs[i]._ref.node is not None
        ]
        sources = [t for t, need in zip(marked, needs, strict=True) if need]
        found = pullback(pairs, [t._ref for t in sources])
        gradients = []
        for source in sources:
            assert source._ref.node is not None
            gradient = found.get((source._ref.node, source._ref.index))
            gradients.append(
                trace.symbol_of(ops.zeros(source.shape, source.dtype) if gradient is None else gradient)
            )
    forward = Graph(symbols, constants, trace.nodes[:n_forward], output_symbols)
    return split_trace(trace, forward, places, cotangents, gradients, needs, changing)


def split_trace(
    trace: Trace,
    forward: Graph,
    places: tuple[int, ...],
    cotangents: list[Symbol],
    gradients: list[Symbol],
    needs: tuple[bool, ...],
    changing: frozenset[int],
) -> Linearized:
    """Cut a trace after its forward part; what the backward part uses of it are the residuals."""
    later = trace.nodes[len(forward.nodes) :]
    made_later = {symbol for node in later for symbol in node.outputs} | set(cotangents)
    used = list(dict.fromkeys([symbol for node in later for symbol in node.operands] + gradients))
    crossing = [symbol for symbol in used if symbol not in made_later and symbol not in trace.constants]
    from_inputs = tuple(
        i for i, symbol in enumerate(forward.inputs) if symbol in crossing and i not in changing
    )
    at_hand = [forward.inputs[i] for i in from_inputs]
    residuals = [symbol for symbol in crossing if symbol not in at_hand]
    constants = {symbol: trace.constants[symbol] for symbol in used if symbol in trace.constants}
    backward = Graph([*at_hand, *residuals, *cotangents], constants, later, gradients)
    forward.outputs.extend(residuals)
    return Linearized(forward, backward, from_inputs, len(residuals), places, needs)
