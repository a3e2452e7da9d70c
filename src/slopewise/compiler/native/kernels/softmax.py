"""log_softmax in three walks over each line: its maximum, the sum of exponentials, the result.

Short lines, such as the scores of ten classes, are read once, some of them side by side: a lane for each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import reduce

from llvmlite import ir

from slopewise.compiler.native.arithmetic import elementwise
from slopewise.compiler.native.emission.loops import Emitter, Index, pieces, value_type
from slopewise.compiler.native.kernels.columns import emit_blocks, emit_side_by_side
from slopewise.compiler.native.kernels.kernel import Kernel, Span, Views
from slopewise.compiler.native.kernels.reductions import fold
from slopewise.engine.graph import GraphNode

_SHORT = 16  # elements; as many vectors hold some lines, and registers must be left
_BLOCK = 16  # short lines that one thread takes at once


def _kept(node: GraphNode) -> list[int]:
    return [axis for axis in range(len(node.outputs[0].shape)) if axis not in node.params["axes"]]


def _extent(node: GraphNode, operands: Views, results: Views) -> int:
    kept = _kept(node)
    if _has_short_lines(node, results) and len(kept) == 1:
        return -(-results[0].shape[0] // _BLOCK)
    return results[0].shape[kept[0]] if kept and kept[0] != len(results[0].shape) - 1 else 1


def _has_short_lines(node: GraphNode, results: Views) -> bool:
    """Tell whether lines lie along the last axis alone, are short, and lie beside one another."""
    shape = results[0].shape
    return len(shape) > 1 and node.params["axes"] == (len(shape) - 1,) and 1 <= shape[-1] <= _SHORT


def _work(node: GraphNode, operands: Views, results: Views) -> float:
    return 20.0 * results[0].size


class _Lines:
    """The walks over the lines that belong to one place of the kept axes."""

    def __init__(self, emitter: Emitter, node: GraphNode, operands: Views, results: Views) -> None:
        self.emitter = emitter
        self.x, self.y = operands[0], results[0]
        self.dtype = self.x.dtype
        self.axes: tuple[int, ...] = node.params["axes"]
        self.along = len(self.x.shape) - 1 in self.axes  # vectors lie along a line, or across lines
        self.index: list[Index] = [0] * len(self.x.shape)
        self.lanes = emitter.vector_bytes // self.dtype.itemsize

    def op(self, name: str, *operands: ir.Value) -> ir.Value:
        dtypes = [self.dtype] * len(operands)
        return elementwise.emit(self.emitter.builder, name, list(operands), dtypes, self.dtype, {})

    @contextmanager
    def _outer_axes(self) -> Iterator[None]:
        with ExitStack() as stack:
            for axis in self.axes:
                if axis != len(self.index) - 1:
                    self.index[axis] = stack.enter_context(self.emitter.loop(0, self.x.shape[axis]))
            yield

    def walk(self, lanes: int, visit: Callable[[int], None]) -> None:
        """Visit all elements of a line, or of `lanes` neighbouring lines."""
        with self._outer_axes():
            if not self.along:
                visit(lanes)
                return
            size = self.x.shape[-1]
            if size >= self.lanes:
                with self.emitter.loop(0, size - size % self.lanes, self.lanes) as place:
                    self.index[-1] = place
                    visit(self.lanes)
            for place, count in pieces(size, self.lanes):
                self.index[-1] = place
                visit(count)

    def reduce(self, name: str, first: float, lanes: int, value: Callable[[int], ir.Value]) -> ir.Value:
        """Combine a value over the line: a scalar for each line."""
        emitter, builder = self.emitter, self.emitter.builder
        widths = [lanes]
        if self.along:
            size = self.x.shape[-1]
            widths = [self.lanes] * (size >= self.lanes) + [count for _, count in pieces(size, self.lanes)]
        places = {}
        for width in widths:
            start = emitter.constant(first, self.dtype, width)
            places[width] = emitter.variable(start.type)
            builder.store(start, places[width])

        def visit(count: int) -> None:
            kind = value_type(self.dtype, count)
            total = self.op(name, builder.load(places[count], typ=kind), value(count))
            builder.store(total, places[count])

        self.walk(lanes, visit)
        totals = [
            (builder.load(place, typ=value_type(self.dtype, width)), width) for width, place in places.items()
        ]
        if not self.along:
            return totals[0][0]
        folded = [fold(emitter, total, width, lambda a, b: self.op(name, a, b)) for total, width in totals]
        result = folded[0]
        for part in folded[1:]:
            result = self.op(name, result, part)
        return result

    def emit(self, lanes: int) -> None:
        """Emit the three walks for one line, or for `lanes` neighbouring ones."""
        emitter = self.emitter

        def wide(value: ir.Value, count: int) -> ir.Value:
            return emitter.splat(value, count) if self.along else value

        def shifted(count: int) -> ir.Value:
            return self.op("sub", emitter.load(self.x, self.index, count), wide(largest, count))

        def write(count: int) -> None:
            emitter.store(self.y, self.index, self.op("sub", shifted(count), wide(logarithm, count)), count)

        largest = self.reduce("maximum", -math.inf, lanes, lambda n: emitter.load(self.x, self.index, n))
        total = self.reduce("add", 0.0, lanes, lambda n: self.op("exp", shifted(n)))
        logarithm = self.op("log", total)
        self.walk(lanes, write)

    def emit_short(self, first: Index, count: int) -> None:
        """Emit all for `count` short lines that are neighbours along the axis before the last."""
        emitter, size = self.emitter, self.x.shape[-1]
        places = [[*self.index[:-2], first, place] for place in range(size)]
        values = [emitter.load(self.x, place, count, axis=-2) for place in places]
        largest = reduce(lambda a, b: self.op("maximum", a, b), values)
        shifted = [self.op("sub", value, largest) for value in values]
        total = reduce(lambda a, b: self.op("add", a, b), [self.op("exp", value) for value in shifted])
        logarithm = self.op("log", total)
        for place, value in zip(places, shifted, strict=True):
            emitter.store(self.y, place, self.op("sub", value, logarithm), count, axis=-2)


def emit_log_softmax(emitter: Emitter, node: GraphNode, operands: Views, results: Views, span: Span) -> None:
    """Emit log_softmax over any axes."""
    lines = _Lines(emitter, node, operands, results)
    if _has_short_lines(node, results):
        _emit_short_lines(lines, span)
        return
    last = len(lines.index) - 1
    kept = _kept(node)
    outer = [axis for axis in kept if axis != last]
    with ExitStack() as stack:
        for place, axis in enumerate(outer):
            bounds = span if place == 0 else (0, lines.x.shape[axis])
            lines.index[axis] = stack.enter_context(emitter.loop(*bounds))
        if lines.along or not lines.index:
            lines.emit(1)
            return

        def columns(begin: Index, count: int) -> None:
            lines.index[last] = begin
            lines.emit(count)

        emitter.vectors((0, lines.x.shape[last]), lines.x.shape[last], lines.lanes, columns)


def _emit_short_lines(lines: _Lines, span: Span) -> None:
    emitter, shape = lines.emitter, lines.x.shape

    def block(start: Index, count: int) -> None:
        emit_side_by_side(
            emitter, count, lines.lanes, lambda at, n: lines.emit_short(emitter.add(start, at), n)
        )

    if len(shape) == 2:
        emit_blocks(emitter, span, shape[0], _BLOCK, block)
        return
    with emitter.loop(*span) as first, emitter.loops(shape[1:-2]) as others:
        lines.index[:-2] = [first, *others]
        block(0, shape[-2])


KERNELS = {"log_softmax": Kernel(emit_log_softmax, _extent, _work)}
