"""Vectors of sums: cutting a line into vectors, adding products, adding up lanes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llvmlite import ir

from slopewise.compiler.native.emission.loops import I32, I64, Emitter, Index, pieces
from slopewise.compiler.native.emission.views import View
from slopewise.compiler.native.machine.toolchain import host
from slopewise.engine.aval import Dtype

Part = tuple[int, int]  # (offset, lanes) of a vector


def registers(emitter: Emitter) -> int:
    """Return how many vector registers there are: AVX-512 and NEON have 32, older vectors on x86 16."""
    return 32 if emitter.vector_bytes == 64 or host().triple.startswith(("aarch64", "arm64")) else 16


def multiply_add(emitter: Emitter, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    """Return a * b + c, rounded once where the machine can."""
    builder = emitter.builder
    if not host().has_fma:
        return builder.fadd(builder.fmul(a, b), c)
    kind = a.type
    element, lanes = (kind.element, kind.count) if isinstance(kind, ir.VectorType) else (kind, 1)
    bits = 64 if element == ir.DoubleType() else 32
    name = f"llvm.fma.v{lanes}f{bits}" if lanes > 1 else f"llvm.fma.f{bits}"
    module = builder.module
    function = module.globals.get(name)
    if function is None:
        function = ir.Function(module, ir.FunctionType(kind, [kind] * 3), name)
    return builder.call(function, [a, b, c])


class Sum:
    """A running sum of products, kept in a register."""

    def __init__(self, emitter: Emitter, start: ir.Value) -> None:
        self._emitter = emitter
        self._kind = start.type
        self._place = emitter.variable(start.type)
        emitter.builder.store(start, self._place)

    @property
    def value(self) -> ir.Value:
        return self._emitter.builder.load(self._place, typ=self._kind)

    def add(self, a: ir.Value, b: ir.Value) -> None:
        self._emitter.builder.store(multiply_add(self._emitter, a, b, self.value), self._place)


def vectors_of(size: int, lanes: int) -> list[Part]:
    """Cut a line into vectors, the last of them smaller powers of two."""
    whole = size - size % lanes
    return [(start, lanes) for start in range(0, whole, lanes)] + list(pieces(size, lanes))


def emit_tiles(
    emitter: Emitter, size: int, tile: int, overlapping: bool, body: Callable[[Index, int], None]
) -> None:
    """Emit `body(start, count)` for the tiles of an axis.

    Parameters
    ----------
    overlapping : whether the last tile may do again what the one before it has done, so that it has the
        same size and needs no code of its own
    """
    if size <= tile:
        body(0, size)
        return
    whole, rest = divmod(size, tile)
    if overlapping and rest:
        with emitter.loop(0, whole + 1) as number:
            body(emitter.least(emitter.mul(number, tile), size - tile), tile)
        return
    with emitter.loop(0, whole) as number:
        body(emitter.mul(number, tile), tile)
    if rest:
        body(whole * tile, rest)


def load_with_zeros(emitter: Emitter, view: View, index: list[Index], count: int, lanes: int) -> ir.Value:
    """Read elements along the last axis into a vector; lanes behind `count` are zero and nothing is read."""
    if count == lanes:
        return emitter.load(view, index, lanes)
    builder = emitter.builder
    vector: ir.Value = zero(emitter, view.dtype, lanes)
    for offset, size in pieces(count, lanes):
        piece = emitter.load(view, [*index[:-1], emitter.add(index[-1], offset)], size)
        if size == 1:
            vector = builder.insert_element(vector, piece, ir.Constant(I32, offset))
            continue
        wide = builder.shuffle_vector(
            piece, ir.Constant(piece.type, ir.Undefined), _mask([min(n, size - 1) for n in range(lanes)])
        )
        inside = range(offset, offset + size)
        order = [lanes + n - offset if n in inside else n for n in range(lanes)]
        vector = builder.shuffle_vector(vector, wide, _mask(order))
    return vector


def sum_of_lanes(emitter: Emitter, value: ir.Value, lanes: int) -> ir.Value:
    """Return the sum of a vector's lanes: the upper half is added to the lower until one is left."""
    builder = emitter.builder
    while lanes > 1:
        lanes //= 2
        undefined = ir.Constant(value.type, ir.Undefined)
        low, high = (
            builder.shuffle_vector(value, undefined, _mask(range(start, start + lanes)))
            for start in (0, lanes)
        )
        value = builder.fadd(low, high)
    return builder.extract_element(value, ir.Constant(I32, 0)) if _is_vector(value) else value


def _is_vector(value: ir.Value) -> bool:
    return isinstance(value.type, ir.VectorType)


def _mask(order: Sequence[int]) -> ir.Constant:
    return ir.Constant(ir.VectorType(I32, len(order)), [ir.Constant(I32, lane) for lane in order])


def zero(emitter: Emitter, dtype: Dtype, lanes: int) -> ir.Value:
    return emitter.constant(0.0, dtype, lanes)


def split(emitter: Emitter, number: Index, sizes: tuple[int, ...]) -> list[Index]:
    """Return the indices that a number in row-major order stands for."""
    indices: list[Index] = []
    for size in reversed(sizes[1:]):
        if isinstance(number, int):
            number, rest = divmod(number, size)
            indices.append(rest)
        else:
            divisor = ir.Constant(I64, size)
            indices.append(emitter.builder.urem(number, divisor))
            number = emitter.builder.udiv(number, divisor)
    return [number, *reversed(indices)]
