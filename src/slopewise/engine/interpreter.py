"""The reference target: runs a graph in NumPy, one node at a time. Every other target must reproduce it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from slopewise.engine.aval import Array
from slopewise.engine.errors import SlopewiseError
from slopewise.engine.graph import Graph, Symbol


def last_uses(graph: Graph) -> list[list[Symbol]]:
    """Return, for each node, the values that nothing needs after it."""
    kept = {*graph.outputs, *graph.constants}
    releases: list[list[Symbol]] = [[] for _ in graph.nodes]
    seen = set(kept)
    for position in range(len(graph.nodes) - 1, -1, -1):
        node = graph.nodes[position]
        for symbol in (*node.operands, *node.outputs):
            if symbol not in seen:
                seen.add(symbol)
                releases[position].append(symbol)
    return releases


class _Instruction(NamedTuple):
    """A node with its values' places in a list."""

    name: str
    compute: Callable[..., Any]
    params: dict[str, Any]
    operands: tuple[int, ...]
    outputs: tuple[int, ...]
    single: bool
    finished: tuple[int, ...]  # the places that nothing needs afterwards


class _Program(NamedTuple):
    """A graph as a list of instructions: a list index costs less than a look-up."""

    n_places: int
    constants: list[tuple[int, Array]]
    instructions: list[_Instruction]
    outputs: tuple[int, ...]


def _program(graph: Graph) -> _Program:
    places: dict[Symbol, int] = {}
    for symbol in (*graph.inputs, *graph.constants):
        places[symbol] = len(places)
    instructions = []
    for node, finished in zip(graph.nodes, last_uses(graph), strict=True):
        operands = tuple([places[symbol] for symbol in node.operands])
        for symbol in node.outputs:
            places[symbol] = len(places)
        instructions.append(
            _Instruction(
                node.primitive.name,
                node.primitive.compute,
                node.params,
                operands,
                tuple([places[symbol] for symbol in node.outputs]),
                node.primitive.outputs == 1,
                tuple([places[symbol] for symbol in finished]),
            )
        )
    constants = [(places[symbol], value) for symbol, value in graph.constants.items()]
    return _Program(len(places), constants, instructions, tuple([places[s] for s in graph.outputs]))


def run_graph(graph: Graph, inputs: Sequence[Array]) -> list[Array]:
    """Run a graph in its target, or here if it has none; parameters and result as of `interpret`."""
    return interpret(graph, inputs) if graph.target is None else graph.target(graph, inputs)


def interpret(graph: Graph, inputs: Sequence[Array]) -> list[Array]:
    """Evaluate a graph in NumPy; each intermediate value is dropped after its last use.

    Parameters
    ----------
    graph : a verified graph
    inputs : an array for each of its inputs, of the shape and dtype declared

    Returns
    -------
    list of arrays, one per output
    """
    program = graph.derived.get("program")
    if program is None:
        program = graph.derived.setdefault("program", _program(graph))
    if len(inputs) != len(graph.inputs):
        raise ValueError(f"a graph with {len(graph.inputs)} inputs was given {len(inputs)} inputs")
    values: list[Any] = [None] * program.n_places
    values[: len(inputs)] = inputs
    del inputs
    for place, value in program.constants:
        values[place] = value
    with np.errstate(all="ignore"):
        for name, compute, params, operands, outputs, single, finished in program.instructions:
            try:
                result = compute(*[values[place] for place in operands], **params)
            except SlopewiseError:
                raise
            except (ValueError, TypeError, IndexError, np.linalg.LinAlgError) as error:
                raise SlopewiseError(f"{name}: {error}") from error
            if single:
                values[outputs[0]] = result if type(result) is np.ndarray else np.asarray(result)
            else:
                for place, value in zip(outputs, result, strict=True):
                    values[place] = value
            del result
            for place in finished:
                values[place] = None
    return [values[place] for place in program.outputs]
