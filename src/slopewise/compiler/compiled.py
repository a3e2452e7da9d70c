"""`slopewise.compile`: one trace per signature; the state that the function touches is inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial, update_wrapper
from threading import RLock
from typing import Any

from slopewise.compiler.direct import NOT_IN_MEMORY, DirectCall
from slopewise.compiler.retracing import Signature, reason, tell
from slopewise.compiler.targets import target_named
from slopewise.compiler.worth import worth_compiling
from slopewise.engine.control import run_traced
from slopewise.engine.errors import ArgumentError, TraceError
from slopewise.engine.mode import Mode, current_mode
from slopewise.engine.tensor import Tensor
from slopewise.engine.trace import TracedFunction, trace_function
from slopewise.engine.tree import flatten
from slopewise.engine.vmap import Batched


class CompiledFunction:
    """A function that is traced once per signature and then run as a graph; made by `slopewise.compile`.

    The signature is the structure, shapes and dtypes of the arguments, which of them are tracked, the Python
    values among them, which tensors among them are one, the gradient mode, and whether a transform such as
    `grad` runs. A trace holds besides only while what it read of the outside is the same: the `training`
    flags of modules, and which `.grad` are None.

    Parameters
    ----------
    function, target : as of `slopewise.compile`
    seldom : whether only about a hundred calls are expected of each trace; what is cheap then runs in the
        interpreter, since compiling it would take longer

    Attributes
    ----------
    retrace_reasons : why it was traced again, a line for each time after the first
    """

    def __init__(
        self, function: Callable[..., Any], target: str | None = None, *, seldom: bool = False
    ) -> None:
        self._function = function
        self._seldom = seldom
        self._target_name = target
        self._target = target_named(target)
        self._traces: dict[Signature, list[TracedFunction]] = {}
        self.retrace_reasons: list[str] = []
        self._direct: dict[int, DirectCall | None] = {}
        self._lock = RLock()
        update_wrapper(self, function, updated=())

    def __getattr__(self, name: str) -> Any:
        """Give what the function has besides: a compiled module has its parameters(), train() and eval()."""
        if name.startswith("__") or name == "_function":
            raise AttributeError(name)
        return getattr(self._function, name)

    @property
    def n_traces(self) -> int:
        """How many times the function has been traced."""
        return sum(map(len, self._traces.values()))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, structure = flatten((args, kwargs))
        mode = current_mode()
        if mode.trace is not None or any(
            isinstance(leaf, Tensor) and isinstance(leaf._ref.buffer, Batched) for leaf in leaves
        ):
            return self._function(*args, **kwargs)  # part of a larger trace, or of a batch
        with self._lock:
            traced = self._trace_for(_signature(leaves, structure, mode), args, kwargs)
            arguments = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
            direct = self._direct_call(traced, len(arguments))
            result = NOT_IN_MEMORY if direct is None else direct(arguments)
            return run_traced(traced, leaves) if result is NOT_IN_MEMORY else result

    def _direct_call(self, traced: TracedFunction, n_arguments: int) -> DirectCall | None:
        """Return a way around the tape, for what has machine code and is not differentiated."""
        if traced.graph.target is None:
            return None
        if id(traced) not in self._direct:
            self._direct[id(traced)] = DirectCall.of(traced, n_arguments)
        return self._direct[id(traced)]

    def _trace_for(
        self, signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> TracedFunction:
        candidates = self._traces.get(signature, [])
        for traced in candidates:
            if traced.guards_hold():
                return traced
        why = reason(signature, self._traces, candidates)
        traced = trace_function(self._function, args, kwargs)
        if not self._seldom or worth_compiling(traced.graph):
            traced.graph.target = self._target
        self._traces.setdefault(signature, []).append(traced)
        if why is not None:
            self.retrace_reasons.append(why)
            name = getattr(self._function, "__name__", type(self._function).__name__)
            tell(name, self.retrace_reasons)
        return traced

    def traced(self, *args: Any, **kwargs: Any) -> TracedFunction:
        """Return the trace for the given arguments, without running it."""
        leaves, structure = flatten((args, kwargs))
        with self._lock:
            return self._trace_for(_signature(leaves, structure, current_mode()), args, kwargs)

    def graph(self, *args: Any, **kwargs: Any) -> str:
        """Return the graph for the given arguments as text, without running it."""
        return str(self.traced(*args, **kwargs).graph)

    def __reduce__(self) -> tuple[Any, ...]:
        # a copy traces anew: it may reach other tensors
        return partial(CompiledFunction, seldom=self._seldom), (self._function, self._target_name)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        raise TraceError(
            "sw.compile on a method is shared by all instances; compile the bound method instead: "
            f"self.{self._function.__name__} = sw.compile(self.{self._function.__name__})"
        )


def _signature(leaves: list[Any], structure: Hashable, mode: Mode) -> Signature:
    signatures = tuple(map(_leaf_signature, leaves))
    return Signature(structure, mode.recording != 0, mode.transform != "", _repetitions(leaves), signatures)


def _repetitions(leaves: list[Any]) -> Hashable:
    """Tell which tensors among the arguments are one: a change of it in place is then a change of all."""
    handles = [id(leaf) for leaf in leaves if isinstance(leaf, Tensor)]
    return None if len(set(handles)) == len(handles) else tuple(map(handles.index, handles))


def _leaf_signature(leaf: Any) -> tuple[Any, ...]:
    if isinstance(leaf, Tensor):
        ref = leaf._ref
        return (ref.buffer.shape, ref.buffer.dtype, ref.node is not None)
    if isinstance(leaf, float | complex):
        return (type(leaf), repr(leaf))  # 0.0 and -0.0 are equal, nan is not equal to itself
    try:
        hash(leaf)
    except TypeError:
        raise ArgumentError(
            f"an argument of a compiled function must be a tensor or hashable, not {type(leaf).__name__}; "
            "convert arrays with sw.tensor(...)"
        ) from None
    return (type(leaf), leaf)


def compile(function: Callable[..., Any], *, target: str | None = None) -> CompiledFunction:
    """Trace a function once per signature and run its graph from then on, as machine code where it can be.

    The function may read and change tensors that it reaches: weights, `.grad`, the state of optimizers and of
    random modules. Every one that it touches is an input by identity, and every one that it gives a new value
    is an output. It must not look at values: that raises a TraceError that names the line.

    Parameters
    ----------
    function : a function, or a module; takes tensors (nested in lists, tuples and dicts) and hashable Python
        values
    target : "native", machine code, whose results agree with the plain call's up to rounding; "interpreter",
        NumPy, with the bits of the plain call; None: what the environment variable SLOPEWISE_TARGET says,
        else "native"

    Returns
    -------
    CompiledFunction

    Warns
    -----
    CompilationWarning
        If the function holds something that machine code cannot do; it then runs in the interpreter.
    RetraceWarning
        If the function was traced again for the eighth time; the message says why.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor(1.0, requires_grad=True)
    >>> @sw.compile
    ... def step(x):
    ...     loss = (w * x - 2.0) ** 2
    ...     w.grad = None
    ...     loss.backward()
    ...     with sw.no_grad():
    ...         w.copy_(w - 0.1 * w.grad)
    ...     return loss
    >>> [round(step(sw.tensor(1.0)).item(), 4) for _ in range(3)]
    [1.0, 0.64, 0.4096]
    >>> step.n_traces
    1
    """
    if not callable(function):
        raise ArgumentError(f"sw.compile takes a function or a module, not {type(function).__name__}")
    return CompiledFunction(function, target)
