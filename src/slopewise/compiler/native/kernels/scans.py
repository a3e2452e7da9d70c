"""A loop in a graph: its body is a program of its own, whose frame and arena lie in the arena around it.

One thread runs it. The state keeps one place: the first step reads the initial state and writes the result's
memory, all later ones read and write there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from llvmlite import ir

from slopewise.compiler.loop import Loop
from slopewise.compiler.native.emission import frames
from slopewise.compiler.native.emission.loops import I64, Emitter, Index
from slopewise.compiler.native.emission.views import Place, Storage, View
from slopewise.compiler.native.kernels.kernel import Views
from slopewise.engine.aval import Dtype, Shape
from slopewise.engine.graph import GraphNode

if TYPE_CHECKING:
    from slopewise.compiler.native.program import Program
    from slopewise.engine.primitives.loop import Extent


def loop_of(node: GraphNode) -> Loop:
    """Return how the steps of a scan follow one another."""
    extent: Extent = node.params["extent"]
    graph = node.params["graph"]
    sign = -1 if extent.reverse else 1

    def steps(symbols: list[tuple[int, int]]) -> dict[int, int]:
        return {place: sign * size for place, size in symbols}

    slices = [
        (i, _n_bytes(graph.inputs[i].shape, graph.inputs[i].dtype))
        for i in range(extent.carry.stop, len(graph.inputs))
    ]
    results = [
        (k, _n_bytes(graph.outputs[k].shape, graph.outputs[k].dtype))
        for k in range(extent.n_carry, len(graph.outputs))
    ]
    carried = {k: extent.n_consts + k for k in range(extent.n_carry)}
    return Loop(carried, steps(slices), steps(results))


def _n_bytes(shape: Shape, dtype: Dtype) -> int:
    return int(np.prod(shape, dtype=np.int64)) * dtype.itemsize


def scratch_of(program: Program) -> Storage:
    """Return memory for a body's frame and arena."""
    size = frames.aligned(8 * program.n_slots) + program.memory.peak
    return Storage(Place.ARENA, -1, np.dtype(np.uint8), size)


def emit_scan(
    emitter: Emitter,
    node: GraphNode,
    body: Program,
    operands: Views,
    results: Views,
    scratch: Storage,
    constants: list[Storage],
    prefix: str,
) -> None:
    """Emit the loop.

    Parameters
    ----------
    body : the program of the scan's graph, for one thread and `loop_of` the node
    operands, results : contiguous views
    constants : where the body's constants are
    prefix : put before the names of the body's functions
    """
    builder = emitter.builder
    extent: Extent = node.params["extent"]
    step = body.step_function(builder.module, prefix)
    frame = emitter.pointers[scratch]
    arena = frames.at(builder, frame, frames.aligned(8 * body.n_slots))
    builder.store(emitter.status, frames.at(builder, frame, 8 * frames.CONTROL))
    builder.store(I64(0), frames.at(builder, frame, 8 * frames.THREAD))
    builder.store(arena, frames.at(builder, frame, 8 * frames.ARENA))
    last = extent.length - 1 if extent.reverse else 0
    pointers = []
    for place, view in enumerate((*operands, *results)):
        number = place - len(operands)
        moves = body.loop.input_steps.get(place) if number < 0 else body.loop.output_steps.get(number)
        start: tuple[Index, ...] = (last,) + (0,) * (len(view.shape) - 1) if moves is not None else ()
        pointers.append(emitter.address(view, start or (0,) * len(view.shape)))
    pointers += [emitter.pointers[storage] for storage in constants]
    for place, pointer in enumerate(pointers, frames.SLOTS):
        builder.store(pointer, frames.at(builder, frame, 8 * place))
    _emit_steps(builder, emitter.status, frame, step, body, extent.length)


def _emit_steps(
    builder: ir.IRBuilder, status: ir.Value, frame: ir.Value, step: ir.Function, body: Program, length: int
) -> None:
    """Emit the steps; the first that fails is the last."""
    before = builder.block
    steps, after = builder.append_basic_block("steps"), builder.append_basic_block("done")
    builder.branch(steps)
    builder.position_at_end(steps)
    done = builder.phi(I64)
    done.add_incoming(I64(0), before)
    builder.call(step, [frame])
    body.advance(builder, frame)
    made = builder.add(done, I64(1))
    failed = builder.icmp_signed("!=", builder.load(status, typ=I64), I64(0))
    finished = builder.or_(failed, builder.icmp_signed(">=", made, I64(length)))
    done.add_incoming(made, builder.block)
    builder.cbranch(finished, after, steps)
    builder.position_at_end(after)


def needs_copy(view: View, is_constant_number: bool) -> bool:
    """Tell whether a body cannot read a value where it lies."""
    return is_constant_number or not view.is_contiguous
