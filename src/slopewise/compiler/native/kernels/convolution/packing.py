"""The packed input of a convolution: what each kernel column meets, as runs without gaps.

The input is copied once for each kernel column, shifted by it, with its padding and the zeros between its
elements, and only with the columns that places meet. Then the elements that one kernel element meets
over all rows and columns of places are one run of memory, and vectors need not end where a row does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from llvmlite import ir

from slopewise.compiler.native.emission.loops import I64, Emitter, Index, i64
from slopewise.compiler.native.emission.views import Place, Storage, View, contiguous_strides
from slopewise.compiler.native.kernels.convolution.geometry import Axis
from slopewise.compiler.native.kernels.copying import emit_copy, emit_zeros
from slopewise.engine.aval import Dtype

SLACK = 64  # bytes that vectors may read behind the packed input, all of them lanes that are not used
_ALIGNMENT = 64


class Packing(NamedTuple):
    """How the input of some rows of places is packed, for some channels.

    Rows are kept by their remainder modulo the stride, so that those which one kernel row meets are
    neighbours.

    Attributes
    ----------
    rows, columns : the axes of the convolution
    n_rows : how many rows of places are packed at once
    channels : how many channels are packed at once
    """

    rows: Axis
    columns: Axis
    n_rows: int
    channels: int

    @property
    def phases(self) -> int:
        return min(self.rows.stride, (self.rows.kernel - 1) * self.rows.dilation + 1)

    @property
    def rows_per_phase(self) -> int:
        return self.n_rows + (self.rows.kernel - 1) * self.rows.dilation // self.rows.stride

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.channels, self.columns.kernel, self.phases, self.rows_per_phase, self.columns.out)

    @property
    def size(self) -> int:
        size = 1
        for n in self.shape:
            size *= n
        return size

    def offset(self, row: int, column: int) -> int:
        """Return where the run begins, in its channel, that a kernel element meets."""
        _, by_column, by_phase, by_row, _ = contiguous_strides(self.shape)
        skipped, phase = divmod(row * self.rows.dilation, self.rows.stride)
        return column * by_column + phase * by_phase + skipped * by_row

    @property
    def channel_stride(self) -> int:
        return contiguous_strides(self.shape)[0]


@contextmanager
def scratch(emitter: Emitter, dtype: Dtype, size: int) -> Iterator[Storage]:
    """Lend memory on the stack, with some slack behind it, for as long as the block is emitted."""
    builder = emitter.builder
    module = builder.module
    save = module.declare_intrinsic(
        "llvm.stacksave", [ir.PointerType()], ir.FunctionType(ir.PointerType(), [])
    )
    restore = module.declare_intrinsic(
        "llvm.stackrestore", [ir.PointerType()], ir.FunctionType(ir.VoidType(), [ir.PointerType()])
    )
    before = builder.call(save, [])
    n_bytes = size * dtype.itemsize + SLACK
    memory = builder.alloca(ir.ArrayType(ir.IntType(8), n_bytes))
    memory.align = _ALIGNMENT
    memory.type = ir.PointerType()  # llvmlite still remembers what a pointer from alloca points to
    storage = Storage(Place.ARENA, -1, dtype, size)
    emitter.pointers[storage] = memory
    yield storage
    del emitter.pointers[storage]
    builder.call(restore, [before])


def emit_packing(
    emitter: Emitter,
    packing: Packing,
    source: View,
    at: Sequence[Index],
    target: View,
    channel: Index,
    first_row: Index,
) -> None:
    """Pack one channel.

    Parameters
    ----------
    source : the input, the last two axes are rows and columns
    at : indices of the axes before them
    target : of the packing's shape
    channel : which channel of the packing it is
    first_row : the first row of places
    """
    rows = packing.rows
    for phase in range(packing.phases):
        with emitter.loop(0, packing.rows_per_phase) as number:
            row = emitter.add(emitter.mul(emitter.add(first_row, number), rows.stride), phase - rows.low)
            here = [channel, phase, number]
            with _input_row(emitter, packing, row, target, here) as element:
                for shift in range(packing.columns.kernel):
                    _pack_row(emitter, packing.columns, shift, source, [*at, element], target, here)


def _place(here: Sequence[Index], shift: int) -> list[Index]:
    channel, phase, number = here
    return [channel, shift, phase, number]


@contextmanager
def _input_row(
    emitter: Emitter, packing: Packing, row: Index, target: View, here: Sequence[Index]
) -> Iterator[Index]:
    """Run a block with the index of an input row; where a row is padding, write zeros instead."""
    axis = packing.rows
    last = (axis.out - packing.n_rows + packing.rows_per_phase - 1) * axis.stride + packing.phases - 1
    if axis.low <= 0 and axis.spread == 1 and last - axis.low < axis.size:
        yield row
        return
    element, inside = input_index(emitter, axis, row)
    with emitter.builder.if_else(inside) as (then, otherwise):
        with then:
            yield element
        with otherwise:
            for shift in range(packing.columns.kernel):
                emit_zeros(emitter, target, _place(here, shift))


def input_index(emitter: Emitter, axis: Axis, position: Index) -> tuple[ir.Value, ir.Value]:
    """Return which element of an axis is at a position of the spread axis, and whether there is one.

    The index of no element is out of range.
    """
    builder = emitter.builder
    spread = ir.Constant(I64, axis.spread)
    element = builder.udiv(i64(position), spread)  # what is negative is beyond the end, unsigned
    inside = builder.icmp_unsigned("<", element, ir.Constant(I64, axis.size))
    if axis.spread > 1:
        hit = builder.icmp_unsigned("==", builder.urem(i64(position), spread), ir.Constant(I64, 0))
        inside = builder.and_(inside, hit)
    return element, inside


def _pack_row(
    emitter: Emitter,
    axis: Axis,
    shift: int,
    source: View,
    at: list[Index],
    target: View,
    here: Sequence[Index],
) -> None:
    """Copy what one kernel column meets of a row."""
    place = _place(here, shift)
    met = [o * axis.stride + shift * axis.dilation - axis.low for o in range(axis.out)]
    inside = [
        o for o, i in enumerate(met) if i >= 0 and i % axis.spread == 0 and i // axis.spread < axis.size
    ]
    if len(inside) < axis.out:
        emit_zeros(emitter, target, place)
    if not inside:
        return
    step = inside[1] - inside[0] if len(inside) > 1 else 1
    elements = [met[o] // axis.spread for o in inside]
    element_step = elements[1] - elements[0] if len(elements) > 1 else 1
    emit_copy(
        emitter,
        _columns(source, elements[0], element_step, len(elements)),
        _columns(target, inside[0], step, len(inside)),
        at,
        place,
    )


def _columns(view: View, start: int, step: int, count: int) -> View:
    lead = len(view.shape) - 1
    return view.slice((0,) * lead + (start,), (1,) * lead + (step,), (*view.shape[:-1], count))
