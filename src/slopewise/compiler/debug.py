"""A ladder for looking inside: SLOPEWISE_DEBUG=1..6 prints what becomes of each graph that is compiled.

1. the graph as it was traced
2. what each pass took away or put in its place, and the graph that remains
3. the kernels: which operations run together, what they read and write, whether threads share them
4. the memory plan: where each intermediate value lies, and from when to when
5. the LLVM IR
6. the assembly and, at the end of the process, how long each kernel took

A rung shows the rungs below it too, each cut to its first lines. All goes to stderr. Rung 6 runs code that
reads a clock around each kernel; the other rungs do not change what runs.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from textwrap import wrap
from typing import TYPE_CHECKING

from slopewise.compiler.loop import Loop
from slopewise.compiler.memory import lower_bound
from slopewise.compiler.passes import PASSES, optimize
from slopewise.engine.errors import ArgumentError
from slopewise.engine.graph import Graph, Symbol, value_names

if TYPE_CHECKING:
    from slopewise.compiler.native.emission.views import Storage
    from slopewise.compiler.native.executable import Executable
    from slopewise.compiler.native.program import Program

_VARIABLE = "SLOPEWISE_DEBUG"
GRAPH, PASSES_RUNG, KERNELS, MEMORY, IR, ASSEMBLY = range(1, 7)

_LINES_OF_LOWER_RUNGS = 24
_CHART_WIDTH = 60

_numbers = count(1)


def level() -> int:
    """Return the rung that SLOPEWISE_DEBUG names; 0 for none.

    Raises
    ------
    ArgumentError
        If it is not a whole number from 0 to 6.

    Examples
    --------
    >>> level()
    0
    """
    setting = os.environ.get(_VARIABLE, "").strip()
    if setting in ("", "0"):
        return 0
    if setting not in {str(rung) for rung in range(GRAPH, ASSEMBLY + 1)}:
        raise ArgumentError(f"{_VARIABLE} must be a whole number from 0 to {ASSEMBLY}, not '{setting}'")
    return int(setting)


def show(graph: Graph, loop: Loop) -> Executable | None:
    """Print the rungs of a graph that is about to be compiled.

    Parameters
    ----------
    graph : as it was traced
    loop : how its steps follow one another

    Returns
    -------
    Executable
        From rung 6 on, one that measures its kernels; None below, and for what cannot be compiled.
    """
    from slopewise.compiler.native.machine.threads import thread_limit
    from slopewise.compiler.native.machine.toolchain import assembly, host
    from slopewise.compiler.native.support import obstacle

    rung = level()
    name = f"graph {next(_numbers)}"
    optimized = optimize(graph)
    _print(rung, GRAPH, f"{name}: as traced", lambda: str(graph))
    _print(rung, PASSES_RUNG, f"{name}: passes", lambda: passes_text(graph))
    if rung < KERNELS or obstacle(optimized) is not None:
        return None
    from slopewise.compiler.native.program import Program

    program = Program(optimized, host(), thread_limit(), loop)
    _print(rung, KERNELS, f"{name}: kernels", lambda: kernels_text(program))
    _print(rung, MEMORY, f"{name}: memory", lambda: memory_text(program))
    _print(rung, IR, f"{name}: LLVM IR", lambda: str(program.module()))
    _print(rung, ASSEMBLY, f"{name}: assembly", lambda: assembly(str(program.module())))
    if rung < ASSEMBLY:
        return None
    from slopewise.compiler.native.profile import ProfiledExecutable

    executable = ProfiledExecutable(optimized, loop)
    executable.print_at_exit(name)
    return executable


def _print(rung: int, stage: int, title: str, text: Callable[[], str]) -> None:
    """Print a stage; cut, if it is not the last one to be shown."""
    if stage > rung:
        return
    lines = text().splitlines()
    if stage < rung and len(lines) > _LINES_OF_LOWER_RUNGS:
        left = len(lines) - _LINES_OF_LOWER_RUNGS
        lines = [*lines[:_LINES_OF_LOWER_RUNGS], f"... {left} more lines with {_VARIABLE}={stage}"]
    print(f"\n==== {title}", *lines, sep="\n", file=sys.stderr, flush=True)


# ---- what the rungs say


def passes_text(graph: Graph) -> str:
    """Return what each pass does to a graph, and the graph that remains.

    Examples
    --------
    >>> import slopewise as sw
    >>> from slopewise.engine.trace import trace_function
    >>> x = sw.tensor([1.0, 2.0])
    >>> print(passes_text(trace_function(lambda x: sw.exp(x * 1.0) + sw.exp(x), (x,)).graph))
    pass             nodes   change
    inline           4       -
    optimize_bodies  4       -
    dead             4       -
    fold             4       -
    subexpressions   4       -
    algebra          4 -> 3  -1 mul
    fold             3       -
    subexpressions   3 -> 2  -1 exp
    release          2       -
    algebra          2       -
    dead             2       -
    <BLANKLINE>
    graph(a: float32[2]) {
      b: float32[2] = exp(a)
      c: float32[2] = add(b, b)
      return c
    }
    """
    rows = [("pass", "nodes", "change")]
    for apply in PASSES:
        changed = apply(graph)
        before, after = _primitives(graph), _primitives(changed)
        gone = [f"-{n} {name}" for name, n in sorted((before - after).items())]
        new = [f"+{n} {name}" for name, n in sorted((after - before).items())]
        nodes = f"{len(graph.nodes)} -> {len(changed.nodes)}" if gone or new else str(len(changed.nodes))
        rows.append((apply.__name__, nodes, ", ".join(gone + new) or "-"))
        graph = changed
    return f"{_table(rows)}\n\n{graph}"


def _primitives(graph: Graph) -> Counter[str]:
    return Counter(node.primitive.name for node in graph.nodes)


def kernels_text(program: Program) -> str:
    """Return the kernels of a program in order."""
    known = _storage_names(program)
    rows = [("kernel", "threads", "about", "reads", "writes", "name")]
    for number, launch in enumerate(program.launches):
        threads = program.n_threads if program.shared(launch) else 1
        reads = " ".join(dict.fromkeys(known(storage) for storage in launch.reads))
        writes = " ".join(dict.fromkeys(known(storage) for storage in launch.writes))
        about = f"{launch.cost:.0f} ns"
        rows.append((f"k{number:03d}", str(threads), about, reads or "-", writes or "-", launch.name))
    lines = [_table(rows), ""]
    for label, operations in _operations(program):
        lines += wrap(f"{label}: {'; '.join(operations)}", 110, subsequent_indent=" " * 6)
    return "\n".join(lines)


def _operations(program: Program) -> Iterator[tuple[str, list[str]]]:
    """Return what each kernel computes, in the names of the graph's values."""
    names = value_names(program.graph)
    for number, launch in enumerate(program.launches):
        group = program.group_of(launch)
        if group is None:
            yield f"k{number:03d}", ["a copy"]
            continue
        made = []
        for node in group.nodes:
            operands = ", ".join(names[symbol] for symbol in node.operands)
            results = ", ".join(names[symbol] for symbol in node.outputs)
            made.append(f"{results} = {node.primitive.name}({operands})")
        yield f"k{number:03d}", made


def memory_text(program: Program) -> str:
    """Return where in the arena each intermediate value lies, and a chart of when."""
    lifetimes = program.lifetimes()
    plan = program.memory
    bound = lower_bound([lifetime for _, lifetime in lifetimes], alignment=64)
    known = _storage_names(program)
    scratch = {
        launch.scratch: f"scratch of k{i:03d}" for i, launch in enumerate(program.launches) if launch.scratch
    }
    n_kernels = len(program.launches)
    shrink = -(-n_kernels // _CHART_WIDTH) or 1
    rows = [("offset", "bytes", "kernels", "value", "in use")]
    for offset, (storage, life) in sorted(
        zip(plan.offsets, lifetimes, strict=True), key=lambda row: (row[0], row[1][1].first)
    ):
        chart = "".join(
            "#" if life.first < (column + 1) * shrink and column * shrink <= life.last else "."
            for column in range(-(-n_kernels // shrink))
        )
        name = scratch.get(storage) or known(storage)
        rows.append((str(offset), str(storage.n_bytes), f"{life.first}-{life.last}", name, chart))
    head = f"the arena has {plan.peak} bytes; at one moment {bound} are in use, no plan can have fewer"
    return f"{head}\n{_table(rows)}" if lifetimes else "no value lies in memory between kernels"


def _storage_names(program: Program) -> Callable[[Storage], str]:
    """Return a function that names a storage by the value of the graph that lies there."""
    names = value_names(program.graph)
    values: dict[Storage, Symbol] = {}
    for symbol, view in program.fusion.views.items():
        if program.fusion.root(symbol) is symbol:
            values.setdefault(view.storage, symbol)

    def name(storage: Storage) -> str:
        if storage in values:
            return names[values[storage]]
        return f"{storage.place.name.lower()} {storage.index}"

    return name


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Set rows in columns; the first row is the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
