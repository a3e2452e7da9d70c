"""A convolution with places of the result in vectors: a tile of filters by places stays in registers.

Each step takes some vectors of the packed input, each multiplied with one number of each filter of the tile.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from llvmlite import ir

from slopewise.compiler.native.emission.loops import I1, I64, Emitter, Index, element_type
from slopewise.compiler.native.emission.views import Storage, View
from slopewise.compiler.native.kernels.convolution.arithmetic import (
    Part,
    Sum,
    emit_tiles,
    registers,
    split,
    vectors_of,
    zero,
)
from slopewise.compiler.native.kernels.convolution.geometry import Geometry
from slopewise.compiler.native.kernels.convolution.packing import (
    Packing,
    emit_packing,
    input_index,
    scratch,
)
from slopewise.compiler.native.kernels.copying import emit_zeros, vector_lanes
from slopewise.compiler.native.kernels.kernel import Span

_SCRATCH_BYTES = 96 << 10  # of the stack, which may be as small as 512 kB
_MOST_ELEMENTS = 128  # of a kernel, each of which is code of its own
_UNITS = 4  # that threads can share out, if there are so many rows


class PlacesPlan:
    """Threads share out images, and rows of them where images are few or large."""

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        self.packing, self.blocks = _choose_packing(geometry)
        self._units = (geometry.groups, geometry.batch, self.blocks)
        self.extent = math.prod(self._units)

    @staticmethod
    def fits(geometry: Geometry) -> bool:
        """Tell whether the code and the memory that this way takes are bounded."""
        elements = geometry.rows.kernel * geometry.columns.kernel
        smallest = pack_rows(geometry, 1, 1)
        return elements <= _MOST_ELEMENTS and smallest.size * geometry.itemsize <= _SCRATCH_BYTES

    def emit(self, emitter: Emitter, span: Span) -> None:
        geometry, packing = self.geometry, self.packing
        with scratch(emitter, geometry.y.dtype, packing.size) as storage, emitter.loop(*span) as unit:
            group, example, block = split(emitter, unit, self._units)
            last = geometry.rows.out - packing.n_rows
            first_row = emitter.least(emitter.mul(block, packing.n_rows), last)
            with emitter.loops(tuple([axis.out for axis in geometry.lead])) as lead:
                _Image(self, emitter, storage, [group, example], lead, first_row).emit()


def pack_rows(geometry: Geometry, n_rows: int, channels: int) -> Packing:
    """Return the packing of some rows and channels, with all that the axes in front meet."""
    depth = math.prod([axis.kernel for axis in geometry.lead])
    return Packing(geometry.rows, geometry.columns, n_rows, channels * depth)


def _choose_packing(geometry: Geometry) -> tuple[Packing, int]:
    """Return a packing that fits the scratch memory, and in how many blocks of rows it comes.

    All channels of as many rows as fit; of one row, if need be, only some channels at a time.
    """
    limit = _SCRATCH_BYTES // geometry.itemsize
    least_blocks = -(-_UNITS // (geometry.groups * geometry.batch))
    for blocks in range(min(least_blocks, geometry.rows.out), geometry.rows.out + 1):
        n_rows = -(-geometry.rows.out // blocks)
        packing = pack_rows(geometry, n_rows, geometry.channels)
        if packing.size <= limit:
            return packing, -(-geometry.rows.out // n_rows)
    one = pack_rows(geometry, 1, 1)
    return pack_rows(geometry, 1, max(1, limit // one.size)), geometry.rows.out


def _choose_tile(emitter: Emitter, places: int, filters: int, lanes: int) -> tuple[int, int]:
    """Return how many vectors and filters a tile has: the least time, at two products or loads a cycle.

    A sum can take in a product every fourth cycle, so fewer than eight sums wait.
    """
    vectors = -(-places // lanes)
    best = (math.inf, 1, 1)
    for width in range(1, min(vectors, 6) + 1):
        for height in range(1, min(filters, 8) + 1):
            if width * height + width + 1 > registers(emitter):
                continue
            cycles = max(width * height, width + height, 8)
            tiles = -(-vectors // width) * -(-filters // height)
            best = min(best, (float(cycles * tiles), width, height))
    return best[1], best[2]


class _Image:
    """The work on some rows of one image."""

    def __init__(
        self,
        plan: PlacesPlan,
        emitter: Emitter,
        storage: Storage,
        image: list[Index],
        lead: list[Index],
        first_row: Index,
    ) -> None:
        self.geometry, self.packing = plan.geometry, plan.packing
        self.emitter = emitter
        self.storage = storage
        self.image = image
        self.lead = lead
        self.first_row = first_row
        self.lanes = vector_lanes(emitter, self.geometry.y.dtype)
        depth = math.prod([axis.kernel for axis in self.geometry.lead])
        self.channels_at_once = self.packing.channels // depth
        self.places = self.packing.n_rows * self.geometry.columns.out

    @property
    def in_parts(self) -> bool:
        """Whether only some channels are packed at a time, so that sums wait in memory."""
        return self.channels_at_once < self.geometry.channels

    def emit(self) -> None:
        emitter, geometry = self.emitter, self.geometry
        if not self.in_parts:
            self._emit_channels(0, geometry.channels)
            return
        group, example = self.image
        with emitter.loop(0, geometry.filters) as number, emitter.loop(0, self.packing.n_rows) as row:
            here = [group, example, number, *self.lead, emitter.add(self.first_row, row)]
            emit_zeros(emitter, geometry.y, here)
        with emitter.loop(0, geometry.channels, self.channels_at_once) as first:
            self._emit_channels(
                first, emitter.least(emitter.add(first, self.channels_at_once), geometry.channels)
            )

    def _emit_channels(self, first: Index, stop: Index) -> None:
        """Pack some channels and add what they give to all places and filters."""
        emitter = self.emitter
        self._pack(first, stop)
        width, height = _choose_tile(emitter, self.places, self.geometry.filters, self.lanes)

        def filters(start: Index, count: int) -> None:
            def places(place: Index, size: int) -> None:
                self._emit_tile(first, stop, start, count, place, vectors_of(size, self.lanes))

            emit_tiles(emitter, self.places, width * self.lanes, not self.in_parts, places)

        emit_tiles(emitter, self.geometry.filters, height, not self.in_parts, filters)

    def _pack(self, first: Index, stop: Index) -> None:
        emitter, geometry = self.emitter, self.geometry
        target = View.whole(self.storage, self.packing.shape)
        kernel = tuple([axis.kernel for axis in geometry.lead])
        with emitter.loop(first, stop) as channel, emitter.loops(kernel) as deep:
            packed = self._packed_channel(channel, first, deep)
            with self._met(deep, target, packed) as met:
                at = [*self.image, channel, *met]
                emit_packing(emitter, self.packing, geometry.x, at, target, packed, self.first_row)

    def _packed_channel(self, channel: Index, first: Index, deep: list[Index]) -> Index:
        emitter = self.emitter
        packed: Index = emitter.add(channel, emitter.mul(first, -1))
        for axis, k in zip(self.geometry.lead, deep, strict=True):
            packed = emitter.add(emitter.mul(packed, axis.kernel), k)
        return packed

    def _emit_tile(
        self, first: Index, stop: Index, start: Index, count: int, place: Index, parts: list[Part]
    ) -> None:
        """Compute some filters at some places."""
        emitter, geometry = self.emitter, self.geometry
        group, example = self.image
        y = geometry.places
        where = emitter.add(emitter.mul(self.first_row, geometry.columns.out), place)

        def here(number: int, offset: int) -> list[Index]:
            return [group, example, emitter.add(start, number), *self.lead, emitter.add(where, offset)]

        def begin(number: int, offset: int, lanes: int) -> Sum:
            old = emitter.load(y, here(number, offset), lanes) if self.in_parts else None
            return Sum(emitter, zero(emitter, y.dtype, lanes) if old is None else old)

        sums = [[begin(number, *part) for part in parts] for number in range(count)]
        kernel = tuple([axis.kernel for axis in geometry.lead])
        with emitter.loop(first, stop) as channel, emitter.loops(kernel) as deep:
            packed = self._packed_channel(channel, first, deep)
            run = emitter.add(emitter.mul(packed, self.packing.channel_stride), place)
            weights = emitter.address(geometry.w, [group, start, channel, *deep, 0, 0])
            self._add_elements(run, weights, parts, sums)
        for number, line in enumerate(sums):
            for (offset, lanes), total in zip(parts, line, strict=True):
                emitter.store(y, here(number, offset), total.value, lanes)

    def _add_elements(self, run: Index, weights: ir.Value, parts: list[Part], sums: list[list[Sum]]) -> None:
        """Add what the elements of a channel's kernel give; one after the other, in code of their own."""
        emitter, geometry, builder = self.emitter, self.geometry, self.emitter.builder
        element = element_type(geometry.y.dtype, in_memory=True)
        _, by_filter, *_, by_row, by_column = geometry.w.strides
        packed = View.whole(self.storage, (self.storage.size,))
        for row, column in np.ndindex(geometry.rows.kernel, geometry.columns.kernel):
            begin = emitter.add(run, self.packing.offset(row, column))
            inputs = [emitter.load(packed, [emitter.add(begin, o)], lanes) for o, lanes in parts]
            for number, line in enumerate(sums):
                offset = number * by_filter + row * by_row + column * by_column
                pointer = builder.gep(weights, [ir.Constant(I64, offset)], source_etype=element)
                weight = builder.load(pointer, typ=element, align=geometry.itemsize)
                for (_, lanes), value, total in zip(parts, inputs, line, strict=True):
                    total.add(value, emitter.splat(weight, lanes))

    @contextmanager
    def _met(self, deep: list[Index], target: View, packed: Index) -> Iterator[list[Index]]:
        """Run a block with the input's indices along the axes in front; write zeros for padding."""
        emitter = self.emitter
        met: list[Index] = []
        inside: ir.Value = ir.Constant(I1, True)
        for axis, o, k in zip(self.geometry.lead, self.lead, deep, strict=True):
            position = emitter.add(emitter.mul(o, axis.stride), emitter.mul(k, axis.dilation))
            index, here = input_index(emitter, axis, emitter.add(position, -axis.low))
            inside = emitter.builder.and_(inside, here)
            met.append(index)
        if not met:
            yield met
            return
        with emitter.builder.if_else(inside) as (then, otherwise):
            with then:
                yield met
            with otherwise:
                emit_zeros(emitter, target, [packed])
