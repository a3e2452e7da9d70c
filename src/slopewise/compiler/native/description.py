"""What of a graph its machine code depends on, as text: the key under which the disk cache keeps the code.

Two graphs of one description have the same code. The names of values do not count, nor where a node came
from; of constants only those count that are one number throughout, since the code holds them as literals. All
others are read from memory when the code runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from slopewise.compiler.loop import Loop
from slopewise.engine.aval import Array, Aval
from slopewise.engine.graph import Graph, Symbol


class Undescribed(TypeError):
    """A parameter of a node for which no text is known: such a graph's code is not kept on disk."""


def uniform_bytes(constant: Array) -> bytes | None:
    """Return the bytes of the one element that a constant repeats, or None if its elements differ.

    Examples
    --------
    >>> uniform_bytes(np.full(3, 2, np.uint8))
    b'\\x02'
    >>> uniform_bytes(np.arange(2)) is None
    True
    """
    if not constant.size:
        return None
    whole = np.ascontiguousarray(constant).tobytes()
    first = whole[: constant.dtype.itemsize]
    return first if whole == first * constant.size else None


def describe(graph: Graph, loop: Loop, n_threads: int) -> str:
    """Return the text that stands for a graph, how its steps follow one another, and the threads to use.

    Parameters
    ----------
    graph : an optimized graph
    loop : how its steps follow one another
    n_threads : int, the most threads to use

    Raises
    ------
    Undescribed
        If a node has a parameter of an unknown type.

    Examples
    --------
    >>> import slopewise as sw
    >>> from slopewise.compiler.loop import ONCE
    >>> from slopewise.engine.trace import trace_function
    >>> print(describe(trace_function(lambda x: x * 2.0, (sw.tensor([1.0, 2.0]),)).graph, ONCE, 1))
    threads 1
    carried {}
    input steps {}
    output steps {}
    input float32 (2,)
    constant float32 () 00000040
    mul [] 0 1 -> float32 (2,)
    return 2
    """
    lines = [
        f"threads {n_threads}",
        f"carried {_mapping(loop.carried)}",
        f"input steps {_mapping(loop.input_steps)}",
        f"output steps {_mapping(loop.output_steps)}",
        *_lines(graph),
    ]
    return "\n".join(lines)


def _lines(graph: Graph) -> Iterator[str]:
    numbers: dict[Symbol, int] = {}
    for symbol in graph.inputs:
        numbers[symbol] = len(numbers)
        yield f"input {_aval(symbol)}"
    for symbol, value in graph.constants.items():
        numbers[symbol] = len(numbers)
        literal = uniform_bytes(value)
        yield f"constant {_aval(symbol)} {'differs' if literal is None else literal.hex()}"
    for node in graph.nodes:
        keys = [key for key in sorted(node.params) if key != "linear"]  # how it is differentiated
        params = ", ".join(f"{key}={_text(node.params[key])}" for key in keys)
        operands = " ".join(str(numbers[symbol]) for symbol in node.operands)
        for symbol in node.outputs:
            numbers[symbol] = len(numbers)
        made = ", ".join(map(_aval, node.outputs))
        yield f"{node.primitive.name} [{params}] {operands} -> {made}"
    yield "return " + " ".join(str(numbers[symbol]) for symbol in graph.outputs)


def _aval(symbol: Symbol) -> str:
    return f"{symbol.dtype} {symbol.shape}"


def _mapping(mapping: Any) -> str:
    return repr(dict(sorted(mapping.items())))


def _text(value: Any) -> str:
    """Return a parameter's text; two values of one text are equal."""
    if value is None or isinstance(value, bool | int | float | str | np.dtype):
        return repr(value)
    if isinstance(value, Graph):
        return "{" + "; ".join(_lines(value)) + "}"
    if isinstance(value, Aval):
        return f"{value.dtype} {value.shape}"
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(_text, value)) + ")"
    if isinstance(value, np.generic):
        return f"{value.dtype} {value.tobytes().hex()}"
    raise Undescribed(f"a parameter of type {type(value).__name__}")
