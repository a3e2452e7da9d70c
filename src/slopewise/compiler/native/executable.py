"""A graph as something to call: NumPy arrays in, NumPy arrays out, machine code in between."""

from __future__ import annotations

import ctypes
import sys
import weakref
from collections.abc import Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from slopewise.compiler.loop import ONCE, Loop
from slopewise.compiler.native.build import Built, constants_of, find, make
from slopewise.compiler.native.emission import frames as layout
from slopewise.compiler.native.machine.failures import failure
from slopewise.compiler.native.machine.threads import run_together, thread_limit
from slopewise.compiler.native.machine.toolchain import Code, host
from slopewise.engine.aval import Array
from slopewise.engine.errors import SlopewiseError
from slopewise.engine.graph import Graph

if TYPE_CHECKING:
    from slopewise.compiler.native.program import Program


class Executable:
    """A compiled graph with its arena and its frames. One call at a time; a second one waits.

    Parameters
    ----------
    graph : an optimized graph of core primitives
    loop : how steps follow one another, where one call makes several
    n_threads : the most threads to use; None for all that there are
    built : the graph's code, where the caller has found it; else it is looked for in the disk cache, and made
    """

    def __init__(
        self, graph: Graph, loop: Loop = ONCE, n_threads: int | None = None, built: Built | None = None
    ) -> None:
        self.graph = graph
        self.loop = loop
        self._threads_allowed = n_threads or thread_limit()
        if built is None:
            built = find(graph, loop, self._threads_allowed) or make(graph, loop, self._threads_allowed)
        self.code: Code = built.code
        self.n_threads = built.n_threads
        self.arena_bytes = built.arena_bytes
        self._run = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.code.address("run"))
        self._lock = Lock()
        constants = constants_of(graph)
        self._constants = [np.ascontiguousarray(constants[place]) for place in built.constants]
        self._arena = _aligned(self.arena_bytes)
        self._control = _aligned(layout.CONTROL_BYTES).view(np.int64)
        self._frames = [self._frame(thread) for thread in range(self.n_threads)]
        n_places = len(graph.inputs) + len(graph.outputs)
        self._known: list[weakref.ref[Array] | None] = [None] * n_places  # whose address was asked for last
        self._addresses = np.zeros(n_places, np.int64)
        self._spare: list[Array | None] = [None] * len(graph.outputs)  # of outputs that are not carried
        self._avals = graph.output_avals

    @staticmethod
    def stored(graph: Graph, loop: Loop = ONCE) -> Executable | None:
        """Return a graph's executable if its code is in the disk cache, else None."""
        built = find(graph, loop, thread_limit())
        return None if built is None else Executable(graph, loop, built=built)

    @cached_property
    def program(self) -> Program:
        """The kernels and the memory plan of the code, to look at: code from the disk comes without them."""
        from slopewise.compiler.native.program import Program

        return Program(self.graph, host(), self._threads_allowed, self.loop)

    def _frame(self, thread: int) -> Array:
        first = layout.SLOTS + len(self.graph.inputs) + len(self.graph.outputs)
        frame = np.zeros(first + len(self._constants), np.int64)
        frame[layout.CONTROL] = _address(self._control)
        frame[layout.THREAD] = thread
        frame[layout.ARENA] = _address(self._arena)
        for place, value in enumerate(self._constants, first):
            frame[place] = _address(value)
        return frame

    def __call__(
        self,
        inputs: Sequence[Array],
        outputs: Sequence[Array | None] | None = None,
        *,
        steps: int = 1,
        deadline: int = 0,
    ) -> tuple[list[Array], int]:
        """Run some steps.

        Parameters
        ----------
        inputs : an array for each input of the graph, of its shape and dtype
        outputs : where results go; None for a new array. An output that is carried may be its input's array
        steps : how many
        deadline : nanoseconds of the monotonic clock, after which no new step begins; 0 for never

        Returns
        -------
        the outputs, and how many steps were made

        Raises
        ------
        SlopewiseError
            What the interpreter raises. Arrays of carried outputs are then as the last whole step left them.
        """
        results, done, error = self.attempt(inputs, outputs, steps=steps, deadline=deadline)
        if error is not None:
            raise error
        return results, done

    def attempt(
        self,
        inputs: Sequence[Array],
        outputs: Sequence[Array | None] | None = None,
        *,
        steps: int = 1,
        deadline: int = 0,
    ) -> tuple[list[Array], int, SlopewiseError | None]:
        """Run some steps until one fails; parameters as for a call.

        Returns
        -------
        the outputs, of which those that are carried are of the last whole step; how many whole steps were
        made; and the error of the step after them, None if none failed
        """
        with self._lock:
            results = self._results(outputs)
            arrays = self._point_at([*inputs, *results])
            self._control[: layout.BARRIER_OFFSET // 8] = 0
            for frame in self._frames:
                frame[layout.COUNT], frame[layout.DEADLINE] = steps, deadline
            self._enter()
            done = int(self._frames[0][layout.DONE])
            del arrays
            if self._control[0]:
                return results, done - 1, failure(int(self._control[0]), int(self._control[1]))
            return results, done, None

    def _results(self, outputs: Sequence[Array | None] | None) -> list[Array]:
        """Return the arrays that results go to: given ones, last call's that nobody has any more, or new."""
        results = []
        for number, (shape, dtype) in enumerate(self._avals):
            array = None if outputs is None else outputs[number]
            if array is None:
                array = self._spare[number]
                if array is None or sys.getrefcount(array) > _UNSHARED:
                    array = np.empty(shape, dtype)
                    if number not in self.loop.carried:
                        self._spare[number] = array
            results.append(array)
        return results

    def _point_at(self, arrays: list[Array]) -> list[Array]:
        """Write the arrays' addresses to the frames; return the arrays, contiguous, to be kept for the call.

        State comes in the same arrays again and again; to see that takes less time than to ask for addresses.
        """
        for place, array in enumerate(arrays):
            known = self._known[place]
            if known is None or known() is not array:
                arrays[place] = compact = _contiguous(array)
                self._addresses[place] = _address(compact)
                self._known[place] = weakref.ref(array) if compact is array else None
        for frame in self._frames:
            frame[layout.SLOTS : layout.SLOTS + len(arrays)] = self._addresses
        return arrays

    def _enter(self) -> None:
        if self.n_threads == 1:
            self._run(_address(self._frames[0]))
        else:
            run_together(self.code.address("run"), list(map(_address, self._frames)))


def _address(array: Array) -> int:
    return array.__array_interface__["data"][0]  # type: ignore[no-any-return]


def _contiguous(array: Array) -> Array:
    if array.flags.c_contiguous and array.flags.aligned:
        return array
    return np.ascontiguousarray(array)


def _aligned(n_bytes: int, alignment: int = 64) -> Array:
    """Return zeros, as bytes, that begin at a multiple of the size of a cache line."""
    whole = np.zeros(n_bytes + alignment, np.uint8)
    start = -_address(whole) % alignment
    return whole[start : start + n_bytes]


def _refcount_of_one_owner() -> int:
    """Return what `sys.getrefcount` says in `_results` of an array that only `_held` has."""
    held: list[Any] = [np.empty(1)]
    array = held[0]
    return sys.getrefcount(array)


_UNSHARED = _refcount_of_one_owner()
