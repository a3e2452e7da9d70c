"""Sums, products, extremes and truths over axes, with the elementwise work that comes before them.

The order of additions depends on shapes alone, never on the number of threads, which share out results.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

import numpy as np
from llvmlite import ir

from slopewise.compiler.native.arithmetic import elementwise
from slopewise.compiler.native.emission.loops import I32, Emitter, Index, pieces, value_type
from slopewise.compiler.native.emission.views import View
from slopewise.compiler.native.kernels.maps import Body
from slopewise.engine.aval import Dtype
from slopewise.engine.graph import GraphNode

_COMBINE = {"sum": "add", "prod": "mul", "max": "maximum", "min": "minimum", "any": "or", "all": "and"}
KEPT, REDUCED = 0, 1
_BLOCK = 4  # vectors of results that are summed side by side


def neutral(name: str, dtype: Dtype) -> float | int | bool:
    """Return what a reduction of no elements gives."""
    if name in ("max", "min"):
        if dtype.kind == "f":
            return -np.inf if name == "max" else np.inf
        limits = np.iinfo(dtype)
        return int(limits.min if name == "max" else limits.max)
    # -0.0, not 0.0: a sum of negative zeros is one; NumPy begins with the first element
    return {"sum": -0.0 if dtype.kind == "f" else 0, "prod": 1, "any": False, "all": True}[name]


class Reductions:
    """The accumulators of some reductions over the same axes."""

    def __init__(self, body: Body, nodes: Sequence[GraphNode]) -> None:
        self.body = body
        self.emitter: Emitter = body.emitter
        self.nodes = nodes

    def begin(self, lanes: int) -> list[ir.Value]:
        """Return places on the stack, one for each reduction, that hold the neutral value."""
        places = []
        for node in self.nodes:
            dtype = node.outputs[0].dtype
            first = self.emitter.constant(neutral(node.primitive.name, dtype), dtype, lanes)
            place = self.emitter.variable(first.type)
            self.emitter.builder.store(first, place)
            places.append(place)
        return places

    def add(self, places: list[ir.Value], index: Sequence[Index], lanes: int) -> None:
        """Take in the elements at an index."""
        builder = self.emitter.builder
        values = self.body.at(index, lanes)
        for node, place in zip(self.nodes, places, strict=True):
            symbol = node.operands[0]
            value = values[symbol] if symbol in values else self.body.read(symbol, index, lanes)
            old = builder.load(place, typ=value.type)
            builder.store(self.combine(node, old, value), place)

    def combine(self, node: GraphNode, a: ir.Value, b: ir.Value) -> ir.Value:
        dtype = node.outputs[0].dtype
        name = _COMBINE[node.primitive.name]
        return elementwise.emit(self.emitter.builder, name, [a, b], [dtype, dtype], dtype, {})


def fold(
    emitter: Emitter, value: ir.Value, lanes: int, combine: Callable[[ir.Value, ir.Value], ir.Value]
) -> ir.Value:
    """Combine the lanes of a vector, the upper half with the lower, until one is left."""
    builder = emitter.builder
    while lanes > 1:
        lanes //= 2
        undefined = ir.Constant(value.type, ir.Undefined)
        low, high = (
            builder.shuffle_vector(value, undefined, ir.Constant(ir.VectorType(I32, lanes), [*picked]))
            for picked in (range(lanes), range(lanes, 2 * lanes))
        )
        value = combine(low, high)
    if isinstance(value.type, ir.VectorType):
        value = builder.extract_element(value, ir.Constant(I32, 0))
    return value


def emit_reduction(
    body: Body,
    nodes: Sequence[GraphNode],
    results: list[View],
    kinds: list[int],
    span: tuple[Index, Index] | None,
) -> None:
    """Emit the loops of reductions.

    Parameters
    ----------
    nodes : the reductions, over the same axes of the body's domain
    results : where they go, in the domain's shape with stride 0 along reduced axes
    kinds : for each axis of the domain, KEPT or REDUCED
    span : this thread's part of the first kept axis, or None for all
    """
    body.prepare()
    if kinds and kinds[-1] == KEPT:
        _emit_columns(body, Reductions(body, nodes), results, kinds, span)
    else:
        _emit_rows(body, Reductions(body, nodes), results, kinds, span)


def _emit_rows(
    body: Body, work: Reductions, results: list[View], kinds: list[int], span: tuple[Index, Index] | None
) -> None:
    """Reduce along the last axis: one vector of partial results for each row."""
    emitter, shape = body.emitter, body.domain
    kept = [axis for axis, kind in enumerate(kinds) if kind == KEPT]
    reduced = [axis for axis, kind in enumerate(kinds) if kind == REDUCED]
    index: list[Index] = [0] * len(shape)
    with ExitStack() as stack:
        for place, axis in enumerate(kept):
            bounds = span if place == 0 and span is not None else (0, shape[axis])
            index[axis] = stack.enter_context(emitter.loop(*bounds))
        size = shape[-1] if reduced else 1
        lanes = body.lanes
        while lanes > size:
            lanes //= 2
        rests = list(pieces(size, lanes))
        whole = work.begin(lanes)
        parts = [work.begin(count) for _, count in rests]
        with ExitStack() as inner:
            for axis in reduced[:-1]:
                index[axis] = inner.enter_context(emitter.loop(0, shape[axis]))
            with emitter.loop(0, size - size % lanes, lanes) as last:
                work.add(whole, [*index[:-1], last] if reduced else index, lanes)
            for (begin, count), places in zip(rests, parts, strict=True):
                work.add(places, [*index[:-1], begin], count)
        for number, (node, result) in enumerate(zip(work.nodes, results, strict=True)):
            total = _total(work, node, whole[number], lanes)
            for (_, count), places in zip(rests, parts, strict=True):
                total = work.combine(node, total, _total(work, node, places[number], count))
            emitter.store(
                result, [0 if kind == REDUCED else i for i, kind in zip(index, kinds, strict=True)], total
            )


def _total(work: Reductions, node: GraphNode, place: ir.Value, lanes: int) -> ir.Value:
    kind = value_type(node.outputs[0].dtype, lanes)
    value = work.emitter.builder.load(place, typ=kind)
    return fold(work.emitter, value, lanes, lambda a, b: work.combine(node, a, b))


def _emit_columns(
    body: Body, work: Reductions, results: list[View], kinds: list[int], span: tuple[Index, Index] | None
) -> None:
    """Reduce over axes in front: vectors of results along the last axis, some side by side."""
    emitter, shape = body.emitter, body.domain
    outer = [axis for axis, kind in enumerate(kinds[:-1]) if kind == KEPT]
    reduced = [axis for axis, kind in enumerate(kinds) if kind == REDUCED]
    index: list[Index] = [0] * len(shape)
    last = len(shape) - 1

    def columns(begin: Index, lanes: int) -> None:
        """Reduce some columns: whole blocks of vectors, or one vector."""
        width = body.lanes
        starts = [emitter.add(begin, offset) for offset in range(0, lanes, width)]
        count = min(lanes, width)
        places = [work.begin(count) for _ in starts]
        with ExitStack() as inner:
            for axis in reduced:
                index[axis] = inner.enter_context(emitter.loop(0, shape[axis]))
            for start, place in zip(starts, places, strict=True):
                index[last] = start
                work.add(place, index, count)
        for start, place in zip(starts, places, strict=True):
            index[last] = start
            where = [0 if kind == REDUCED else i for i, kind in zip(index, kinds, strict=True)]
            for number, (node, result) in enumerate(zip(work.nodes, results, strict=True)):
                kind = value_type(node.outputs[0].dtype, count)
                emitter.store(result, where, emitter.builder.load(place[number], typ=kind), count)

    with ExitStack() as stack:
        for place, axis in enumerate(outer):
            bounds = span if place == 0 and span is not None else (0, shape[axis])
            index[axis] = stack.enter_context(emitter.loop(*bounds))
        along = span if span is not None and not outer else (0, shape[last])
        block = body.lanes * (_BLOCK if len(body.nodes) <= 8 else 1)
        emitter.vectors(along, shape[last], block if shape[last] >= block else body.lanes, columns)


def fill_values(nodes: Sequence[GraphNode]) -> list[float | int | bool]:
    """Return what reductions of no elements give."""
    return [neutral(node.primitive.name, node.outputs[0].dtype) + 0 for node in nodes]


def emit_fill(emitter: Emitter, numbers: Sequence[float | int | bool], targets: Sequence[View]) -> None:
    """Set all elements of some results to a number."""
    for number, target in zip(numbers, targets, strict=True):
        if target.size:
            with emitter.loops(target.shape) as index:
                emitter.store(target, index, emitter.constant(number, target.dtype))
