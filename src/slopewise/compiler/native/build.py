"""From an optimized graph to linked code: from the disk cache where it has it, else made and kept there.

What is in the cache is found by the graph's description alone: no kernel is planned, no IR is built, and the
modules that do so are not imported. Before the object stands what else a call needs to know of the program.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from slopewise.compiler.loop import Loop
from slopewise.compiler.native.description import Undescribed, describe
from slopewise.compiler.native.machine import cache
from slopewise.compiler.native.machine.toolchain import DEFAULT_PIPELINE, Code, compile_ir, host
from slopewise.engine.aval import Array
from slopewise.engine.graph import Graph

if TYPE_CHECKING:
    from slopewise.compiler.native.program import Program


class Built(NamedTuple):
    """Linked code, and what a caller must provide.

    Attributes
    ----------
    code : with the function `run`
    n_threads : how many threads enter it
    arena_bytes : size of the memory for intermediate values
    constants : the places, in `constants_of` the graph, of the arrays that the frame's last slots point at
    """

    code: Code
    n_threads: int
    arena_bytes: int
    constants: tuple[int, ...]


def constants_of(graph: Graph) -> list[Array]:
    """Return the constants of a graph, then those of the graphs inside of its nodes, in order."""
    return list(_constants(graph))


def _constants(graph: Graph) -> Iterator[Array]:
    yield from graph.constants.values()
    for node in graph.nodes:
        for name in sorted(node.params):
            if isinstance(node.params[name], Graph):
                yield from _constants(node.params[name])


def find(graph: Graph, loop: Loop, n_threads: int) -> Built | None:
    """Return the code that was made of such a graph before, on this machine and by this version, or None."""
    key = _key(graph, loop, n_threads)
    stored = None if key is None else cache.load(key)
    if stored is None:
        return None
    head, image = stored.split(b"\n", 1)
    return Built(Code(image), *json.loads(head))


def make(graph: Graph, loop: Loop, n_threads: int) -> Built:
    """Compile a graph, and keep its code on disk for the next process."""
    from slopewise.compiler.native.program import Program

    with _collector_at_rest():
        program = Program(graph, host(), n_threads, loop)
        text = str(program.module())
    facts = (program.n_threads, program.memory.peak, places(program))
    code = compile_ir(text)
    key = _key(graph, loop, n_threads)
    if key is not None:
        cache.store(key, json.dumps(facts).encode() + b"\n" + code.image)
    return Built(code, *facts)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Keep Python's collector from looking at IR again and again while it grows: half the time of building.

    It would look at all other objects of the process as well. What IR leaves behind is collected later.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def places(program: Program) -> tuple[int, ...]:
    """Return where in `constants_of` its graph the constants are that a program's frame points at."""
    place = {id(value): number for number, value in enumerate(constants_of(program.graph))}
    return tuple([place[id(value)] for value in program.constants])


def _key(graph: Graph, loop: Loop, n_threads: int) -> str | None:
    if cache.open_folder().path is None:
        return None
    try:
        description = describe(graph, loop, n_threads)
    except Undescribed:
        return None
    return cache.key_of("graph", repr(tuple(DEFAULT_PIPELINE)), description)
