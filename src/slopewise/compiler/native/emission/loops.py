"""Loops and access to memory, on top of LLVM's IR builder.

An index is a Python int, where it is known, or an i64. A value is a scalar or, with `lanes` > 1, a vector of
elements that follow one another along the last axis. Truth values are bytes in memory and i1 in registers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
from llvmlite import ir

from slopewise.compiler.native.emission import literals
from slopewise.compiler.native.emission.views import Storage, View
from slopewise.engine.aval import Dtype, Shape

I1, I8, I32, I64 = ir.IntType(1), ir.IntType(8), ir.IntType(32), ir.IntType(64)
POINTER = ir.PointerType()
Index: TypeAlias = "int | ir.Value"

_FLOATS = {4: ir.FloatType(), 8: ir.DoubleType()}


def element_type(dtype: Dtype, *, in_memory: bool = False) -> ir.Type:
    """Return LLVM's type of one element."""
    if dtype.kind == "f":
        return _FLOATS[dtype.itemsize]
    if dtype.kind == "b":
        return I8 if in_memory else I1
    return ir.IntType(8 * dtype.itemsize)


def value_type(dtype: Dtype, lanes: int, *, in_memory: bool = False) -> ir.Type:
    """Return LLVM's type of some elements: a scalar type for one lane, a vector type for more."""
    element = element_type(dtype, in_memory=in_memory)
    return element if lanes == 1 else ir.VectorType(element, lanes)


def i64(index: Index) -> ir.Value:
    return ir.Constant(I64, index) if isinstance(index, int) else index


def pieces(size: int, lanes: int) -> Iterator[tuple[int, int]]:
    """Split what a vector loop leaves over into (start, lanes), each a power of two: 11 is 8 + 2 + 1."""
    start = size - size % lanes
    while start < size:
        while lanes > size - start:
            lanes //= 2
        yield start, lanes
        start += lanes


class Emitter:
    """One LLVM function under construction: its builder, its pointers, and which thread runs it.

    Attributes
    ----------
    builder : IRBuilder
    lanes : how many float32 fill a vector register
    thread : i64, the number of the thread that runs the function
    n_threads : how many threads run it, known when it is compiled
    prefix : begins the names of functions that belong to this one
    """

    def __init__(
        self,
        builder: ir.IRBuilder,
        vector_bytes: int,
        thread: ir.Value,
        n_threads: int,
        status: ir.Value,
        prefix: str = "",
    ) -> None:
        self.builder = builder
        self.vector_bytes = vector_bytes
        self.thread = thread
        self.n_threads = n_threads
        self.prefix = prefix
        self.status = status  # pointer to two i64: an error's number (0: none) and what it speaks of
        self.pointers: dict[Storage, ir.Value] = {}

    @property
    def lanes(self) -> int:
        return self.vector_bytes // 4

    # ---- index arithmetic, folded where it is known

    def add(self, a: Index, b: Index) -> Index:
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        if isinstance(a, int) and a == 0:
            return b
        if isinstance(b, int) and b == 0:
            return a
        return self.builder.add(i64(a), i64(b), flags=("nsw",))

    def mul(self, a: Index, b: Index) -> Index:
        if isinstance(a, int) and isinstance(b, int):
            return a * b
        for x, y in ((a, b), (b, a)):
            if isinstance(x, int) and x in (0, 1):
                return 0 if x == 0 else y
        return self.builder.mul(i64(a), i64(b), flags=("nsw",))

    # ---- control flow

    @contextmanager
    def loop(self, start: Index, stop: Index, step: int = 1) -> Iterator[Index]:
        """Repeat a block for an index from start up to, not including, stop.

        A loop whose bounds are known and which runs once is no loop. Bounds that are known to hold nothing
        are an error of the caller.
        """
        known = isinstance(start, int) and isinstance(stop, int)
        if known:
            assert start < stop, "an empty loop must not be emitted"
            if start + step >= stop:
                yield start
                return
        builder = self.builder
        before = builder.block
        body = builder.append_basic_block("loop")
        after = builder.append_basic_block("end")
        if known:
            builder.branch(body)
        else:
            builder.cbranch(builder.icmp_signed("<", i64(start), i64(stop)), body, after)
        builder.position_at_end(body)
        index = builder.phi(I64)
        index.add_incoming(i64(start), before)
        yield index
        following = builder.add(index, ir.Constant(I64, step), flags=("nsw",))
        index.add_incoming(following, builder.block)
        builder.cbranch(builder.icmp_signed("<", following, i64(stop)), body, after)
        builder.position_at_end(after)

    @contextmanager
    def loops(self, shape: Shape) -> Iterator[list[Index]]:
        """Nest a loop for each axis of a shape that has elements; yields the index of each axis."""
        if not shape:
            yield []
            return
        with self.loop(0, shape[0]) as first, self.loops(shape[1:]) as rest:
            yield [first, *rest]

    def vectors(
        self, span: tuple[Index, Index], size: int, lanes: int, body: Callable[[Index, int], None]
    ) -> None:
        """Emit `body(index, lanes)` along an axis: a loop over whole vectors, then what is left, in halves.

        Parameters
        ----------
        span : this thread's part of the axis, as `share(size, grain)` with a multiple of `lanes` gives it
        size : the length of the axis
        """
        start, stop = span
        whole = size - size % lanes
        split = not (isinstance(start, int) and isinstance(stop, int))
        if whole:
            with self.loop(start, self.least(stop, whole), lanes) as index:
                body(index, lanes)
        if whole == size:
            return
        if not split:
            for begin, count in pieces(size, lanes):
                body(begin, count)
            return
        builder = self.builder
        last = builder.icmp_signed("==", i64(stop), ir.Constant(I64, size))
        with builder.if_then(builder.and_(last, builder.icmp_signed("<", i64(start), i64(stop)))):
            for begin, count in pieces(size, lanes):
                body(begin, count)

    def least(self, a: Index, b: Index) -> Index:
        """Return the smaller of two indices."""
        if isinstance(a, int) and isinstance(b, int):
            return min(a, b)
        return self.builder.select(self.builder.icmp_signed("<", i64(a), i64(b)), i64(a), i64(b))

    def share(self, size: int, grain: int = 1) -> tuple[Index, Index]:
        """Return this thread's part of a loop over `size`: [start, stop), in multiples of `grain`."""
        if self.n_threads == 1:
            return 0, size
        chunk = -(-size // (self.n_threads * grain)) * grain
        builder = self.builder
        bound = ir.Constant(I64, size)
        ends = []
        for offset in (0, 1):
            at = builder.mul(builder.add(self.thread, ir.Constant(I64, offset)), ir.Constant(I64, chunk))
            ends.append(builder.select(builder.icmp_signed("<", at, bound), at, bound))
        return ends[0], ends[1]

    def variable(self, kind: ir.Type) -> ir.Value:
        """Return a place on the stack; LLVM turns it into a register where it can."""
        with self.builder.goto_entry_block():
            return self.builder.alloca(kind)

    # ---- memory

    def address(self, view: View, index: Sequence[Index]) -> ir.Value:
        """Return the pointer to an element of a view."""
        offset: Index = view.offset
        for i, stride in zip(index, view.strides, strict=True):
            offset = self.add(offset, self.mul(i, stride))
        pointer = self.pointers[view.storage]
        if isinstance(offset, int) and offset == 0:
            return pointer
        element = element_type(view.dtype, in_memory=True)
        return self.builder.gep(pointer, [i64(offset)], inbounds=True, source_etype=element)

    def load(self, view: View, index: Sequence[Index], lanes: int = 1, axis: int = -1) -> ir.Value:
        """Read elements; with several lanes, those that follow one another along an axis of the view."""
        dtype = view.dtype
        stride = view.strides[axis] if view.strides and lanes > 1 else 0
        if lanes > 1 and stride == 0:
            return self.splat(self.load(view, index), lanes)
        if lanes > 1 and stride != 1:
            return self._load_apart(view, index, lanes, axis)
        kind = value_type(dtype, lanes, in_memory=True)
        value = self.builder.load(self.address(view, index), typ=kind, align=dtype.itemsize)
        return self._to_register(value, dtype, lanes)

    def _load_apart(self, view: View, index: Sequence[Index], lanes: int, axis: int) -> ir.Value:
        """Read elements that do not lie side by side, one by one."""
        vector: ir.Value = ir.Constant(value_type(view.dtype, lanes), ir.Undefined)
        place = list(index)
        for lane in range(lanes):
            place[axis] = self.add(index[axis], lane)
            vector = self.builder.insert_element(vector, self.load(view, place), ir.Constant(I32, lane))
        return vector

    def store(
        self, view: View, index: Sequence[Index], value: ir.Value, lanes: int = 1, axis: int = -1
    ) -> None:
        """Write elements; with several lanes, to places that follow one another along an axis of the view."""
        if lanes > 1 and view.strides[axis] != 1:
            place = list(index)
            for lane in range(lanes):
                place[axis] = self.add(index[axis], lane)
                self.store(view, place, self.builder.extract_element(value, ir.Constant(I32, lane)))
            return
        if view.dtype.kind == "b":
            value = self.builder.zext(value, value_type(view.dtype, lanes, in_memory=True))
        self.builder.store(value, self.address(view, index), align=view.dtype.itemsize)

    def _to_register(self, value: ir.Value, dtype: Dtype, lanes: int) -> ir.Value:
        if dtype.kind != "b":
            return value
        zero = ir.Constant(value_type(dtype, lanes, in_memory=True), None)
        return self.builder.icmp_unsigned("!=", value, zero)

    def splat(self, value: ir.Value, lanes: int) -> ir.Value:
        """Return a vector with one scalar in all lanes."""
        return literals.splat(self.builder, value, lanes)

    def constant(self, value: float | int | bool, dtype: Dtype, lanes: int = 1) -> ir.Value:
        """Return a constant in all lanes."""
        return literals.repeated(scalar_constant(value, dtype), lanes)

    def fail(self, condition: ir.Value, number: int, about: ir.Value) -> None:
        """Note an error where a condition holds: its number, and an i64 to speak of. The first one stays."""
        builder = self.builder
        with builder.if_then(condition, likely=False):
            known = builder.load(self.status, typ=I64)
            with builder.if_then(builder.icmp_signed("==", known, ir.Constant(I64, 0))):
                builder.store(ir.Constant(I64, number), self.status)
                builder.store(about, builder.gep(self.status, [ir.Constant(I64, 1)], source_etype=I64))


def scalar_constant(value: float | int | bool, dtype: Dtype) -> ir.Constant:
    """Return one constant; a NaN keeps no payload, all else keeps its bits."""
    if dtype.kind == "f":
        return ir.Constant(element_type(dtype), float(np.asarray(value, dtype)))
    return ir.Constant(element_type(dtype), int(value))
