"""scan: a loop whose body is a graph. One definition serves recurrent networks and whole epochs of training.

The body's inputs are constants, the carry, and one slice of each of `xs`; its outputs are the next carry and
one slice of each result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from slopewise.engine.aval import Array, Aval, aval_of
from slopewise.engine.errors import ShapeError
from slopewise.engine.interpreter import run_graph
from slopewise.engine.primitive import Primitive, apply, define, is_recorded
from slopewise.engine.primitives.call import batched_graph, check_inputs, cotangent_or_zeros

if TYPE_CHECKING:
    from slopewise.engine.graph import Graph
    from slopewise.engine.linearize import Linearized


class Extent(NamedTuple):
    """How a scan's operands divide, how many steps it makes, and in which direction."""

    n_consts: int
    n_carry: int
    length: int
    reverse: bool

    @property
    def carry(self) -> range:
        return range(self.n_consts, self.n_consts + self.n_carry)


def scan_graph(graph: Graph, operands: Sequence[Any], extent: Extent) -> list[Any]:
    """Run a loop on tensors as one differentiable operation; returns the last carry, then stacked results."""
    if not is_recorded(operands):
        return list(apply(scan, *operands, graph=graph, linear=None, extent=extent))
    tracked = [tensor.requires_grad for tensor in operands]
    linear = _linearize_body(graph, tracked, extent)
    return list(
        apply(scan, *operands, graph=linear.forward, linear=linear, extent=extent)[: len(graph.outputs)]
    )


def _linearize_body(graph: Graph, tracked: Sequence[bool], extent: Extent) -> Linearized:
    """Linearize the body.

    All of the carry that is floating needs a gradient, since any step may tie it to something tracked.
    """
    needs = tuple(
        symbol.dtype.kind == "f" and (need or i in extent.carry)
        for i, (need, symbol) in enumerate(zip(tracked, graph.inputs, strict=True))
    )
    return linearize.linearize(graph, needs, frozenset(extent.carry))


def _infer_scan(*avals: Aval, graph: Graph, linear: Linearized | None, extent: Extent) -> tuple[Aval, ...]:
    outputs = graph.output_avals
    carry = [avals[i] for i in extent.carry]
    slices = [Aval(x.shape[1:], x.dtype) for x in avals[extent.carry.stop :]]
    check_inputs("scan", [*avals[: extent.n_consts], *carry, *slices], list(map(aval_of, graph.inputs)))
    check_inputs("scan", outputs[: extent.n_carry], carry)
    for x in avals[extent.carry.stop :]:
        if x.shape[:1] != (extent.length,):
            raise ShapeError(f"'scan' of {extent.length} steps cannot go over {x}")
    stacked = (Aval((extent.length, *y.shape), y.dtype) for y in outputs[extent.n_carry :])
    return (*outputs[: extent.n_carry], *stacked)


def _compute_scan(
    *arrays: Array, graph: Graph, linear: Linearized | None, extent: Extent
) -> tuple[Array, ...]:
    consts, xs = arrays[: extent.n_consts], arrays[extent.carry.stop :]
    carry = [arrays[i] for i in extent.carry]
    ys = [np.empty((extent.length, *y.shape), y.dtype) for y in graph.output_avals[extent.n_carry :]]
    for step in reversed(range(extent.length)) if extent.reverse else range(extent.length):
        results = run_graph(graph, (*consts, *carry, *(np.asarray(x[step]) for x in xs)))
        carry = results[: extent.n_carry]
        for y, value in zip(ys, results[extent.n_carry :], strict=True):
            y[step] = value
    return (*carry, *ys)


# ---- gradient: the body's backward graph from the last step to the first


def _scan_vjp(
    g: tuple[Any, ...],
    y: tuple[Any, ...],
    *operands: Any,
    needs: tuple[bool, ...],
    graph: Graph,
    linear: Linearized | None,
    extent: Extent,
) -> list[Any]:
    if (
        linear is None
        or not linear.covers(needs)
        or any(cotangent is not None for cotangent in g[len(g) - linear.n_residuals :])
    ):
        # nothing was kept yet, or a second derivative passes through what was kept for the first
        linear = _linearize_body(graph, needs, extent)
        y = apply(scan, *operands, graph=linear.forward, linear=None, extent=extent)
        g = (*g, *(None,) * linear.n_residuals)
    backward, split = _backward_body(linear, extent)
    residuals = y[len(y) - linear.n_residuals :]
    carry = [ops.zeros(operands[i].shape, operands[i].dtype) for i in split.const_gradients]
    carry += [cotangent_or_zeros(g[i], y[i]) for i in split.carry_cotangents]
    consts = [operands[i] for i in split.consts]
    xs = [operands[i] for i in split.xs] + list(residuals)
    xs += [cotangent_or_zeros(g[i], y[i]) for i in split.result_cotangents]
    results = scan_graph(
        backward,
        [*consts, *carry, *xs],
        Extent(len(consts), len(carry), extent.length, not extent.reverse),
    )
    gradients: list[Any] = [None] * len(operands)
    for place, value in zip((i for i, need in enumerate(linear.needs) if need), results, strict=True):
        gradients[place] = value
    return gradients


class _Split(NamedTuple):
    """Where the backward loop's inputs come from: positions among the forward one's operands or results."""

    consts: list[int]
    xs: list[int]
    const_gradients: list[int]
    carry_cotangents: list[int]
    result_cotangents: list[int]


def _backward_body(linear: Linearized, extent: Extent) -> tuple[Graph, _Split]:
    """Return the body of the backward loop: its constants' gradients are added up in the carry."""
    split = _Split(
        consts=[i for i in linear.from_inputs if i < extent.n_consts],
        xs=[i for i in linear.from_inputs if i >= extent.carry.stop],
        const_gradients=[i for i in range(extent.n_consts) if linear.needs[i]],
        carry_cotangents=[i for i in linear.cotangents if i < extent.n_carry],
        result_cotangents=[i for i in linear.cotangents if i >= extent.n_carry],
    )
    key = ("backward body", extent.n_consts, extent.n_carry)
    if key not in linear.backward.derived:
        linear.backward.derived[key] = _trace_backward_body(linear.backward, split)
    return linear.backward.derived[key], split


def _trace_backward_body(backward: Graph, split: _Split) -> Graph:
    """Put the inputs of a backward graph in the order of a loop's: constants, carry, slices."""
    inputs = backward.inputs
    n_consts, n_sums, n_carry = len(split.consts), len(split.const_gradients), len(split.carry_cotangents)
    n_slices = len(split.xs)
    n_residuals = len(inputs) - n_consts - n_slices - n_carry - len(split.result_cotangents)
    first_cotangent = n_consts + n_slices + n_residuals
    with trace.tracing(once=True) as opened:

        def enter(avals: Sequence[Any]) -> list[Any]:
            return [Tensor._from_ref(Ref(opened.input(aval_of(aval)))) for aval in avals]

        consts = enter(inputs[:n_consts])
        sums = enter(backward.outputs[:n_sums])
        carry = enter(inputs[first_cotangent : first_cotangent + n_carry])
        slices = enter(inputs[n_consts:first_cotangent])
        cotangents = enter(inputs[first_cotangent + n_carry :])
        gradients = linearize.replay(backward, [*consts, *slices, *carry, *cotangents])
        totals = [total + part for total, part in zip(sums, gradients[:n_sums], strict=True)]
        outputs = [opened.symbol_of(value) for value in (*totals, *gradients[n_sums:])]
    return graphs.Graph(opened.inputs, opened.constants, opened.nodes, outputs)


# ---- batching: the carry is batched throughout, as any step may tie it to the batch


def _batch_scan(
    operands: Sequence[Any],
    batched: Sequence[bool],
    size: int,
    graph: Graph,
    linear: Linearized | None,
    extent: Extent,
) -> tuple[Any, ...]:
    inside = tuple(b or i in extent.carry for i, b in enumerate(batched))
    arranged = []
    for i, (operand, is_batched) in enumerate(zip(operands, batched, strict=True)):
        if i in extent.carry:
            arranged.append(materialize(operand, is_batched, size))
        elif is_batched and i >= extent.carry.stop:
            arranged.append(ops.moveaxis(operand, 0, 1))  # steps first, then the batch
        else:
            arranged.append(operand)
    results = scan_graph(batched_graph(graph, inside, size), arranged, extent)
    return tuple(y if i < extent.n_carry else ops.moveaxis(y, 1, 0) for i, y in enumerate(results))


scan: Primitive = define(
    "scan",
    infer=_infer_scan,
    compute=_compute_scan,
    vjp=_scan_vjp,
    batch=_batch_scan,
    outputs=None,
    saves="xy",
)

from slopewise.engine import graph as graphs  # noqa: E402
from slopewise.engine import linearize, ops, trace  # noqa: E402  (these are made of primitives)
from slopewise.engine.primitives.rules import materialize  # noqa: E402
from slopewise.engine.tape import Ref  # noqa: E402
from slopewise.engine.tensor import Tensor  # noqa: E402
