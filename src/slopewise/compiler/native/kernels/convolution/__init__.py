"""Convolution in machine code: which of three ways, and the kernel that the program sees.

`places` keeps places of the result in vectors, the way of forward passes and of gradients of inputs; `sums`
keeps sums over the kernel's places in vectors, the way of gradients of kernels, which are as large as images
while the result is small; `plain` is one sum after the other, for all that is neither.
"""

from __future__ import annotations

import math

from slopewise.compiler.native.emission.loops import Emitter
from slopewise.compiler.native.kernels.convolution.geometry import Geometry
from slopewise.compiler.native.kernels.convolution.places import PlacesPlan
from slopewise.compiler.native.kernels.convolution.plain import PlainPlan
from slopewise.compiler.native.kernels.convolution.sums import SumsPlan
from slopewise.compiler.native.kernels.kernel import Kernel, Span, Views
from slopewise.engine.graph import GraphNode

_VECTOR_BYTES = 32  # of a machine of today

Plan = PlacesPlan | SumsPlan | PlainPlan


def _plan(node: GraphNode, operands: Views, results: Views) -> Plan:
    geometry = Geometry.of(node, operands[0], operands[1], results[0])
    if not operands[0].size or not operands[1].size:
        return PlainPlan(geometry)
    few_places = geometry.rows.out * geometry.columns.out < geometry.rows.kernel * geometry.columns.kernel
    ways = (SumsPlan, PlacesPlan) if few_places else (PlacesPlan, SumsPlan)
    for way in ways:
        if way.fits(geometry):
            return way(geometry)
    return PlainPlan(geometry)


def _extent(node: GraphNode, operands: Views, results: Views) -> int:
    return _plan(node, operands, results).extent


def _work(node: GraphNode, operands: Views, results: Views) -> float:
    """Count products of vectors, each of which takes about as long as any operation on one element."""
    products = results[0].size * math.prod(operands[1].shape[2:])
    return results[0].size + products * results[0].dtype.itemsize / _VECTOR_BYTES


def emit_conv(emitter: Emitter, node: GraphNode, operands: Views, results: Views, span: Span) -> None:
    _plan(node, operands, results).emit(emitter, span)


KERNELS = {"conv": Kernel(emit_conv, _extent, _work)}
