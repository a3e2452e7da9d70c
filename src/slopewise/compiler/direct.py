"""A traced function that nothing is differentiated through, called without tensors in between.

The state that it changes keeps its place in memory where nobody else can see the old value: no other tensor,
no tape, no array that the user was given. Otherwise the new value gets memory of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from slopewise.compiler.loop import Loop
from slopewise.compiler.targets import executable_of
from slopewise.engine.aval import Array
from slopewise.engine.graph import Graph
from slopewise.engine.tape import Leaf, Ref
from slopewise.engine.tensor import Tensor
from slopewise.engine.trace import TracedFunction

if TYPE_CHECKING:
    from slopewise.compiler.native.executable import Executable


def carried_state(traced: TracedFunction, n_arguments: int, first_output: int) -> dict[int, int]:
    """Return, for each output that is the new value of a captured tensor, the input that is the old one."""
    place = {id(source): n_arguments + i for i, source in enumerate(traced.captured)}
    return {first_output + k: place[id(tensor)] for k, (tensor, _) in enumerate(traced.rebound)}


def owned_array(tensor: Tensor) -> Array | None:
    """Return a tensor's array if the tensor alone can reach it, so that it may be written over; else None."""
    ref = tensor._ref
    array = ref.buffer
    if type(array) is not np.ndarray or array.base is not None or not array.flags.c_contiguous:
        return None
    if sys.getrefcount(ref) > _REF_COUNT or sys.getrefcount(array) > _ARRAY_COUNT:
        return None
    return array


def _measure_counts() -> tuple[int, int]:
    """Return what `sys.getrefcount` says in `owned_array` of the ref and the array of a lonely tensor."""
    tensor = Tensor._from_ref(Ref(np.zeros(1)))
    ref = tensor._ref
    array = ref.buffer
    return sys.getrefcount(ref), sys.getrefcount(array)


_REF_COUNT, _ARRAY_COUNT = _measure_counts()


class DirectCall:
    """Calls of one traced function.

    Parameters
    ----------
    traced : not differentiable
    n_arguments : how many tensors are among its arguments
    """

    def __init__(self, traced: TracedFunction, n_arguments: int, executable: Executable) -> None:
        self._traced = traced
        self._executable = executable
        self._first_state = len(traced.tracked) + len(traced.changed)
        self._n_outputs = len(traced.graph.outputs)
        self._n_arguments = n_arguments

    @staticmethod
    def of(traced: TracedFunction, n_arguments: int) -> DirectCall | None:
        """Return the calls of a function, or None if it has no machine code or must be differentiated."""
        if traced.is_differentiable or traced.graph.target is None:
            return None
        first_state = len(traced.tracked) + len(traced.changed)
        loop = Loop(carried_state(traced, n_arguments, first_state), {}, {})
        executable = executable_of(traced.graph, loop)
        return None if executable is None else DirectCall(traced, n_arguments, executable)

    def __call__(self, arguments: Sequence[Tensor]) -> Any:
        """Run the function on its tensor arguments; NOT_IN_MEMORY if a value is a batch or of a trace."""
        traced = self._traced
        captured = traced.captured_tensors()
        inputs: list[Any] = [tensor._ref.buffer for tensor in arguments]
        inputs += [tensor._ref.buffer for tensor in captured]
        if not all(type(array) is np.ndarray for array in inputs):
            return NOT_IN_MEMORY
        del inputs, captured  # they would count as owners
        read_twice = set(
            map(id, arguments)
        )  # the code takes an argument and a captured tensor for two things
        outputs: list[Array | None] = [None] * self._n_outputs
        for number, (tensor, _) in enumerate(traced.rebound, self._first_state):
            if id(tensor) not in read_twice:
                outputs[number] = owned_array(tensor)
        inputs = [tensor._ref.buffer for tensor in arguments]
        inputs += [tensor._ref.buffer for tensor in traced.captured_tensors()]
        results, _ = self._executable(inputs, outputs)
        count = len(traced.tracked)
        for (place, _), array in zip(traced.changed, results[count:], strict=False):
            _give(arguments[place], array)
        for number, (tensor, _) in enumerate(traced.rebound, self._first_state):
            if outputs[number] is None:
                _give(tensor, results[number])
        gradients = iter(results[self._first_state + len(traced.rebound) :])
        for leaf, present in traced.grads:
            leaf.grad = Tensor._from_ref(Ref(next(gradients))) if present else None
        return traced.results([Tensor._from_ref(Ref(array)) for array in results[:count]])


NOT_IN_MEMORY = object()


def _give(tensor: Tensor, array: Array) -> None:
    """Give a tensor a new value; a leaf stays one."""
    node = tensor._ref.node
    tensor._rebind(Ref(array, node if isinstance(node, Leaf) else None))


def outputs_without_gradients(traced: TracedFunction) -> Graph:
    """Return the graph of a traced function without the new `.grad`s among its outputs."""
    graph = traced.graph
    n_gradients = sum(present for _, present in traced.grads)
    outputs = graph.outputs[: len(graph.outputs) - n_gradients]
    return Graph(graph.inputs, graph.constants, graph.nodes, outputs)
