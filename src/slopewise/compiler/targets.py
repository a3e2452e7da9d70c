"""What runs a traced graph: machine code, or the interpreter where that cannot be.

A target takes a graph and arrays and returns arrays (`engine.graph.Target`); a second one stands beside these
two by another entry in `TARGETS`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from slopewise.compiler import debug
from slopewise.compiler.loop import ONCE, Loop
from slopewise.compiler.passes import optimize
from slopewise.engine.aval import Array
from slopewise.engine.errors import ArgumentError
from slopewise.engine.graph import Graph, Target
from slopewise.engine.interpreter import interpret

if TYPE_CHECKING:
    from slopewise.compiler.native.executable import Executable


class CompilationWarning(UserWarning):
    """A traced function runs in the interpreter, because no machine code can be made of it."""


def native(graph: Graph, inputs: Sequence[Array]) -> list[Array]:
    """Run a graph as machine code; in the interpreter, with a warning, if it cannot be compiled."""
    executable = executable_of(graph)
    return interpret(graph, inputs) if executable is None else executable(inputs)[0]


def executable_of(graph: Graph, loop: Loop = ONCE) -> Executable | None:
    """Return a graph's machine code, made once and kept with it; None, after a warning, if it has none."""
    key = ("executable", loop)
    if key not in graph.derived:
        graph.derived[key] = _compile(graph, loop)
    return graph.derived[key]  # type: ignore[no-any-return]


def _compile(graph: Graph, loop: Loop) -> Executable | None:
    from slopewise.compiler.native.machine.toolchain import unavailable_reason

    reason = unavailable_reason()
    if reason is None:
        from slopewise.compiler.native.executable import Executable

        optimized = optimize(graph)
        measured = debug.show(graph, loop) if debug.level() else None
        if measured is not None:
            return measured
        stored = Executable.stored(optimized, loop)
        if stored is not None:
            return stored
        from slopewise.compiler.native.support import obstacle

        reason = obstacle(optimized)
        if reason is None:
            return Executable(optimized, loop)
    if graph.derived.setdefault("told", reason) is reason:
        warnings.warn(f"a traced function runs in the interpreter: {reason}", CompilationWarning, 2)
    return None


def mode_in_use() -> str:
    """Return how compiled functions are run unless they say otherwise, on which their bits depend.

    Returns
    -------
    "native", or "interpreter" if SLOPEWISE_TARGET says so or machine code cannot be made here
    """
    from slopewise.compiler.native.machine.toolchain import unavailable_reason

    wanted = target_named(None) is native
    return "native" if wanted and unavailable_reason() is None else "interpreter"


def native_facts() -> dict[str, object]:
    """Return what the bits of machine code depend on besides its program: compiler and processor.

    The number of threads is not among it: they share out independent results, never one sum.
    """
    from slopewise.compiler.native.machine import toolchain

    host = toolchain.host()
    return {
        "compiler": toolchain.version(),
        "triple": host.triple,
        "cpu": host.cpu,
        "features": sorted(name[1:] for name in host.features.split(",") if name.startswith("+")),
    }


TARGETS: dict[str, Target | None] = {"native": native, "interpreter": None}


def target_named(name: str | None) -> Target | None:
    """Return a target by its name; None: what SLOPEWISE_TARGET says, else "native".

    Returns
    -------
    Target, None for the interpreter
    """
    chosen = name or os.environ.get("SLOPEWISE_TARGET") or "native"
    if chosen not in TARGETS:
        source = "target" if name else "SLOPEWISE_TARGET"
        raise ArgumentError(f"{source} must be one of {', '.join(TARGETS)}, not '{chosen}'")
    return TARGETS[chosen]
