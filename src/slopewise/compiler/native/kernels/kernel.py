"""What a kernel states to the program that runs it; the tables are in the files of the kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from slopewise.compiler.native.emission.loops import Emitter, Index
from slopewise.compiler.native.emission.views import View
from slopewise.engine.graph import GraphNode

Views: TypeAlias = Sequence[View]
Span: TypeAlias = tuple[Index, Index]


class Kernel(NamedTuple):
    """How a primitive that is no loop over elements becomes machine code.

    Results are contiguous, have elements, and share no memory with operands; operands have any strides.
    What a thread computes does not depend on how many there are: they share out independent results.

    Attributes
    ----------
    emit : (emitter, node, operands, results, span); `span` is this thread's part [start, stop) of the
        outermost loop
    extent : (node, operands, results) -> int, the length of that loop; 1 if it cannot be shared out
    work : (node, operands, results) -> float, about how many operations on elements it takes
    can_fail : whether the kernel may note an error that only the values show; see `failures`
    """

    emit: Callable[[Emitter, GraphNode, Views, Views, Span], None]
    extent: Callable[[GraphNode, Views, Views], int]
    work: Callable[[GraphNode, Views, Views], float]
    can_fail: bool = False


def result_size(node: GraphNode, operands: Views, results: Views) -> float:
    """State that a kernel takes an operation for each element of its result."""
    return float(results[0].size)
