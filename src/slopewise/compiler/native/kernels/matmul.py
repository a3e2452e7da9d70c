"""Matrix products by generated kernels, with the elementwise work that follows them.

The columns of the result are taken in panels of two vectors. A panel of the right matrix is packed where its
elements do not lie as the kernel reads them; then a tile of a few rows at a time is kept in registers
while the inner axis is walked (as in K. Goto, R. van de Geijn, "Anatomy of high-performance matrix
multiplication", ACM TOMS 34, 2008; the sizes are known here, so that no loop has a remainder to look for).
The finished panel goes through the elementwise nodes while it is in the nearest cache.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from llvmlite import ir

from slopewise.compiler.native.emission.literals import literal
from slopewise.compiler.native.emission.loops import I32, Emitter, Index, element_type, pieces, value_type
from slopewise.compiler.native.emission.views import Storage, View
from slopewise.compiler.native.kernels.maps import Body
from slopewise.engine.aval import Dtype, Shape
from slopewise.engine.graph import GraphNode, Symbol

_TILE_VECTORS = 2
# sums of 6 x 2 vectors, 2 of the right matrix and 1 of the left: 15 of 16 registers. AVX-512 has 32 of them
_TILE_ROWS = {16: 6, 32: 6, 64: 12}
_UNROLL = 4


class Product(NamedTuple):
    """A matrix product with its operands as (stack, rows, inner) and (stack, inner, columns)."""

    a: View
    b: View
    stack: Shape
    rows: int
    columns: int
    inner: int
    dtype: Dtype

    @staticmethod
    def of(node: GraphNode, a: View, b: View) -> Product:
        if node.params["transpose_a"]:
            a = a.transpose((*range(len(a.shape) - 2), len(a.shape) - 1, len(a.shape) - 2))
        if node.params["transpose_b"]:
            b = b.transpose((*range(len(b.shape) - 2), len(b.shape) - 1, len(b.shape) - 2))
        *stack, rows, columns = node.outputs[0].shape
        shape = tuple(stack)
        a = a.broadcast((*shape, *a.shape[-2:]))
        b = b.broadcast((*shape, *b.shape[-2:]))
        return Product(a, b, shape, rows, columns, a.shape[-1], node.outputs[0].dtype)

    @property
    def flops(self) -> float:
        return 2.0 * math.prod(self.stack) * self.rows * self.columns * self.inner

    def lanes(self, vector_bytes: int) -> int:
        return vector_bytes // self.dtype.itemsize

    def panel(self, vector_bytes: int) -> int:
        """How many columns a whole panel has."""
        return _TILE_VECTORS * self.lanes(vector_bytes)

    def scratch_size(self, vector_bytes: int) -> int:
        """How many elements a thread needs beside the operands: a packed panel, and a panel of the result."""
        return (self.inner + self.rows) * self.panel(vector_bytes)


class Split(NamedTuple):
    """Along which axis threads share a product out."""

    axis: str  # "stack", "columns", "rows" or "" for not at all

    @staticmethod
    def of(product: Product, n_threads: int, vector_bytes: int) -> Split:
        panels = product.columns // product.panel(vector_bytes)
        stack = math.prod(product.stack)
        if n_threads == 1:
            return Split("")
        if stack >= n_threads:
            return Split("stack")
        if panels >= n_threads and (panels % n_threads == 0 or panels >= 4 * n_threads):
            return Split("columns")
        if product.rows % n_threads == 0 and product.rows >= 4 * n_threads:
            return Split("rows")
        return Split("columns" if panels >= n_threads else "")


def tile_heights(rows: int, most: int) -> list[tuple[int, int]]:
    """Split rows into tiles of nearly equal height, as (height, how many).

    Examples
    --------
    >>> tile_heights(32, 6), tile_heights(24, 6), tile_heights(1, 6)
    ([(6, 2), (5, 4)], [(6, 4)], [(1, 1)])
    """
    count = -(-rows // most)
    height, higher = divmod(rows, count)
    return [(h, n) for h, n in ((height + 1, higher), (height, count - higher)) if n]


class ProductEmitter:
    """Emits one product for one thread."""

    def __init__(
        self, emitter: Emitter, product: Product, body: Body, symbol: Symbol, scratch: Storage, has_fma: bool
    ) -> None:
        self.emitter = emitter
        self.product = product
        self.body = body
        self.symbol = symbol
        self.has_fma = has_fma
        self.lanes = product.lanes(emitter.vector_bytes)
        self.width = product.panel(emitter.vector_bytes)
        base = emitter.pointers[scratch]
        if emitter.n_threads > 1:
            own = emitter.mul(emitter.thread, product.scratch_size(emitter.vector_bytes))
            base = self._gep(base, own)
        self.packed = base
        self.finished = self._gep(base, product.inner * self.width)

    def emit(self, split: Split) -> None:
        """Emit this thread's share."""
        emitter, product = self.emitter, self.product
        self.body.prepare()
        n_stack = math.prod(product.stack)
        span = emitter.share(n_stack) if split.axis == "stack" else (0, n_stack)
        with emitter.loop(*span) as number:
            stack = self._unravel(number)
            rows = product.rows
            first_row: Index = 0
            if split.axis == "rows":
                rows //= emitter.n_threads
                first_row = emitter.mul(emitter.thread, rows)
            self._panels(stack, first_row, rows, split.axis == "columns")

    def _unravel(self, number: Index) -> list[Index]:
        """Return the index of a matrix in the stack."""
        index: list[Index] = []
        sizes = self.product.stack
        builder = self.emitter.builder
        for axis, size in enumerate(sizes):
            step = math.prod(sizes[axis + 1 :])
            if isinstance(number, int):
                index.append(number // step % size)
                continue
            place = number if step == 1 else builder.udiv(number, ir.Constant(number.type, step))
            if axis:
                place = builder.urem(place, ir.Constant(number.type, size))
            index.append(place)
        return index

    def _panels(self, stack: list[Index], first_row: Index, rows: int, split: bool) -> None:
        emitter, columns = self.emitter, self.product.columns
        whole, rest = divmod(columns, self.width)
        start, stop = emitter.share(whole) if split else (0, whole)
        if whole:
            with emitter.loop(start, stop) as panel:
                self._panel(stack, first_row, rows, emitter.mul(panel, self.width), self.width)
        if rest and split and emitter.n_threads > 1:
            builder = emitter.builder
            last = ir.Constant(emitter.thread.type, emitter.n_threads - 1)
            with builder.if_then(builder.icmp_signed("==", emitter.thread, last)):
                self._panel(stack, first_row, rows, whole * self.width, rest)
        elif rest:
            self._panel(stack, first_row, rows, whole * self.width, rest)

    # ---- one panel of columns

    def _panel(self, stack: list[Index], first_row: Index, rows: int, column: Index, width: int) -> None:
        emitter, product = self.emitter, self.product
        n_vectors = -(-width // self.lanes)
        if self._needs_packing(width, rows):
            self._pack(stack, column, width)
            b, b_step = self.packed, self.width
        else:
            b = emitter.address(product.b, [*stack, 0, column])
            b_step = product.b.strides[-2]
        direct = self._direct_target(width)
        row = 0
        for height, count in tile_heights(rows, _TILE_ROWS[emitter.vector_bytes]):
            with emitter.loop(row, row + height * count, height) as i:
                at = emitter.add(first_row, i)
                sums = self._tile(emitter.address(product.a, [*stack, at, 0]), b, b_step, height, n_vectors)
                for r in range(height):
                    for v in range(n_vectors):
                        if direct is not None:
                            place = emitter.address(
                                direct, [*stack, emitter.add(at, r), emitter.add(column, v * self.lanes)]
                            )
                        else:
                            offset = emitter.mul(emitter.add(i, r), self.width)
                            place = self._gep(self.finished, emitter.add(offset, v * self.lanes))
                        emitter.builder.store(sums[r][v], place, align=product.dtype.itemsize)
            row += height * count
        if direct is None:
            self._finish(stack, first_row, rows, column, width)

    def _direct_target(self, width: int) -> View | None:
        """Return where a panel can be stored without a detour, if nothing is to be done with it."""
        writes = list(self.body.writes.values())
        if self.body.nodes or len(writes) != 1 or width % self.lanes or writes[0].strides[-1] != 1:
            return None
        return writes[0]

    def _finish(self, stack: list[Index], first_row: Index, rows: int, column: Index, width: int) -> None:
        """Put a finished panel through the elementwise nodes."""
        emitter = self.emitter
        kind = element_type(self.product.dtype)
        with emitter.loop(0, rows) as i:
            base = self._gep(self.finished, emitter.mul(i, self.width))
            at = emitter.add(first_row, i)
            parts = [(start, self.lanes) for start in range(0, width - width % self.lanes, self.lanes)]
            for start, lanes in [*parts, *pieces(width, self.lanes)]:
                typ = value_type(self.product.dtype, lanes)
                place = emitter.builder.gep(base, [ir.Constant(ir.IntType(64), start)], source_etype=kind)
                value = emitter.builder.load(place, typ=typ, align=self.product.dtype.itemsize)
                self.body.at([*stack, at, emitter.add(column, start)], lanes, {self.symbol: value})

    def _tile(
        self, a: ir.Value, b: ir.Value, b_step: int, height: int, n_vectors: int
    ) -> list[list[ir.Value]]:
        """Multiply some rows by a panel, all sums in registers."""
        emitter, builder, product = self.emitter, self.emitter.builder, self.product
        kind = value_type(product.dtype, self.lanes)
        zero = literal(kind, "zeroinitializer")
        steps = [(0, product.inner - product.inner % _UNROLL, _UNROLL)]
        steps.append((steps[0][1], product.inner, 1))
        sums = [[zero] * n_vectors for _ in range(height)]
        for start, stop, unroll in steps:
            if start >= stop:
                continue
            before = builder.block
            with emitter.loop(start, stop, unroll) as k:
                sums_before = sums
                looped = not isinstance(k, int)
                if looped:
                    sums = [[builder.phi(kind) for _ in row] for row in sums_before]
                    for row, old in zip(sums, sums_before, strict=True):
                        for phi, value in zip(row, old, strict=True):
                            phi.add_incoming(value, before)
                phis = sums
                for u in range(unroll):
                    sums = self._multiply(a, b, b_step, emitter.add(k, u), sums)
                if looped:
                    for row, new in zip(phis, sums, strict=True):
                        for phi, value in zip(row, new, strict=True):
                            phi.add_incoming(value, builder.block)
        return sums

    def _multiply(
        self, a: ir.Value, b: ir.Value, b_step: int, k: Index, sums: list[list[ir.Value]]
    ) -> list[list[ir.Value]]:
        """Add the products of one place of the inner axis."""
        emitter, builder, product = self.emitter, self.emitter.builder, self.product
        kind = value_type(product.dtype, self.lanes)
        size = product.dtype.itemsize
        row_of_b = self._gep(b, emitter.mul(k, b_step))
        right = [
            builder.load(self._gep(row_of_b, v * self.lanes), typ=kind, align=size)
            for v in range(len(sums[0]))
        ]
        result = []
        for r, row in enumerate(sums):
            offset = emitter.add(emitter.mul(k, product.a.strides[-1]), r * product.a.strides[-2])
            element = builder.load(self._gep(a, offset), typ=element_type(product.dtype), align=size)
            left = emitter.splat(element, self.lanes)
            result.append([self._multiply_add(left, x, total) for x, total in zip(right, row, strict=True)])
        return result

    def _multiply_add(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        builder = self.emitter.builder
        if self.product.dtype.kind != "f":
            return builder.add(c, builder.mul(a, b))
        if not self.has_fma:
            return builder.fadd(c, builder.fmul(a, b))
        name = f"llvm.fma.v{self.lanes}f{8 * self.product.dtype.itemsize}"
        function = builder.module.globals.get(name)
        if function is None:
            function = ir.Function(builder.module, ir.FunctionType(a.type, [a.type] * 3), name)
        return builder.call(function, [a, b, c])

    # ---- packing

    def _needs_packing(self, width: int, rows: int) -> bool:
        """Tell whether a panel is copied: if it lies otherwise than the kernel reads it, or far apart."""
        product = self.product
        if product.b.strides[-1] != 1 or width % self.lanes:
            return True
        far_apart = product.b.strides[-2] * product.dtype.itemsize >= 512
        return far_apart and rows >= 48 and product.inner > 1

    def _pack(self, stack: list[Index], column: Index, width: int) -> None:
        """Copy a panel to (inner, panel) order, zeros in columns that the matrix does not have."""
        emitter, product = self.emitter, self.product
        by_blocks = product.b.strides[-2] == 1 and product.b.strides[-1] != 1
        whole = product.inner - product.inner % self.lanes if by_blocks else 0
        if whole:
            with emitter.loop(0, whole, self.lanes) as k:
                for start in range(0, width, self.lanes):
                    self._pack_block(stack, k, column, start, min(self.lanes, width - start))
        if whole < product.inner:
            with emitter.loop(whole, product.inner) as k:
                for start in range(0, width, self.lanes):
                    self._pack_row(stack, k, column, start, min(self.lanes, width - start))

    def _pack_row(self, stack: list[Index], k: Index, column: Index, start: int, count: int) -> None:
        emitter, product = self.emitter, self.product
        target = self._gep(self.packed, emitter.add(emitter.mul(k, self.width), start))
        at = emitter.add(column, start)
        if count == self.lanes:
            vector = emitter.load(product.b, [*stack, k, at], self.lanes)
        else:
            vector = ir.Constant(value_type(product.dtype, self.lanes), None)
            for lane in range(count):
                element = emitter.load(product.b, [*stack, k, emitter.add(at, lane)])
                vector = emitter.builder.insert_element(vector, element, ir.Constant(I32, lane))
        emitter.builder.store(vector, target, align=product.dtype.itemsize)

    def _pack_block(self, stack: list[Index], k: Index, column: Index, start: int, count: int) -> None:
        """Transpose a square block in registers."""
        emitter, product = self.emitter, self.product
        kind = value_type(product.dtype, self.lanes)
        rows = []
        for lane in range(self.lanes):
            if lane < count:
                source = emitter.address(product.b, [*stack, k, emitter.add(column, start + lane)])
                rows.append(emitter.builder.load(source, typ=kind, align=product.dtype.itemsize))
            else:
                rows.append(ir.Constant(kind, None))
        for lane, row in enumerate(transposed(emitter.builder, rows)):
            offset = emitter.add(emitter.mul(emitter.add(k, lane), self.width), start)
            emitter.builder.store(row, self._gep(self.packed, offset), align=product.dtype.itemsize)

    def _gep(self, pointer: ir.Value, offset: Index) -> ir.Value:
        if isinstance(offset, int):
            if offset == 0:
                return pointer
            offset = ir.Constant(ir.IntType(64), offset)
        kind = element_type(self.product.dtype)
        return self.emitter.builder.gep(pointer, [offset], inbounds=True, source_etype=kind)


def transposed(builder: ir.IRBuilder, rows: Sequence[ir.Value]) -> list[ir.Value]:
    """Transpose a square of vectors: swap blocks of half the size, then of a quarter, and so on."""
    rows = list(rows)
    size = len(rows)
    distance = size // 2
    while distance:
        for i in range(size):
            if i & distance:
                continue
            upper, lower = rows[i], rows[i | distance]
            first = [c if not c & distance else size + (c ^ distance) for c in range(size)]
            second = [c | distance if not c & distance else size + c for c in range(size)]
            rows[i] = _shuffle(builder, upper, lower, first)
            rows[i | distance] = _shuffle(builder, upper, lower, second)
        distance //= 2
    return rows


def _shuffle(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, picked: list[int]) -> ir.Value:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(I32, len(picked)), picked))
