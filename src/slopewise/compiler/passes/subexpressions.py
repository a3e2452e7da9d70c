"""Common subexpressions: what is computed twice is computed once (local value numbering)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from slopewise.compiler.passes.rewriting import Rewriting
from slopewise.engine.aval import Array
from slopewise.engine.graph import Graph, GraphNode


def subexpressions(graph: Graph) -> Graph:
    """Let one node stand for all that apply the same primitive to the same operands.

    That holds for random bits too, which are a function of their address. Operands are compared in order: a
    sum is the same number either way round, but which NaN comes out of two is not.
    """
    new = Rewriting(graph)
    _merge_constants(new)
    made: dict[Hashable, GraphNode] = {}
    for node in graph.nodes:
        operands = new.operands(node)
        key = (node.primitive, operands, *_params_key(node.params))
        first = made.get(key)
        if first is None:
            made[key] = new.keep(node, operands)
        else:
            for symbol, same in zip(node.outputs, first.outputs, strict=True):
                new.replace(symbol, same)
    return new.finish()


def _merge_constants(new: Rewriting) -> None:
    """Let one constant stand for all of its shape, dtype and bits: 0.0 and -0.0 are two."""
    merged: dict[Hashable, Any] = {}
    for symbol, value in list(new.constants.items()):
        first = merged.setdefault((symbol.shape, symbol.dtype, _bits(value)), symbol)
        if first is not symbol:
            new.replace(symbol, first)
            del new.constants[symbol]


MOST_BYTES = 1 << 16  # larger constants are equal if they are one array; to read them all would cost more


def _bits(value: Array) -> Hashable:
    return value.tobytes() if value.nbytes <= MOST_BYTES else id(value)


def _params_key(params: dict[str, Any]) -> list[Hashable]:
    return [(key, _value_key(value)) for key, value in params.items()] if params else []


def _value_key(value: Any) -> Hashable:
    if isinstance(value, np.ndarray):
        return (value.shape, value.dtype, value.tobytes())
    if isinstance(value, Graph):
        return id(value)
    if isinstance(value, float):
        return value.hex()  # 0.0 and -0.0 are equal, nan is not equal to itself
    return value  # type: ignore[no-any-return]
