"""Many steps in one call: the batches are gathered, and the state is carried on, by the machine code itself.

The loop is a scan over the order of the rows: its body is the traced step, its carry the state that the step
changes. The code returns at the first step boundary after the time that it was given, which changes no bit.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from slopewise.compiler.compiled import CompiledFunction
from slopewise.compiler.direct import carried_state, outputs_without_gradients, owned_array
from slopewise.compiler.loop import Loop
from slopewise.compiler.native.machine.deadline import deadline_after
from slopewise.compiler.targets import executable_of
from slopewise.engine.aval import Array, Aval
from slopewise.engine.graph import Graph, GraphNode, Symbol
from slopewise.engine.primitive import TABLE
from slopewise.engine.tape import Ref
from slopewise.engine.tensor import Tensor
from slopewise.engine.trace import TracedFunction
from slopewise.engine.tree import flatten

if TYPE_CHECKING:
    from slopewise.compiler.native.executable import Executable

INT64 = np.dtype(np.int64)

# How many rows the code believes the data to have: one code for data of any size. That rows exist is for the
# caller to see to.
_ROWS = 1 << 31


class StepLoop:
    """A step `(batches, state) -> state` made over and over, on rows of arrays in memory.

    Parameters
    ----------
    traced : the step for its first batches; it must not be differentiable
    data : shape and dtype of each of the arrays; each batch is a tuple of rows of each
    n_batches : how many batches a step takes
    """

    def __init__(self, traced: TracedFunction, data: Sequence[Aval], n_batches: int) -> None:
        self.traced = traced
        graph = outputs_without_gradients(traced)
        n_batch_inputs = n_batches * len(data)
        self.rows_per_step = n_batches * graph.inputs[0].shape[0]
        body = _with_gather(graph, data, n_batches)
        rows = len(data)  # the place of the order among the inputs
        first_state = rows + 1
        n_state = len(traced.tracked)
        n_captured = len(traced.captured)
        assert len(body.inputs) == first_state + n_state + n_captured, "a step takes batches and its state"
        assert n_batch_inputs + n_state + n_captured == len(graph.inputs)
        carried = {k: first_state + k for k in range(n_state)}
        carried.update(carried_state(traced, first_state + n_state, n_state))
        self._loop = Loop(carried, {rows: self.rows_per_step * INT64.itemsize}, {})
        self._body = body
        self.executable: Executable | None = executable_of(body, self._loop)

    def run(
        self, arrays: Sequence[Array], state: Sequence[Tensor], order: Array, steps: int, seconds: float
    ) -> tuple[list[Tensor], int]:
        """Make up to `steps` steps, none of which begins after so many seconds, until one would fail.

        Parameters
        ----------
        arrays : the data, C-contiguous, each of shape (rows, ...)
        state : what the step took besides its batches
        order : int64, C-contiguous; the rows of the first batch, of the second, ..., all of which exist

        Returns
        -------
        the new state, and how many steps were made; state that the step reached by itself is written back

        Raises
        ------
        SlopewiseError
            If the first step fails; nothing has changed then.
        """
        assert self.executable is not None
        traced = self.traced
        deadline = deadline_after(seconds)
        # the state is the caller's, who may keep what it was: it is small, and gets new memory in each call
        outputs = [*[None for _ in state], *[owned_array(tensor) for tensor, _ in traced.rebound]]
        inputs = [*arrays, order[: self.rows_per_step], *[tensor._ref.buffer for tensor in state]]
        inputs += [tensor._ref.buffer for tensor in traced.captured_tensors()]
        results, done, error = self.executable.attempt(inputs, outputs, steps=steps, deadline=deadline)  # type: ignore[arg-type]
        if error is not None and not done:
            raise error  # after some whole steps the next call begins with the one that fails
        tensors = [Tensor._from_ref(Ref(array)) for array in results]
        for leaf, _ in traced.grads:
            leaf.grad = None
        count = len(traced.tracked)
        _write_back(traced, tensors[count:])
        return tensors[:count], done


def _write_back(traced: TracedFunction, values: Sequence[Tensor]) -> None:
    for (tensor, _), value in zip(traced.rebound, values, strict=True):
        tensor._rebind(Ref(value._ref.buffer, tensor._ref.node))


def _with_gather(graph: Graph, avals: Sequence[Aval], n_batches: int) -> Graph:
    """Return a graph that takes whole arrays and rows in place of its batches, which are its first inputs."""
    trace = graph.inputs[0].trace
    data = [Symbol(aval, trace) for aval in avals]
    batch_size = graph.inputs[0].shape[0]
    rows = Symbol(Aval((n_batches * batch_size,), INT64), trace)
    nodes = []
    batch_inputs = iter(graph.inputs)
    for number in range(n_batches):
        part = Symbol(Aval((batch_size,), INT64), trace)
        bounds = {"starts": (number * batch_size,), "stops": ((number + 1) * batch_size,), "steps": (1,)}
        nodes.append(GraphNode(TABLE["slice"], (rows,), bounds, (part,), False))
        for array in data:
            nodes.append(
                GraphNode(TABLE["gather"], (array, part), {"axes": (0,)}, (next(batch_inputs),), False)
            )
    return Graph([*data, rows, *batch_inputs], graph.constants, nodes + graph.nodes, graph.outputs)


def step_loop(compiled: CompiledFunction, batches: Sequence[Any], state: Any) -> StepLoop | None:
    """Return the loop of a compiled step, or None if it can only run step by step.

    Parameters
    ----------
    compiled : a function (batches, state) -> state
    batches : the first step's, each a tuple with a Tensor of rows of each array of the data, or None
    state : tensors in any structure
    """
    traced = compiled.traced(batches, state)
    if traced.graph.target is None or traced.is_differentiable or traced.changed:
        return None
    tensors = flatten(state)[0]
    if len(tensors) != len(traced.tracked) or not all(isinstance(tensor, Tensor) for tensor in tensors):
        return None
    first = [leaf for leaf in flatten(batches[0])[0] if isinstance(leaf, Tensor)]
    if sum(isinstance(leaf, Tensor) for leaf in flatten(batches)[0]) != len(batches) * len(first):
        return None
    key: Hashable = ("steps", len(batches))
    if key not in traced.graph.derived:
        data = [Aval((_ROWS, *tensor.shape[1:]), tensor.dtype) for tensor in first]
        traced.graph.derived[key] = StepLoop(traced, data, len(batches))
    loop: StepLoop = traced.graph.derived[key]
    return loop if loop.executable is not None else None
