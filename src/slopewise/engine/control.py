"""scan, checkpoint and custom gradients: functions of which the engine keeps more than what they compute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from slopewise.engine import ops
from slopewise.engine.aval import aval_of, is_floating
from slopewise.engine.errors import ArgumentError, GradientError, ShapeError
from slopewise.engine.graph import Graph, Symbol
from slopewise.engine.linearize import CUSTOM_CAPTURE, Linearized, split_trace
from slopewise.engine.mode import changed_mode, is_grad_enabled
from slopewise.engine.primitive import apply
from slopewise.engine.primitives.call import call, call_graph
from slopewise.engine.primitives.loop import Extent, scan_graph
from slopewise.engine.tape import Ref
from slopewise.engine.tensor import Tensor
from slopewise.engine.trace import TracedFunction, trace_function, tracing
from slopewise.engine.tree import Structure, flatten, map_tree, unflatten


def scan(
    body: Callable[[Any, Any], tuple[Any, Any]],
    state: Any,
    xs: Any = None,
    *,
    length: int | None = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Run `state, y = body(state, x)` for each slice x of `xs` along axis 0, and stack the ys.

    The body is traced once and becomes one operation, however many steps there are.

    Parameters
    ----------
    body : takes the state and a slice, returns the next state, of the same structure, shapes and dtypes, and
        a result (or None)
    state : tensors, nested in lists, tuples and dicts
    xs : tensors with the same size of axis 0, nested likewise; or None, with `length` given
    length : the number of steps
    reverse : go from the last slice to the first; the results stay in their places

    Returns
    -------
    (final state, results stacked along axis 0)

    Examples
    --------
    >>> import slopewise as sw
    >>> total, running = sw.scan(lambda s, x: (s + x, s + x), sw.tensor(0.0), sw.tensor([1.0, 2.0, 3.0]))
    >>> total, running
    (tensor(6.), tensor([1., 3., 6.]))
    """
    carry, carry_structure = flatten(map_tree(ops.as_tensor, state))
    leaves = [] if xs is None else flatten(xs)[0]
    sequences = [ops.as_tensor(leaf) for leaf in leaves]
    steps = _steps(sequences, length)
    if not steps:
        raise ArgumentError(
            "scan over no steps cannot know the shapes of its results; give it at least one step"
        )
    slices = None if xs is None else unflatten(flatten(xs)[1], [x[0] for x in sequences])
    traced = trace_function(body, (unflatten(carry_structure, carry), slices), once=True)
    n_carry = _check_body(traced, carry, carry_structure)
    consts = traced.captured_tensors()
    inputs = traced.graph.inputs
    n_arguments = len(inputs) - len(consts)
    body_inputs = inputs[n_arguments:] + inputs[:n_arguments]
    graph = Graph(body_inputs, traced.graph.constants, traced.graph.nodes, traced.graph.outputs)
    extent = Extent(len(consts), n_carry, steps, reverse)
    results = scan_graph(graph, [*consts, *carry, *sequences], extent)
    return traced.results(results)  # type: ignore[no-any-return]


def _steps(sequences: list[Tensor], length: int | None) -> int:
    if length is not None and length < 0:
        raise ArgumentError(f"scan: length is the number of steps, it cannot be {length}")
    sizes = {x.shape[0] if x.ndim else -1 for x in sequences} | ({length} if length is not None else set())
    if -1 in sizes:
        raise ShapeError("scan needs xs with at least one axis, along which it goes")
    if len(sizes) != 1:
        raise ShapeError(
            "scan needs xs or length"
            if not sizes
            else f"scan: xs and length disagree on the number of steps: {sorted(sizes)}"
        )
    return sizes.pop()


def _check_body(traced: TracedFunction, carry: list[Tensor], structure: Any) -> int:
    """Check that the body returns a pair whose first half is like the state; return its number of tensors."""
    if traced.rebound or traced.grads:
        raise ArgumentError(
            "the body of a scan changes a tensor from outside; make it part of the state instead"
        )
    # what it does to its arguments in place it does to slices and states of its own
    del traced.graph.outputs[len(traced.tracked) :]
    result: Any = traced.result
    if not (isinstance(result, tuple) and result[0] is tuple and len(result[2]) == 2):
        raise ArgumentError("the body of a scan must return a pair: (state, result)")
    if result[2][0] != structure:
        raise ArgumentError("the body of a scan must return a state of the structure that it was given")
    for before, after in zip(carry, traced.graph.outputs, strict=False):
        if aval_of(before) != aval_of(after):
            raise ShapeError(
                f"the body of a scan turns a state {aval_of(before)} into {aval_of(after)}; "
                "they must be alike"
            )
    return len(carry)


def checkpoint(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that keeps only its arguments for the backward pass and recomputes the rest there.

    Memory for time: T. Chen, B. Xu, C. Zhang, C. Guestrin, "Training deep nets with sublinear memory cost"
    (2016). Random bits have an address, so the recomputation draws the same ones. The function is traced, so
    it cannot branch on values.

    Examples
    --------
    >>> import slopewise as sw
    >>> block = sw.checkpoint(lambda x: (x * x).sum())
    >>> sw.grad(block)(sw.tensor([1.0, 2.0]))
    tensor([2., 4.])
    """

    @wraps(function)
    def recomputed(*args: Any, **kwargs: Any) -> Any:
        traced = trace_function(function, args, kwargs, once=True)
        return run_traced(traced, flatten((args, kwargs))[0], recompute=True)

    return recomputed


def run_traced(traced: TracedFunction, leaves: Sequence[Any], *, recompute: bool = False) -> Any:
    """Run a traced function as one operation on the tape; state that it changed is written back.

    Parameters
    ----------
    leaves : the leaves of its arguments; what is no tensor among them is skipped
    """
    arguments = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    inputs = arguments + traced.captured_tensors()
    if traced.is_differentiable or any(hasattr(x._ref.buffer, "batch_level") for x in inputs):
        outputs = call_graph(traced.graph, inputs, recompute=recompute)
    else:  # a training step, for one, keeps nothing for a backward pass that it has made itself
        with changed_mode(recording=0):
            outputs = call_graph(traced.graph, inputs)
    count = len(traced.tracked)
    # off the tape, but not detached: the batch behind an output may be tracked, where the graph itself knows
    # at which places gradients stop
    results = [
        output if tracked else Tensor._from_ref(Ref(output._ref.buffer))
        for output, tracked in zip(outputs[:count], traced.tracked, strict=True)
    ]
    traced.write_back(arguments, outputs[count:])
    return traced.results(results)


def custom_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function a gradient of your own (TensorFlow's decorator).

    Parameters
    ----------
    function : takes tensors, returns (result, pull); `pull` takes a cotangent of the result and returns a
        gradient per argument, None for zero

    Examples
    --------
    Rounding that lets gradients through, the straight-through estimator (Bengio, Leonard, Courville, 2013):

    >>> import slopewise as sw
    >>> @sw.custom_gradient
    ... def round_through(x):
    ...     return sw.round(x), lambda g: g
    >>> sw.grad(lambda x: round_through(x) * 3.0)(sw.tensor(0.7))
    tensor(3.)
    """

    @wraps(function)
    def with_gradient(*args: Any) -> Any:
        tensors = [ops.as_tensor(arg) for arg in args]
        linear, captured, structure = _trace_custom(function, tensors)
        if is_grad_enabled() and any(tensor.requires_grad for tensor in captured):
            raise GradientError(CUSTOM_CAPTURE)
        outputs = apply(call, *tensors, *captured, graph=linear.forward, linear=linear)
        return unflatten(structure, outputs[: len(outputs) - linear.n_residuals])

    return with_gradient


def _trace_custom(
    function: Callable[..., Any], tensors: list[Tensor]
) -> tuple[Linearized, list[Tensor], Structure]:
    """Trace a function and its own pullback, and cut the trace between them."""
    with tracing(once=True) as trace, changed_mode(recording=-1):
        inputs = [Tensor._from_ref(Ref(trace.input(aval_of(t)))) for t in tensors]
        pair = function(*inputs)
        if not isinstance(pair, tuple) or len(pair) != 2 or not callable(pair[1]):
            raise ArgumentError("a function with a custom gradient must return a pair: (result, pull)")
        results, structure = flatten(pair[0])
        outputs = [trace.symbol_of(ops.as_tensor(result)) for result in results]
        forward = Graph([], dict(trace.constants), trace.nodes[:], outputs)
        places = tuple(i for i, symbol in enumerate(outputs) if is_floating(symbol.dtype))
        cotangents = [Symbol(aval_of(symbol), trace) for symbol in outputs]
        pulled = pair[1](unflatten(structure, [Tensor._from_ref(Ref(symbol)) for symbol in cotangents]))
        gradients = _checked_gradients(pulled, tensors)
        needs = tuple(gradient is not None for gradient in gradients)
        symbols = [trace.symbol_of(gradient) for gradient in gradients if gradient is not None]
    captured = list(trace.captured.values())
    forward.inputs = trace.inputs + [symbol for _, symbol in captured]
    floating = [cotangents[i] for i in places]
    needs += (False,) * len(captured)
    linear = split_trace(trace, forward, places, floating, symbols, needs, frozenset())
    return linear._replace(n_custom=len(tensors)), [tensor for tensor, _ in captured], structure


def _checked_gradients(pulled: Any, tensors: list[Tensor]) -> list[Tensor | None]:
    """Check what a custom pullback returned against the arguments."""
    gradients = list(pulled) if isinstance(pulled, tuple | list) else [pulled]
    if len(gradients) != len(tensors):
        raise ArgumentError(
            f"a custom gradient returned {len(gradients)} gradients for {len(tensors)} arguments; "
            "return None for zero"
        )
    gradients = [None if gradient is None else ops.as_tensor(gradient) for gradient in gradients]
    for gradient, argument in zip(gradients, tensors, strict=True):
        if gradient is not None and gradient.shape != argument.shape:
            raise ShapeError(f"a custom gradient has shape {gradient.shape}, its argument {argument.shape}")
    return [
        None if g is None or not is_floating(t.dtype) else g for g, t in zip(gradients, tensors, strict=True)
    ]
