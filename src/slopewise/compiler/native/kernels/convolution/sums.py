"""A convolution with sums over the kernel's places in vectors: gradients of kernels, and kernels as large
as the image.

Each step takes a vector of the packed input for some places of the result and a vector of some filters, and
adds their products lane by lane; at the end the lanes are added up.
"""

from __future__ import annotations

import math

from llvmlite import ir

from slopewise.compiler.native.emission.loops import I1, I64, Emitter, Index, i64
from slopewise.compiler.native.emission.views import Storage, View
from slopewise.compiler.native.kernels.convolution.arithmetic import (
    Sum,
    emit_tiles,
    load_with_zeros,
    registers,
    split,
    sum_of_lanes,
    zero,
)
from slopewise.compiler.native.kernels.convolution.geometry import Geometry, flat_places, is_flat
from slopewise.compiler.native.kernels.convolution.packing import Packing, emit_packing, scratch
from slopewise.compiler.native.kernels.copying import vector_lanes
from slopewise.compiler.native.kernels.kernel import Span

_NEAR_BYTES = 24 << 10  # of packed input, which is read again and again: some of the nearest cache
_SCRATCH_BYTES = 96 << 10
_MOST_PLACES = 36  # of the result, each of which is code of its own
_UNITS = 4  # that threads can share out, if there are so many filters


class SumsPlan:
    """Threads share out images, and filters where images are few.

    All channels of an image are far more than a cache holds where channels are the examples of a batch, so
    some are taken at a time, for all images and filters.
    """

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        one = _packing(geometry, 1).size * geometry.itemsize
        self.packing = _packing(geometry, min(geometry.channels, max(1, _NEAR_BYTES // one)))
        images = geometry.groups * geometry.batch
        parts = [n for n in range(1, geometry.filters + 1) if geometry.filters % n == 0]
        self.parts = next((n for n in parts if n * images >= _UNITS), 1)
        self._units = (geometry.groups, geometry.batch, self.parts)
        self.extent = math.prod(self._units)

    @staticmethod
    def fits(geometry: Geometry) -> bool:
        """Tell whether the kernel lies in runs, and the code and memory that this way takes are bounded."""
        if geometry.lead or not is_flat(geometry.w):
            return False
        few = geometry.rows.out * geometry.columns.out <= _MOST_PLACES
        return few and _packing(geometry, 1).size * geometry.itemsize <= _SCRATCH_BYTES

    def emit(self, emitter: Emitter, span: Span) -> None:
        geometry, at_once = self.geometry, self.packing.channels
        with scratch(emitter, geometry.y.dtype, self.packing.size) as storage:
            whole = at_once == geometry.channels
            with emitter.loop(0, geometry.channels, at_once) as first:
                stop = (
                    geometry.channels
                    if whole
                    else emitter.least(emitter.add(first, at_once), geometry.channels)
                )
                with emitter.loop(*span) as unit:
                    group, example, part = split(emitter, unit, self._units)
                    _Image(self, emitter, storage, group, example, first, stop).emit(part)


def _packing(geometry: Geometry, channels: int) -> Packing:
    """Pack what each place of the result meets, as places and kernel elements in each other's role."""
    return Packing(geometry.rows.swapped(), geometry.columns.swapped(), geometry.rows.kernel, channels)


def _choose_tile(emitter: Emitter, places: int, filters: int) -> tuple[int, int]:
    """Return how many places and filters a tile has: the least time, at two products or loads a cycle."""
    best = (math.inf, 1, 1)
    for width in range(1, min(places, 9) + 1):
        for height in range(1, min(filters, 8) + 1):
            if width * height + height + 1 > registers(emitter):
                continue
            cycles = max(width * height, width + height, 8)
            tiles = -(-places // width) * -(-filters // height)
            best = min(best, (float(cycles * tiles), width, height))
    return best[1], best[2]


class _Image:
    """The work on some channels of one image."""

    def __init__(
        self,
        plan: SumsPlan,
        emitter: Emitter,
        storage: Storage,
        group: Index,
        example: Index,
        first: Index,
        stop: Index,
    ) -> None:
        self.plan, self.geometry, self.packing = plan, plan.geometry, plan.packing
        self.emitter = emitter
        self.storage = storage
        self.group, self.example = group, example
        self.first, self.stop = first, stop
        self.lanes = vector_lanes(emitter, self.geometry.y.dtype)
        self.weights = flat_places(self.geometry.w)

    def emit(self, part: Index) -> None:
        """Pack the channels and add what they give to the places of a part of the filters."""
        emitter, geometry = self.emitter, self.geometry
        target = View.whole(self.storage, self.packing.shape)
        with emitter.loop(self.first, self.stop) as channel:
            at = [self.group, self.example, channel]
            emit_packing(emitter, self.packing, geometry.x, at, target, self._packed(channel), 0)
        n_filters = geometry.filters // self.plan.parts
        begin = emitter.mul(part, n_filters)
        n_places = geometry.rows.out * geometry.columns.out
        width, height = _choose_tile(emitter, n_places, n_filters)

        def filters(start: Index, count: int) -> None:
            for place in range(0, n_places, width):
                places = range(place, min(place + width, n_places))
                self._emit_tile(emitter.add(begin, start), count, places)

        emit_tiles(emitter, n_filters, height, False, filters)

    def _packed(self, channel: Index) -> Index:
        return self.emitter.add(channel, self.emitter.mul(self.first, -1))

    def _emit_tile(self, start: Index, count: int, places: range) -> None:
        emitter = self.emitter
        nothing = zero(emitter, self.geometry.y.dtype, self.lanes)
        sums = [[Sum(emitter, nothing) for _ in places] for _ in range(count)]
        length = self.weights.shape[-1]
        whole = length - length % self.lanes
        with emitter.loop(self.first, self.stop) as channel:
            run = emitter.mul(self._packed(channel), self.packing.channel_stride)
            if whole:
                with emitter.loop(0, whole, self.lanes) as at:
                    self._step(sums, start, channel, run, at, places, self.lanes)
            if whole < length:
                self._step(sums, start, channel, run, whole, places, length - whole)
        for number, line in enumerate(sums):
            for place, total in zip(places, line, strict=True):
                self._store(emitter.add(start, number), place, sum_of_lanes(emitter, total.value, self.lanes))

    def _step(
        self,
        sums: list[list[Sum]],
        start: Index,
        channel: Index,
        run: Index,
        at: Index,
        places: range,
        count: int,
    ) -> None:
        """Add the products of one vector, of which the first `count` lanes hold something."""
        emitter, lanes = self.emitter, self.lanes
        packed = View.whole(self.storage, (self.storage.size,))
        inputs = []
        for place in places:
            offset = self.packing.offset(*divmod(place, self.geometry.columns.out))
            value = emitter.load(packed, [emitter.add(emitter.add(run, at), offset)], lanes)
            inputs.append(self._clear(value, count))
        for number, line in enumerate(sums):
            here = [self.group, emitter.add(start, number), channel, at]
            weight = load_with_zeros(emitter, self.weights, here, count, lanes)
            for value, total in zip(inputs, line, strict=True):
                total.add(value, weight)

    def _clear(self, value: ir.Value, count: int) -> ir.Value:
        """Return a vector with zeros in the lanes that belong to another run, or to none."""
        if count == self.lanes:
            return value
        used = [ir.Constant(I1, lane < count) for lane in range(self.lanes)]
        mask = ir.Constant(ir.VectorType(I1, self.lanes), used)
        return self.emitter.builder.select(mask, value, zero(self.emitter, self.geometry.y.dtype, self.lanes))

    def _store(self, number: Index, place: int, total: ir.Value) -> None:
        emitter, y = self.emitter, self.geometry.places
        here = [self.group, self.example, number, place]
        if not isinstance(self.first, int):
            begun = emitter.builder.icmp_signed("==", i64(self.first), ir.Constant(I64, 0))
            so_far = emitter.builder.select(begun, zero(emitter, y.dtype, 1), emitter.load(y, here))
            total = emitter.builder.fadd(so_far, total)
        emitter.store(y, here, total)
