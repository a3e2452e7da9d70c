"""Elementwise nodes as one loop: what happens at one point of a domain, and the loops around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from llvmlite import ir

from slopewise.compiler.native.arithmetic import elementwise
from slopewise.compiler.native.emission.loops import Emitter, Index
from slopewise.compiler.native.emission.views import View
from slopewise.engine.aval import Array, Dtype, Shape
from slopewise.engine.graph import GraphNode, Symbol


def uniform_value(constant: Array) -> float | int | bool | None:
    """Return the one number that all elements of a constant are, or None; NaNs are not told apart."""
    if not constant.size:
        return None
    first = constant.flat[0]
    bits = np.ascontiguousarray(constant).view(np.uint8).reshape(constant.size, -1)
    return first.item() if (bits == bits[0]).all() else None


class Body:
    """What elementwise nodes do at a point of their domain: load, compute, store.

    Parameters
    ----------
    domain : the shape of the loops
    nodes : elementwise nodes of that shape, in order
    reads : how the values that come from memory lie, in the domain's shape
    writes : where results go that others need, in the domain's shape
    uniform : the values that are one known number
    """

    def __init__(
        self,
        emitter: Emitter,
        domain: Shape,
        nodes: Sequence[GraphNode],
        reads: dict[Symbol, View],
        writes: dict[Symbol, View],
        uniform: dict[Symbol, float | int | bool],
    ) -> None:
        self.emitter = emitter
        self.nodes = nodes
        self.domain = domain
        self.uniform = uniform
        self.reads = {symbol: view.broadcast(domain) for symbol, view in reads.items()}
        self.writes = writes
        self._before: dict[Symbol, ir.Value] = {}

    def collapse(
        self, groups: Sequence[int], extra: Sequence[View] = ()
    ) -> tuple[Shape, list[int], list[View]]:
        """Merge axes along which all views run on, and drop those of size 1.

        Parameters
        ----------
        groups : a number for each axis; only neighbours of equal number are merged
        extra : views of the surrounding kernel, in the domain's shape

        Returns
        -------
        the shape, the group number of each of its axes, and the extra views in that shape
        """
        views = [*self.reads.values(), *self.writes.values(), *extra]
        axes: list[list[int]] = []
        for axis, size in enumerate(self.domain):
            if size == 1:
                continue
            if axes and groups[axes[-1][-1]] == groups[axis] and _run_on(views, axes[-1][-1], axis, size):
                axes[-1].append(axis)
            else:
                axes.append([axis])
        shape = tuple([int(np.prod([self.domain[axis] for axis in merged])) for merged in axes])

        def fit(view: View) -> View:
            return replace(view, shape=shape, strides=tuple([view.strides[merged[-1]] for merged in axes]))

        self.domain = shape
        self.reads = {symbol: fit(view) for symbol, view in self.reads.items()}
        self.writes = {symbol: fit(view) for symbol, view in self.writes.items()}
        return shape, [groups[merged[0]] for merged in axes], list(map(fit, extra))

    @property
    def lanes(self) -> int:
        """How many elements fill a vector register, for the widest dtype among the floating ones."""
        dtypes = [view.dtype for view in (*self.reads.values(), *self.writes.values())]
        dtypes += [symbol.dtype for node in self.nodes for symbol in node.outputs]
        narrow = any(dtype.itemsize <= 4 and dtype.kind != "b" for dtype in dtypes)
        return self.emitter.vector_bytes // (4 if narrow or not dtypes else 8)

    def prepare(self) -> None:
        """Load before the loops what is the same at each point."""
        for symbol, view in self.reads.items():
            if not any(view.strides):
                self._before[symbol] = self.emitter.load(view, (0,) * len(view.shape))

    def at(
        self, index: Sequence[Index], lanes: int, given: dict[Symbol, ir.Value] | None = None
    ) -> dict[Symbol, ir.Value]:
        """Emit the work at an index, for several elements along the last axis; return all values."""
        values = dict(given or {})
        for node in self.nodes:
            operands = [self._value(symbol, index, lanes, values) for symbol in node.operands]
            dtypes = [symbol.dtype for symbol in node.operands]
            result = node.outputs[0]
            values[result] = elementwise.emit(
                self.emitter.builder, node.primitive.name, operands, dtypes, result.dtype, node.params
            )
        for symbol, view in self.writes.items():
            self.emitter.store(view, index, self._value(symbol, index, lanes, values), lanes)
        return values

    def _value(
        self, symbol: Symbol, index: Sequence[Index], lanes: int, values: dict[Symbol, ir.Value]
    ) -> ir.Value:
        if symbol not in values:
            values[symbol] = self.read(symbol, index, lanes)
        return values[symbol]

    def read(self, symbol: Symbol, index: Sequence[Index], lanes: int) -> ir.Value:
        """Load a value from memory, or make the constant that it is."""
        if symbol in self.uniform:
            return self.emitter.constant(self.uniform[symbol], symbol.dtype, lanes)
        if symbol in self._before:
            return self.emitter.splat(self._before[symbol], lanes)
        return self.emitter.load(self.reads[symbol], index, lanes)


def _run_on(views: Sequence[View], outer: int, inner: int, size: int) -> bool:
    return all(view.strides[outer] == view.strides[inner] * size for view in views)


def emit_map(body: Body, span: tuple[Index, Index] | None) -> None:
    """Emit the loops of a map.

    Parameters
    ----------
    span : this thread's part of the first axis of the collapsed domain, or None for all
    """
    emitter = body.emitter
    body.prepare()
    shape = body.domain
    if not shape:
        body.at((), 1)
        return
    if len(shape) == 1:
        emitter.vectors(
            span or (0, shape[0]), shape[0], body.lanes, lambda i, lanes: _ignore(body.at((i,), lanes))
        )
        return
    start, stop = span or (0, shape[0])
    with emitter.loop(start, stop) as first, emitter.loops(shape[1:-1]) as middle:
        outer = [first, *middle]
        emitter.vectors(
            (0, shape[-1]), shape[-1], body.lanes, lambda i, lanes: _ignore(body.at((*outer, i), lanes))
        )


def _ignore(_: object) -> None:
    return None


def map_dtype(dtype: Dtype) -> bool:
    """Tell whether machine code can hold a dtype."""
    return dtype.kind in "biu" or (dtype.kind == "f" and dtype.itemsize in (4, 8))
