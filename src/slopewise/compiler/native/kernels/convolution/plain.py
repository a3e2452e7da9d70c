"""A convolution as one sum after the other: for any number of axes and any sizes."""

from __future__ import annotations

import math

from llvmlite import ir

from slopewise.compiler.native.emission.loops import I1, I64, Emitter, Index
from slopewise.compiler.native.kernels.convolution.arithmetic import Sum, split, zero
from slopewise.compiler.native.kernels.convolution.geometry import Geometry
from slopewise.compiler.native.kernels.convolution.packing import input_index
from slopewise.compiler.native.kernels.copying import emit_zeros
from slopewise.compiler.native.kernels.kernel import Span


class PlainPlan:
    """Threads share out images and filters."""

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        self._units = geometry.y.shape[:3]
        self.extent = math.prod(self._units)

    def emit(self, emitter: Emitter, span: Span) -> None:
        geometry = self.geometry
        with emitter.loop(*span) as unit:
            image = split(emitter, unit, self._units)
            if not geometry.x.size or not geometry.w.size:
                emit_zeros(emitter, geometry.y, image)
                return
            with emitter.loops(geometry.y.shape[3:]) as place:
                self._emit_place(emitter, image, place)

    def _emit_place(self, emitter: Emitter, image: list[Index], place: list[Index]) -> None:
        geometry = self.geometry
        group, example, number = image
        nothing = zero(emitter, geometry.y.dtype, 1)
        total = Sum(emitter, nothing)
        with emitter.loops(geometry.w.shape[2:]) as (channel, *element):
            met, inside = self._meet(emitter, place, element)
            x = emitter.load(geometry.x, [group, example, channel, *met])
            w = emitter.load(geometry.w, [group, number, channel, *element])
            total.add(emitter.builder.select(inside, x, nothing), w)
        emitter.store(geometry.y, [*image, *place], total.value)

    def _meet(
        self, emitter: Emitter, place: list[Index], element: list[Index]
    ) -> tuple[list[Index], ir.Value]:
        """Return what a kernel element meets, and whether it is in the input; if not, it is 0."""
        builder = emitter.builder
        inside: ir.Value = ir.Constant(I1, True)
        met: list[Index] = []
        axes = (*self.geometry.lead, self.geometry.rows, self.geometry.columns)
        for axis, o, k in zip(axes, place, element, strict=True):
            position = emitter.add(emitter.mul(o, axis.stride), emitter.mul(k, axis.dilation))
            index, here = input_index(emitter, axis, emitter.add(position, -axis.low))
            inside = builder.and_(inside, here)
            met.append(builder.select(here, index, ir.Constant(I64, 0)))
        return met, inside
