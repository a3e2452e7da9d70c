"""Philox4x32-10 in machine code: the same bits as `slopewise.engine.random`, some blocks at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llvmlite import ir

from slopewise.compiler.native.emission.literals import splat
from slopewise.compiler.native.emission.loops import I32, I64, Emitter, Index, i64, pieces
from slopewise.compiler.native.kernels.columns import emit_blocks
from slopewise.compiler.native.kernels.kernel import Kernel, Span, Views
from slopewise.engine.graph import GraphNode
from slopewise.engine.random import PHILOX_MULTIPLIERS, PHILOX_ROUNDS, PHILOX_WEYL

BLOCKS = 8  # counters whose rounds run side by side
_WORDS = 4 * BLOCKS

Words = list[ir.Value]  # vectors of i64 whose upper halves are zero, which LLVM multiplies as 32-bit numbers


def _extent(node: GraphNode, operands: Views, results: Views) -> int:
    return -(-results[0].size // _WORDS)


def _work(node: GraphNode, operands: Views, results: Views) -> float:
    return 2.0 * PHILOX_ROUNDS * results[0].size


class Philox:
    """The rounds for one address; the keys of all rounds are computed once.

    Parameters
    ----------
    builder : where code goes
    words : the address, four i64 below 2**32: the seed's halves, stream and call
    """

    def __init__(self, builder: ir.IRBuilder, words: Sequence[ir.Value]) -> None:
        self.builder = builder
        self.last = [splat(builder, word, BLOCKS) for word in (words[3], words[2])]  # call, then stream
        self.mask = _constant(0xFFFFFFFF)
        self.keys = []
        for round_number in range(PHILOX_ROUNDS):
            pair = []
            for word, weyl in zip(words, PHILOX_WEYL, strict=False):
                key = builder.add(word, ir.Constant(I64, round_number * weyl))
                pair.append(splat(builder, builder.and_(key, ir.Constant(I64, 0xFFFFFFFF)), BLOCKS))
            self.keys.append(pair)

    def blocks(self, first: Index) -> Words:
        """Return the four words of the blocks from a number on."""
        builder = self.builder
        steps = ir.Constant(ir.VectorType(I64, BLOCKS), [ir.Constant(I64, n) for n in range(BLOCKS)])
        number = builder.add(splat(builder, i64(first), BLOCKS), steps)
        counter = [builder.and_(number, self.mask), builder.lshr(number, _constant(32)), *self.last]
        for key in self.keys:
            counter = self._round(counter, key)
        return counter

    def _round(self, counter: Words, key: Words) -> Words:
        builder = self.builder
        first, second = (
            builder.mul(word, _constant(multiplier))
            for word, multiplier in zip(counter[::2], PHILOX_MULTIPLIERS, strict=True)
        )
        return [
            builder.xor(builder.xor(builder.lshr(second, _constant(32)), counter[1]), key[0]),
            builder.and_(second, self.mask),
            builder.xor(builder.xor(builder.lshr(first, _constant(32)), counter[3]), key[1]),
            builder.and_(first, self.mask),
        ]


def _constant(number: int) -> ir.Constant:
    return ir.Constant(ir.VectorType(I64, BLOCKS), [ir.Constant(I64, number)] * BLOCKS)


def interleave(builder: ir.IRBuilder, words: Words) -> ir.Value:
    """Return words of all blocks as one vector of i32: the four of the first block, of the second, ..."""
    narrow = [builder.trunc(word, ir.VectorType(I32, BLOCKS)) for word in words]
    halves = [_shuffle(builder, a, b, range(2 * BLOCKS)) for a, b in (narrow[:2], narrow[2:])]
    order = [word * BLOCKS + block for block in range(BLOCKS) for word in range(4)]
    return _shuffle(builder, halves[0], halves[1], order)


def _shuffle(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, order: list[int] | range) -> ir.Value:
    mask = ir.Constant(ir.VectorType(I32, len(order)), [ir.Constant(I32, n) for n in order])
    return builder.shuffle_vector(a, b, mask)


def emit_random_bits(emitter: Emitter, node: GraphNode, operands: Views, results: Views, span: Span) -> None:
    builder = emitter.builder
    result = replace(results[0], shape=(results[0].size,), strides=(1,))
    address = [builder.zext(emitter.load(operands[0], [number]), I64) for number in range(4)]
    philox = Philox(builder, address)

    def write(start: Index, count: int) -> None:
        number = start // 4 if isinstance(start, int) else builder.lshr(start, ir.Constant(I64, 2))
        words = interleave(builder, philox.blocks(number))
        for begin, lanes in [(0, _WORDS)] if count == _WORDS else pieces(count, _WORDS):
            part = words if lanes == _WORDS else _shuffle(builder, words, words, range(begin, begin + lanes))
            if lanes == 1:
                part = builder.extract_element(words, ir.Constant(I32, begin))
            emitter.store(result, [emitter.add(start, begin)], part, lanes)

    emit_blocks(emitter, span, result.size, _WORDS, write)


KERNELS = {"random_bits": Kernel(emit_random_bits, _extent, _work)}
