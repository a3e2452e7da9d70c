"""Tracing: the same calls that would compute record nodes of a graph instead.

Every tensor from outside that the function touches becomes an input, by identity; every one that it rebinds
becomes an output, `.grad` included. Whatever happens, a trace leaves all state as it was.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slopewise.engine.aval import Array, Aval, Buffer, aval_of
from slopewise.engine.errors import SlopewiseError, TraceError
from slopewise.engine.graph import Graph, GraphNode, Symbol
from slopewise.engine.mode import changed_mode, current_mode
from slopewise.engine.primitives.elementwise import alias
from slopewise.engine.tape import Leaf, Node, Ref
from slopewise.engine.tensor import Tensor
from slopewise.engine.tree import Structure, flatten, unflatten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slopewise.engine.primitive import Primitive

_PACKAGE = str(Path(__file__).parents[1])


def user_line() -> str:
    """Return "file:line: source" of the innermost frame outside of this package, for error messages."""
    import linecache

    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE) and frame.f_back is not None:
        frame = frame.f_back
    name, line = frame.f_code.co_filename, frame.f_lineno
    source = linecache.getline(name, line).strip()
    return f"{name}:{line}" + (f": {source}" if source else "")


def concrete(buffer: Buffer, purpose: str) -> Array:
    """Return the array behind a buffer, or raise an error that names the line which asked for it."""
    if isinstance(buffer, np.ndarray):
        return buffer
    if isinstance(buffer, Symbol):
        if current_mode().trace is None:
            raise escaped_error(purpose, [buffer])
        way_out = "choose by sw.where" if purpose == "bool()" else "return the tensor and look at it outside"
        raise TraceError(
            f"{purpose} needs the value of a tensor, but in a traced function only its shape and dtype are "
            f"known ({aval_of(buffer)}): {way_out}, at {user_line()}"
        )
    raise TraceError(
        f"{purpose} needs the value of a tensor, but under vmap it stands for a whole batch "
        f"(of {aval_of(buffer)}), at {user_line()}"
    )


def escaped_error(purpose: str, buffers: Sequence[Buffer]) -> SlopewiseError:
    """Describe the use of a traced value after its trace has ended."""
    kinds = ", ".join(str(aval_of(buffer)) for buffer in buffers if isinstance(buffer, Symbol))
    return TraceError(
        f"{purpose} was given a traced value ({kinds}) whose trace has ended; "
        f"return it from the compiled function instead of keeping it, at {user_line()}"
    )


Words = Callable[[Any, Any], str]  # of the value before, and the value now


class Guard:
    """Something that a trace read and that must be the same for the trace to be used again.

    Where the attribute would tell a user nothing, `words` say what a change from one value to another means.
    """

    __slots__ = ("attribute", "owner", "value", "words")

    def __init__(self, owner: Any, attribute: str, value: Any, words: Words | None = None) -> None:
        self.owner = owner
        self.attribute = attribute
        self.value = value
        self.words = words

    def holds(self) -> bool:
        current = getattr(self.owner, self.attribute)
        return bool(current is self.value or current == self.value)


class NoGradGuard(Guard):
    """A `.grad` that was read before it was written: the trace holds only while it is (or is not) None."""

    def __init__(self, leaf: Leaf) -> None:
        super().__init__(leaf, "_grad", leaf._grad is None)

    def holds(self) -> bool:
        return (self.owner._grad is None) is self.value


class CaptureGuard(Guard):
    """A tensor from outside: its shape and dtype must be the same, and its gradient must go where it went.

    A leaf must be the same leaf, as its `.grad` is state; what was computed must be tracked, but on any path.
    """

    __slots__ = ("computed", "leaf")

    def __init__(self, tensor: Tensor, ref: Ref) -> None:
        super().__init__(tensor, "_ref", aval_of(ref.buffer))
        self.leaf = ref.node if isinstance(ref.node, Leaf) else None
        self.computed = isinstance(ref.node, Node)

    def holds(self) -> bool:
        ref = self.owner._ref
        node = ref.node
        shape, dtype = self.value
        same = isinstance(node, Node) if self.computed else node is self.leaf
        return same and ref.buffer.shape == shape and ref.buffer.dtype == dtype


class Trace:
    """A graph under construction, and the state that it touches."""

    def __init__(self, level: int, once: bool) -> None:
        self.level = level
        self.once = once  # the graph is used for this call only (scan, checkpoint), not kept for later ones
        self.closed = False
        self.inputs: list[Symbol] = []
        self.constants: dict[Symbol, Array] = {}
        self.nodes: list[GraphNode] = []
        self.captured: dict[int, tuple[Tensor, Symbol]] = {}
        self.rebound: dict[int, tuple[Tensor, Ref]] = {}  # handle and its ref before the trace
        self.grads: dict[Leaf, Tensor | None] = {}  # written .grad and its value before the trace
        self.grad_owners: dict[int, Leaf] = {}  # whose .grad a handle from outside is, by id
        self.guards: list[Guard] = []
        self._grads_read: set[Leaf] = set()

    def input(self, aval: Aval) -> Symbol:
        symbol = Symbol(aval, self)
        self.inputs.append(symbol)
        return symbol

    def constant(self, value: Array) -> Symbol:
        symbol = Symbol(aval_of(value), self)
        self.constants[symbol] = value
        return symbol

    def symbol_of(self, tensor: Tensor) -> Symbol:
        """Return the symbol of a tensor; one from outside becomes an input."""
        buffer = tensor._ref.buffer
        if isinstance(buffer, Symbol) and buffer.trace is self:
            return buffer
        if isinstance(buffer, Symbol) and buffer.trace.closed:
            raise escaped_error("the traced function", [buffer])
        known = self.captured.get(id(tensor))
        if known is None:
            known = self.captured[id(tensor)] = (tensor, Symbol(aval_of(buffer), self))
        return known[1]

    def emit(
        self, primitive: Primitive, operands: Sequence[Tensor], params: dict[str, Any], recorded: bool
    ) -> Any:
        """Add a node; return its output symbol, or a tuple of them."""
        symbols = tuple(map(self.symbol_of, operands))
        inferred = primitive.infer(*map(aval_of, symbols), **params)
        single = primitive.outputs == 1
        outputs = tuple(Symbol(aval, self) for aval in ((inferred,) if single else inferred))
        self.nodes.append(GraphNode(primitive, symbols, params, outputs, recorded, user_line()))
        return outputs[0] if single else outputs

    def note_rebinding(self, tensor: Tensor) -> None:
        """Remember what a tensor from outside was before the traced function gave it another value."""
        if self.is_from_outside(tensor) and id(tensor) not in self.rebound:
            # a new value usually follows from the old one; the target may then reuse its place
            self.symbol_of(tensor)
            self.rebound[id(tensor)] = (tensor, tensor._ref)

    def read_grad(self, leaf: Leaf) -> None:
        """Note that the trace depends on whether this `.grad` is None; if not, its value will be an input."""
        if leaf in self.grads or leaf in self._grads_read:
            return
        self._grads_read.add(leaf)
        self.guards.append(NoGradGuard(leaf))
        if leaf._grad is not None:
            if id(leaf._grad) in self.grad_owners:  # shared with another leaf now, perhaps not later
                leaf._grad = Tensor._from_ref(leaf._grad._ref)
            self.grad_owners[id(leaf._grad)] = leaf

    def is_from_outside(self, tensor: Tensor) -> bool:
        """Tell whether a tensor was not made by the traced function."""
        buffer = tensor._ref.buffer
        return not (isinstance(buffer, Symbol) and buffer.trace is self)

    def note_grad_of(self, tensor: Tensor) -> None:
        """Note that the trace depends on whether a tensor from outside requires a gradient."""
        if self.is_from_outside(tensor):
            self.note_read(tensor, "requires_grad", tensor.requires_grad)

    def write_grad(self, leaf: Leaf) -> None:
        if leaf not in self.grads:
            self.grads[leaf] = leaf._grad

    def note_read(self, owner: Any, attribute: str, value: Any, words: Words | None = None) -> None:
        """Remember a Python value, such as a module's `training`, that the trace depends on."""
        if not any(guard.owner is owner and guard.attribute == attribute for guard in self.guards):
            self.guards.append(Guard(owner, attribute, value, words))


@contextmanager
def tracing(once: bool) -> Iterator[Trace]:
    """Open a trace for a block, and put all state back at its end."""
    mode = current_mode()
    outer = mode.trace
    trace = Trace(mode.level + 1, once and (outer is None or outer.once))
    try:
        with changed_mode(trace=trace, level=trace.level):
            yield trace
    finally:
        trace.closed = True
        for tensor, ref in trace.rebound.values():
            tensor._ref = ref
        for leaf, grad in trace.grads.items():
            leaf._grad = grad


@dataclass
class TracedFunction:
    """A graph, and how its inputs and outputs relate to arguments, results and state.

    The graph's inputs are the tensors among the arguments, then `captured`; its outputs are the tensors among
    the results, then the new values of `changed` arguments and of `rebound` tensors, then those of `grads`
    that are not None.
    """

    graph: Graph
    captured: list[Tensor | Leaf]  # a Leaf stands for its .grad
    result: Structure
    static_results: list[Any]  # what the function returned, with None in place of tensors
    tracked: tuple[bool, ...]  # which returned tensors can be differentiated
    changed: list[tuple[int, bool]]  # which tensors among the arguments get a new value, and is it tracked
    rebound: list[tuple[Tensor, bool]]  # likewise those from outside
    grads: list[tuple[Leaf, bool]]  # whether there is a new .grad, else it becomes None
    guards: list[Guard] = field(default_factory=list)

    def captured_tensors(self) -> list[Tensor]:
        return [source._grad if isinstance(source, Leaf) else source for source in self.captured]  # type: ignore[misc]

    def guards_hold(self) -> bool:
        return all(guard.holds() for guard in self.guards)

    @cached_property
    def is_differentiable(self) -> bool:
        """Whether a gradient can flow back through anything that the function gives out."""
        given_out = [*self.tracked, *(tracked for _, tracked in self.changed)]
        leaves = [tracked and not isinstance(tensor._ref.node, Leaf) for tensor, tracked in self.rebound]
        return any(given_out) or any(leaves)

    def write_back(self, arguments: Sequence[Tensor], values: Sequence[Tensor]) -> None:
        """Give changed tensors and `.grad`s their new values: the outputs after the results."""
        remaining = iter(values)
        targets = [(arguments[place], tracked) for place, tracked in self.changed]
        for tensor, tracked in targets + self.rebound:
            value, node = next(remaining)._ref, tensor._ref.node
            if isinstance(node, Leaf):
                value = Ref(value.buffer, node)
            elif not tracked:
                value = Ref(value.buffer)
            tensor._rebind(value)
        for leaf, present in self.grads:
            leaf.grad = next(remaining).detach() if present else None

    def results(self, values: Sequence[Tensor]) -> Any:
        """Put tensors back in the places of the returned structure."""
        tensors = iter(values)
        return unflatten(
            self.result, [next(tensors) if leaf is _TENSOR else leaf for leaf in self.static_results]
        )


_TENSOR = object()


def trace_function(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any] | None = None,
    *,
    once: bool = False,
) -> TracedFunction:
    """Record what a function does to its arguments and to the tensors it reaches, without computing anything.

    Parameters
    ----------
    function : called once, with a traced tensor in place of each tensor among its arguments
    args, kwargs : the arguments; tensors may be nested in lists, tuples and dicts
    once : the trace is used for this call only, so that it may look at tensors from outside
    """
    leaves, structure = flatten((args, kwargs or {}))
    with tracing(once) as trace:
        placeholders = _placeholders(trace, leaves)
        inner_args, inner_kwargs = unflatten(structure, placeholders)
        results, result_structure = flatten(function(*inner_args, **inner_kwargs))
        outputs = [trace.symbol_of(leaf) for leaf in results if isinstance(leaf, Tensor)]
        tracked = tuple(_is_tracked(leaf) for leaf in results if isinstance(leaf, Tensor))
        arguments = [placeholder for placeholder in placeholders if isinstance(placeholder, Tensor)]
        changed = []
        for place, (argument, symbol) in enumerate(zip(arguments, trace.inputs, strict=True)):
            repeated = any(argument is earlier for earlier in arguments[:place])
            if argument._ref.buffer is not symbol and not repeated:
                changed.append((place, _is_tracked(argument)))
                outputs.append(trace.symbol_of(argument))
        return _finish(trace, outputs, tracked, changed, results, result_structure)


def _placeholders(trace: Trace, leaves: Sequence[Any]) -> list[Any]:
    """Return leaves with a stand-in for each tensor; one tensor in two places has one stand-in."""
    made: dict[int, Tensor] = {}
    result = []
    for leaf in leaves:
        if isinstance(leaf, Tensor):
            placeholder = _placeholder(trace, leaf)  # in any case, as each argument is an input of the graph
            leaf = made.setdefault(id(leaf), placeholder)
        result.append(leaf)
    return result


def _placeholder(trace: Trace, argument: Tensor) -> Tensor:
    """Return the traced stand-in for an argument; a tracked one is marked, to see what depends on it."""
    ref = Ref(trace.input(aval_of(argument)))
    if argument.requires_grad:
        ref = Ref(ref.buffer, Node(alias, {}, (), (aval_of(argument),), trace))
    return Tensor._from_ref(ref)


def _is_tracked(tensor: Tensor) -> bool:
    node = tensor._ref.node
    return node is not None and not (isinstance(node, Node) and node.inputs is None)


def _finish(
    trace: Trace,
    outputs: list[Symbol],
    tracked: tuple[bool, ...],
    changed: list[tuple[int, bool]],
    results: list[Any],
    structure: Structure,
) -> TracedFunction:
    rebound = []
    for key, (tensor, _) in trace.rebound.items():
        owner = trace.grad_owners.get(key)
        if owner is None:
            rebound.append((tensor, _is_tracked(tensor)))
            outputs.append(trace.symbol_of(tensor))
        elif owner not in trace.grads:  # a .grad changed in place
            trace.grads[owner] = owner._grad
    grads = []
    for leaf in trace.grads:
        grads.append((leaf, leaf._grad is not None))
        if leaf._grad is not None:
            outputs.append(trace.symbol_of(leaf._grad))
    captured = [
        (trace.grad_owners.get(key) or tensor, symbol) for key, (tensor, symbol) in trace.captured.items()
    ]
    graph = Graph(trace.inputs + [symbol for _, symbol in captured], trace.constants, trace.nodes, outputs)
    trace.guards += [
        CaptureGuard(tensor, trace.rebound[key][1] if key in trace.rebound else tensor._ref)
        for key, (tensor, _) in trace.captured.items()
        if key not in trace.grad_owners and not trace.once
    ]
    return TracedFunction(
        graph,
        [source for source, _ in captured],
        structure,
        [_TENSOR if isinstance(leaf, Tensor) else leaf for leaf in results],
        tracked,
        changed,
        rebound,
        grads,
        trace.guards,
    )
